/*
 * Small questions about strings, and numbers out of them.
 */
#pragma once

#include "lib/base/base.h"

static inline bool str_eq(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

static inline bool str_empty(const char *s) {
        return !s || s[0] == '\0';
}

static inline const char *str_or(const char *s, const char *otherwise) {
        return str_empty(s) ? otherwise : s;
}

/* What is behind the prefix, or NULL if s does not start with it. */
const char *str_after_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);

/* Cuts ASCII white space off both ends in place; returns the first character that is left. */
char *str_trim(char *s);

/* Valid UTF-8 without NUL in `size` bytes? */
bool str_is_utf8(const char *s, size_t size);

/* Whole-string decimal numbers: 0, -EINVAL (no number) or -ERANGE. */
int str_to_u64(const char *s, uint64_t *ret);
int str_to_i64(const char *s, int64_t *ret);
int str_to_double(const char *s, double *ret); /* locale-independent */

/* systemd's words (1/yes/y/true/t/on, 0/no/n/false/f/off, any case): 0 or -EINVAL. */
int str_to_bool(const char *s, bool *ret);

int str_hex_digit(char c); /* 0 to 15, or -EINVAL */
