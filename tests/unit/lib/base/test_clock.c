#include "lib/base/clock.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

START_TEST(test_clocks_run) {
        uint64_t a = clock_boottime_usec(), b = clock_boottime_usec();

        ck_assert_uint_gt(a, 0);
        ck_assert_uint_ge(b, a);
        ck_assert_uint_gt(clock_realtime_usec(), UINT64_C(1600000000) * USEC_PER_SEC);
}
END_TEST

START_TEST(test_rfc3339_valid) {
        static const struct {
                const char *text;
                uint64_t usec;
        } cases[] = {
                { "1970-01-01T00:00:00Z", 0 },
                { "1970-01-01T00:00:01.5Z", 1500000 },
                { "2026-11-21T10:00:00.123456789Z", UINT64_C(1795255200123456) },
                { "2026-11-21T12:00:00.123456+02:00", UINT64_C(1795255200123456) },
                { "2026-11-21t04:30:00-05:30", UINT64_C(1795255200000000) },
                { "2024-02-29T00:00:00z", UINT64_C(1709164800000000) },
                { "2016-12-31T23:59:60Z", UINT64_C(1483228800000000) },
                { "0001-01-01T00:00:00Z", 0 },
                { "9999-12-31T23:59:59.999999Z", UINT64_C(253402300799999999) },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t usec = 42;

                ck_assert_msg(clock_parse_rfc3339(cases[i].text, &usec) == 0, "%s", cases[i].text);
                ck_assert_msg(usec == cases[i].usec, "%s: %llu", cases[i].text,
                              (unsigned long long) usec);
        }
}
END_TEST

START_TEST(test_rfc3339_invalid) {
        static const char *const cases[] = {
                "",
                "2026",
                "2026-11-21",
                "2026-11-21 10:00:00Z",
                "2026-11-21T10:00:00",
                "2026-11-21T10:00Z",
                "2026-13-21T10:00:00Z",
                "2026-00-21T10:00:00Z",
                "2026-02-29T10:00:00Z",
                "1900-02-29T10:00:00Z",
                "2026-11-00T10:00:00Z",
                "2026-11-21T24:00:00Z",
                "2026-11-21T10:60:00Z",
                "2026-11-21T10:00:61Z",
                "2026-11-21T10:00:00.Z",
                "2026-11-21T10:00:00+0200",
                "2026-11-21T10:00:00+24:00",
                "2026-11-21T10:00:00+02:60",
                "2026-11-21T10:00:00Zx",
                "2026-11-21T10:00:00*02:00",
                "+026-11-21T10:00:00Z",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t usec = 42;

                ck_assert_msg(clock_parse_rfc3339(cases[i], &usec) == -EINVAL, "%s", cases[i]);
                ck_assert_uint_eq(usec, 42);
        }
}
END_TEST

START_TEST(test_rfc3339_format) {
        _cleanup_free_ char *epoch = clock_format_rfc3339(0);
        _cleanup_free_ char *later = clock_format_rfc3339(UINT64_C(1795255200123456));
        uint64_t back;

        ck_assert_str_eq(epoch, "1970-01-01T00:00:00.000000Z");
        ck_assert_str_eq(later, "2026-11-21T10:00:00.123456Z");
        ck_assert_int_eq(clock_parse_rfc3339(later, &back), 0);
        ck_assert_uint_eq(back, UINT64_C(1795255200123456));
}
END_TEST

START_TEST(test_timespan_valid) {
        static const struct {
                const char *text;
                uint64_t usec;
        } cases[] = {
                { "0", 0 },
                { "90", 90 * USEC_PER_SEC },
                { " 5min 20s ", 320 * USEC_PER_SEC },
                { "5min20s", 320 * USEC_PER_SEC },
                { "5 min 20 s", 320 * USEC_PER_SEC },
                { "1h", USEC_PER_HOUR },
                { "2hr 3hours 1hour", 6 * USEC_PER_HOUR },
                { "500ms", 500 * USEC_PER_MSEC },
                { "7us 3usec 1\xc2\xb5s 1\xce\xbcs", 12 },
                { "1.5s", 1500 * USEC_PER_MSEC },
                { ".5s", 500 * USEC_PER_MSEC },
                { "1.s", USEC_PER_SEC },
                { "0.000001", 1 },
                { "1d 1w", 8 * 24 * USEC_PER_HOUR },
                { "1M", 2629800 * USEC_PER_SEC },
                { "1y", 31557600 * USEC_PER_SEC },
                { "5 20s", 25 * USEC_PER_SEC },
                { "infinity", USEC_INFINITY },
                { " infinity ", USEC_INFINITY },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t usec = 42;
                int r = timespan_parse(cases[i].text, USEC_PER_SEC, &usec, NULL);

                ck_assert_msg(r == 0, "%s", cases[i].text);
                ck_assert_msg(usec == cases[i].usec, "%s: %llu", cases[i].text,
                              (unsigned long long) usec);
        }
}
END_TEST

