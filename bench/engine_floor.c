/*
 * engine_floor SOCKET IMAGE NAME: the Engine's own price of one container. Creates and starts it with two
 * bare HTTP requests on one connection and prints the microseconds both took.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/bench.h"

#define ANSWER_MAX 65536

static int connect_to(const char *path) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        size_t n = strlen(path);
        int fd;

        if (n >= sizeof(sa.sun_path))
                return -1;
        memcpy(sa.sun_path, path, n + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0)
                return -1;
        return fd;
}

/* True when an answer with Content-Length (or without a body: 204) is there as a whole. */
static bool answer_complete(const char *answer, size_t size) {
        const char *body = strstr(answer, "\r\n\r\n"), *length;

        if (!body)
                return false;
        length = strcasestr(answer, "Content-Length:");
        if (!length || length > body)
                return true;
        return size >= (size_t) (body + 4 - answer) + strtoul(length + 15, NULL, 10);
}

/* POSTs and reads the answer. Returns the status or -1. */
static int post(int fd, const char *path, const char *body) {
        static char answer[ANSWER_MAX];
        size_t size = 0;
        int n;

        n = dprintf(fd,
                    "POST %s HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    path, strlen(body), body);
        if (n < 0)
                return -1;
        do {
                ssize_t got = read(fd, answer + size, sizeof(answer) - 1 - size);

                if (got <= 0)
                        return -1;
                size += (size_t) got;
                answer[size] = '\0';
        } while (!answer_complete(answer, size));
        return size > 12 ? (int) strtol(answer + 9, NULL, 10) : -1;
}

int main(int argc, char **argv) {
        char create[512], start[512], body[512];
        uint64_t began;
        int fd;

        if (argc != 4) {
                fprintf(stderr, "usage: engine_floor SOCKET IMAGE NAME\n");
                return 2;
        }
        (void) snprintf(create, sizeof(create), "/v1.41/containers/create?name=%s", argv[3]);
        (void) snprintf(start, sizeof(start), "/v1.41/containers/%s/start", argv[3]);
        (void) snprintf(body, sizeof(body), "{\"Image\":\"%s\",\"Cmd\":[\"sleep\",\"1000\"]}",
                        argv[2]);

        began = bench_now_usec();
        fd = connect_to(argv[1]);
        if (fd < 0 || post(fd, create, body) != 201 || post(fd, start, "") != 204) {
                fprintf(stderr, "the Engine refused container %s\n", argv[3]);
                return 1;
        }
        printf("%llu\n", (unsigned long long) (bench_now_usec() - began));
        return 0;
}
