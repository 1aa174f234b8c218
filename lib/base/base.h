/*
 * The words every file of this tree uses: cleanup, ownership transfer, sizes, time units.
 *
 * Knows nothing of units, loops or the network.
 */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define _cleanup_(f) __attribute__((cleanup(f), unused)) /* clang: being cleaned up is no use */
#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))
#define _unused_ __attribute__((unused))
#define _warn_unused_ __attribute__((warn_unused_result))

/* Defines `<f>p`, the cleanup function for a local `T *`; f accepts NULL. */
#define DEFINE_CLEANUP(T, f)                                                                       \
        static inline void f##p(T **p) {                                                           \
                (void) f(*p);                                                                      \
                *p = NULL;                                                                         \
        }                                                                                          \
        struct base_needs_a_semicolon

/* Hands an owned pointer on: evaluates to it and leaves NULL behind. */
#define TAKE_PTR(p)                                                                                \
        ({                                                                                         \
                typeof(p) _taken = (p);                                                            \
                (p) = NULL;                                                                        \
                _taken;                                                                            \
        })

/* Hands an owned file descriptor on: evaluates to it and leaves -EBADF behind. */
#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int _taken = (fd);                                                                 \
                (fd) = -EBADF;                                                                     \
                _taken;                                                                            \
        })

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, T, member) ((T *) (void *) ((char *) (p) -offsetof(T, member)))

#define MIN(a, b)                                                                                  \
        ({                                                                                         \
                typeof(a) _a = (a);                                                                \
                typeof(b) _b = (b);                                                                \
                _a < _b ? _a : _b;                                                                 \
        })
#define MAX(a, b)                                                                                  \
        ({                                                                                         \
                typeof(a) _a = (a);                                                                \
                typeof(b) _b = (b);                                                                \
                _a > _b ? _a : _b;                                                                 \
        })

#define USEC_PER_MSEC ((uint64_t) 1000)
#define USEC_PER_SEC ((uint64_t) 1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_INFINITY UINT64_MAX

#define KIB ((size_t) 1024)
#define MIB (1024 * KIB)
