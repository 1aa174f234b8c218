#include "ctl/time_spec.h"

#include <stdlib.h>
#include <time.h>

#include "tests/lib/suite.h"

#define SEC(s) ((uint64_t) (s) *USEC_PER_SEC)
#define HOUR 3600
#define T 1795255200 /* 2026-11-21 10:00:00 UTC, 11:00 in Berlin */
#define NOW SEC(T)

static void in_berlin(void) {
        ck_assert_int_eq(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
        tzset();
}

START_TEST(test_valid) {
        static const struct {
                const char *text;
                uint64_t usec;
        } cases[] = {
                { "now", NOW },
                { "@1700000000", SEC(1700000000) },
                { "@1700000000.5", SEC(1700000000) + 500000 },
                { "@0", 0 },
                { "-10min", NOW - SEC(600) },
                { "-1h 30min", NOW - SEC(5400) },
                { "-90", NOW - SEC(90) },
                { "+1h", NOW + SEC(HOUR) },
                { "10min ago", NOW - SEC(600) },
                { "-100000d", 0 },
                { "today", SEC(T - 11 * HOUR) },
                { "yesterday", SEC(T - 35 * HOUR) },
                { "2026-11-21 09:30:15", SEC(T - 2 * HOUR + 30 * 60 + 15) },
                { "2026-11-21T09:30:15", SEC(T - 2 * HOUR + 30 * 60 + 15) },
                { "2026-11-21 09:30", SEC(T - 2 * HOUR + 30 * 60) },
                { "2026-07-01 12:00", SEC(1782900000) }, /* summer: 10:00 UTC */
                { "2026-11-21", SEC(T - 11 * HOUR) },
                { "08:00", SEC(T - 3 * HOUR) },
                { "08:00:30", SEC(T - 3 * HOUR + 30) },
                { "2026-11-21T10:00:00Z", NOW },
                { "2026-11-21T12:00:00+02:00", NOW },
        };

        in_berlin();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t usec = 7;

                ck_assert_msg(time_spec_parse(cases[i].text, NOW, &usec, NULL) == 0, "%s",
                              cases[i].text);
                ck_assert_msg(usec == cases[i].usec, "%s: %llu", cases[i].text,
                              (unsigned long long) usec);
        }
}
END_TEST

START_TEST(test_invalid) {
        static const char *const cases[] = {
                "",           "soon",
                "@",          "@x",
                "@-1",        "-",
                "-x",         "ago",
                "x ago",      "25:00",
                "2026-13-01", "2026-11-21 10",
                "-infinity",  "2026-11-21T10:00:00Zx",
                "todayx",
        };

        in_berlin();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                uint64_t usec = 7;

                ck_assert_msg(time_spec_parse(cases[i], NOW, &usec, &e) == -EINVAL, "%s: %llu",
                              cases[i], (unsigned long long) usec);
                ck_assert_ptr_nonnull(strstr(error_text(&e), "is no point in time"));
        }
}
END_TEST

TEST_MAIN("time_spec", test_valid, test_invalid);
