#include "ctl/journal_text.h"

#include <stdlib.h>
#include <time.h>

#include "lib/base/str.h"
#include "tests/lib/suite.h"

#define T UINT64_C(1795255200123456) /* 2026-11-21 10:00:00 UTC */

START_TEST(test_formats) {
        static const struct {
                JournalFormat format;
                bool terminal;
                const char *machine, *text, *wanted;
        } cases[] = {
                { JOURNAL_SHORT, false, "0123456789abcdef", "hi",
                  "Nov 21 10:00:00 01234567 hello@1: hi\n" },
                { JOURNAL_SHORT, false, "", "hi", "Nov 21 10:00:00 hello@1: hi\n" },
                { JOURNAL_SHORT_ISO, false, "0123456789abcdef", "",
                  "2026-11-21T10:00:00+0000 01234567 hello@1: \n" },
                { JOURNAL_CAT, false, "0123456789abcdef", "a\033[0mb", "a\033[0mb\n" },
                { JOURNAL_CAT, true, "0123456789abcdef", "a\033[0m\tb\x7f", "a\\x1b[0m\tb\\x7f\n" },
                { JOURNAL_CAT, true, "", "grüße", "grüße\n" },
                { JOURNAL_JSON, true, "0123456789abcdef", "say \"hi\"",
                  "{\"MESSAGE\":\"say \\\"hi\\\"\",\"PRIORITY\":\"6\",\"_MACHINE_ID\":"
                  "\"0123456789abcdef\",\"_SYSTEMD_UNIT\":\"hello@1.service\","
                  "\"__REALTIME_TIMESTAMP\":\"1795255200123456\"}\n" },
        };

        ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
        tzset();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                JournalSource source = { "hello@1.service", cases[i].machine, cases[i].terminal };
                JournalLine line = { .time_usec = T, .text = cases[i].text };
                Buf out = BUF_INIT;

                ck_assert_int_eq(journal_line_render(&line, &source, cases[i].format, &out), 0);
                ck_assert_str_eq(buf_str(&out), cases[i].wanted);
                buf_done(&out);
        }
}
END_TEST

START_TEST(test_stderr_has_priority) {
        JournalSource source = { "a.service", "", false };
        JournalLine line = { .is_stderr = true, .text = "" };
        Buf out = BUF_INIT;

        ck_assert_int_eq(journal_line_render(&line, &source, JOURNAL_JSON, &out), 0);
        ck_assert_ptr_nonnull(strstr(buf_str(&out), "\"PRIORITY\":\"3\""));
        ck_assert_ptr_null(strstr(buf_str(&out), "_MACHINE_ID"));
        buf_done(&out);
}
END_TEST

static int parse(const char *text, JournalLine *line, json_t **ret) {
        ck_assert_int_eq(json_parse(text, strlen(text), ret, NULL), 0);
        return journal_line_from_json(*ret, line, NULL);
}

START_TEST(test_reading) {
        JournalLine line;
        json_t *j;

        ck_assert_int_eq(parse("{\"t\":5,\"stream\":\"stderr\",\"text\":\"x\"}", &line, &j), 0);
        ck_assert(line.time_usec == 5 && line.is_stderr && !line.error);
        ck_assert_str_eq(line.text, "x");
        json_decref(j);
        ck_assert_int_eq(parse("{\"error\":\"gone\"}", &line, &j), 0);
        ck_assert_str_eq(line.error, "gone");
        json_decref(j);
        ck_assert_int_eq(parse("{\"t\":\"5\"}", &line, &j), -EINVAL);
        json_decref(j);
        ck_assert_int_eq(parse("{\"text\":[]}", &line, &j), -EINVAL);
        json_decref(j);
}
END_TEST

START_TEST(test_format_words) {
        JournalFormat f;

        ck_assert(journal_format_from_string("short", &f) == 0 && f == JOURNAL_SHORT);
        ck_assert(journal_format_from_string("short-iso", &f) == 0 && f == JOURNAL_SHORT_ISO);
        ck_assert(journal_format_from_string("cat", &f) == 0 && f == JOURNAL_CAT);
        ck_assert(journal_format_from_string("json", &f) == 0 && f == JOURNAL_JSON);
        ck_assert_int_eq(journal_format_from_string("verbose", &f), -EINVAL);
}
END_TEST

TEST_MAIN("journal_text", test_formats, test_stderr_has_priority, test_reading, test_format_words);
