#include "lib/base/str.h"

#include <locale.h>

#include "tests/lib/suite.h"

START_TEST(test_questions) {
        ck_assert(str_eq("a", "a") && str_eq(NULL, NULL));
        ck_assert(!str_eq("a", "b") && !str_eq("a", NULL) && !str_eq(NULL, "a"));
        ck_assert(str_empty(NULL) && str_empty("") && !str_empty(" "));
        ck_assert_str_eq(str_or("", "b"), "b");
        ck_assert_str_eq(str_or("a", "b"), "a");
        ck_assert_str_eq(str_after_prefix("unix:///x", "unix://"), "/x");
        ck_assert_str_eq(str_after_prefix("abc", ""), "abc");
        ck_assert_ptr_null(str_after_prefix("un", "unix"));
        ck_assert(str_has_suffix("a.service", ".service") && str_has_suffix("a", ""));
        ck_assert(!str_has_suffix("service", ".service"));
}
END_TEST

START_TEST(test_trim) {
        static const char *const cases[][2] = {
                { "", "" }, { "  ", "" }, { " a b\t\r\n", "a b" }, { "x", "x" }, { "\v\fy", "y" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char s[16] = "";

                memcpy(s, cases[i][0], strlen(cases[i][0]));
                ck_assert_str_eq(str_trim(s), cases[i][1]);
        }
}
END_TEST

START_TEST(test_utf8) {
        static const struct {
                const char *s;
                bool good;
        } cases[] = {
                { "", true },
                { "plain", true },
                { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true },
                { "\xef\xbf\xbf", true },
                { "\xf4\x8f\xbf\xbf", true },
                { "\x80", false },
                { "\xc3", false },
                { "\xc3"
                  "a",
                  false },
                { "\xc0\x80", false },
                { "\xc1\xbf", false },
                { "\xe0\x9f\xbf", false },
                { "\xed\xa0\x80", false },
                { "\xf0\x8f\xbf\xbf", false },
                { "\xf4\x90\x80\x80", false },
                { "\xf5\x80\x80\x80", false },
                { "\xe2\x82", false },
                { "\xff", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ck_assert_msg(str_is_utf8(cases[i].s, strlen(cases[i].s)) == cases[i].good,
                              "case %zu", i);
        ck_assert(!str_is_utf8("a\0b", 3));
}
END_TEST

START_TEST(test_u64) {
        static const struct {
                const char *s;
                int code;
                uint64_t value;
        } cases[] = {
                { "0", 0, 0 },
                { "007", 0, 7 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -ERANGE, 1 },
                { "99999999999999999999999", -ERANGE, 1 },
                { "", -EINVAL, 1 },
                { "-1", -EINVAL, 1 },
                { "+1", -EINVAL, 1 },
                { " 1", -EINVAL, 1 },
                { "1x", -EINVAL, 1 },
                { "0x1", -EINVAL, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t v = 1;

                ck_assert_int_eq(str_to_u64(cases[i].s, &v), cases[i].code);
                ck_assert_uint_eq(v, cases[i].value);
        }
}
END_TEST

START_TEST(test_i64) {
        static const struct {
                const char *s;
                int code;
                int64_t value;
        } cases[] = {
                { "0", 0, 0 },
                { "-0", 0, 0 },
                { "+5", 0, 5 },
                { "9223372036854775807", 0, INT64_MAX },
                { "-9223372036854775808", 0, INT64_MIN },
                { "9223372036854775808", -ERANGE, 1 },
                { "-9223372036854775809", -ERANGE, 1 },
                { "--1", -EINVAL, 1 },
                { "-+1", -EINVAL, 1 },
                { "-", -EINVAL, 1 },
                { "", -EINVAL, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int64_t v = 1;

                ck_assert_msg(str_to_i64(cases[i].s, &v) == cases[i].code, "%s", cases[i].s);
                ck_assert_int_eq(v, cases[i].value);
        }
}
END_TEST

START_TEST(test_double) {
        static const struct {
                const char *s;
                int code;
                double value;
        } cases[] = {
                { "1.5", 0, 1.5 },     { "-2", 0, -2 },         { "1e3", 0, 1000 },
                { ".5", 0, .5 },       { "", -EINVAL, 7 },      { " 1", -EINVAL, 7 },
                { "1,5", -EINVAL, 7 }, { "nan", -EINVAL, 7 },   { "x", -EINVAL, 7 },
                { "inf", -ERANGE, 7 }, { "1e999", -ERANGE, 7 }, { "1.5s", -EINVAL, 7 },
        };

        (void) setlocale(LC_ALL, "de_DE.UTF-8");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                double v = 7;

                ck_assert_msg(str_to_double(cases[i].s, &v) == cases[i].code, "%s", cases[i].s);
                ck_assert_double_eq(v, cases[i].value);
        }
}
END_TEST

START_TEST(test_bool) {
        static const char *const yes[] = { "1", "yes", "Y", "TRUE", "t", "On" };
        static const char *const no[] = { "0", "no", "N", "False", "f", "OFF" };
        static const char *const neither[] = { "", "2", "ja", "yes ", "truefalse" };
        bool b;

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                b = false;
                ck_assert_int_eq(str_to_bool(yes[i], &b), 0);
                ck_assert(b);
                ck_assert_int_eq(str_to_bool(no[i], &b), 0);
                ck_assert(!b);
        }
        for (size_t i = 0; i < ELEMENTSOF(neither); i++)
                ck_assert_int_eq(str_to_bool(neither[i], &b), -EINVAL);
}
END_TEST

START_TEST(test_hex_digit) {
        static const char digits[] = "0123456789abcdefABCDEF";

        for (int c = 0; c < 256; c++) {
                const char *at = memchr(digits, c, sizeof(digits) - 1);
                long value = !at ? -EINVAL : at - digits < 16 ? at - digits : at - digits - 6;

                ck_assert_int_eq(str_hex_digit((char) c), value);
        }
}
END_TEST

TEST_MAIN("str", test_questions, test_trim, test_utf8, test_u64, test_i64, test_double, test_bool,
          test_hex_digit);
