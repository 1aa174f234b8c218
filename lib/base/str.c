#include "lib/base/str.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

const char *str_after_prefix(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_has_suffix(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

static bool is_space(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

char *str_trim(char *s) {
        size_t n;

        while (is_space(*s))
                s++;

        n = strlen(s);
        while (n > 0 && is_space(s[n - 1]))
                n--;
        s[n] = '\0';
        return s;
}

/* How many bytes the sequence that starts with c has; 0 = none starts so. */
static size_t utf8_length(unsigned char c) {
        if (c < 0x80)
                return 1;
        if (c >= 0xc2 && c < 0xe0)
                return 2;
        if (c >= 0xe0 && c < 0xf0)
                return 3;
        if (c >= 0xf0 && c < 0xf5)
                return 4;

        return 0;
}

bool str_is_utf8(const char *s, size_t size) {
        const unsigned char *p = (const unsigned char *) s;

        for (size_t i = 0; i < size;) {
                size_t n = utf8_length(p[i]);

                if (n == 0 || p[i] == 0 || size - i < n)
                        return false;
                for (size_t k = 1; k < n; k++)
                        if ((p[i + k] & 0xc0) != 0x80)
                                return false;

                /* Over-long forms, surrogates, and what is beyond U+10FFFF. */
                if ((p[i] == 0xe0 && p[i + 1] < 0xa0) || (p[i] == 0xed && p[i + 1] > 0x9f) ||
                    (p[i] == 0xf0 && p[i + 1] < 0x90) || (p[i] == 0xf4 && p[i + 1] > 0x8f))
                        return false;
                i += n;
        }
        return true;
}

int str_to_u64(const char *s, uint64_t *ret) {
        uint64_t v = 0;

        if (*s == '\0')
                return -EINVAL;

        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(v, (uint64_t) 10, &v) ||
                    __builtin_add_overflow(v, (uint64_t) (*s - '0'), &v))
                        return -ERANGE;
        }

        *ret = v;
        return 0;
}

int str_to_i64(const char *s, int64_t *ret) {
        bool negative = *s == '-';
        uint64_t v;
        int r;

        r = str_to_u64(s + (negative || *s == '+'), &v);
        if (r < 0)
                return r;
        if (v > (uint64_t) INT64_MAX + (negative ? 1 : 0))
                return -ERANGE;

        *ret = negative ? (int64_t) (0 - v) : (int64_t) v;
        return 0;
}

int str_to_double(const char *s, double *ret) {
        locale_t c_locale;
        char *end;
        double v;

        if (*s == '\0' || is_space(*s))
                return -EINVAL;

        c_locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
        if (!c_locale)
                return -ENOMEM;

        errno = 0;
        v = strtod_l(s, &end, c_locale);
        freelocale(c_locale);
        if (*end != '\0' || end == s || isnan(v))
                return -EINVAL;
        if (errno == ERANGE || isinf(v))
                return -ERANGE;

        *ret = v;
        return 0;
}

int str_to_bool(const char *s, bool *ret) {
        static const char *const yes[] = { "1", "yes", "y", "true", "t", "on" };
        static const char *const no[] = { "0", "no", "n", "false", "f", "off" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                if (strcasecmp(s, yes[i]) == 0) {
                        *ret = true;
                        return 0;
                }
                if (strcasecmp(s, no[i]) == 0) {
                        *ret = false;
                        return 0;
                }
        }
        return -EINVAL;
}

int str_hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;

        return -EINVAL;
}
