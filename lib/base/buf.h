/*
 * Buf: a growing byte buffer. What it holds is always followed by a NUL byte that `size` does not count.
 */
#pragma once

#include <stdarg.h>

#include "lib/base/base.h"

typedef struct Buf {
        char *data; /* NULL while nothing was ever appended */
        size_t size;
        size_t capacity;
        size_t limit; /* appending beyond it fails with -EFBIG; 0 = no limit */
} Buf;

#define BUF_INIT ((Buf){ 0 })

/* Each returns 0, -ENOMEM or -EFBIG; on failure nothing was appended. */
int buf_append(Buf *b, const void *data, size_t size);
int buf_append_str(Buf *b, const char *s);
int buf_append_char(Buf *b, char c);
int buf_printf(Buf *b, const char *fmt, ...) _printf_(2, 3);
int buf_vprintf(Buf *b, const char *fmt, va_list ap) _printf_(2, 0);

/* Drops the first n bytes (n <= size). */
void buf_consume(Buf *b, size_t n);

/* The contents as a string, "" if there are none; borrowed until the next change. */
const char *buf_str(const Buf *b);

/* The contents; the caller owns them, and b is empty. Never NULL unless out of memory. */
char *buf_steal(Buf *b);

void buf_clear(Buf *b); /* empty, keeps its memory and limit */
void buf_done(Buf *b);  /* empty, without memory */
