#include "ctl/watched_unit.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* A state as the store writes it. */
#define STATE(machine, active, rest)                                                               \
        "{\"unit\":\"u.service\",\"machine\":\"" machine                                           \
        "\",\"load\":\"loaded\",\"active\":\"" active                                              \
        "\",\"sub\":\"x\",\"target\":\"launched\",\"since\":500" rest "}"
#define STATUS(desired, machine, rest)                                                             \
        "{\"unit\":\"u.service\",\"hash\":\"" HASH_A "\",\"desiredState\":\"" desired              \
        "\",\"machineID\":\"" machine "\"" rest "}"

static json_t *parse(const char *text) {
        json_t *j;

        ck_assert_msg(json_parse(text, strlen(text), &j, NULL) == 0, "%s", text);
        return j;
}

static WatchedUnit view_of(const char *status, bool plain) {
        json_t *j = parse(status);
        _cleanup_error_ Error e = ERROR_INIT;
        WatchedUnit v;

        ck_assert_int_eq(watched_unit_init(&v, "u.service"), 0);
        ck_assert_msg(watched_unit_apply_status(&v, j, plain, &e) == 0, "%s", error_text(&e));
        json_decref(j);
        return v;
}

START_TEST(test_goals) {
        static const struct {
                const char *status;
                WatchGoal goal;
                WatchProgress progress;
        } cases[] = {
                { STATUS("launched", "m1", ",\"states\":[" STATE("m1", "activating", "") "]"),
                  WATCH_LAUNCHED, WATCH_REACHED },
                /* on another machine, or with the content from before */
                { STATUS("launched", "m1", ",\"states\":[" STATE("m2", "active", "") "]"),
                  WATCH_LAUNCHED, WATCH_PENDING },
                { STATUS("launched", "m1",
                         ",\"states\":[" STATE("m1", "active", ",\"hash\":\"" HASH_B "\"") "]"),
                  WATCH_LAUNCHED, WATCH_PENDING },
                { STATUS("launched", "m1",
                         ",\"states\":[" STATE("m1", "active", ",\"hash\":\"" HASH_A "\"") "]"),
                  WATCH_LAUNCHED, WATCH_REACHED },
                { STATUS("launched", "m1", ""), WATCH_LAUNCHED, WATCH_PENDING },
                { STATUS("launched", "", ""), WATCH_LAUNCHED, WATCH_PENDING },
                { STATUS("loaded", "m1", ""), WATCH_LAUNCHED, WATCH_FAILED },
                { STATUS("inactive", "", ""), WATCH_LOADED, WATCH_FAILED },
                { STATUS("loaded", "m1",
                         ",\"states\":[{\"unit\":\"u\",\"machine\":\"m1\",\"target\":\"loaded\","
                         "\"active\":\"deactivating\"}]"),
                  WATCH_LOADED, WATCH_PENDING },
                { STATUS("loaded", "m1",
                         ",\"states\":[{\"unit\":\"u\",\"machine\":\"m1\",\"target\":\"loaded\","
                         "\"load\":\"loaded\",\"active\":\"inactive\"}]"),
                  WATCH_LOADED, WATCH_REACHED },
                { STATUS("loaded", "m1", ",\"states\":[" STATE("m1", "inactive", "") "]"),
                  WATCH_LOADED, WATCH_PENDING },
                { STATUS("launched", "m1",
                         ",\"states\":[{\"unit\":\"u\",\"machine\":\"m1\",\"target\":\"loaded\","
                         "\"load\":\"error\",\"message\":\"no engine\"}]"),
                  WATCH_LAUNCHED, WATCH_PENDING },
                { STATUS("launched", "m1",
                         ",\"states\":[{\"unit\":\"u\",\"machine\":\"m1\",\"target\":\"launched\","
                         "\"load\":\"bad-setting\",\"message\":\"unknown flag --x\"}]"),
                  WATCH_LAUNCHED, WATCH_FAILED },
                { STATUS("inactive", "", ""), WATCH_INACTIVE, WATCH_REACHED },
                { STATUS("inactive", "m1", ""), WATCH_INACTIVE, WATCH_PENDING },
                { STATUS("inactive", "", ",\"states\":[" STATE("m1", "inactive", "") "]"),
                  WATCH_INACTIVE, WATCH_PENDING },
                { STATUS("inactive", "", ""), WATCH_GONE, WATCH_PENDING },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                WatchedUnit v = view_of(cases[i].status, false);

                ck_assert_msg(watched_unit_check(&v, cases[i].goal, NULL) == cases[i].progress,
                              "%zu", i);
                watched_unit_done(&v);
        }
}
END_TEST

