/*
 * What every unit test program shares: its main function, and a loop that runs until something
 * has happened or a deadline has passed.
 *
 *   START_TEST(test_adds) { ... } END_TEST
 *   TEST_MAIN("sum", test_adds, test_overflows)
 */
#pragma once

#include <check.h>
#include <systemd/sd-event.h>

#include "lib/base/base.h"

/*
 * Runs the tests, each in a process of its own (CK_FORK=no: in this one; CK_RUN_CASE=test_adds: only
 * that one). Returns main's result.
 */
int suite_run(const char *name, const TTest *const *tests, size_t n);

#define TEST_MAIN(name, ...)                                                                       \
        int main(void) {                                                                           \
                const TTest *const tests[] = { __VA_ARGS__ };                                      \
                return suite_run((name), tests, ELEMENTSOF(tests));                                \
        }                                                                                          \
        struct suite_needs_no_semicolon

/* Turns the loop until *done; fails the test if that takes longer than 10 s. */
void suite_wait(sd_event *event, const bool *done);

/* As above, until fn says true. */
void suite_wait_for(sd_event *event, bool (*fn)(void *userdata), void *userdata);

/* Turns the loop until nothing is ready any more. */
void suite_settle(sd_event *event);
