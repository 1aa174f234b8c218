/*
 * ready_time COMMAND ARG…: starts a daemon, prints the microseconds until it says READY=1 (sd_notify),
 * and ends it with SIGTERM.
 */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#define READY_DEADLINE_MSEC 10000

/* An abstract socket of our own, and its name in the environment. Returns the fd or -1. */
static int notify_socket(void) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        char name[sizeof(sa.sun_path)];
        int fd, n;

        n = snprintf(name, sizeof(name), "@flotilla-bench-%ld", (long) getpid());
        memcpy(sa.sun_path, name, (size_t) n);
        sa.sun_path[0] = '\0';
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *) &sa,
                           (socklen_t) (offsetof(struct sockaddr_un, sun_path) + (size_t) n)) < 0)
                return -1;
        return setenv("NOTIFY_SOCKET", name, 1) < 0 ? -1 : fd;
}

/* Until a message has the line READY=1. */
static int wait_ready(int fd) {
        for (;;) {
                char message[4096];
                struct pollfd p = { .fd = fd, .events = POLLIN };
                ssize_t n;

                if (poll(&p, 1, READY_DEADLINE_MSEC) <= 0)
                        return -1;
                n = recv(fd, message, sizeof(message) - 1, 0);
                if (n < 0)
                        return -1;
                message[n] = '\0';
                if (strncmp(message, "READY=1", 7) == 0 || strstr(message, "\nREADY=1"))
                        return 0;
        }
}

int main(int argc, char **argv) {
        uint64_t started, ready = 0;
        pid_t pid;
        int fd, r;

        if (argc < 2) {
                fprintf(stderr, "usage: ready_time COMMAND ARG…\n");
                return 2;
        }
        fd = notify_socket();
        if (fd < 0) {
                perror("notify socket");
                return 125;
        }
        pid = bench_spawn(argv + 1, &started);
        if (pid < 0)
                return 125;

        r = wait_ready(fd);
        ready = bench_now_usec() - started;
        (void) kill(pid, SIGTERM);
        (void) waitpid(pid, NULL, 0);
        if (r < 0) {
                fprintf(stderr, "%s did not say READY=1\n", argv[1]);
                return 1;
        }
        printf("%llu\n", (unsigned long long) ready);
        return 0;
}
