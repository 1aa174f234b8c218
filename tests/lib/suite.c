#include "tests/lib/suite.h"

#include <stdlib.h>

#include "lib/base/clock.h"

enum { TEST_TIMEOUT_SECONDS = 60 };

#define DEADLINE_USEC (10 * USEC_PER_SEC)

int suite_run(const char *name, const TTest *const *tests, size_t n) {
        Suite *suite = suite_create(name);
        SRunner *runner;
        int failed;

        for (size_t i = 0; i < n; i++) {
                TCase *tc = tcase_create(tests[i]->name);

                tcase_set_timeout(tc, TEST_TIMEOUT_SECONDS);
                tcase_add_test(tc, tests[i]);
                suite_add_tcase(suite, tc);
        }

        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool is_set(void *userdata) {
        return *(const bool *) userdata;
}

void suite_wait_for(sd_event *event, bool (*fn)(void *userdata), void *userdata) {
        uint64_t end = clock_boottime_usec() + DEADLINE_USEC;

        while (!fn(userdata)) {
                uint64_t now = clock_boottime_usec();

                ck_assert_msg(now < end, "what the test waits for did not happen");
                ck_assert_int_ge(sd_event_run(event, end - now), 0);
        }
}

void suite_wait(sd_event *event, const bool *done) {
        suite_wait_for(event, is_set, (void *) (uintptr_t) done);
}

void suite_settle(sd_event *event) {
        int r;

        do {
                r = sd_event_run(event, 0);
                ck_assert_int_ge(r, 0);
        } while (r > 0);
}
