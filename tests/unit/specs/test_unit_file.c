#include "specs/unit_file.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static UnitFile *parse(const char *text) {
        _cleanup_error_ Error e = ERROR_INIT;
        UnitFile *u = NULL;
        int r = unit_file_parse(text, strlen(text), &u, &e);

        ck_assert_msg(r == 0, "%s: %s", text, error_text(&e));
        return u;
}

static void check_serialised(const UnitFile *u, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(unit_file_serialise(u, &text), 0);
        ck_assert_str_eq(text, wanted);
}

/* FLEET.md B5: what fleet wrote for these, and what it called them. */
START_TEST(test_golden) {
        static const char sleep_1[] = "[Service]\nExecStart=/bin/sleep 1\n";
        static const char sleep_1_hash[] = "0291f12e379921025c603e454c0fe989ddb0f3dd";
        static const struct {
                const char *text, *serialised, *hash;
        } cases[] = {
                { "[Service]\nExecStart=/bin/sleep 100\n", "[Service]\nExecStart=/bin/sleep 100\n",
                  "1c6fb6f3684bafb0c173d8b8b957ceff031180c1" },
                { sleep_1, sleep_1, sleep_1_hash },
                { "[Service]\nExecStart=/bin/sleep 1", sleep_1, sleep_1_hash },
                { "[Service]\r\nExecStart=/bin/sleep 1\r\n", sleep_1, sleep_1_hash },
                { "garbage\n[Service]\nExecStart=/bin/sleep 1\n", sleep_1, sleep_1_hash },
                { "[Service]\n  ExecStart  =  /bin/sleep 1  \n\tType=simple\n",
                  "[Service]\nExecStart=/bin/sleep 1\nType=simple\n",
                  "e9c27caeaae8ee2bc9fa36877767dd0ea5c526fc" },
                { "[Service]\nExecStart=\nExecStart=/bin/sleep 1\n",
                  "[Service]\nExecStart=\nExecStart=/bin/sleep 1\n",
                  "49f21284d614fa10e5a3ab5821e36fd6c8037d0f" },
                { "[Service]\nExecStart=/bin/echo \xc3\xa9\n\n[X-Fleet]\n"
                  "MachineMetadata=\"a=b\" \"c=d\"\n",
                  "[Service]\nExecStart=/bin/echo \xc3\xa9\n\n[X-Fleet]\n"
                  "MachineMetadata=\"a=b\" \"c=d\"\n",
                  "b77facb71c1367af0e52ad51abf6affb17623e6b" },
                { "", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_file_freep) UnitFile *u = parse(cases[i].text);
                char hash[SHA1_HEX_SIZE];

                check_serialised(u, cases[i].serialised);
                ck_assert_int_eq(unit_file_hash(u, hash), 0);
                ck_assert_str_eq(hash, cases[i].hash);
        }
}
END_TEST

