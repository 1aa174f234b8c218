#include "specs/unit_state.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static json_t *parse_json(const char *text) {
        json_t *j = NULL;

        ck_assert_msg(json_parse(text, strlen(text), &j, NULL) == 0, "%s", text);
        return j;
}

START_TEST(test_desired_state) {
        static const char *const words[] = { "inactive", "loaded", "launched" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                DesiredState s;

                ck_assert_int_eq(desired_state_from_string(words[i], &s), 0);
                ck_assert_str_eq(desired_state_to_string(s), words[i]);
        }

        DesiredState s;

        ck_assert_int_eq(desired_state_from_string("bogus", &s), -EINVAL);
        ck_assert_int_eq(desired_state_from_string("", &s), -EINVAL);
        ck_assert_int_eq(desired_state_from_string("Loaded", &s), -EINVAL);
}
END_TEST

START_TEST(test_reached) {
        static const struct {
                const char *load;
                DesiredState target, reached;
        } cases[] = {
                { "loaded", DESIRED_LAUNCHED, DESIRED_LAUNCHED },
                { "loaded", DESIRED_LOADED, DESIRED_LOADED },
                { "loaded", DESIRED_INACTIVE, DESIRED_LOADED },
                { "error", DESIRED_LAUNCHED, DESIRED_INACTIVE },
                { NULL, DESIRED_LAUNCHED, DESIRED_INACTIVE },
        };

        ck_assert_int_eq(unit_state_reached(NULL), DESIRED_INACTIVE);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_state_freep) UnitState *s = unit_state_new("a.service", "m1");

                if (cases[i].load)
                        ck_assert_int_eq(str_replace(&s->load, cases[i].load), 0);
                s->target = cases[i].target;
                ck_assert_int_eq(unit_state_reached(s), cases[i].reached);
        }
}
END_TEST

#define SHORT "{\"machine\":\"m\",\"target\":\"inactive\",\"unit\":\"u.service\"}"
#define LONG                                                                                       \
        "{\"active\":\"failed\",\"driver\":\"docker\",\"exitCode\":0,\"exitSignal\":9,\"hash\":"   \
        "\"0291f12e379921025c603e454c0fe989ddb0f3dd\",\"load\":\"loaded\",\"machine\":\"m\","      \
        "\"mainID\":\"c0ffee\",\"message\":\"why\",\"restarts\":3,\"result\":\"signal\","          \
        "\"since\":1700000000000000,\"sub\":\"failed\",\"target\":\"launched\",\"unit\":"          \
        "\"u.service\"}"

START_TEST(test_json) {
        static const char *const cases[] = { SHORT, LONG };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i]), *again = NULL;
                _cleanup_(unit_state_freep) UnitState *s = NULL, *copy = NULL;
                _cleanup_free_ char *text = NULL;

                ck_assert_int_eq(unit_state_from_json(j, &s, NULL), 0);
                ck_assert_int_eq(s->exit_code, i == 0 ? -1 : 0);
                copy = unit_state_copy(s);
                ck_assert(unit_state_equal(s, copy));
                ck_assert_int_eq(unit_state_to_json(copy, &again), 0);
                text = json_format(again);
                ck_assert_str_eq(text, cases[i]);
        }
}
END_TEST

/* Each of these differs in one thing. */
START_TEST(test_equal) {
        static const char *const others[] = {
                "{\"unit\":\"v\",\"machine\":\"m\"}",
                "{\"unit\":\"u\",\"machine\":\"n\"}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"message\":\"x\"}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"hash\":\"x\"}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"target\":\"loaded\"}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"since\":1}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"restarts\":1}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"exitCode\":1}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"exitSignal\":1}",
        };
        _cleanup_(unit_state_freep) UnitState *s = unit_state_new("u", "m");

        ck_assert(unit_state_equal(s, s));
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                _cleanup_json_ json_t *j = parse_json(others[i]);
                _cleanup_(unit_state_freep) UnitState *other = NULL;

                ck_assert_int_eq(unit_state_from_json(j, &other, NULL), 0);
                ck_assert_msg(!unit_state_equal(s, other), "%s", others[i]);
        }
}
END_TEST

START_TEST(test_json_errors) {
        static const char *const cases[][2] = {
                { "1", "unit state is not an object" },
                { "{\"machine\":\"m\"}", "'unit' is missing" },
                { "{\"unit\":\"u\"}", "'machine' is missing" },
                { "{\"unit\":\"\",\"machine\":\"m\"}", "'unit' or 'machine' is empty" },
                { "{\"unit\":\"u\",\"machine\":\"\"}", "'unit' or 'machine' is empty" },
                { "{\"unit\":\"u\",\"machine\":\"m\",\"load\":1}", "'load' is not a string" },
                { "{\"unit\":\"u\",\"machine\":\"m\",\"hash\":1}", "'hash' is not a string" },
                { "{\"unit\":\"u\",\"machine\":\"m\",\"hash\":"
                  "\"00291f12e379921025c603e454c0fe989ddb0f3dd\"}",
                  "'hash' is longer than 40 characters" },
                { "{\"unit\":\"u\",\"machine\":\"m\",\"target\":\"x\"}",
                  "'target' is no state: 'x'" },
                { "{\"unit\":\"u\",\"machine\":\"m\",\"target\":1}", "'target' is not a string" },
                { "{\"unit\":\"u\",\"machine\":\"m\",\"exitCode\":2147483648}",
                  "'exitCode' is too large" },
        };
        static const char *const numbers[] = {
                "{\"unit\":\"u\",\"machine\":\"m\",\"since\":\"1\"}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"restarts\":1.5}",
                "{\"unit\":\"u\",\"machine\":\"m\",\"exitSignal\":-1}",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i][0]);
                _cleanup_error_ Error e = ERROR_INIT;
                UnitState *s;

                ck_assert_int_eq(unit_state_from_json(j, &s, &e), -EINVAL);
                ck_assert_str_eq(error_text(&e), cases[i][1]);
        }
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                _cleanup_json_ json_t *j = parse_json(numbers[i]);
                UnitState *s;

                ck_assert_int_eq(unit_state_from_json(j, &s, NULL), -EINVAL);
        }
}
END_TEST

TEST_MAIN("unit_state", test_desired_state, test_reached, test_json, test_equal, test_json_errors);
