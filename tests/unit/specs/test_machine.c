#include "specs/machine.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static json_t *parse_json(const char *text) {
        json_t *j = NULL;

        ck_assert_msg(json_parse(text, strlen(text), &j, NULL) == 0, "%s", text);
        return j;
}

START_TEST(test_metadata) {
        _cleanup_(metadata_done) Metadata m = { 0 }, copy = { 0 };

        ck_assert_int_eq(metadata_set(&m, "c", "3"), 0);
        ck_assert_int_eq(metadata_set(&m, "a", "1"), 0);
        ck_assert_int_eq(metadata_set(&m, "b", "2"), 0);
        ck_assert_int_eq(metadata_set(&m, "a", "4"), 0);
        ck_assert_uint_eq(m.n, 3);
        ck_assert_str_eq(metadata_get(&m, "a"), "4");
        ck_assert_ptr_null(metadata_get(&m, "d"));

        ck_assert_int_eq(metadata_copy(&m, &copy), 0);
        ck_assert(metadata_equal(&m, &copy));
        metadata_remove(&copy, "d");
        ck_assert(metadata_equal(&m, &copy));
        metadata_remove(&copy, "b");
        ck_assert(!metadata_equal(&m, &copy));
        ck_assert_int_eq(metadata_set(&copy, "d", "2"), 0);
        ck_assert(!metadata_equal(&m, &copy));
        metadata_remove(&copy, "d");
        ck_assert_int_eq(metadata_set(&copy, "b", "5"), 0);
        ck_assert(!metadata_equal(&m, &copy));

        _cleanup_free_ char *text = metadata_format(&copy);

        ck_assert_str_eq(text, "a=4,b=5,c=3");
}
END_TEST

START_TEST(test_metadata_parse) {
        static const char *const cases[][3] = {
                { "", "", "" },
                { "a=1", "a=1", "" },
                { "b=2,a=1", "a=1,b=2", "" },
                { " a = 1 , b=x=y,a=3 ", "a=3,b=x=y", "" },
                { "a,b=2, =3,c=", "b=2,c=", "a|=3" },
                { ",, ,a=1,", "a=1", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(metadata_done) Metadata m = { 0 }, again = { 0 };
                _cleanup_(strv_done) Strv bad = STRV_INIT;
                _cleanup_free_ char *text = NULL, *joined = NULL;

                ck_assert_int_eq(metadata_parse(cases[i][0], &m, &bad), 0);
                text = metadata_format(&m);
                joined = strv_join(&bad, "|");
                ck_assert_str_eq(text, cases[i][1]);
                ck_assert_str_eq(joined, cases[i][2]);
                ck_assert_int_eq(metadata_parse(cases[i][0], &again, NULL), 0);
                ck_assert(metadata_equal(&m, &again));
        }
}
END_TEST

START_TEST(test_metadata_merge) {
        _cleanup_(metadata_done) Metadata m = { 0 }, patch = { 0 };

        ck_assert_int_eq(metadata_parse("a=1,b=2,c=3", &m, NULL), 0);
        ck_assert_int_eq(metadata_parse("a=,b=4,d=5,e=", &patch, NULL), 0);
        ck_assert_int_eq(metadata_merge(&m, &patch), 0);

        _cleanup_free_ char *text = metadata_format(&m);

        ck_assert_str_eq(text, "b=4,c=3,d=5");
}
END_TEST

START_TEST(test_json) {
        static const char *const cases[] = {
                "{\"drivers\":[],\"id\":\"m1\",\"metadata\":{}}",
                "{\"cpus\":4,\"drivers\":[\"docker\",\"process\"],\"id\":\"m1\",\"memoryBytes\":"
                "8589934592,\"metadata\":{\"a\":\"\",\"b\":\"2\"},\"publicIP\":\"10.0.0.1\","
                "\"version\":\"2.0.0\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i]), *again = NULL;
                _cleanup_(machine_freep) Machine *m = NULL;
                _cleanup_free_ char *text = NULL;

                ck_assert_int_eq(machine_from_json(j, &m, NULL), 0);
                ck_assert_int_eq(machine_to_json(m, &again), 0);
                text = json_format(again);
                ck_assert_str_eq(text, cases[i]);
        }
}
END_TEST

START_TEST(test_json_unknown_keys) {
        _cleanup_json_ json_t *j = parse_json(
                "{\"id\":\"x\",\"new\":[1],\"drivers\":[\"b\",\"a\"]}");
        _cleanup_(machine_freep) Machine *m = NULL;

        ck_assert_int_eq(machine_from_json(j, &m, NULL), 0);
        ck_assert_str_eq(m->drivers.items[0], "a");
}
END_TEST

START_TEST(test_json_errors) {
        static const char *const cases[][2] = {
                { "[]", "machine is not an object" },
                { "{}", "'id' is missing" },
                { "{\"id\":1}", "'id' is not a string" },
                { "{\"id\":\"\"}", "'id' is empty" },
                { "{\"id\":\"x\",\"publicIP\":1}", "'publicIP' is not a string" },
                { "{\"id\":\"x\",\"version\":[]}", "'version' is not a string" },
                { "{\"id\":\"x\",\"drivers\":{}}", "'drivers' is not a list" },
                { "{\"id\":\"x\",\"drivers\":[1]}", "'drivers' holds what is not a string" },
                { "{\"id\":\"x\",\"metadata\":[]}", "'metadata' is not an object" },
                { "{\"id\":\"x\",\"metadata\":{\"k\":1}}", "metadata 'k' is not a string" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i][0]);
                _cleanup_(machine_freep) Machine *m = NULL;
                _cleanup_error_ Error e = ERROR_INIT;

                ck_assert_int_eq(machine_from_json(j, &m, &e), -EINVAL);
                ck_assert_str_eq(error_text(&e), cases[i][1]);
        }

        _cleanup_json_ json_t *list = parse_json("[1]"),
                              *cpus = parse_json("{\"id\":\"x\",\"cpus\":-1}");
        _cleanup_(metadata_done) Metadata m = { 0 };
        _cleanup_(machine_freep) Machine *machine = NULL;

        ck_assert_int_eq(metadata_from_json(list, &m, NULL), -EINVAL);
        ck_assert_int_eq(machine_from_json(cpus, &machine, NULL), -EINVAL);
}
END_TEST

TEST_MAIN("machine", test_metadata, test_metadata_parse, test_metadata_merge, test_json,
          test_json_unknown_keys, test_json_errors);
