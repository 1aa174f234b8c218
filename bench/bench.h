/*
 * What the measuring programs share: a clock, and starting a program with the time it was started at.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <spawn.h>
#include <sys/types.h>
#include <time.h>

extern char **environ;

static inline uint64_t bench_now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* The child's pid, or -1 after a message. *ret_started is the time just before it. */
static inline pid_t bench_spawn(char **argv, uint64_t *ret_started) {
        pid_t pid;

        *ret_started = bench_now_usec();
        if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0) {
                fprintf(stderr, "%s cannot be started\n", argv[0]);
                return -1;
        }
        return pid;
}
