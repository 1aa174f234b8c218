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

TEST_MAIN("unit_file", test_golden, test_reading, test_values, test_joined_value);