/* What the text becomes, and that what it becomes stays so. */
START_TEST(test_reading) {
        static const struct {
                const char *text, *serialised;
        } cases[] = {
                /* before the first section */
                { "\xef\xbb\xbf[A]\na=1\n", "[A]\na=1\n" },
                { "x=1\nnoequals\n[A]\na=1\n", "[A]\na=1\n" },
                { "junk [A]\na=1\n", "[A]\na=1\n" },
                { "junk # [B]\n[A]\na=1\n", "[A]\na=1\n" },
                { "; [B]\n[A]\na=1\n", "[A]\na=1\n" },
                { "# swallows \\\n[B]\nb=1\n[A]\na=1\n", "[A]\na=1\n" },
                { "# two \\\nof \\\n[B]\n[A]\na=1\n", "[A]\na=1\n" },
                { "# not this one \\\r\n[A]\na=1\n", "[A]\na=1\n" },
                { "# nothing behind \\", "" },
                { "only junk", "" },
                /* in a section */
                { "[A]\n# a=0\n;a=0\n  # a=0\na=1\n", "[A]\na=1\n" },
                { "[A]\n# swallows \\\na=0\na=1\n", "[A]\na=1\n" },
                { "[A]\na=1 # no comment\n", "[A]\na=1 # no comment\n" },
                { "[A]  \n\n\n   \na=1\n", "[A]\na=1\n" },
                { "[A]\n\xc2\xa0"
                  "a\xe3\x80\x80=\xe2\x80\x83"
                  "1\xc2\x85\n",
                  "[A]\na=1\n" },
                { "[A]\na=\n", "[A]\na=\n" },
                { "[A]\n=1\n", "[A]\n=1\n" },
                { "[A]\na=b=c\n", "[A]\na=b=c\n" },
                { "[A]\n[B]\n", "" },
                { "[]\na=1\n", "[]\na=1\n" },
                { "[[A]\na=1\n", "[[A]\na=1\n" },
                /* sections are merged, in first-seen order */
                { "[A]\na=1\n[B]\nb=1\n[A]\na=2\n[C]\nc=1\n[B]\nb=2\n",
                  "[A]\na=1\na=2\n\n[B]\nb=1\nb=2\n\n[C]\nc=1\n" },
                /* continuation */
                { "[A]\na=x \\\n  y \\\nz\nb=1\n", "[A]\na=x \\\n  y \\\nz\nb=1\n" },
                { "[A]\na=x \\\n# b \\\ny\nb=1\n", "[A]\na=x \\\n# b \\\ny\nb=1\n" },
                { "[A]\na=x \\\n\nb=1\n", "[A]\na=x \\\n\nb=1\n" },
                { "[A]\na=x \\\n \t \nb=1\n", "[A]\na=x \\\n\nb=1\n" },
                { "[A]\na=\\\nx\n", "[A]\na=\\\nx\n" },
                { "[A]\na=x \\\n[B]\nb=1\n", "[A]\na=x \\\n[B]\nb=1\n" },
                { "[A]\na=x\\\\\ny\n", "[A]\na=x\\\\\ny\n" },
                { "[A]\na=x \\\n", "[A]\na=x \\\n\n" },
                { "[A]\na=x \\", "[A]\na=x \\\n\n" },
                /* trimming uncovers a backslash: the text continues then, as it did for fleet */
                { "[A]\r\na=x \\\r\nb=1\r\n", "[A]\na=x \\\nb=1\n" },
                { "[A]\na=x \\ \n -e V=1 \\\n y\n", "[A]\na=x \\\n-e V=1 \\\n y\n" },
                { "[A]\na=x \\ \n[B]\nb=1\n[A]\na=2\n", "[A]\na=x \\\na=2\n\n[B]\nb=1\n" },
                { "[A]\na=x \\ \n[B]\nb=1\n", "[A]\na=x \\\n\n\n[B]\nb=1\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_file_freep) UnitFile *u = parse(cases[i].text);

                check_serialised(u, cases[i].serialised);

                _cleanup_(unit_file_freep) UnitFile *again = parse(cases[i].serialised);

                check_serialised(again, cases[i].serialised);
                ck_assert_uint_eq(again->n_options, u->n_options);
        }
}
END_TEST

START_TEST(test_values) {
        _cleanup_(unit_file_freep) UnitFile *u = parse(
                "# first\n[A]\na=1\n\n[B]\nb=x \\\n\n# c\nb=y \\\nz\n[A]\na=2\nb=3\n");
        size_t at = 0;

        ck_assert_uint_eq(u->n_options, 5);
        ck_assert_str_eq(u->options[1].value, "x \\\n");
        ck_assert_str_eq(u->options[2].value, "y \\\nz");
        ck_assert_uint_eq(u->options[0].line, 3);
        ck_assert_uint_eq(u->options[1].line, 6);
        ck_assert_uint_eq(u->options[2].line, 9);
        ck_assert_uint_eq(u->options[3].line, 12);

        ck_assert_str_eq(unit_file_get(u, "A", "a"), "2");
        ck_assert_str_eq(unit_file_get_first(u, "A", "a"), "1");
        ck_assert_ptr_null(unit_file_get(u, "A", "c"));
        ck_assert_ptr_null(unit_file_get_first(u, "A", "c"));
        ck_assert_ptr_null(unit_file_get(u, "C", "a"));
        ck_assert(unit_file_has_section(u, "B"));
        ck_assert(!unit_file_has_section(u, "b"));
        ck_assert_str_eq(unit_file_next(u, "B", &at)->value, "x \\\n");
        ck_assert_str_eq(unit_file_next(u, "B", &at)->value, "y \\\nz");
        ck_assert_ptr_null(unit_file_next(u, "B", &at));
}
END_TEST

START_TEST(test_joined_value) {
        static char section[] = "A", name[] = "a";
        static const struct {
                const char *value, *joined;
        } cases[] = {
                { "", "" },
                { "x", "x" },
                { "x \\\ny", "x  y" },
                { "x\\\ny\\\nz", "x y z" },
                { "x \\\n  # comment\\\n y", "x   y" },
                { "x \\\n; comment", "x" },
                { "# no comment \\\n y", "# no comment   y" },
                { "x \\\n", "x" },
                { "x\\", "x\\" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *value = str_dup(cases[i].value);
                UnitOption o = { .section = section, .name = name, .value = value };
                _cleanup_free_ char *joined = unit_option_joined_value(&o);

                ck_assert_str_eq(joined, cases[i].joined);
        }
}
END_TEST

/* ---- limits ------------------------------------------------------------------------------------ */

/* "[A]\n", then `prefix`, then n times `fill`, then `suffix`. */
static char *filled(const char *prefix, const char *fill, size_t n, const char *suffix) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        ck_assert_int_eq(buf_printf(&b, "[A]\n%s", prefix), 0);
        while (n-- > 0)
                ck_assert_int_eq(buf_append_str(&b, fill), 0);
        ck_assert_int_eq(buf_append_str(&b, suffix), 0);
        return buf_steal(&b);
}

#define LINE_TOO_LONG "line too long (max 1048576 bytes)"
#define TOO_LARGE "unit file too large (max 4194304 bytes)"
#define TOO_MANY "too many options (max 4096)"
#define TOO_MANY_JOINED "too many lines end in a backslash and white space (max 256)"

START_TEST(test_limits) {
        const struct {
                const char *prefix, *fill;
                size_t n;
                const char *suffix, *error;
                unsigned line;
        } files[] = {
                { "a=", "x", UNIT_FILE_LINE_MAX - 2, "\n", NULL, 0 },
                { "a=", "x", UNIT_FILE_LINE_MAX - 2, "", NULL, 0 },
                { "a=", "x", UNIT_FILE_LINE_MAX - 1, "\n", LINE_TOO_LONG, 2 },
                { "a=1\nb=", "x", UNIT_FILE_LINE_MAX - 1, "", LINE_TOO_LONG, 3 },
                { "#", "x", UNIT_FILE_LINE_MAX - 1, "\n", NULL, 0 },
                { "#", "x", UNIT_FILE_LINE_MAX, "\n", LINE_TOO_LONG, 2 },
                { "a=x\\\n", "y", UNIT_FILE_LINE_MAX, "\n", NULL, 0 },
                { "a=x\\\n", "y", UNIT_FILE_LINE_MAX + 1, "\n", LINE_TOO_LONG, 3 },
                { "", "a=1\n", UNIT_FILE_OPTIONS_MAX, "", NULL, 0 },
                { "", "a=1\n", UNIT_FILE_OPTIONS_MAX + 1, "", TOO_MANY, UNIT_FILE_OPTIONS_MAX + 2 },
                { "", "a=1\n", 10000, "", TOO_MANY, UNIT_FILE_OPTIONS_MAX + 2 },
                { "", "#234567\n", (UNIT_FILE_SIZE_MAX - 4) / 8, "", NULL, 0 },
                { "", "#234567\n", UNIT_FILE_SIZE_MAX / 8, "", TOO_LARGE,
                  UNIT_FILE_SIZE_MAX / 8 + 1 },
                { "a=x \\ \n", "b=1 \\ \n", UNIT_FILE_JOINED_MAX, "", NULL, 0 },
                { "a=x \\ \n", "b=1 \\ \n", UNIT_FILE_JOINED_MAX + 1, "", TOO_MANY_JOINED,
                  UNIT_FILE_JOINED_MAX + 3 },
        };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_free_ char *text = filled(files[i].prefix, files[i].fill, files[i].n,
                                                   files[i].suffix);
                _cleanup_(unit_file_freep) UnitFile *u = NULL;
                _cleanup_error_ Error e = ERROR_INIT;
                int r = unit_file_parse(text, strlen(text), &u, &e);

                ck_assert_msg(r == (files[i].error ? -EFBIG : 0), "%zu: %s", i, error_text(&e));
                ck_assert_uint_eq(e.line, files[i].line);
                if (files[i].error)
                        ck_assert_str_eq(error_text(&e), files[i].error);
        }
}
END_TEST

