#include "lib/http/http_url.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

static bool is_unreserved(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_' || c == '~';
}

char *http_url_escape(const char *s) {
        static const char hex[] = "0123456789ABCDEF";
        size_t size = strlen(s);
        char *out, *p;

        if (size > SIZE_MAX / 4)
                return NULL;

        p = out = mem_alloc(3 * size + 1);
        if (!out)
                return NULL;

        for (; *s; s++) {
                unsigned char c = (unsigned char) *s;

                if (is_unreserved(*s)) {
                        *p++ = *s;
                        continue;
                }
                *p++ = '%';
                *p++ = hex[c >> 4];
                *p++ = hex[c & 15];
        }
        *p = '\0';
        return out;
}

static int decode(const char *s, size_t size, bool plus_is_space, char **ret) {
        _cleanup_free_ char *out = size == SIZE_MAX ? NULL : mem_alloc(size + 1);
        size_t n = 0;

        if (!out)
                return -ENOMEM;

        for (size_t i = 0; i < size; i++) {
                int high, low;

                if (s[i] != '%') {
                        out[n++] = plus_is_space && s[i] == '+' ? ' ' : s[i];
                        continue;
                }

                high = i + 1 < size ? str_hex_digit(s[i + 1]) : -1;
                low = i + 2 < size ? str_hex_digit(s[i + 2]) : -1;
                if (high < 0 || low < 0 || high + low == 0)
                        return -EINVAL;
                out[n++] = (char) (high << 4 | low);
                i += 2;
        }

        out[n] = '\0';
        *ret = TAKE_PTR(out);
        return 0;
}

int http_url_unescape(const char *s, size_t size, char **ret) {
        return decode(s, size, false, ret);
}

/* The value of one "name=value" pair if its name is this one; *ret stays NULL if not. */
static int value_of(const char *pair, size_t size, const char *name, char **ret) {
        const char *equals = memchr(pair, '=', size);
        size_t key_size = equals ? (size_t) (equals - pair) : size;
        _cleanup_free_ char *key = NULL;
        int r;

        r = decode(pair, key_size, true, &key);
        if (r < 0 || !str_eq(key, name))
                return r == -ENOMEM ? r : 0;

        r = equals ? decode(equals + 1, size - key_size - 1, true, ret) : decode("", 0, true, ret);
        return r == -ENOMEM ? r : 0;
}

int http_query_argument(const char *query, const char *name, char **ret) {
        char *value = NULL;
        int r = 0;

        while (r >= 0 && !value && *query) {
                size_t n = strcspn(query, "&;");

                if (n > 0)
                        r = value_of(query, n, name, &value);
                query += n;
                query += *query != '\0';
        }
        if (r < 0)
                return r;

        *ret = value;
        return 0;
}
