#include "specs/glob.h"

/*
 * Characters are decoded as Go does it: a byte that starts no UTF-8 sequence is a character of its
 * own, U+FFFD.
 */
#define RUNE_ERROR 0xfffd

static size_t sequence_size(unsigned char c) {
        return c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : c >= 0xe0 && c < 0xf0 ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;
}

/* The character at s (not at its end); *ret gets how many bytes it has. */
static uint32_t decode(const char *s, size_t *ret) {
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        const unsigned char *p = (const unsigned char *) s;
        size_t n = sequence_size(p[0]);
        uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);

        *ret = 1;
        if (n == 0)
                return RUNE_ERROR;
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return RUNE_ERROR;
                c = c << 6 | (p[i] & 0x3f);
        }
        if (c < smallest[n] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
                return RUNE_ERROR;

        *ret = n;
        return c;
}

/* One end of a range in a class; NULL if it is malformed. */
static const char *class_character(const char *p, uint32_t *ret) {
        size_t n;

        if (*p == '\0' || *p == '-' || *p == ']')
                return NULL;
        if (*p == '\\')
                p++;
        if (*p == '\0')
                return NULL;

        *ret = decode(p, &n);
        if ((*ret == RUNE_ERROR && n == 1) || p[n] == '\0')
                return NULL;
        return p + n;
}

/* Behind the class whose '[' is at p; NULL if it is malformed. *ret_in: is c one of it? */
static const char *match_class(const char *p, uint32_t c, bool *ret_in) {
        bool negated = p[1] == '^', in = false;

        p += negated ? 2 : 1;
        for (unsigned n = 0; n == 0 || *p != ']'; n++) {
                uint32_t low, high;

                p = class_character(p, &low);
                if (!p)
                        return NULL;

                high = low;
                if (*p == '-')
                        p = class_character(p + 1, &high);
                if (!p)
                        return NULL;

                in = in || (low <= c && c <= high);
        }

        *ret_in = in != negated;
        return p + 1;
}

static bool is_well_formed(const char *p) {
        while (p && *p) {
                bool in;

                if (*p == '[') {
                        p = match_class(p, 0, &in);
                        continue;
                }
                if (*p == '\\' && *++p == '\0')
                        return false;
                p++;
        }
        return p != NULL;
}

/* Matches one element that is no '*' against the character at name; NULL = it does not match. */
static const char *match_one(const char *p, const char *name, size_t *ret_size) {
        uint32_t c = decode(name, ret_size);
        bool in;

        switch (*p) {
        case '[':
                p = match_class(p, c, &in);
                return in ? p : NULL;
        case '?':
                return *name != '/' ? p + 1 : NULL;
        case '\\':
                p++;
                break;
        default:
                break;
        }

        *ret_size = 1; /* byte by byte */
        return *p == *name ? p + 1 : NULL;
}

bool glob_match(const char *pattern, const char *name) {
        const char *after_star = NULL, *retry = NULL;

        if (!is_well_formed(pattern))
                return false;

        /* When a part behind a star does not match, the star takes one character more: never more than
         * the last star needs to. */
        while (*name || *pattern) {
                const char *next = NULL;
                size_t n = 0;

                if (*pattern == '*') {
                        after_star = ++pattern;
                        retry = name;
                        continue;
                }
                if (*name && *pattern)
                        next = match_one(pattern, name, &n);
                if (next) {
                        pattern = next;
                        name += n;
                        continue;
                }
                if (!after_star || *retry == '\0' || *retry == '/')
                        return false;

                name = ++retry;
                pattern = after_star;
        }
        return true;
}

bool glob_is_pattern(const char *s) {
        return strpbrk(s, "*?[") != NULL;
}