/* The text of what is accepted can be read, also where it is longer than the file was. */
START_TEST(test_size_of_text) {
        static const char wide[] =
                "\\\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd";
        const struct {
                const char *prefix, *fill;
                size_t n;
                int r;
        } cases[] = {
                { "", "a=\n[B]\nb=\n[A]\n", 1000, 0 },
                { "a=", wide, (UNIT_FILE_SIZE_MAX - 80) / strlen(wide), 0 },
                { "a=", wide, UNIT_FILE_SIZE_MAX / strlen(wide) - 1, 0 },
                { "a=", wide, UNIT_FILE_SIZE_MAX / strlen(wide), -EFBIG },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = filled(cases[i].prefix, cases[i].fill, cases[i].n, "");
                _cleanup_(unit_file_freep) UnitFile *u = NULL, *again = NULL;
                _cleanup_free_ char *serialised = NULL;

                ck_assert_int_eq(unit_file_parse(text, strlen(text), &u, NULL), cases[i].r);
                if (cases[i].r < 0)
                        continue;
                ck_assert_int_eq(unit_file_serialise(u, &serialised), 0);
                ck_assert_uint_le(strlen(serialised), u->text_bytes);
                ck_assert_int_eq(unit_file_parse(serialised, strlen(serialised), &again, NULL), 0);
        }
}
END_TEST

