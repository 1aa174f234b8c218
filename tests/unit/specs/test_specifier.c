#include "specs/specifier.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static const SpecifierHost host = {
        .hostname = "box.example.org",
        .machine_id = "0123456789abcdef0123456789abcdef",
        .boot_id = "b007",
        .kernel_release = "6.1.0",
        .architecture = "x86-64",
        .user = "root",
        .user_id = "0",
        .home = "/root",
        .shell = "/bin/sh",
        .runtime_directory = "/run",
        .state_directory = "/var/lib",
        .cache_directory = "/var/cache",
        .log_directory = "/var/log",
};

START_TEST(test_expand) {
        static const struct {
                const char *unit, *text, *wanted;
        } cases[] = {
                { "a-b@c-d.service", "", "" },
                { "a-b@c-d.service", "plain", "plain" },
                { "a-b@c-d.service", "%n|%N|%p|%P|%i|%I|%j|%J",
                  "a-b@c-d.service|a-b@c-d|a-b|a/b|c-d|c/d|b|b" },
                { "x\\x2dy@a\\x20b.service", "%p|%P|%i|%I|%J", "x\\x2dy|x-y|a\\x20b|a b|x-y" },
                { "a-b.service", "%p|%i|%I|%j|%N", "a-b|||b|a-b" },
                { "foo@.service", "%p|%i|%n", "foo||foo@.service" },
                { "u.service", "%H|%l|%m|%b|%v|%a",
                  "box.example.org|box|0123456789abcdef0123456789abcdef|b007|6.1.0|x86-64" },
                { "u.service", "%u|%U|%h|%s|%t|%S|%C|%L",
                  "root|0|/root|/bin/sh|/run|/var/lib|/var/cache|/var/log" },
                { "u.service", "%%n %%%p 100%", "%n %u 100%" },
                { "u.service", "%{http_code} %1 %. %-d %\xc3\xa9",
                  "%{http_code} %1 %. %-d %\xc3\xa9" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *result = NULL;
                _cleanup_error_ Error e = ERROR_INIT;

                ck_assert_msg(specifier_expand(cases[i].text, cases[i].unit, &host, &result, &e) ==
                                      0,
                              "%s: %s", cases[i].text, error_text(&e));
                ck_assert_str_eq(result, cases[i].wanted);
        }
}
END_TEST

START_TEST(test_errors) {
        static const SpecifierHost nothing = { 0 };
        static const struct {
                const char *unit, *text;
                const SpecifierHost *host;
                const char *error;
        } cases[] = {
                { "u@a\\q.service", "%I", &host, "specifier '%I': 'a\\q' is not properly escaped" },
                { "u\\q@a.service", "x%P", &host,
                  "specifier '%P': 'u\\q' is not properly escaped" },
                { "u-\\q@a.service", "x%J", &host,
                  "specifier '%J': '\\q' is not properly escaped" },
                { "u.service", "a %m", &nothing, "specifier '%m': the machine ID is not known" },
                { "u.service", "a %H", NULL, "specifier '%H': the host name is not known" },
                { "u.service", "a %l", NULL, "specifier '%l': the host name is not known" },
                { "u.service", "date +%d", &host,
                  "specifier '%d' is not supported (a percent sign is '%%')" },
                { "u.service", "%f", &host,
                  "specifier '%f' is not supported (a percent sign is '%%')" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                char *result;

                ck_assert_int_eq(specifier_expand(cases[i].text, cases[i].unit, cases[i].host,
                                                  &result, &e),
                                 -EINVAL);
                ck_assert_str_eq(error_text(&e), cases[i].error);
        }
}
END_TEST

START_TEST(test_limit) {
        _cleanup_free_ char *text = mem_zalloc(SPECIFIER_EXPANDED_MAX + 1), *result = NULL;
        _cleanup_error_ Error e = ERROR_INIT;

        memset(text, 'x', SPECIFIER_EXPANDED_MAX);
        ck_assert_int_eq(specifier_expand(text, "u.service", NULL, &result, &e), 0);
        memcpy(text, "%n", 2);
        ck_assert_int_eq(specifier_expand(text, "u.service", NULL, &result, &e), -EFBIG);
        ck_assert_str_eq(error_text(&e),
                         "too long once its specifiers are expanded (max 4194304 bytes)");
}
END_TEST

TEST_MAIN("specifier", test_expand, test_errors, test_limit);
