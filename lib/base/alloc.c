#include "lib/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

/* The only mutable statics of lib besides log.c: the test hook counts through every caller. */
static uint64_t allocations;
static uint64_t failures;
static uint64_t fail_at;

static bool refused(void) {
        allocations++;
        return fail_at != 0 && allocations >= fail_at;
}

/* Every result passes here. */
static void *counted(void *p) {
        if (!p)
                failures++;

        return p;
}

void alloc_fail_after(uint64_t n) {
        fail_at = n == 0 ? 0 : allocations + n;
}

uint64_t alloc_failures(void) {
        return failures;
}

uint64_t alloc_count(void) {
        return allocations;
}

void *mem_alloc(size_t size) {
        return counted(refused() ? NULL : malloc(size == 0 ? 1 : size));
}

void *mem_zalloc(size_t size) {
        return counted(refused() ? NULL : calloc(1, size == 0 ? 1 : size));
}

void *mem_zalloc_array(size_t n, size_t size) {
        size_t bytes;

        if (__builtin_mul_overflow(n, size, &bytes))
                return NULL;

        return mem_zalloc(bytes);
}

void *mem_realloc(void *p, size_t size) {
        return counted(refused() ? NULL : realloc(p, size == 0 ? 1 : size));
}

void *mem_dup(const void *data, size_t size) {
        char *copy;

        if (size == SIZE_MAX)
                return NULL;

        copy = mem_alloc(size + 1);
        if (!copy)
                return NULL;

        if (size > 0)
                memcpy(copy, data, size);
        copy[size] = '\0';
        return copy;
}

void *mem_free(void *p) {
        free(p);
        return NULL;
}

int mem_grow(void *array, size_t *capacity, size_t need, size_t size) {
        void **items = array;
        size_t n, bytes;
        void *grown;

        if (need <= *capacity)
                return 0;

        n = MAX(*capacity, (size_t) 4);
        while (n < need)
                if (__builtin_mul_overflow(n, (size_t) 2, &n))
                        return -ENOMEM;

        if (__builtin_mul_overflow(n, size, &bytes))
                return -ENOMEM;

        grown = mem_realloc(*items, bytes);
        if (!grown)
                return -ENOMEM;

        *items = grown;
        *capacity = n;
        return 0;
}

char *str_dup(const char *s) {
        return s ? mem_dup(s, strlen(s)) : NULL;
}

char *str_ndup(const char *s, size_t n) {
        return mem_dup(s, strnlen(s, n));
}

char *str_vprintf(const char *fmt, va_list ap) {
        va_list again;
        char *s;
        int n;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
        if (n < 0)
                return NULL;

        s = mem_alloc((size_t) n + 1);
        if (s)
                (void) vsnprintf(s, (size_t) n + 1, fmt, ap);

        return s;
}

char *str_printf(const char *fmt, ...) {
        va_list ap;
        char *s;

        va_start(ap, fmt);
        s = str_vprintf(fmt, ap);
        va_end(ap);
        return s;
}

int str_replace(char **p, const char *s) {
        char *copy = NULL;

        if (s) {
                copy = str_dup(s);
                if (!copy)
                        return -ENOMEM;
        }

        mem_free(*p);
        *p = copy;
        return 0;
}
