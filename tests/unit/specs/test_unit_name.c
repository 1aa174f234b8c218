#include "specs/unit_name.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
#define X248 X64 X64 X64 X16 X16 X16 "xxxxxxxx"

START_TEST(test_validate) {
        static const struct {
                const char *name, *error;
        } cases[] = {
                { "foo.service", NULL },
                { "foo.automount", NULL },
                { "foo.busname", NULL },
                { "foo.device", NULL },
                { "foo.mount", NULL },
                { "foo.path", NULL },
                { "foo.scope", NULL },
                { "foo.slice", NULL },
                { "foo.snapshot", NULL },
                { "foo.socket", NULL },
                { "foo.swap", NULL },
                { "foo.target", NULL },
                { "foo.timer", NULL },
                { "foo@.service", NULL },
                { "foo@a@b.timer", NULL },
                { "a:b_c.d\\x2d@E-9.service", NULL },
                { ".service", NULL },
                { X248 ".service", NULL },
                { "", "unit name cannot be empty" },
                { "x" X248 ".service", "unit name exceeds maximum length (256)" },
                { X248 X248, "unit name exceeds maximum length (256)" },
                { "foo", "unit name must contain \".\"" },
                { "fo\xc3\xb6", "unit name must contain \".\"" },
                { "foo.", "unit name cannot end in \".\"" },
                { "f o.", "unit name cannot end in \".\"" },
                { "foo.bar", "invalid unit type: \"bar\"" },
                { "f o.Service", "invalid unit type: \"Service\"" },
                { "foo@1.mount", "invalid unit type for template: \"mount\"" },
                { "foo@ .slice", "invalid unit type for template: \"slice\"" },
                { "f o.service", "invalid character ' ' in unit name" },
                { "f/o.service", "invalid character '/' in unit name" },
                { "@f'o.service", "invalid character '\\'' in unit name" },
                { "f\no.service", "invalid character '\\n' in unit name" },
                { "f\ao.service", "invalid character '\\a' in unit name" },
                { "f\x1fo.service", "invalid character '\\x1f' in unit name" },
                { "f\x7fo.service", "invalid character '\\x7f' in unit name" },
                { "f\xc3\xb6o.service", "invalid character '\xc3\xb6' in unit name" },
                { "f\xf0\x9f\x90\xb3.service",
                  "invalid character '\xf0\x9f\x90\xb3' in unit name" },
                { "f\xff.service", "invalid character '\xef\xbf\xbd' in unit name" },
                { "@foo.service", "unit name cannot start in \"@\"" },
                { "@.service", "unit name cannot start in \"@\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                int r = unit_name_validate(cases[i].name, &e);

                ck_assert_int_eq(r, cases[i].error ? -EINVAL : 0);
                if (cases[i].error)
                        ck_assert_str_eq(error_text(&e), cases[i].error);
        }
}
END_TEST

START_TEST(test_parts) {
        static const struct {
                const char *full, *name, *prefix, *instance, *template_name, *type;
        } cases[] = {
                { "foo@bar.service", "foo@bar", "foo", "bar", "foo@.service", "service" },
                { "foo@.service", "foo@", "foo", NULL, "foo@.service", "service" },
                { "foo.service", "foo", "foo", NULL, NULL, "service" },
                { "a.b@c@d.e.timer", "a.b@c@d.e", "a.b", "c@d.e", "a.b@.timer", "timer" },
                { "foo", "foo", "foo", NULL, NULL, "" },
                { "foo@bar", "foo@bar", "foo", "bar", "foo@", "" },
                { "", "", "", NULL, NULL, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_name_done) UnitName n = { 0 };

                ck_assert_int_eq(unit_name_parse(cases[i].full, &n), 0);
                ck_assert_str_eq(n.full, cases[i].full);
                ck_assert_str_eq(n.name, cases[i].name);
                ck_assert_str_eq(n.prefix, cases[i].prefix);
                ck_assert_pstr_eq(n.instance, cases[i].instance);
                ck_assert_pstr_eq(n.template_name, cases[i].template_name);
                ck_assert_str_eq(n.type, cases[i].type);
                ck_assert_int_eq(unit_name_is_template(cases[i].full),
                                 cases[i].template_name && !cases[i].instance);
        }
}
END_TEST

START_TEST(test_from_argument) {
        static const char *const cases[][2] = {
                { "foo", "foo.service" },
                { "foo.service", "foo.service" },
                { "dir/hello@1.service", "hello@1.service" },
                { "/a/b/foo.timer/", "foo.timer" },
                { "foo.target", "foo.target" },
                { "foo.bar", "foo.bar.service" },
                { "foo.", "foo..service" },
                { "f*", "f*.service" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *name = unit_name_from_argument(cases[i][0]);

                ck_assert_str_eq(name, cases[i][1]);
        }
}
END_TEST

typedef int (*EscapeFn)(const char *s, char **ret);

static void check_escape(EscapeFn fn, const char *s, const char *wanted) {
        _cleanup_free_ char *result = NULL;
        int r = fn(s, &result);

        ck_assert_msg(r == (wanted ? 0 : -EINVAL), "%s: %d", s, r);
        ck_assert_pstr_eq(result, wanted);
}

/* As systemd-escape(1) of systemd 252 answers; NULL = refused. */
START_TEST(test_escape) {
        static const char *const plain[][2] = {
                { "", "" },
                { "Hello", "Hello" },
                { "a b", "a\\x20b" },
                { "/dev/sda", "-dev-sda" },
                { "a-b", "a\\x2db" },
                { "a\\b", "a\\x5cb" },
                { ".hidden.x", "\\x2ehidden.x" },
                { "a:b_c.d@e", "a:b_c.d\\x40e" },
                { "\xc3\xa9", "\\xc3\\xa9" },
        };
        static const char *const paths[][2] = {
                { "/", "-" },
                { "", "-" },
                { "///", "-" },
                { "/dev/sda", "dev-sda" },
                { "//dev//sda/", "dev-sda" },
                { "/dev/./sda", "dev-sda" },
                { "/.x", "\\x2ex" },
                { "/a/.x", "a-.x" },
                { "a/b", "a-b" },
                { "/a-b", "a\\x2db" },
                { "/a/../b", NULL },
                { "/..", NULL },
                { "/...", "\\x2e.." },
        };

        for (size_t i = 0; i < ELEMENTSOF(plain); i++) {
                check_escape(unit_name_escape, plain[i][0], plain[i][1]);
                check_escape(unit_name_unescape, plain[i][1], plain[i][0]);
        }
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                check_escape(unit_name_escape_path, paths[i][0], paths[i][1]);
}
END_TEST

START_TEST(test_unescape) {
        static const char *const plain[][2] = {
                { "a\\x2Db", "a-b" }, { "a\\x4", NULL },   { "a\\", NULL },    { "a\\n", NULL },
                { "a\\x0g", NULL },   { "a\\x00b", NULL }, { "a\\xg0", NULL }, { "a\\x", NULL },
        };
        static const char *const paths[][2] = {
                { "-", "/" },          { "dev-sda", "/dev/sda" },
                { "a\\x2db", "/a-b" }, { "", NULL },
                { "-a", NULL },        { "a-", NULL },
                { "a--b", NULL },      { "a-..-b", NULL },
                { "a-.-b", NULL },     { "a\\xzz", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(plain); i++)
                check_escape(unit_name_unescape, plain[i][0], plain[i][1]);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                check_escape(unit_name_unescape_path, paths[i][0], paths[i][1]);
}
END_TEST

TEST_MAIN("unit_name", test_validate, test_parts, test_from_argument, test_escape, test_unescape);