START_TEST(test_unknown_is_pending) {
        WatchedUnit v;

        ck_assert_int_eq(watched_unit_init(&v, "u.service"), 0);
        for (WatchGoal goal = WATCH_LAUNCHED; goal <= WATCH_GONE; goal++)
                ck_assert_int_eq(watched_unit_check(&v, goal, NULL), WATCH_PENDING);
        ck_assert_int_eq(watched_unit_apply_status(&v, NULL, false, NULL), 0);
        ck_assert_int_eq(watched_unit_check(&v, WATCH_GONE, NULL), WATCH_REACHED);
        ck_assert_int_eq(watched_unit_check(&v, WATCH_INACTIVE, NULL), WATCH_REACHED);
        ck_assert_int_eq(watched_unit_check(&v, WATCH_LAUNCHED, NULL), WATCH_FAILED);
        watched_unit_done(&v);
}
END_TEST

START_TEST(test_coming_up) {
        static const struct {
                const char *state; /* rest of the state behind since=500 */
                const char *active;
                uint64_t before;
                WatchProgress progress;
                const char *text;
        } cases[] = {
                { "", "active", 0, WATCH_REACHED, NULL },
                { "", "active", 500, WATCH_REACHED, NULL },
                { "", "reloading", 0, WATCH_REACHED, NULL },
                { "", "activating", 0, WATCH_PENDING, NULL },
                { "", "inactive", 0, WATCH_PENDING, NULL }, /* it has not begun */
                { ",\"exitCode\":0,\"result\":\"success\"", "inactive", 0, WATCH_REACHED, NULL },
                { ",\"exitCode\":0,\"result\":\"success\"", "inactive", 500, WATCH_PENDING, NULL },
                { ",\"result\":\"exec-condition\"", "inactive", 500, WATCH_REACHED, NULL },
                { ",\"exitCode\":3,\"result\":\"exit-code\"", "inactive", 0, WATCH_FAILED,
                  "unit u.service failed: exit-code" },
                { ",\"result\":\"timeout\",\"message\":\"it took too long\"", "failed", 0,
                  WATCH_FAILED, "unit u.service failed: timeout: it took too long" },
                { ",\"message\":\"no such image\"", "failed", 0, WATCH_FAILED,
                  "unit u.service failed: no such image" },
                { "", "failed", 0, WATCH_FAILED, "unit u.service failed: failed (x)" },
                { ",\"result\":\"signal\"", "failed", 500, WATCH_UNCERTAIN,
                  "unit u.service failed: signal" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *text = str_printf(STATUS("launched", "m1",
                                               ",\"states\":[" STATE("m1", "%s", "%s") "]"),
                                        cases[i].active, cases[i].state);
                WatchedUnit v = view_of(text, false);
                _cleanup_error_ Error e = ERROR_INIT;

                ck_assert_msg(watched_unit_check_active(&v, cases[i].before, &e) ==
                                      cases[i].progress,
                              "%zu", i);
                ck_assert_msg(str_eq(e.code ? error_text(&e) : NULL, cases[i].text), "%zu: %s", i,
                              error_text(&e));
                watched_unit_done(&v);
                mem_free(text);
        }
}
END_TEST

/* The original fleetd says what is current, but not how a unit ended. */
START_TEST(test_plain_server) {
        static const struct {
                const char *active;
                WatchProgress progress;
        } cases[] = {
                { "active", WATCH_REACHED },
                { "activating", WATCH_PENDING },
                { "failed", WATCH_FAILED },
                { "inactive", WATCH_UNCERTAIN },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *text = str_printf(STATUS("launched", "m1",
                                               ",\"currentState\":\"launched\",\"states\":[" STATE(
                                                       "m1", "%s", "") "]"),
                                        cases[i].active);
                WatchedUnit v = view_of(text, true);

                ck_assert_int_eq(watched_unit_check_active(&v, 0, NULL), cases[i].progress);
                watched_unit_done(&v);
                mem_free(text);
        }
}
END_TEST

START_TEST(test_plain_end) {
        WatchedUnit v = view_of(STATUS("inactive", "",
                                       ",\"currentState\":\"inactive\",\"states\":[" STATE(
                                               "m1", "deactivating", "") "]"),
                                true);

        ck_assert_int_eq(watched_unit_check(&v, WATCH_INACTIVE, NULL), WATCH_PENDING);
        watched_unit_done(&v);
        v = view_of(STATUS("inactive", "",
                           ",\"currentState\":\"inactive\",\"states\":[" STATE("m1", "inactive",
                                                                               "") "]"),
                    true);
        ck_assert_int_eq(watched_unit_check(&v, WATCH_INACTIVE, NULL), WATCH_REACHED);
        watched_unit_done(&v);
}
END_TEST

static void apply(WatchedUnit *v, const char *event) {
        json_t *j = parse(event);
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_msg(watched_unit_apply_event(v, j, &e) == 0, "%s: %s", event, error_text(&e));
        json_decref(j);
}

/* A whole life, told by events. */
START_TEST(test_events) {
        WatchedUnit v = view_of(STATUS("inactive", "", ""), false);

        apply(&v, "{\"revision\":1,\"kind\":\"unit\",\"unit\":\"u.service\",\"doc\":{\"hash\":"
                  "\"" HASH_B "\",\"desiredState\":\"launched\"}}");
        ck_assert_int_eq(v.desired, DESIRED_LAUNCHED);
        ck_assert_str_eq(v.hash, HASH_B);
        apply(&v, "{\"revision\":2,\"kind\":\"reason\",\"doc\":{\"text\":\"no machine\"}}");
        ck_assert_str_eq(v.reason, "no machine");
        apply(&v, "{\"revision\":3,\"kind\":\"reason\",\"deleted\":true}");
        ck_assert_ptr_null(v.reason);
        apply(&v, "{\"revision\":4,\"kind\":\"placement\",\"machine\":\"m1\",\"doc\":{}}");
        ck_assert_str_eq(v.machine, "m1");
        ck_assert_int_eq(watched_unit_check(&v, WATCH_LAUNCHED, NULL), WATCH_PENDING);
        apply(&v, "{\"revision\":5,\"kind\":\"state\",\"machine\":\"m1\",\"doc\":" STATE(
                          "m1", "activating", "") "}");
        apply(&v, "{\"revision\":6,\"kind\":\"state\",\"machine\":\"m1\",\"doc\":" STATE(
                          "m1", "active", "") "}");
        ck_assert_uint_eq(v.n_states, 1);
        ck_assert_int_eq(watched_unit_check_active(&v, 0, NULL), WATCH_REACHED);

        /* It moves: the deletion of the old place comes late. */
        apply(&v, "{\"revision\":7,\"kind\":\"placement\",\"machine\":\"m2\",\"doc\":{}}");
        apply(&v, "{\"revision\":7,\"kind\":\"placement\",\"machine\":\"m1\",\"deleted\":true}");
        ck_assert_str_eq(v.machine, "m2");
        apply(&v, "{\"revision\":8,\"kind\":\"machine\",\"machine\":\"m3\",\"doc\":{}}");

        apply(&v, "{\"revision\":9,\"kind\":\"unit\",\"unit\":\"u.service\",\"deleted\":true}");
        apply(&v, "{\"revision\":9,\"kind\":\"placement\",\"machine\":\"m2\",\"deleted\":true}");
        ck_assert_int_eq(watched_unit_check(&v, WATCH_GONE, NULL), WATCH_PENDING);
        apply(&v, "{\"revision\":10,\"kind\":\"state\",\"machine\":\"m1\",\"deleted\":true}");
        ck_assert_int_eq(watched_unit_check(&v, WATCH_GONE, NULL), WATCH_REACHED);
        watched_unit_done(&v);
}
END_TEST

START_TEST(test_bad_documents) {
        static const char *const events[] = {
                "{}",
                "{\"kind\":3}",
                "{\"kind\":\"unit\",\"doc\":{\"desiredState\":\"bogus\"}}",
                "{\"kind\":\"unit\",\"doc\":[]}",
                "{\"kind\":\"state\",\"machine\":7}",
        };
        WatchedUnit v = view_of(STATUS("inactive", "", ""), false);

        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                json_t *j = parse(events[i]);
                _cleanup_error_ Error e = ERROR_INIT;

                ck_assert_msg(watched_unit_apply_event(&v, j, &e) < 0, "%s", events[i]);
                ck_assert_ptr_nonnull(e.text);
                json_decref(j);
        }
        watched_unit_done(&v);
}
END_TEST

TEST_MAIN("watched_unit", test_goals, test_unknown_is_pending, test_coming_up, test_plain_server,
          test_plain_end, test_events, test_bad_documents);
