#include "lib/json/json.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static json_t *parse(const char *text) {
        json_t *j = NULL;

        ck_assert_msg(json_parse(text, strlen(text), &j, NULL) == 0, "%s", text);
        return j;
}

START_TEST(test_format) {
        static const char *const cases[][2] = {
                { "{}", "{}" },
                { " { \"b\" : 1 , \"a\" : [ true , null ] } ", "{\"a\":[true,null],\"b\":1}" },
                { "\"x\"", "\"x\"" },
                { "\"a<b>&c\"", "\"a\\u003cb\\u003e\\u0026c\"" },
                { "\"\\u2028\\u2029\\u202a\xe2\x82\xac\"",
                  "\"\\u2028\\u2029\xe2\x80\xaa\xe2\x82\xac\"" },
                { "\"\\b\\f\\n\\r\\t\\u001F\\u001b\"",
                  "\"\\u0008\\u000c\\n\\r\\t\\u001f\\u001b\"" },
                { "\"\\\\u001F \\\"<\"", "\"\\\\u001F \\\"\\u003c\"" },
                { "{\"<k>\":\"\\/\"}", "{\"\\u003ck\\u003e\":\"/\"}" },
                { "-12345678901234", "-12345678901234" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                json_t *j = parse(cases[i][0]);
                _cleanup_free_ char *text = json_format(j);

                ck_assert_str_eq(text, cases[i][1]);
                json_decref(j);
        }
}
END_TEST

START_TEST(test_parse_errors) {
        static const struct {
                const char *text;
                unsigned line;
        } cases[] = {
                { "", 1 },
                { "{", 1 },
                { "{}{}", 1 },
                { "{}\n,", 2 },
                { "{\"a\":1,\n\"a\":2}", 2 },
                { "[1,]", 1 },
                { "\"\\u0000\"", 1 },
                { "\"\xff\"", 1 },
                { "nul", 1 },
                { "123456789012345678901234567890", 1 },
                { "1e999", 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                json_t *j = NULL;
                int r = json_parse(cases[i].text, strlen(cases[i].text), &j, &e);

                ck_assert_msg(r == -EINVAL, "%s", cases[i].text);
                ck_assert_ptr_null(j);
                ck_assert_ptr_nonnull(str_after_prefix(error_text(&e), "not JSON: "));
                ck_assert_msg(e.line == cases[i].line, "%s: %u", cases[i].text, e.line);
        }
}
END_TEST

START_TEST(test_nul_byte) {
        json_t *j = NULL;

        ck_assert_int_eq(json_parse("{}\0", 3, &j, NULL), -EINVAL);
        ck_assert_int_eq(json_parse("\"a\0b\"", 5, &j, NULL), -EINVAL);
        ck_assert_ptr_null(j);
}
END_TEST

START_TEST(test_depth) {
        char text[2 * JSON_DEPTH_MAX + 3] = "";
        _cleanup_error_ Error e = ERROR_INIT;
        json_t *j = NULL;

        for (size_t i = 0; i < JSON_DEPTH_MAX; i++) {
                text[i] = '[';
                text[2 * JSON_DEPTH_MAX - 1 - i] = ']';
        }
        json_decref(parse(text));

        for (size_t i = 0; i <= JSON_DEPTH_MAX; i++) {
                text[i] = '[';
                text[2 * JSON_DEPTH_MAX + 1 - i] = ']';
        }
        ck_assert_int_eq(json_parse(text, strlen(text), &j, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "nested deeper than 64");
        ck_assert_ptr_null(j);

        /* Brackets in strings are not nesting. */
        json_decref(
                parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\","
                      "\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"));
}
END_TEST

START_TEST(test_get) {
        _cleanup_json_ json_t *j = parse("{\"s\":\"text\",\"n\":7,\"b\":true,\"o\":{},\"a\":[],"
                                         "\"null\":null,\"minus\":-1,\"real\":1.5}");
        const char *s = "before";
        json_t *v = j;
        uint64_t n = 99;
        bool b = false;

        ck_assert_int_eq(json_get_string(j, "s", &s, NULL), 0);
        ck_assert_str_eq(s, "text");
        ck_assert_int_eq(json_get_u64(j, "n", &n, NULL), 0);
        ck_assert_uint_eq(n, 7);
        ck_assert_int_eq(json_get_bool(j, "b", &b, NULL), 0);
        ck_assert(b);
        ck_assert_int_eq(json_get_object(j, "o", &v, NULL), 0);
        ck_assert(json_is_object(v));
        ck_assert_int_eq(json_get_array(j, "a", &v, NULL), 0);
        ck_assert(json_is_array(v));
        ck_assert_int_eq(json_need_string(j, "s", &s, NULL), 0);

        ck_assert_int_eq(json_get_u64(j, "minus", &n, NULL), -EINVAL);
        ck_assert_int_eq(json_get_u64(j, "real", &n, NULL), -EINVAL);
        ck_assert_uint_eq(n, 7);
}
END_TEST

START_TEST(test_get_absent) {
        static const char *const keys[] = { "none", "null" };
        _cleanup_json_ json_t *j = parse("{\"null\":null}");

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const char *s = "before";
                json_t *o = j, *a = j;
                uint64_t n = 99;
                bool b = true;

                ck_assert_int_eq(json_get_string(j, keys[i], &s, NULL), 0);
                ck_assert_ptr_null(s);
                ck_assert_int_eq(json_get_u64(j, keys[i], &n, NULL), 0);
                ck_assert_uint_eq(n, 0);
                ck_assert_int_eq(json_get_bool(j, keys[i], &b, NULL), 0);
                ck_assert(!b);
                ck_assert_int_eq(json_get_object(j, keys[i], &o, NULL), 0);
                ck_assert_ptr_null(o);
                ck_assert_int_eq(json_get_array(j, keys[i], &a, NULL), 0);
                ck_assert_ptr_null(a);
        }
}
END_TEST

START_TEST(test_get_words) {
        _cleanup_json_ json_t *j = parse("{\"hash\":[]}");
        _cleanup_error_ Error e = ERROR_INIT;
        const char *s = NULL;
        json_t *v = NULL;
        uint64_t n;
        bool b;

        ck_assert_int_eq(json_get_string(j, "hash", &s, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "'hash' is not a string");
        ck_assert_int_eq(json_get_u64(j, "hash", &n, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "'hash' is not a whole number from 0");
        ck_assert_int_eq(json_get_bool(j, "hash", &b, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "'hash' is not true or false");
        ck_assert_int_eq(json_get_object(j, "hash", &v, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "'hash' is not an object");
        ck_assert_int_eq(json_need_string(j, "hash", &s, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "'hash' is not a string");
        ck_assert_int_eq(json_need_string(j, "name", &s, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "'name' is missing");
        ck_assert_int_eq(json_get_array(json_object_get(j, "hash"), "x", &v, &e), 0);
        ck_assert_ptr_null(v);
}
END_TEST

START_TEST(test_set_string) {
        _cleanup_json_ json_t *j = json_object();
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(json_set_string(j, "a", "x"), 0);
        ck_assert_int_eq(json_set_string(j, "b", ""), 0);
        ck_assert_int_eq(json_set_string(j, "c", NULL), 0);
        ck_assert_int_eq(json_set_string(j, "d", "\xff"), -EINVAL);
        text = json_format(j);
        ck_assert_str_eq(text, "{\"a\":\"x\"}");
}
END_TEST

START_TEST(test_unknown_key) {
        static const char *const known[] = { "a", "b", NULL };
        _cleanup_json_ json_t *good = parse("{\"a\":1}"), *bad = parse("{\"a\":1,\"nope\":2}");

        ck_assert_ptr_null(json_unknown_key(good, known));
        ck_assert_str_eq(json_unknown_key(bad, known), "nope");
}
END_TEST

START_TEST(test_parse_out_of_memory) {
        static const char text[] = "{\"a\":[1,\"two\",{\"b\":null}],\"c\":\"<d>\"}";

        for (uint64_t n = 1;; n++) {
                _cleanup_error_ Error e = ERROR_INIT;
                json_t *j = NULL;
                int r;

                alloc_fail_after(n);
                r = json_parse(text, sizeof(text) - 1, &j, &e);
                alloc_fail_after(0);
                if (r == 0) {
                        json_decref(j);
                        break;
                }
                ck_assert_msg(r == -ENOMEM, "allocation %llu: %d", (unsigned long long) n, r);
                ck_assert_ptr_null(j);
                ck_assert_uint_lt(n, 100);
        }
}
END_TEST

START_TEST(test_format_out_of_memory) {
        _cleanup_json_ json_t *j = parse("{\"a\":\"<\",\"b\":[1]}");

        for (uint64_t n = 1;; n++) {
                _cleanup_free_ char *text = NULL;

                alloc_fail_after(n);
                text = json_format(j);
                alloc_fail_after(0);
                if (text) {
                        ck_assert_str_eq(text, "{\"a\":\"\\u003c\",\"b\":[1]}");
                        break;
                }
                ck_assert_uint_lt(n, 100);
        }
}
END_TEST

START_TEST(test_set_u64) {
        _cleanup_json_ json_t *j = json_object();

        ck_assert_int_eq(json_set_u64(j, "none", 0), 0);
        ck_assert_int_eq(json_set_u64(j, "one", 1), 0);
        ck_assert_int_eq(json_set_u64(j, "large", UINT64_MAX), 0);

        _cleanup_free_ char *text = json_format(j);

        ck_assert_str_eq(text, "{\"large\":9223372036854775807,\"one\":1}");
}
END_TEST

TEST_MAIN("json", test_format, test_parse_errors, test_nul_byte, test_depth, test_get,
          test_get_absent, test_get_words, test_set_string, test_unknown_key,
          test_parse_out_of_memory, test_format_out_of_memory, test_set_u64);