static char *repeat(char c, size_t n) {
        char *s = mem_alloc(n + 1);

        ck_assert_ptr_nonnull(s);
        memset(s, c, n);
        s[n] = '\0';
        return s;
}

START_TEST(test_add_limits) {
        const struct {
                size_t section, name, value;
                const char *error;
        } cases[] = {
                { 1, 1, UNIT_FILE_LINE_MAX - 2, NULL },
                { 1, 1, UNIT_FILE_LINE_MAX - 1, LINE_TOO_LONG },
                { 1, UNIT_FILE_LINE_MAX - 1, 0, NULL },
                { 1, UNIT_FILE_LINE_MAX, 0, LINE_TOO_LONG },
                { 1, UNIT_FILE_LINE_MAX + 1, 0, LINE_TOO_LONG },
                { UNIT_FILE_LINE_MAX - 2, 1, 1, NULL },
                { UNIT_FILE_LINE_MAX - 1, 1, 1, LINE_TOO_LONG },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *section = repeat('s', cases[i].section);
                _cleanup_free_ char *name = repeat('n', cases[i].name);
                _cleanup_free_ char *value = repeat('v', cases[i].value);
                _cleanup_(unit_file_freep) UnitFile *u = unit_file_new(), *again = NULL;
                _cleanup_free_ char *text = NULL;
                _cleanup_error_ Error e = ERROR_INIT;
                int r = unit_file_add(u, section, name, value, &e);

                ck_assert_int_eq(r, cases[i].error ? -EFBIG : 0);
                if (cases[i].error) {
                        ck_assert_str_eq(error_text(&e), cases[i].error);
                        continue;
                }
                ck_assert_int_eq(unit_file_serialise(u, &text), 0);
                ck_assert_int_eq(unit_file_parse(text, strlen(text), &again, NULL), 0);
        }
}
END_TEST

START_TEST(test_add_together) {
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new(), *large = unit_file_new();
        _cleanup_free_ char *value = repeat('v', UNIT_FILE_LINE_MAX - 100);
        _cleanup_error_ Error e = ERROR_INIT;

        for (size_t i = 0; i < UNIT_FILE_OPTIONS_MAX; i++)
                ck_assert_int_eq(unit_file_add(u, "A", "a", "1", NULL), 0);
        ck_assert_int_eq(unit_file_add(u, "A", "a", "1", &e), -EFBIG);
        ck_assert_str_eq(error_text(&e), TOO_MANY);

        for (size_t i = 0; i < 4; i++)
                ck_assert_int_eq(unit_file_add(large, "A", "a", value, NULL), 0);
        ck_assert_int_eq(unit_file_add(large, "A", "a", value, &e), -EFBIG);
        ck_assert_str_eq(error_text(&e), TOO_LARGE);
        ck_assert_uint_eq(large->n_options, 4);
}
END_TEST

START_TEST(test_add_bytes) {
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new();

        ck_assert_int_eq(unit_file_add(u, "\xff", "a", "1", NULL), -EINVAL);
        ck_assert_int_eq(unit_file_add(u, "A", "\xff", "1", NULL), -EINVAL);
        ck_assert_int_eq(unit_file_add(u, "A", "a", "\\\n\xff", NULL), -EINVAL);
        ck_assert_uint_eq(u->n_options, 0);
}
END_TEST

TEST_MAIN("unit_file", test_golden, test_reading, test_values, test_joined_value, test_limits,
          test_size_of_text, test_add_limits, test_add_together, test_add_bytes);
