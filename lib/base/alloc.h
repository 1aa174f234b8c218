/*
 * The one door to the heap.
 *
 * Every allocation of ours goes through here, so that a test can make the n-th one fail
 * (alloc_fail_after). Libraries that take an allocator (jansson, curl, sqlite) are given this one.
 */
#pragma once

#include <stdarg.h>

#include "lib/base/base.h"

/* All return NULL when out of memory; the caller owns the result. A size of 0 allocates one byte. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *p,
                  size_t size); /* on failure p is untouched and still owned by the caller */
void *mem_dup(const void *data, size_t size); /* copy with a NUL byte behind it */
void *mem_free(void *p);                      /* accepts NULL, returns NULL */

#define mem_new(T) ((T *) mem_zalloc(sizeof(T)))
#define mem_new_array(T, n) ((T *) mem_zalloc_array((n), sizeof(T)))
void *mem_zalloc_array(size_t n, size_t size); /* NULL on overflow, too */

/*
 * Makes room for `need` elements of `size` bytes in *array (capacity in elements in *capacity),
 * growing in powers of two. Returns 0 or -ENOMEM (then nothing has changed).
 */
int mem_grow(void *array, size_t *capacity, size_t need, size_t size);

char *str_dup(const char *s); /* NULL stays NULL: check the argument first if it may be NULL */
char *str_ndup(const char *s, size_t n);
char *str_printf(const char *fmt, ...) _printf_(1, 2);
char *str_vprintf(const char *fmt, va_list ap) _printf_(1, 0);

/* Replaces the string in *p by a copy of s (NULL: by NULL). Returns 0 or -ENOMEM (unchanged). */
int str_replace(char **p, const char *s);

static inline void mem_freep(void *p) {
        void **q = p;

        *q = mem_free(*q);
}
#define _cleanup_free_ _cleanup_(mem_freep)

/* Tests only: the n-th allocation from now fails (1 = the next one), and all behind it; 0 = never. */
void alloc_fail_after(uint64_t n);

/*
 * How many allocations have failed since the program started: tells whether a library that was given
 * our allocator failed for want of memory, when it does not say so itself.
 */
uint64_t alloc_failures(void);

/* Tests only: how many allocations there have been since the program started. */
uint64_t alloc_count(void);
