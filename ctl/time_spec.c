#include "ctl/time_spec.h"

#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

static const char ago[] = " ago";

/* Midnight of the day `days` before now, in local time. */
static int midnight(uint64_t now_usec, int days, uint64_t *ret) {
        time_t t = (time_t) (now_usec / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&t, &tm))
                return -EINVAL;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_mday -= days;
        tm.tm_isdst = -1;
        t = mktime(&tm);
        if (t < 0)
                return -EINVAL;
        *ret = (uint64_t) t * USEC_PER_SEC;
        return 0;
}

static int parse_epoch(const char *s, uint64_t *ret) {
        double seconds;
        uint64_t whole;

        if (str_to_u64(s, &whole) == 0 && whole < UINT64_MAX / USEC_PER_SEC) {
                *ret = whole * USEC_PER_SEC;
                return 0;
        }
        if (str_to_double(s, &seconds) < 0 || !(seconds >= 0 && seconds < 1e12))
                return -EINVAL;
        *ret = (uint64_t) (seconds * (double) USEC_PER_SEC);
        return 0;
}

/* A span before or after now. */
static int parse_relative(const char *s, bool after, uint64_t now_usec, uint64_t *ret) {
        uint64_t span_usec;

        if (timespan_parse(s, USEC_PER_SEC, &span_usec, NULL) < 0 || span_usec == USEC_INFINITY)
                return -EINVAL;
        if (after)
                *ret = span_usec > USEC_INFINITY - now_usec ? USEC_INFINITY : now_usec + span_usec;
        else
                *ret = span_usec > now_usec ? 0 : now_usec - span_usec;
        return 0;
}

/* A local calendar time; what the text does not say is midnight, or today. */
static int parse_calendar(const char *s, uint64_t now_usec, uint64_t *ret) {
        static const char *const formats[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
                                               "%Y-%m-%d %H:%M",    "%Y-%m-%d",
                                               "%H:%M:%S",          "%H:%M" };

        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                time_t t = (time_t) (now_usec / USEC_PER_SEC);
                struct tm tm;
                const char *end;

                if (!localtime_r(&t, &tm))
                        return -EINVAL;
                tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
                end = strptime(s, formats[i], &tm);
                if (!end || *end)
                        continue;
                tm.tm_isdst = -1;
                t = mktime(&tm);
                if (t < 0)
                        return -EINVAL;
                *ret = (uint64_t) t * USEC_PER_SEC;
                return 0;
        }
        return -EINVAL;
}

static int parse_words(const char *s, uint64_t now_usec, uint64_t *ret) {
        if (str_eq(s, "now")) {
                *ret = now_usec;
                return 0;
        }
        if (str_eq(s, "today"))
                return midnight(now_usec, 0, ret);
        if (str_eq(s, "yesterday"))
                return midnight(now_usec, 1, ret);
        return -EINVAL;
}

static int parse_ago(const char *s, uint64_t now_usec, uint64_t *ret) {
        _cleanup_free_ char *span = str_ndup(s, strlen(s) - strlen(ago));

        return span ? parse_relative(span, false, now_usec, ret) : -ENOMEM;
}

int time_spec_parse(const char *s, uint64_t now_usec, uint64_t *ret_usec, Error *reterr) {
        int r;

        if (s[0] == '@')
                r = parse_epoch(s + 1, ret_usec);
        else if (s[0] == '-' || s[0] == '+')
                r = parse_relative(s + 1, s[0] == '+', now_usec, ret_usec);
        else if (str_has_suffix(s, ago))
                r = parse_ago(s, now_usec, ret_usec);
        else if (parse_words(s, now_usec, ret_usec) == 0 ||
                 parse_calendar(s, now_usec, ret_usec) == 0)
                r = 0;
        else
                r = clock_parse_rfc3339(s, ret_usec);
        if (r < 0)
                return error_set(reterr, -EINVAL,
                                 "'%s' is no point in time (try \"2026-11-21 10:00\", \"today\", "
                                 "\"-10min\" or \"@1700000000\")",
                                 s);
        return 0;
}
