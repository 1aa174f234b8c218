#include "specs/command_line.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

/* Commands as "path|flags|arg|arg", several with " ;; " between them. */
static char *show(const CommandLine *lines, size_t n) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(buf_printf(&b, "%s%s|%u", i > 0 ? " ;; " : "", lines[i].path,
                                            lines[i].flags),
                                 0);
                for (size_t k = 0; k < lines[i].argv.n; k++)
                        ck_assert_int_eq(buf_printf(&b, "|%s", lines[i].argv.items[k]), 0);
        }
        return buf_steal(&b);
}

/* The words are what systemd 252 makes of these lines. */
START_TEST(test_parse) {
        static const char *const cases[][2] = {
                { "", "" },
                { " \t", "" },
                { "/bin/true", "/bin/true|0|/bin/true" },
                { "true a", "true|0|true|a" },
                { "  /bin/echo  a\tb \n", "/bin/echo|0|/bin/echo|a|b" },
                { "/usr//bin/./env x", "/usr/bin/env|0|/usr//bin/./env|x" },
                /* quotes */
                { "/x \"a b\" 'c d'", "/x|0|/x|a b|c d" },
                { "/x a\"b c\"d'e f'", "/x|0|/x|ab cde f" },
                { "/x \"\" ''", "/x|0|/x||" },
                { "/x \"it's\" '\"'", "/x|0|/x|it's|\"" },
                { "\"/x\" a", "/x|0|/x|a" },
                { "'-/x'", "/x|1|/x" },
                /* escapes */
                { "/x \\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'\\s", "/x|0|/x|\a\b\f\n\r\t\v\\\"' " },
                { "/x \"\\a\\x41\\101\\u00e9\\U0001f433\"",
                  "/x|0|/x|\aAA\xc3\xa9\xf0\x9f\x90\xb3" },
                { "/x '\\n\\x41'", "/x|0|/x|\nA" },
                { "/x a\\ b", "/x|0|/x|a\\ b" },
                { "/x \\d \\$ \\x4 \\xg1 \\x00 \\000 \\400 \\08 \\u00 \\u0000 \\ud800 \\U00110000",
                  "/x|0|/x|\\d|\\$|\\x4|\\xg1|\\x00|\\000|\\400|\\08|\\u00|\\u0000|\\ud800|"
                  "\\U00110000" },
                { "/x \\u07ff\\uffff \\U0000fdd0", "/x|0|/x|\xdf\xbf\xef\xbf\xbf|\\U0000fdd0" },
                { "/x \\xff", "/x|0|/x|\xff" },
                { "/x a\\", "/x|0|/x|a\\" },
                { "/x \\", "/x|0|/x|\\" },
                /* separators */
                { "/x a ; /y b", "/x|0|/x|a ;; /y|0|/y|b" },
                { "/x ; -/y", "/x|0|/x ;; /y|1|/y" },
                { "/x ;", "/x|0|/x" },
                { "/x ; ; a", "/x|0|/x ;; ;|0|;|a" },
                { "/x a; b ;c", "/x|0|/x|a;|b|;c" },
                { "/x \\; \\;a", "/x|0|/x|;|\\;a" },
                { "/x \";\" ';'", "/x|0|/x|;|;" },
                { "; a", ";|0|;|a" },
                /* prefixes */
                { "-/x", "/x|1|/x" },
                { "@/x y z", "/x|2|y|z" },
                { ":/x", "/x|4|/x" },
                { "+/x", "/x|8|/x" },
                { "!/x", "/x|16|/x" },
                { "!!/x", "/x|16|/x" },
                { "-@:+/x y", "/x|15|y" },
                { "!-!/x", "/x|17|/x" },
                { "@-/x \"\"", "/x|3|" },
                { "%h/x %n", "%h/x|0|%h/x|%n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                _cleanup_free_ char *shown = NULL;
                CommandLine *lines = NULL;
                size_t n = 0;
                int r = command_line_parse(cases[i][0], &lines, &n, &e);

                ck_assert_msg(r == 0, "%s: %s", cases[i][0], error_text(&e));
                shown = show(lines, n);
                ck_assert_msg(str_eq(shown, cases[i][1]), "%s: %s, not %s", cases[i][0], shown,
                              cases[i][1]);
                ck_assert_ptr_null(command_lines_free(lines, n));
        }
        ck_assert_ptr_null(command_lines_free(NULL, 0));
}
END_TEST

START_TEST(test_parse_errors) {
        static const struct {
                const char *text, *error;
                unsigned column;
        } cases[] = {
                { "/x \"a", "unbalanced quotes", 4 },
                { "/x a 'b \\' ", "unbalanced quotes", 6 },
                { "/x a\"b", "unbalanced quotes", 5 },
                { "/x ; /y '", "unbalanced quotes", 9 },
                { "'", "unbalanced quotes", 1 },
                { "/x \"a\\", "nothing follows the backslash", 6 },
                { "-", "empty path in command line", 1 },
                { "/x ; @ y", "empty path in command line", 6 },
                { "\"\" a", "empty path in command line", 1 },
                { "@/x", "'@' needs a path and a zeroth argument", 1 },
                { "/y ; @/x ; /z", "'@' needs a path and a zeroth argument", 6 },
                { "--/x", "prefixes repeat or exclude each other: '--/x'", 1 },
                { "@@/x", "prefixes repeat or exclude each other: '@@/x'", 1 },
                { "::/x", "prefixes repeat or exclude each other: '::/x'", 1 },
                { "+!/x", "prefixes repeat or exclude each other: '+!/x'", 1 },
                { "!+/x", "prefixes repeat or exclude each other: '!+/x'", 1 },
                { "!!!/x", "prefixes repeat or exclude each other: '!!!/x'", 1 },
                { "!!+/x", "prefixes repeat or exclude each other: '!!+/x'", 1 },
                { "bin/x", "neither an executable name nor an absolute path: 'bin/x'", 1 },
                { "..", "neither an executable name nor an absolute path: '..'", 1 },
                { ".", "neither an executable name nor an absolute path: '.'", 1 },
                { "./x", "neither an executable name nor an absolute path: './x'", 1 },
                { "/bin/", "executable path specifies a directory: '/bin/'", 1 },
                { "/", "executable path specifies a directory: '/'", 1 },
                { "/b\\\"n", "executable name contains special characters: '/b\"n'", 1 },
                { "/b\\tn", "executable name contains special characters: '/b\tn'", 1 },
                { "/b\\x7f", "executable name contains special characters: '/b\x7f'", 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                CommandLine *lines;
                size_t n;

                ck_assert_msg(command_line_parse(cases[i].text, &lines, &n, &e) == -EINVAL, "%s",
                              cases[i].text);
                ck_assert_str_eq(error_text(&e), cases[i].error);
                ck_assert_msg(e.column == cases[i].column, "%s: column %u", cases[i].text,
                              e.column);
        }
}
END_TEST

/* "prefix", then n times `repeat`. */
static char *repeated(const char *prefix, const char *repeat, size_t n) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        ck_assert_int_eq(buf_append_str(&b, prefix), 0);
        while (n-- > 0)
                ck_assert_int_eq(buf_append_str(&b, repeat), 0);
        return buf_steal(&b);
}

START_TEST(test_limits) {
        const struct {
                const char *prefix, *repeat;
                size_t n;
                int r;
        } cases[] = {
                { "/x", " a", COMMAND_LINE_ARGUMENTS_MAX - 1, 0 },
                { "/x", " a", COMMAND_LINE_ARGUMENTS_MAX, -EINVAL },
                { "/x", " ; /x", COMMAND_LINE_ARGUMENTS_MAX - 1, 0 },
                { "/x", " ; /x", COMMAND_LINE_ARGUMENTS_MAX, -EINVAL },
                { "/x", " \\;", COMMAND_LINE_ARGUMENTS_MAX, -EINVAL },
                { "/x ", "\"a\"", 1000000, 0 },
                { "/", "x", 255, 0 },
                { "/", "x", 256, -EINVAL },
                { "", "x", 256, -EINVAL },
                { "/x", "/xxx", 1023, 0 },
                { "/x", "/xxx", 1024, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = repeated(cases[i].prefix, cases[i].repeat, cases[i].n);
                CommandLine *lines = NULL;
                size_t n = 0;

                ck_assert_int_eq(command_line_parse(text, &lines, &n, NULL), cases[i].r);
                (void) command_lines_free(lines, n);
        }
}
END_TEST

static void parse_one(const char *s, CommandLine *ret) {
        CommandLine *lines;
        size_t n;

        ck_assert_int_eq(command_line_parse(s, &lines, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        *ret = lines[0];
        lines[0] = (CommandLine){ 0 };
        (void) command_lines_free(lines, n);
}

START_TEST(test_specifiers) {
        static const SpecifierHost host = { .hostname = "box.example", .home = "/root" };
        static const char *const good[][2] = {
                { "/x %i %I %%i", "/x|0|/x|a\\x20b-c|a b/c|%i" },
                { "%h/x//y", "/root/x/y|0|/root/x//y" },
                { "/x$%H ${%n}", "/x$box.example|0|/x$box.example|${u@a\\x20b-c.service}" },
        };
        static const char *const bad[][2] = {
                { "%i/x", "executable name contains special characters: 'a\\x20b-c/x'" },
                { "%p/x", "neither an executable name nor an absolute path: 'u/x'" },
                { "/x %m", "specifier '%m': the machine ID is not known" },
                { "%m", "specifier '%m': the machine ID is not known" },
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_(command_line_done) CommandLine c = { 0 };
                _cleanup_free_ char *shown = NULL;

                parse_one(good[i][0], &c);
                ck_assert_int_eq(
                        command_line_expand_specifiers(&c, "u@a\\x20b-c.service", &host, NULL), 0);
                shown = show(&c, 1);
                ck_assert_str_eq(shown, good[i][1]);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(command_line_done) CommandLine c = { 0 };
                _cleanup_error_ Error e = ERROR_INIT;

                parse_one(bad[i][0], &c);
                ck_assert_int_eq(command_line_expand_specifiers(&c, "u@a\\x20b-c.service", &host,
                                                                &e),
                                 -EINVAL);
                ck_assert_str_eq(error_text(&e), bad[i][1]);
        }
}
END_TEST

START_TEST(test_words) {
        _cleanup_(strv_done) Strv words = STRV_INIT;
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_int_eq(command_words(" A=1 \"B=x y\" 'C=\\x41' ", true, &words, &e), 0);
        ck_assert_int_eq(command_words("a\\x41 \"b \\\" c\"", false, &words, &e), 0);
        ck_assert_int_eq(command_words("", true, &words, &e), 0);

        _cleanup_free_ char *joined = strv_join(&words, "|");

        ck_assert_str_eq(joined, "A=1|B=x y|C=A|ax41|b \" c");
        ck_assert_int_eq(command_words("a b\\d", true, &words, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "unknown escape sequence");
        ck_assert_uint_eq(e.column, 4);
        ck_assert_int_eq(command_words("a\\", false, &words, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "nothing follows the backslash");
        ck_assert_int_eq(command_words("a 'b", false, &words, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "unbalanced quotes");
        ck_assert_uint_eq(e.column, 3);
}
END_TEST

/* systemd.service(5): ONE and TWO are its own examples. */
START_TEST(test_expand) {
        static const struct {
                const char *line, *argv, *unset;
        } cases[] = {
                { "echo $ONE $TWO ${TWO}", "echo|one|two|two|two two", "" },
                { "echo $ONE ${ONE}x x$ONE", "echo|one|onex|x$ONE", "" },
                { "echo $TREE ${TREE} $TREE-x", "echo|a|b c|a \"b c\"", "TREE-x" },
                { "echo $NONE ${NONE} x${NONE}", "echo||x", "NONE|NONE|NONE" },
                { "echo $$ONE $$ a$$b$ $", "echo|$ONE|$|a$b$", "" },
                { "echo ${ONE ${ONE:-x} ${ONE}}", "echo|${ONE|${ONE:-x}|one}", "" },
                { "echo ${} ${$ONE}", "echo||", "|$ONE" },
                { "echo $EMPTY ${EMPTY}", "echo|", "" },
                { "echo $OPEN", "echo|a b", "" },
                { "echo $LAST", "echo|2", "" },
                { "/b${ONE} $ONE", "/b${ONE}|one", "" },
                { "@/x $TWO a", "two|two|a", "" },
                { "@/x $NONE", "/x", "NONE" },
                { ":echo $ONE ${ONE} $$", "echo|$ONE|${ONE}|$$", "" },
        };
        _cleanup_(strv_done) Strv env = STRV_INIT;
        static const char *const items[] = { "ONE=one", "TWO=two two", "LAST=1", "TREE=a \"b c\"",
                                             "EMPTY=",  "OPEN='a b",   "LAST=2" };

        for (size_t i = 0; i < ELEMENTSOF(items); i++)
                ck_assert_int_eq(strv_push(&env, items[i]), 0);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(command_line_done) CommandLine c = { 0 };
                _cleanup_(strv_done) Strv argv = STRV_INIT, unset = STRV_INIT;
                _cleanup_free_ char *joined = NULL, *missing = NULL;

                parse_one(cases[i].line, &c);
                ck_assert_int_eq(command_line_expand(&c, &env, &argv, &unset), 0);
                joined = strv_join(&argv, "|");
                missing = strv_join(&unset, "|");
                ck_assert_str_eq(joined, cases[i].argv);
                ck_assert_str_eq(missing, cases[i].unset);

                _cleanup_(strv_done) Strv again = STRV_INIT;

                ck_assert_int_eq(command_line_expand(&c, &env, &again, NULL), 0);
                ck_assert(strv_equal(&argv, &again));
        }
}
END_TEST

START_TEST(test_expand_limits) {
        const struct {
                const char *repeat;
                size_t n;
                int r;
        } cases[] = {
                { " $A", 4, 0 },        { " $A", 5, -E2BIG },   { " x$$${A}", 4, 0 },
                { " ${A}", 5, -E2BIG }, { "x${A}", 5, -E2BIG },
        };
        _cleanup_(strv_done) Strv env = STRV_INIT;
        _cleanup_free_ char *assignment = repeated("A=", "x", MIB - 16);

        ck_assert_int_eq(environment_set(&env, assignment), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *line = repeated("/x ", cases[i].repeat, cases[i].n);
                _cleanup_(command_line_done) CommandLine c = { 0 };
                _cleanup_(strv_done) Strv argv = STRV_INIT;

                parse_one(line, &c);
                ck_assert_int_eq(command_line_expand(&c, &env, &argv, NULL), cases[i].r);
        }
}
END_TEST

START_TEST(test_environment) {
        _cleanup_(strv_done) Strv env = STRV_INIT;

        ck_assert_int_eq(environment_set(&env, "A=1"), 0);
        ck_assert_int_eq(environment_set(&env, "AB=2"), 0);
        ck_assert_int_eq(environment_set(&env, "A=3=4"), 0);
        ck_assert_int_eq(environment_set(&env, "_x9="), 0);
        ck_assert_uint_eq(env.n, 3);
        ck_assert_str_eq(environment_get(&env, "A"), "3=4");
        ck_assert_str_eq(environment_get(&env, "AB"), "2");
        ck_assert_str_eq(environment_get(&env, "_x9"), "");
        ck_assert_ptr_null(environment_get(&env, "B"));
        ck_assert_ptr_null(environment_get(&env, ""));

        static const char *const bad[] = { "", "A", "=1", "9A=1", "a-b=1", "a b=1", "\xc3\xa9=1" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_eq(environment_set(&env, bad[i]), -EINVAL);
        ck_assert_uint_eq(env.n, 3);
}
END_TEST

/* The same assignments as systemd 252 reads. */
START_TEST(test_environment_file) {
        static const struct {
                const char *text, *items, *warnings;
        } cases[] = {
                { "", "", "" },
                { "A=1\nB=2", "A=1|B=2", "" },
                { "# c\n; c\n\n  A = 1 2  \n", "A=1 2", "" },
                { "# c \\\nA=1\nB=2\n", "B=2", "" },
                { "A=\"x y\"\nB='x \\n $y'\n", "A=x y|B=x \\n $y", "" },
                { "A=\"\\\"\\\\\\`\\$\\n\"\n", "A=\"\\`$\\n", "" },
                { "A=\"x\\\ny\nz\"\nB='1\n2'\n", "A=xy\nz|B=1\n2", "" },
                { "A=x\\\n y\\z\\\\ \\ \nB=\\\n1\n", "A=x yz\\  |B=1", "" },
                { "A=\"x\" y 'z'\n", "A=xy 'z'", "" },
                { "A=\"x\" 'y'\"z\"\n", "A=xyz", "" },
                { "A=x\"y\"#z\n", "A=x\"y\"#z", "" },
                { "A=\"x", "A=x", "" },
                { "A='x", "A=x", "" },
                { "A=\"x\\", "A=x", "" },
                { "A=x\\", "A=x", "" },
                { "A=", "A=", "" },
                { "A=  ", "A=", "" },
                { "A=1\r\nB=2\r", "A=1|B=2", "" },
                { "\nnoequals\n export B=2\n9=x\nA=1\nend", "A=1",
                  "line 2: not an assignment: 'noequals'|"
                  "line 3: not a name for a variable: 'export B'|"
                  "line 4: not a name for a variable: '9'|line 6: not an assignment: 'end'" },
                { "A='1\n2\n'\n=3\n==4", "A=1\n2\n",
                  "line 4: not an assignment: '=3'|line 5: not a name for a variable: '='" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_done) Strv items = STRV_INIT, warnings = STRV_INIT,
                                          again = STRV_INIT;
                _cleanup_free_ char *joined = NULL, *warned = NULL;
                size_t size = strlen(cases[i].text);

                ck_assert_int_eq(
                        environment_file_parse(cases[i].text, size, &items, &warnings, NULL), 0);
                joined = strv_join(&items, "|");
                warned = strv_join(&warnings, "|");
                ck_assert_str_eq(joined, cases[i].items);
                ck_assert_str_eq(warned, cases[i].warnings);
                ck_assert_int_eq(environment_file_parse(cases[i].text, size, &again, NULL, NULL),
                                 0);
                ck_assert(strv_equal(&items, &again));
        }
}
END_TEST

START_TEST(test_environment_file_errors) {
        _cleanup_(strv_done) Strv items = STRV_INIT;
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_int_eq(environment_file_parse("A=1\nB=\0\n", 8, &items, NULL, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "environment file contains a NUL byte");
        ck_assert_uint_eq(e.line, 2);
        ck_assert_int_eq(environment_file_parse("\n\nA=\xff", 5, &items, NULL, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "environment file is not valid UTF-8");
        ck_assert_uint_eq(e.line, 3);
}
END_TEST

TEST_MAIN("command_line", test_parse, test_parse_errors, test_limits, test_specifiers, test_words,
          test_expand, test_expand_limits, test_environment, test_environment_file,
          test_environment_file_errors);
