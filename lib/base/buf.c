#include "lib/base/buf.h"

#include <stdio.h>

#include "lib/base/alloc.h"

static int reserve(Buf *b, size_t more) {
        size_t need;

        if (__builtin_add_overflow(b->size, more, &need) || need == SIZE_MAX)
                return -ENOMEM;
        if (b->limit > 0 && need > b->limit)
                return -EFBIG;

        return mem_grow(&b->data, &b->capacity, need + 1, 1);
}

int buf_append(Buf *b, const void *data, size_t size) {
        int r;

        r = reserve(b, size);
        if (r < 0)
                return r;

        if (size > 0)
                memcpy(b->data + b->size, data, size);
        b->size += size;
        b->data[b->size] = '\0';
        return 0;
}

int buf_append_str(Buf *b, const char *s) {
        return buf_append(b, s, strlen(s));
}

int buf_append_char(Buf *b, char c) {
        return buf_append(b, &c, 1);
}

int buf_vprintf(Buf *b, const char *fmt, va_list ap) {
        va_list again;
        int n, r;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
        if (n < 0)
                return -EINVAL;

        r = reserve(b, (size_t) n);
        if (r < 0)
                return r;

        (void) vsnprintf(b->data + b->size, (size_t) n + 1, fmt, ap);
        b->size += (size_t) n;
        return 0;
}

int buf_printf(Buf *b, const char *fmt, ...) {
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = buf_vprintf(b, fmt, ap);
        va_end(ap);
        return r;
}

void buf_consume(Buf *b, size_t n) {
        assert(n <= b->size);
        if (n == 0)
                return;

        memmove(b->data, b->data + n, b->size - n + 1);
        b->size -= n;
}

const char *buf_str(const Buf *b) {
        return b->data ? b->data : "";
}

char *buf_steal(Buf *b) {
        char *data = b->data;

        b->data = NULL;
        b->size = b->capacity = 0;
        return data ? data : str_dup("");
}

void buf_clear(Buf *b) {
        b->size = 0;
        if (b->data)
                b->data[0] = '\0';
}

void buf_done(Buf *b) {
        b->data = mem_free(b->data);
        b->size = b->capacity = 0;
}
