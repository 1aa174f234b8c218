#include "specs/glob.h"

#include "tests/lib/suite.h"

/* Go's own documentation of path.Match, and unit names. */
START_TEST(test_match) {
        static const struct {
                const char *pattern, *name;
                bool matches;
        } cases[] = {
                { "abc", "abc", true },
                { "", "", true },
                { "", "x", false },
                { "*", "", true },
                { "*", "abc", true },
                { "*c", "abc", true },
                { "a*", "a", true },
                { "a*", "abc", true },
                { "a*", "ab/c", false },
                { "a*/b", "abc/b", true },
                { "a*/b", "a/c/b", false },
                { "a*b*c*d*e*/f", "axbxcxdxe/f", true },
                { "a*b*c*d*e*/f", "axbxcxdxexxx/f", true },
                { "a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false },
                { "a*b*c*d*e*/f", "axbxcxdxexxx/fff", false },
                { "a*b?c*x", "abxbbxdbxebxczzx", true },
                { "a*b?c*x", "abxbbxdbxebxczzy", false },
                { "ab[c]", "abc", true },
                { "ab[b-d]", "abc", true },
                { "ab[e-g]", "abc", false },
                { "ab[^c]", "abc", false },
                { "ab[^b-d]", "abc", false },
                { "ab[^e-g]", "abc", true },
                { "ab[a-cx-z]", "aby", true },
                { "a\\*b", "a*b", true },
                { "a\\*b", "ab", false },
                { "a?b",
                  "a\xe2\x98\xba"
                  "b",
                  true },
                { "a[^a]b",
                  "a\xe2\x98\xba"
                  "b",
                  true },
                { "a???b",
                  "a\xe2\x98\xba"
                  "b",
                  false },
                { "a[^a][^a][^a]b",
                  "a\xe2\x98\xba"
                  "b",
                  false },
                { "[a-\xce\xb6]*", "\xce\xb1", true },
                { "*[a-\xce\xb6]", "A", false },
                { "a?b", "a/b", false },
                { "a*b", "a/b", false },
                { "[\\]a]", "]", true },
                { "[\\-]", "-", true },
                { "[x\\-]", "x", true },
                { "[x\\-]", "z", false },
                { "[\\-x]", "a", false },
                { "?", "\xff", true },
                { "\xff", "\xff", true },
                /* a byte that starts no sequence is a character: cut off, over-long, surrogate, too large */
                { "??", "\xe2\x98", true },
                { "?", "\xe2\x98", false },
                { "??", "\xc0\x80", true },
                { "???", "\xe0\x80\x80", true },
                { "???", "\xed\xa0\x80", true },
                { "????", "\xf4\x90\x80\x80", true },
                { "?", "\xf4\x8f\xbf\xbf", true },
                { "?", "\xf5", true },
                { "?", "\xc3\xa9", true },
                { "[\xc3\xa9]", "\xc3\xa9", true },
                { "[^\xc3\xa9]", "\xc3\xa8", true },
                { "\xc3\xa9*", "\xc3\xa9x", true },
                /* malformed: never */
                { "[]a]", "]", false },
                { "[-]", "-", false },
                { "[x-]", "x", false },
                { "[-x]", "x", false },
                { "[a-b-c]", "a", false },
                { "[", "a", false },
                { "[^", "a", false },
                { "[^bc", "a", false },
                { "a[", "a", false },
                { "a[", "ab", false },
                { "a[\\", "a", false },
                { "[a", "a", false },
                { "[a-", "a", false },
                { "[a-]", "a", false },
                { "[a-\\", "a", false },
                { "[\\a", "a", false },
                { "x[\\", "y", false },
                { "[\xff]", "\xff", false },
                { "\\", "\\", false },
                { "*\\", "x", false },
                /* units */
                { "hello", "hello.service", false },
                { "hello*", "hello.service", true },
                { "apache@*.service", "apache@1.service", true },
                { "apache@*.service", "apache2@1.service", false },
                { "*.service", ".service", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ck_assert_msg(glob_match(cases[i].pattern, cases[i].name) == cases[i].matches,
                              "%s on %s", cases[i].pattern, cases[i].name);
}
END_TEST

/* Exponential matchers never come back from this one. */
START_TEST(test_is_not_slow) {
        char pattern[2 * 2000 + 2], name[20001];

        for (size_t i = 0; i < 2000; i++)
                memcpy(pattern + 2 * i, "a*", 2);
        memcpy(pattern + 4000, "b", 2);
        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';

        ck_assert(!glob_match(pattern, name));
}
END_TEST

START_TEST(test_is_pattern) {
        ck_assert(glob_is_pattern("a*"));
        ck_assert(glob_is_pattern("?"));
        ck_assert(glob_is_pattern("[a]"));
        ck_assert(!glob_is_pattern("a@b.service"));
        ck_assert(!glob_is_pattern(""));
}
END_TEST

TEST_MAIN("glob", test_match, test_is_not_slow, test_is_pattern);
