/*
 * Strv: a list of strings it owns. `items` is NULL-terminated once something was pushed.
 */
#pragma once

#include "lib/base/base.h"

typedef struct Strv {
        char **items;
        size_t n;
        size_t capacity;
} Strv;

#define STRV_INIT ((Strv){ 0 })

/* Each appends one item. Returns 0 or -ENOMEM; on failure v is as it was. */
int strv_push(Strv *v, const char *s);             /* copies s; 0 or -ENOMEM */
int strv_push_n(Strv *v, const char *s, size_t n); /* copies at most n bytes of s */
int strv_push_printf(Strv *v, const char *fmt, ...) _printf_(2, 3);
int strv_take(Strv *v, char *s); /* takes s on success only */

/* *ret is overwritten, and owned by the caller. Returns 0 or -ENOMEM. */
int strv_copy(const Strv *v, Strv *ret);

/* Appends the parts of s between any of the characters of `separators`; empty parts are left out. */
int strv_split(Strv *v, const char *s, const char *separators);

/* The items with `separator` between them; the caller owns it. NULL = out of memory. */
char *strv_join(const Strv *v, const char *separator);

/* Byte by byte; strv_equal minds the order. */
bool strv_contains(const Strv *v, const char *s);
bool strv_equal(const Strv *a, const Strv *b);
void strv_sort(Strv *v); /* byte order */
void strv_uniq(Strv *v); /* drops repeats of a sorted list */

void strv_done(Strv *v); /* leaves STRV_INIT */
