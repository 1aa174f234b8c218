/*
 * http_clients SOCKET N MODE: N clients at once.
 *
 *   get    each asks for /fleet/v1/machines; prints how many got a 200, another status, nothing
 *   put    each PUTs /fleet/v1/units/same.service, half of them another content than the others;
 *          prints how many got a 201 or 204, another status, nothing
 *   half   each sends half a request and holds the connection until the input ends; prints "held"
 *   events each asks for /fleet/v1/events and holds it, reading nothing, in the same way
 *
 * Sockets are connected before anything is sent, so that they are really there at the same time.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 4096
#define ANSWER_DEADLINE_MSEC 20000

#define GET(path) "GET " path " HTTP/1.1\r\nHost: fleet\r\nConnection: close\r\n\r\n"
#define BODY(n)                                                                                    \
        "{\"desiredState\":\"inactive\",\"options\":[{\"section\":\"Service\",\"name\":"           \
        "\"ExecStart\",\"value\":\"/usr/bin/docker run busybox sleep 10" n "\"}]}"
#define PUT(n)                                                                                     \
        "PUT /fleet/v1/units/same.service HTTP/1.1\r\nHost: fleet\r\nConnection: close\r\n"        \
        "Content-Type: application/json\r\nContent-Length: 128\r\n\r\n" BODY(n)

_Static_assert(sizeof(BODY("1")) == 128 + 1, "the length that PUT() says");

typedef struct Mode {
        const char *name;
        const char *requests[2]; /* taken in turn */
        bool half, hold;
} Mode;

static const Mode modes[] = {
        { "get", { GET("/fleet/v1/machines"), GET("/fleet/v1/machines") }, false, false },
        { "put", { PUT("1"), PUT("2") }, false, false },
        { "half", { GET("/fleet/v1/machines"), GET("/fleet/v1/machines") }, true, true },
        { "events", { GET("/fleet/v1/events"), GET("/fleet/v1/events") }, false, true },
};

typedef struct Counts {
        unsigned good, other, nothing;
} Counts;

static int connect_to(const char *path) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        size_t n = strlen(path);
        int fd;

        if (n >= sizeof(sa.sun_path))
                return -1;
        memcpy(sa.sun_path, path, n + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -1;
        if (connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
                (void) close(fd);
                return -1;
        }
        return fd;
}

/* Reads to the end of the answer and counts what its first line says. */
static void read_answer(int fd, Counts *c) {
        char answer[4096];
        size_t size = 0;

        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                ssize_t n;

                if (size == sizeof(answer) - 1)
                        size = 12; /* only the status is looked at */
                if (poll(&p, 1, ANSWER_DEADLINE_MSEC) <= 0)
                        break;
                n = read(fd, answer + size, sizeof(answer) - 1 - size);
                if (n <= 0)
                        break;
                size += (size_t) n;
        }
        answer[size] = '\0';
        if (size < 12 || strncmp(answer, "HTTP/1.1 ", 9) != 0)
                c->nothing++;
        else if (answer[9] == '2')
                c->good++;
        else
                c->other++;
}

/* A server may close a connection before it has read: that client got nothing. */
static void send_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

                if (n <= 0)
                        return;
                data += n;
                size -= (size_t) n;
        }
}

static void send_requests(const Mode *mode, const int *fds, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                const char *request = mode->requests[i % 2];
                size_t size = strlen(request);

                if (fds[i] >= 0)
                        send_all(fds[i], request, mode->half ? size / 2 : size);
        }
}

static void read_answers(const int *fds, unsigned n) {
        Counts c = { 0 };

        for (unsigned i = 0; i < n; i++) {
                if (fds[i] >= 0)
                        read_answer(fds[i], &c);
                else
                        c.nothing++;
        }
        printf("%u good, %u other, %u nothing\n", c.good, c.other, c.nothing);
}

static void hold(void) {
        char c;

        printf("held\n");
        (void) fflush(stdout);
        while (read(STDIN_FILENO, &c, 1) > 0)
                ;
}

static const Mode *find_mode(const char *name) {
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
                if (strcmp(modes[i].name, name) == 0)
                        return &modes[i];
        return NULL;
}

int main(int argc, char **argv) {
        struct rlimit limit = { .rlim_cur = CLIENTS_MAX + 64, .rlim_max = CLIENTS_MAX + 64 };
        static int fds[CLIENTS_MAX];
        unsigned long n = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
        const Mode *mode = argc == 4 ? find_mode(argv[3]) : NULL;

        if (!mode || n < 1 || n > CLIENTS_MAX) {
                fprintf(stderr, "usage: http_clients SOCKET N get|put|half|events (N up to %d)\n",
                        CLIENTS_MAX);
                return 2;
        }
        (void) setrlimit(RLIMIT_NOFILE, &limit); /* connecting fails below if it was needed */
        for (unsigned long i = 0; i < n; i++)
                fds[i] = connect_to(argv[1]);
        send_requests(mode, fds, (unsigned) n);
        if (mode->hold)
                hold();
        else
                read_answers(fds, (unsigned) n);
        return 0;
}
