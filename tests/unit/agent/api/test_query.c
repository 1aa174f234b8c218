#include "agent/api/query.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

START_TEST(test_values) {
        static const struct {
                const char *query, *values;
        } cases[] = {
                { "", "" },         { "a=1", "1|" },       { "b=1&a=2&a=3", "2|3|" },
                { "a", "|" },       { "a=", "|" },         { "a=%41+%2b", "A +|" },
                { "%61=x", "x|" },  { "a=%zz&a=2", "2|" }, { "a=%00", "" },
                { "&&a=1&", "1|" }, { "aa=1", "" },        { "a=b=c", "b=c|" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_done) Strv values = STRV_INIT;
                Buf b = BUF_INIT;

                ck_assert_int_eq(query_values(cases[i].query, "a", &values), 0);
                for (size_t v = 0; v < values.n; v++)
                        ck_assert_int_eq(buf_printf(&b, "%s|", values.items[v]), 0);
                ck_assert_str_eq(buf_str(&b), cases[i].values);
                buf_done(&b);
        }
}
END_TEST

START_TEST(test_clean_path) {
        static const struct {
                const char *path, *clean;
        } cases[] = {
                { "/", "/" },
                { "", "/" },
                { "//", "/" },
                { "/fleet/v1/units", "/fleet/v1/units" },
                { "/fleet/v1/units/", "/fleet/v1/units/" },
                { "/fleet//v1///units", "/fleet/v1/units" },
                { "//fleet/v1//", "/fleet/v1/" },
                { "/a/./b", "/a/b" },
                { "/a/../b", "/b" },
                { "/../../b", "/b" },
                { "/a/..", "/" },
                { "/a/...", "/a/..." },
                { "/a/.b", "/a/.b" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *clean = query_clean_path(cases[i].path);

                ck_assert_str_eq(clean, cases[i].clean);
        }
}
END_TEST

START_TEST(test_html) {
        Buf b = BUF_INIT;

        ck_assert_int_eq(query_append_html(&b, "/a?b=1&c=<\"'>"), 0);
        ck_assert_str_eq(buf_str(&b), "/a?b=1&amp;c=&lt;&#34;&#39;&gt;");
        buf_done(&b);
}
END_TEST

TEST_MAIN("query", test_values, test_clean_path, test_html);
