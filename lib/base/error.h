/*
 * Error: why something failed, in words for the person who asked for it.
 *
 * Whoever speaks to a human fills one: parsers, validation, API and driver operations take
 * `Error *reterr` last. It may be NULL (nobody wants the words). It is filled on failure only.
 * Text: lower case, no full stop, what failed first, the subject in 'quotes'.
 */
#pragma once

#include <stdarg.h>

#include "lib/base/base.h"

typedef struct Error {
        int code;        /* negative errno, 0 = not set */
        char *text;      /* NULL when even the words did not fit into memory */
        char *path;      /* document the error is in, or NULL */
        unsigned line;   /* from 1; 0 = unknown */
        unsigned column; /* from 1; 0 = unknown */
} Error;

#define ERROR_INIT ((Error){ 0 })

/* Each returns `code` (must be negative), so that a failure is one line. What was there is replaced. */
int error_set(Error *e, int code, const char *fmt, ...) _printf_(3, 4);
int error_set_at(Error *e, int code, const char *path, unsigned line, unsigned column,
                 const char *fmt, ...) _printf_(6, 7);

/* Puts "<fmt>: " before the text. Returns e's code, or 0 if e is NULL or not set. */
int error_prefix(Error *e, const char *fmt, ...) _printf_(2, 3);

/* Fills e with the plain words of errno value `code` unless it is already set. Returns code. */
int error_fill(Error *e, int code);

/* Copies `from` over `to` (either may be NULL). */
void error_copy(Error *to, const Error *from);

/* The text, or the errno's own words; never NULL. Borrowed until e changes. */
const char *error_text(const Error *e);

/* "path:line:column: text" with what is known; NULL when out of memory. The caller owns it. */
char *error_format(const Error *e);

void error_done(Error *e); /* leaves ERROR_INIT */
#define _cleanup_error_ _cleanup_(error_done)
