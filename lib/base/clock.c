#include "lib/base/clock.h"

#include <inttypes.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

#define USEC_PER_DAY (24 * USEC_PER_HOUR)

static uint64_t read_clock(clockid_t id) {
        struct timespec ts = { 0 };

        /* Cannot fail for the clocks we ask for (clock_gettime(2)). */
        (void) clock_gettime(id, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

uint64_t clock_realtime_usec(void) {
        return read_clock(CLOCK_REALTIME);
}

uint64_t clock_boottime_usec(void) {
        return read_clock(CLOCK_BOOTTIME);
}

/* ---- RFC 3339 ------------------------------------------------------------------------------ */

char *clock_format_rfc3339(uint64_t realtime_usec) {
        time_t seconds = (time_t) (realtime_usec / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&seconds, &tm))
                return NULL;

        return str_printf("%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", tm.tm_year + 1900, tm.tm_mon + 1,
                          tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                          (unsigned) (realtime_usec % USEC_PER_SEC));
}

/* Reads exactly n digits; advances *s. */
static int read_digits(const char **s, size_t n, int *ret) {
        int v = 0;

        for (size_t i = 0; i < n; i++, (*s)++) {
                if (**s < '0' || **s > '9')
                        return -EINVAL;
                v = v * 10 + (**s - '0');
        }

        *ret = v;
        return 0;
}

static int read_char(const char **s, char c) {
        if (**s != c && **s != c + ('a' - 'A'))
                return -EINVAL;

        (*s)++;
        return 0;
}

static int read_two(const char **s, char before, int *ret) {
        int r;

        if (**s != before)
                return -EINVAL;

        (*s)++;
        r = read_digits(s, 2, ret);
        return r;
}

static bool date_exists(int year, int month, int day) {
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        return month >= 1 && month <= 12 && day >= 1 &&
               day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static int read_fraction(const char **s, int64_t *ret_usec) {
        int64_t unit = 100000;

        *ret_usec = 0;
        if (**s != '.')
                return 0;

        (*s)++;
        if (**s < '0' || **s > '9')
                return -EINVAL;

        for (; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
                *ret_usec += (**s - '0') * unit;

        return 0;
}

static int read_offset(const char **s, int64_t *ret_seconds) {
        int sign = **s == '-' ? -1 : 1, hours, minutes;

        *ret_seconds = 0;
        if (read_char(s, 'Z') >= 0)
                return 0;

        if (read_two(s, sign < 0 ? '-' : '+', &hours) < 0 || read_two(s, ':', &minutes) < 0 ||
            hours > 23 || minutes > 59)
                return -EINVAL;

        *ret_seconds = sign * (hours * 3600 + minutes * 60);
        return 0;
}

int clock_parse_rfc3339(const char *s, uint64_t *ret_realtime_usec) {
        int64_t seconds, fraction, offset;
        struct tm tm = { 0 };
        int year;

        if (read_digits(&s, 4, &year) < 0 || read_two(&s, '-', &tm.tm_mon) < 0 ||
            read_two(&s, '-', &tm.tm_mday) < 0 || read_char(&s, 'T') < 0 ||
            read_digits(&s, 2, &tm.tm_hour) < 0 || read_two(&s, ':', &tm.tm_min) < 0 ||
            read_two(&s, ':', &tm.tm_sec) < 0 || read_fraction(&s, &fraction) < 0 ||
            read_offset(&s, &offset) < 0 || *s != '\0')
                return -EINVAL;

        /* 60: a leap second. */
        if (!date_exists(year, tm.tm_mon, tm.tm_mday) || tm.tm_hour > 23 || tm.tm_min > 59 ||
            tm.tm_sec > 60)
                return -EINVAL;

        tm.tm_year = year - 1900;
        tm.tm_mon--;
        seconds = timegm(&tm) - offset;
        *ret_realtime_usec = seconds < 0 ? 0
                                         : (uint64_t) seconds * USEC_PER_SEC + (uint64_t) fraction;
        return 0;
}

/* ---- spans --------------------------------------------------------------------------------- */

typedef struct TimeUnit {
        const char *name;
        uint64_t nsec;
} TimeUnit;

#define NSEC ((uint64_t) 1)
#define NSEC_PER_USEC ((uint64_t) 1000)
#define NSEC_PER_DAY (USEC_PER_DAY * NSEC_PER_USEC)

/* systemd.time(7) */
static const TimeUnit systemd_units[] = {
        { "us", NSEC_PER_USEC },
        { "usec", NSEC_PER_USEC },
        { "\xc2\xb5s", NSEC_PER_USEC }, /* U+00B5, the micro sign */
        { "\xce\xbcs", NSEC_PER_USEC }, /* U+03BC, the Greek letter */
        { "ms", USEC_PER_MSEC *NSEC_PER_USEC },
        { "msec", USEC_PER_MSEC *NSEC_PER_USEC },
        { "s", USEC_PER_SEC *NSEC_PER_USEC },
        { "sec", USEC_PER_SEC *NSEC_PER_USEC },
        { "second", USEC_PER_SEC *NSEC_PER_USEC },
        { "seconds", USEC_PER_SEC *NSEC_PER_USEC },
        { "m", USEC_PER_MINUTE *NSEC_PER_USEC },
        { "min", USEC_PER_MINUTE *NSEC_PER_USEC },
        { "minute", USEC_PER_MINUTE *NSEC_PER_USEC },
        { "minutes", USEC_PER_MINUTE *NSEC_PER_USEC },
        { "h", USEC_PER_HOUR *NSEC_PER_USEC },
        { "hr", USEC_PER_HOUR *NSEC_PER_USEC },
        { "hour", USEC_PER_HOUR *NSEC_PER_USEC },
        { "hours", USEC_PER_HOUR *NSEC_PER_USEC },
        { "d", NSEC_PER_DAY },
        { "day", NSEC_PER_DAY },
        { "days", NSEC_PER_DAY },
        { "w", 7 * NSEC_PER_DAY },
        { "week", 7 * NSEC_PER_DAY },
        { "weeks", 7 * NSEC_PER_DAY },
        { "M", 2629800 * USEC_PER_SEC *NSEC_PER_USEC }, /* 30.44 days */
        { "month", 2629800 * USEC_PER_SEC *NSEC_PER_USEC },
        { "months", 2629800 * USEC_PER_SEC *NSEC_PER_USEC },
        { "y", 31557600 * USEC_PER_SEC *NSEC_PER_USEC }, /* 365.25 days */
        { "year", 31557600 * USEC_PER_SEC *NSEC_PER_USEC },
        { "years", 31557600 * USEC_PER_SEC *NSEC_PER_USEC },
        { NULL, 0 },
};

/* Go's time.ParseDuration */
static const TimeUnit go_units[] = {
        { "ns", NSEC },
        { "us", NSEC_PER_USEC },
        { "\xc2\xb5s", NSEC_PER_USEC },
        { "\xce\xbcs", NSEC_PER_USEC },
        { "ms", USEC_PER_MSEC *NSEC_PER_USEC },
        { "s", USEC_PER_SEC *NSEC_PER_USEC },
        { "m", USEC_PER_MINUTE *NSEC_PER_USEC },
        { "h", USEC_PER_HOUR *NSEC_PER_USEC },
        { NULL, 0 },
};

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static size_t unit_length(const char *s) {
        size_t n = 0;

        while ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') || (s[n] & 0x80))
                n++;
        return n;
}

/* Nanoseconds of the unit whose n-byte name is at s; 0 = there is no such unit. */
static uint64_t find_unit(const TimeUnit *units, const char *s, size_t n) {
        for (; units->name; units++)
                if (strlen(units->name) == n && memcmp(units->name, s, n) == 0)
                        return units->nsec;

        return 0;
}

/* A number with its fraction, not yet multiplied. */
typedef struct Amount {
        uint64_t whole;
        const char *fraction; /* its digits, may be none */
} Amount;

/* Reads "12", "12.5", ".5"; -EINVAL if there is no digit at all, -ERANGE. Advances *s. */
static int read_amount(const char **s, Amount *ret) {
        Amount a = { 0 };
        bool any = is_digit(**s);

        for (; is_digit(**s); (*s)++)
                if (__builtin_mul_overflow(a.whole, (uint64_t) 10, &a.whole) ||
                    __builtin_add_overflow(a.whole, (uint64_t) (**s - '0'), &a.whole))
                        return -ERANGE;

        if (**s == '.') {
                a.fraction = ++(*s);
                for (; is_digit(**s); (*s)++)
                        any = true;
        }

        if (!any || **s == '.')
                return -EINVAL;

        *ret = a;
        return 0;
}

/* *total_nsec += a * unit, in 128 bits; -ERANGE when it does not fit into usec. */
static int add_amount(unsigned __int128 *total_nsec, Amount a, uint64_t unit_nsec) {
        *total_nsec += (unsigned __int128) a.whole * unit_nsec;
        for (const char *p = a.fraction; p && is_digit(*p) && unit_nsec >= 10; p++) {
                unit_nsec /= 10;
                *total_nsec += (unsigned __int128) (unsigned) (*p - '0') * unit_nsec;
        }

        return *total_nsec / NSEC_PER_USEC >= USEC_INFINITY ? -ERANGE : 0;
}

static const char *skip_space(const char *s) {
        return s + strspn(s, " \t\n\r");
}

static int span_error(Error *reterr, int r, const char *s) {
        if (r == -ERANGE)
                return error_set(reterr, r, "time span '%s' is out of range", s);

        return error_set(reterr, r, "'%s' is not a time span", s);
}

int timespan_parse(const char *s, uint64_t default_unit_usec, uint64_t *ret_usec, Error *reterr) {
        const char *p = skip_space(s), *infinity = str_after_prefix(p, "infinity");
        unsigned __int128 nsec = 0;
        int r;

        if (infinity && *skip_space(infinity) == '\0') {
                *ret_usec = USEC_INFINITY;
                return 0;
        }
        if (*p == '\0')
                return span_error(reterr, -EINVAL, s);
        if (*p == '-')
                return span_error(reterr, -ERANGE, s);

        while (*p) {
                uint64_t unit = default_unit_usec * NSEC_PER_USEC;
                Amount a;
                size_t n;

                r = read_amount(&p, &a);
                if (r < 0)
                        return span_error(reterr, r, s);

                p = skip_space(p);
                n = unit_length(p);
                if (n > 0)
                        unit = find_unit(systemd_units, p, n);
                if (unit == 0)
                        return error_set(reterr, -EINVAL,
                                         "time span '%s' has an unknown unit '%.*s'", s, (int) n,
                                         p);

                r = add_amount(&nsec, a, unit);
                if (r < 0)
                        return span_error(reterr, r, s);
                p = skip_space(p + n);
        }

        *ret_usec = (uint64_t) (nsec / NSEC_PER_USEC);
        return 0;
}

char *timespan_format(uint64_t usec) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                { "d", USEC_PER_DAY }, { "h", USEC_PER_HOUR },  { "min", USEC_PER_MINUTE },
                { "s", USEC_PER_SEC }, { "ms", USEC_PER_MSEC }, { "us", 1 },
        };
        _cleanup_(buf_done) Buf b = BUF_INIT;
        size_t first = ELEMENTSOF(units);

        if (usec == USEC_INFINITY)
                return str_dup("infinity");
        if (usec == 0)
                return str_dup("0");

        for (size_t i = 0; i < ELEMENTSOF(units) && i <= first + 1; i++) {
                uint64_t n = usec / units[i].usec;

                if (n == 0)
                        continue;
                if (buf_printf(&b, "%s%" PRIu64 "%s", b.size > 0 ? " " : "", n, units[i].name) < 0)
                        return NULL;
                first = MIN(first, i);
                usec %= units[i].usec;
        }
        return buf_steal(&b);
}

/* Go's own limit: int64 nanoseconds. */
static int go_total(unsigned __int128 nsec) {
        return nsec > INT64_MAX ? -ERANGE : 0;
}

static int go_error(Error *reterr, int r, const char *s) {
        if (r == -ERANGE)
                return error_set(reterr, r, "duration '%s' is out of range", s);

        return error_set(reterr, r, "invalid duration '%s'", s);
}

int go_duration_parse(const char *s, uint64_t *ret_usec, Error *reterr) {
        const char *p = s + (*s == '-' || *s == '+');
        unsigned __int128 nsec = 0;
        int r;

        if (*p == '\0')
                return go_error(reterr, -EINVAL, s);
        if (str_eq(p, "0")) {
                *ret_usec = 0;
                return 0;
        }

        while (*p) {
                uint64_t unit;
                Amount a;
                size_t n;

                r = read_amount(&p, &a);
                if (r < 0)
                        return go_error(reterr, r, s);

                n = strcspn(p, ".0123456789");
                if (n == 0)
                        return error_set(reterr, -EINVAL, "missing unit in duration '%s'", s);

                unit = find_unit(go_units, p, n);
                if (unit == 0)
                        return error_set(reterr, -EINVAL, "unknown unit '%.*s' in duration '%s'",
                                         (int) n, p, s);

                r = add_amount(&nsec, a, unit);
                if (r >= 0)
                        r = go_total(nsec);
                if (r < 0)
                        return go_error(reterr, r, s);
                p += n;
        }

        if (*s == '-' && nsec > 0)
                return go_error(reterr, -ERANGE, s);

        *ret_usec = (uint64_t) (nsec / NSEC_PER_USEC);
        return 0;
}
