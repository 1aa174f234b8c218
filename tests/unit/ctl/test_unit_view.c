#include "ctl/unit_view.h"

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

static UnitView view_of(const char *status, bool plain) {
        json_t *j = parse(status);
        _cleanup_error_ Error e = ERROR_INIT;
        UnitView v;

        ck_assert_int_eq(unit_view_init(&v, "u.service"), 0);
        ck_assert_msg(unit_view_apply_status(&v, j, plain, &e) == 0, "%s", error_text(&e));
        json_decref(j);
        return v;
}

START_TEST(test_goals) {
        static const struct {
                const char *status;
                ViewGoal goal;
                ViewProgress progress;
        } cases[] = {
                { STATUS("launched", "m1", ",\"states\":[" STATE("m1", "activating", "") "]"),
                  VIEW_LAUNCHED, VIEW_REACHED },
                /* on another machine, or with the content from before */
                { STATUS("launched", "m1", ",\"states\":[" STATE("m2", "active", "") "]"),
                  VIEW_LAUNCHED, VIEW_PENDING },
                { STATUS("launched", "m1",
                         ",\"states\":[" STATE("m1", "active", ",\"hash\":\"" HASH_B "\"") "]"),
                  VIEW_LAUNCHED, VIEW_PENDING },
                { STATUS("launched", "m1",
                         ",\"states\":[" STATE("m1", "active", ",\"hash\":\"" HASH_A "\"") "]"),
                  VIEW_LAUNCHED, VIEW_REACHED },
                { STATUS("launched", "m1", ""), VIEW_LAUNCHED, VIEW_PENDING },
                { STATUS("launched", "", ""), VIEW_LAUNCHED, VIEW_PENDING },
                { STATUS("loaded", "m1", ""), VIEW_LAUNCHED, VIEW_FAILED },
                { STATUS("inactive", "", ""), VIEW_LOADED, VIEW_FAILED },
                { STATUS("loaded", "m1",
                         ",\"states\":[{\"unit\":\"u\",\"machine\":\"m1\",\"target\":\"loaded\","
                         "\"active\":\"deactivating\"}]"),
                  VIEW_LOADED, VIEW_PENDING },
                { STATUS("loaded", "m1",
                         ",\"states\":[{\"unit\":\"u\",\"machine\":\"m1\",\"target\":\"loaded\","
                         "\"active\":\"inactive\"}]"),
                  VIEW_LOADED, VIEW_REACHED },
                { STATUS("loaded", "m1", ",\"states\":[" STATE("m1", "inactive", "") "]"),
                  VIEW_LOADED, VIEW_PENDING },
                { STATUS("inactive", "", ""), VIEW_INACTIVE, VIEW_REACHED },
                { STATUS("inactive", "m1", ""), VIEW_INACTIVE, VIEW_PENDING },
                { STATUS("inactive", "", ",\"states\":[" STATE("m1", "inactive", "") "]"),
                  VIEW_INACTIVE, VIEW_PENDING },
                { STATUS("inactive", "", ""), VIEW_GONE, VIEW_PENDING },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                UnitView v = view_of(cases[i].status, false);

                ck_assert_msg(unit_view_check(&v, cases[i].goal, NULL) == cases[i].progress, "%zu",
                              i);
                unit_view_done(&v);
        }
}
END_TEST

START_TEST(test_unknown_is_pending) {
        UnitView v;

        ck_assert_int_eq(unit_view_init(&v, "u.service"), 0);
        for (ViewGoal goal = VIEW_LAUNCHED; goal <= VIEW_GONE; goal++)
                ck_assert_int_eq(unit_view_check(&v, goal, NULL), VIEW_PENDING);
        ck_assert_int_eq(unit_view_apply_status(&v, NULL, false, NULL), 0);
        ck_assert_int_eq(unit_view_check(&v, VIEW_GONE, NULL), VIEW_REACHED);
        ck_assert_int_eq(unit_view_check(&v, VIEW_INACTIVE, NULL), VIEW_REACHED);
        ck_assert_int_eq(unit_view_check(&v, VIEW_LAUNCHED, NULL), VIEW_FAILED);
        unit_view_done(&v);
}
END_TEST

