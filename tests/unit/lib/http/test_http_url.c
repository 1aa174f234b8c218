#include "lib/http/http_url.h"

#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

START_TEST(test_escape) {
        static const char *const cases[][2] = {
                { "", "" },
                { "AZaz09-._~", "AZaz09-._~" },
                { "web@1.service", "web%401.service" },
                { "a/b c+d%", "a%2Fb%20c%2Bd%25" },
                { "\xc3\xa4\n", "%C3%A4%0A" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *escaped = http_url_escape(cases[i][0]), *back = NULL;

                ck_assert_str_eq(escaped, cases[i][1]);
                ck_assert_int_eq(http_url_unescape(escaped, strlen(escaped), &back), 0);
                ck_assert_str_eq(back, cases[i][0]);
        }
}
END_TEST

START_TEST(test_unescape) {
        static const char *const bad[] = { "%", "%4", "%zz", "%4g", "a%00b", "%%40" };
        char *s = NULL;

        ck_assert_int_eq(http_url_unescape("a+b%2f%2F", 9, &s), 0);
        ck_assert_str_eq(s, "a+b//");
        s = mem_free(s);
        ck_assert_int_eq(http_url_unescape("abc%41", 5, &s), -EINVAL); /* cut in the escape */
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_eq(http_url_unescape(bad[i], strlen(bad[i]), &s), -EINVAL);
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(test_argument) {
        static const struct {
                const char *query, *name, *value;
        } cases[] = {
                { "", "a", NULL },       { "a=1", "a", "1" },         { "a=1&a=2", "a", "1" },
                { "b=1&a=2", "a", "2" }, { "b=1;a=2", "a", "2" },     { "a", "a", "" },
                { "a=", "a", "" },       { "=x", "", "x" },           { "&&a=1&&", "a", "1" },
                { "aa=1", "a", NULL },   { "a=x=y", "a", "x=y" },     { "a=1+2%2B3", "a", "1 2+3" },
                { "%61=1", "a", "1" },   { "a=%zz&a=ok", "a", "ok" }, { "%zz=1&a=ok", "a", "ok" },
                { "a=%00", "a", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *value = NULL;

                ck_assert_int_eq(http_query_argument(cases[i].query, cases[i].name, &value), 0);
                if (cases[i].value)
                        ck_assert_str_eq(value, cases[i].value);
                else
                        ck_assert_msg(!value, "%s: %s", cases[i].query, value);
        }
}
END_TEST

START_TEST(test_out_of_memory) {
        char *s = NULL;

        for (uint64_t n = 1; n <= 2; n++) {
                alloc_fail_after(n);
                ck_assert_int_eq(http_query_argument("a=1", "a", &s), -ENOMEM);
                alloc_fail_after(0);
        }
        alloc_fail_after(1);
        ck_assert_ptr_null(http_url_escape("x"));
        ck_assert_int_eq(http_url_unescape("x", 1, &s), -ENOMEM);
        alloc_fail_after(0);
        ck_assert_ptr_null(s);
}
END_TEST

TEST_MAIN("http_url", test_escape, test_unescape, test_argument, test_out_of_memory);
