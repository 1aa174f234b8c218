#include "ctl/status_text.h"

#include <stdlib.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

#define NOW ((uint64_t) 1795255200 * USEC_PER_SEC) /* 2026-11-21 10:00:00 UTC */

static char *render(const char *status, const char *state, bool colour) {
        StatusText s = { .now_usec = NOW, .ip = "10.0.0.1", .colour = colour };
        json_t *j, *k = NULL;
        UnitState *u = NULL;
        Buf out = BUF_INIT;
        _cleanup_error_ Error e = ERROR_INIT;
        char *text;

        ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
        tzset();
        ck_assert_int_eq(json_parse(status, strlen(status), &j, NULL), 0);
        if (state) {
                ck_assert_int_eq(json_parse(state, strlen(state), &k, NULL), 0);
                ck_assert_msg(unit_state_from_json(k, &u, &e) == 0, "%s", error_text(&e));
        }
        s.status = j;
        s.state = u;
        ck_assert_msg(status_text_render(&s, &out, &e) == 0, "%s", error_text(&e));
        text = buf_steal(&out);
        json_decref(j);
        json_decref(k);
        unit_state_free(u);
        return text;
}

#define HASH "0291f12e379921025c603e454c0fe989ddb0f3dd"
#define CONTAINER "3f2a9c0b1d2e3f2a9c0b1d2e3f2a9c0b1d2e3f2a9c0b1d2e3f2a9c0b1d2e3f2a"
#define STATUS                                                                                     \
        "{\"unit\":\"hello.service\",\"description\":\"Says hello\",\"desiredState\":"             \
        "\"launched\",\"hash\":\"" HASH "\"}"

START_TEST(test_running) {
        char *text = render(
                STATUS,
                "{\"unit\":\"hello.service\",\"machine\":\"0123456789abcdef\",\"load\":\"loaded\","
                "\"active\":\"active\",\"sub\":\"running\",\"result\":\"success\",\"hash\":\"" HASH
                "\",\"driver\":\"docker\",\"mainID\":\"" CONTAINER "\",\"since\":1795251540000000,"
                "\"restarts\":2}",
                false);

        ck_assert_str_eq(text, "● hello.service - Says hello\n"
                               "   Loaded: loaded (unit 0291f12; wanted: launched)\n"
                               "   Active: active (running) since Sat 2026-11-21 08:59:00 UTC; 1h "
                               "1min ago\n"
                               "  Machine: 01234567.../10.0.0.1\n"
                               "   Driver: docker\n"
                               "     Main: 3f2a9c0b1d2e\n"
                               " Restarts: 2\n");
        mem_free(text);
}
END_TEST

START_TEST(test_failed) {
        char *text = render(
                STATUS,
                "{\"unit\":\"hello.service\",\"machine\":\"0123456789abcdef\",\"load\":\"loaded\","
                "\"active\":\"failed\",\"sub\":\"failed\",\"result\":\"exit-code\",\"hash\":"
                "\"1c6fb6f3684bafb0c173d8b8b957ceff031180c1\",\"driver\":\"docker\",\"exitCode\":7,"
                "\"since\":1795255200000000,\"message\":\"ended with 7\"}",
                false);

        ck_assert_str_eq(text, "× hello.service - Says hello\n"
                               "   Loaded: loaded (unit 0291f12; wanted: launched)\n"
                               "           (the machine still has unit 1c6fb6f)\n"
                               "   Active: failed (Result: exit-code; failed) since Sat 2026-11-21 "
                               "10:00:00 UTC; 0s ago\n"
                               "  Machine: 01234567.../10.0.0.1\n"
                               "   Driver: docker\n"
                               "     Main: none (code=exited, status=7)\n"
                               "  Message: ended with 7\n");
        mem_free(text);
}
END_TEST

START_TEST(test_killed) {
        char *text = render(STATUS,
                            "{\"unit\":\"hello.service\",\"machine\":\"01234567\",\"active\":"
                            "\"failed\",\"sub\":\"failed\",\"exitSignal\":9,\"mainID\":\"77\"}",
                            false);

        ck_assert_ptr_nonnull(strstr(text, "     Main: 77 (code=killed, signal=KILL)\n"));
        mem_free(text);
}
END_TEST

START_TEST(test_nowhere) {
        char *text = render("{\"unit\":\"hello.service\",\"desiredState\":\"launched\",\"reason\":"
                            "\"1 machine lacks metadata disk=ssd\"}",
                            NULL, false);

        ck_assert_str_eq(text, "○ hello.service\n"
                               "   Loaded: not loaded (unit; wanted: launched)\n"
                               "   Active: inactive (dead)\n"
                               "   Reason: 1 machine lacks metadata disk=ssd\n");
        mem_free(text);
}
END_TEST

START_TEST(test_colour) {
        static const struct {
                const char *active, *colour;
        } cases[] = {
                { "active", "\033[1;32m" },
                { "failed", "\033[1;31m" },
                { "activating", "\033[1;33m" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *state = str_printf("{\"unit\":\"hello.service\",\"machine\":\"m\","
                                         "\"active\":\"%s\",\"sub\":\"x\"}",
                                         cases[i].active),
                     *text = render(STATUS, state, true),
                     *wanted = str_printf("Active: %s%s\033[0m (x)", cases[i].colour,
                                          cases[i].active);

                ck_assert_ptr_nonnull(strstr(text, wanted));
                ck_assert(str_after_prefix(text, cases[i].colour));
                mem_free(text);
                mem_free(wanted);
                text = render(STATUS, state, false);
                ck_assert_ptr_null(strchr(text, '\033'));
                mem_free(text);
                mem_free(state);
        }
}
END_TEST

START_TEST(test_exit_codes) {
        static const struct {
                const char *active;
                int rc;
        } cases[] = { { "active", 0 },   { "reloading", 0 }, { "activating", 3 },
                      { "inactive", 3 }, { "failed", 3 },    { NULL, 3 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                UnitState *s = unit_state_new("a", "m");

                ck_assert_int_eq(str_replace(&s->active, cases[i].active), 0);
                ck_assert_int_eq(status_text_rc(s), cases[i].rc);
                unit_state_free(s);
        }
        ck_assert_int_eq(status_text_rc(NULL), 3);
}
END_TEST

START_TEST(test_bad_status) {
        json_t *j = json_object();
        _cleanup_error_ Error e = ERROR_INIT;
        Buf out = BUF_INIT;

        ck_assert_int_eq(status_text_render(&(const StatusText){ .status = j }, &out, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "fleetd's status names no unit");
        json_decref(j);
}
END_TEST

TEST_MAIN("status_text", test_running, test_failed, test_killed, test_nowhere, test_colour,
          test_exit_codes, test_bad_status);