START_TEST(test_coming_up) {
        static const struct {
                const char *state; /* rest of the state behind since=500 */
                const char *active;
                uint64_t before;
                ViewProgress progress;
                const char *text;
        } cases[] = {
                { "", "active", 0, VIEW_REACHED, NULL },
                { "", "active", 500, VIEW_REACHED, NULL },
                { "", "reloading", 0, VIEW_REACHED, NULL },
                { "", "activating", 0, VIEW_PENDING, NULL },
                { "", "inactive", 0, VIEW_PENDING, NULL }, /* it has not begun */
                { ",\"exitCode\":0,\"result\":\"success\"", "inactive", 0, VIEW_REACHED, NULL },
                { ",\"exitCode\":0,\"result\":\"success\"", "inactive", 500, VIEW_PENDING, NULL },
                { ",\"exitCode\":3,\"result\":\"exit-code\"", "inactive", 0, VIEW_FAILED,
                  "unit u.service failed: exit-code" },
                { ",\"result\":\"timeout\",\"message\":\"it took too long\"", "failed", 0,
                  VIEW_FAILED, "unit u.service failed: timeout: it took too long" },
                { ",\"message\":\"no such image\"", "failed", 0, VIEW_FAILED,
                  "unit u.service failed: no such image" },
                { "", "failed", 0, VIEW_FAILED, "unit u.service failed: failed (x)" },
                { ",\"result\":\"signal\"", "failed", 500, VIEW_UNCERTAIN,
                  "unit u.service failed: signal" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *text = str_printf(STATUS("launched", "m1",
                                               ",\"states\":[" STATE("m1", "%s", "%s") "]"),
                                        cases[i].active, cases[i].state);
                UnitView v = view_of(text, false);
                _cleanup_error_ Error e = ERROR_INIT;

                ck_assert_msg(unit_view_check_active(&v, cases[i].before, &e) == cases[i].progress,
                              "%zu", i);
                ck_assert_msg(str_eq(e.code ? error_text(&e) : NULL, cases[i].text), "%zu: %s", i,
                              error_text(&e));
                unit_view_done(&v);
                mem_free(text);
        }
}
END_TEST

/* The original fleetd says what is current, but not how a unit ended. */
START_TEST(test_plain_server) {
        static const struct {
                const char *active;
                ViewProgress progress;
        } cases[] = {
                { "active", VIEW_REACHED },
                { "activating", VIEW_PENDING },
                { "failed", VIEW_FAILED },
                { "inactive", VIEW_UNCERTAIN },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *text = str_printf(STATUS("launched", "m1",
                                               ",\"currentState\":\"launched\",\"states\":[" STATE(
                                                       "m1", "%s", "") "]"),
                                        cases[i].active);
                UnitView v = view_of(text, true);

                ck_assert_int_eq(unit_view_check_active(&v, 0, NULL), cases[i].progress);
                unit_view_done(&v);
                mem_free(text);
        }
}
END_TEST

START_TEST(test_plain_end) {
        UnitView v = view_of(STATUS("inactive", "",
                                    ",\"currentState\":\"inactive\",\"states\":[" STATE(
                                            "m1", "deactivating", "") "]"),
                             true);

        ck_assert_int_eq(unit_view_check(&v, VIEW_INACTIVE, NULL), VIEW_PENDING);
        unit_view_done(&v);
        v = view_of(STATUS("inactive", "",
                           ",\"currentState\":\"inactive\",\"states\":[" STATE("m1", "inactive",
                                                                               "") "]"),
                    true);
        ck_assert_int_eq(unit_view_check(&v, VIEW_INACTIVE, NULL), VIEW_REACHED);
        unit_view_done(&v);
}
END_TEST

static void apply(UnitView *v, const char *event) {
        json_t *j = parse(event);
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_msg(unit_view_apply_event(v, j, &e) == 0, "%s: %s", event, error_text(&e));
        json_decref(j);
}

/* A whole life, told by events. */
START_TEST(test_events) {
        UnitView v = view_of(STATUS("inactive", "", ""), false);

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
        ck_assert_int_eq(unit_view_check(&v, VIEW_LAUNCHED, NULL), VIEW_PENDING);
        apply(&v, "{\"revision\":5,\"kind\":\"state\",\"machine\":\"m1\",\"doc\":" STATE(
                          "m1", "activating", "") "}");
        apply(&v, "{\"revision\":6,\"kind\":\"state\",\"machine\":\"m1\",\"doc\":" STATE(
                          "m1", "active", "") "}");
        ck_assert_uint_eq(v.n_states, 1);
        ck_assert_int_eq(unit_view_check_active(&v, 0, NULL), VIEW_REACHED);

        /* It moves: the deletion of the old place comes late. */
        apply(&v, "{\"revision\":7,\"kind\":\"placement\",\"machine\":\"m2\",\"doc\":{}}");
        apply(&v, "{\"revision\":7,\"kind\":\"placement\",\"machine\":\"m1\",\"deleted\":true}");
        ck_assert_str_eq(v.machine, "m2");
        apply(&v, "{\"revision\":8,\"kind\":\"machine\",\"machine\":\"m3\",\"doc\":{}}");

        apply(&v, "{\"revision\":9,\"kind\":\"unit\",\"unit\":\"u.service\",\"deleted\":true}");
        apply(&v, "{\"revision\":9,\"kind\":\"placement\",\"machine\":\"m2\",\"deleted\":true}");
        ck_assert_int_eq(unit_view_check(&v, VIEW_GONE, NULL), VIEW_PENDING);
        apply(&v, "{\"revision\":10,\"kind\":\"state\",\"machine\":\"m1\",\"deleted\":true}");
        ck_assert_int_eq(unit_view_check(&v, VIEW_GONE, NULL), VIEW_REACHED);
        unit_view_done(&v);
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
        UnitView v = view_of(STATUS("inactive", "", ""), false);

        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                json_t *j = parse(events[i]);
                _cleanup_error_ Error e = ERROR_INIT;

                ck_assert_msg(unit_view_apply_event(&v, j, &e) < 0, "%s", events[i]);
                ck_assert_ptr_nonnull(e.text);
                json_decref(j);
        }
        unit_view_done(&v);
}
END_TEST

TEST_MAIN("unit_view", test_goals, test_unknown_is_pending, test_coming_up, test_plain_server,
          test_plain_end, test_events, test_bad_documents);