START_TEST(test_timespan_invalid) {
        static const struct {
                const char *text;
                int code;
                const char *words;
        } cases[] = {
                { "", -EINVAL, "'' is not a time span" },
                { "  ", -EINVAL, "'  ' is not a time span" },
                { "s", -EINVAL, "'s' is not a time span" },
                { ".", -EINVAL, "'.' is not a time span" },
                { "1.2.3s", -EINVAL, "'1.2.3s' is not a time span" },
                { "5 parsecs", -EINVAL, "time span '5 parsecs' has an unknown unit 'parsecs'" },
                { "-5s", -ERANGE, "time span '-5s' is out of range" },
                { "5s,", -EINVAL, "'5s,' is not a time span" },
                { "infinity 5s", -EINVAL, "'infinity 5s' is not a time span" },
                { "99999999999999999999", -ERANGE,
                  "time span '99999999999999999999' is out of range" },
                { "9999999999999y", -ERANGE, "time span '9999999999999y' is out of range" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                uint64_t usec = 42;

                ck_assert_int_eq(timespan_parse(cases[i].text, USEC_PER_SEC, &usec, &e),
                                 cases[i].code);
                ck_assert_str_eq(error_text(&e), cases[i].words);
                ck_assert_uint_eq(usec, 42);
        }
}
END_TEST

START_TEST(test_timespan_format) {
        static const struct {
                uint64_t usec;
                const char *text;
        } cases[] = {
                { 0, "0" },
                { 1, "1us" },
                { 350 * USEC_PER_MSEC, "350ms" },
                { 350001, "350ms 1us" },
                { USEC_PER_SEC, "1s" },
                { 90 * USEC_PER_SEC, "1min 30s" },
                { 125 * USEC_PER_MINUTE, "2h 5min" },
                { USEC_PER_HOUR + 5 * USEC_PER_SEC, "1h" },
                { 3 * 24 * USEC_PER_HOUR + 4 * USEC_PER_HOUR + USEC_PER_MINUTE, "3d 4h" },
                { USEC_INFINITY, "infinity" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = timespan_format(cases[i].usec);

                ck_assert_str_eq(text, cases[i].text);
        }
}
END_TEST

START_TEST(test_go_duration) {
        static const struct {
                const char *text;
                int code;
                uint64_t usec;
        } cases[] = {
                { "30s", 0, 30 * USEC_PER_SEC },
                { "1m30s", 0, 90 * USEC_PER_SEC },
                { "500ms", 0, 500 * USEC_PER_MSEC },
                { "1.5h", 0, 90 * USEC_PER_MINUTE },
                { "+5s", 0, 5 * USEC_PER_SEC },
                { ".5m", 0, 30 * USEC_PER_SEC },
                { "0", 0, 0 },
                { "-0", 0, 0 },
                { "-0s", 0, 0 },
                { "1500ns", 0, 1 },
                { "1\xc2\xb5s", 0, 1 },
                { "2562047h", 0, 2562047 * USEC_PER_HOUR },
                { "", -EINVAL, 0 },
                { "30", -EINVAL, 0 },
                { "s", -EINVAL, 0 },
                { "1d", -EINVAL, 0 },
                { "1 s", -EINVAL, 0 },
                { " 1s", -EINVAL, 0 },
                { "1s ", -EINVAL, 0 },
                { "-5s", -ERANGE, 0 },
                { "2562048h", -ERANGE, 0 },
                { "99999999999999999999s", -ERANGE, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                uint64_t usec = 0;

                ck_assert_msg(go_duration_parse(cases[i].text, &usec, &e) == cases[i].code, "%s",
                              cases[i].text);
                ck_assert_uint_eq(usec, cases[i].usec);
                ck_assert_int_eq(e.code, cases[i].code);
        }
}
END_TEST

START_TEST(test_go_duration_words) {
        _cleanup_error_ Error e = ERROR_INIT;
        uint64_t usec;

        ck_assert_int_eq(go_duration_parse("30", &usec, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "missing unit in duration '30'");
        ck_assert_int_eq(go_duration_parse("3x", &usec, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "unknown unit 'x' in duration '3x'");
}
END_TEST

TEST_MAIN("clock", test_clocks_run, test_rfc3339_valid, test_rfc3339_invalid, test_rfc3339_format,
          test_timespan_valid, test_timespan_invalid, test_timespan_format, test_go_duration,
          test_go_duration_words);
