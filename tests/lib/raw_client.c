#include "tests/lib/raw_client.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "tests/lib/suite.h"

struct RawClient {
        sd_event *event;
        int fd;
        sd_event_source *io;
        Buf received;
        bool closed;
        const char *awaited;
};

static int on_input(sd_event_source *source _unused_, int fd, uint32_t revents _unused_,
                    void *userdata) {
        RawClient *c = userdata;
        char chunk[65536];
        ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

        if (n > 0) {
                ck_assert_int_eq(buf_append(&c->received, chunk, (size_t) n), 0);
                return 0;
        }
        if (n < 0 && errno == EAGAIN)
                return 0;

        c->closed = true;
        c->io = event_drop(c->io);
        return 0;
}

static int connect_unix(const char *path) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_uint_lt(strlen(path), sizeof(a.sun_path));
        memcpy(a.sun_path, path, strlen(path));
        ck_assert_int_eq(connect(fd, (struct sockaddr *) &a, sizeof(a)), 0);
        return fd;
}

static int connect_tcp(const char *port) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        uint64_t n;

        ck_assert_int_eq(str_to_u64(port, &n), 0);
        a.sin_port = htons((uint16_t) n);
        ck_assert_int_eq(connect(fd, (struct sockaddr *) &a, sizeof(a)), 0);
        return fd;
}

RawClient *raw_client_new(sd_event *event, const char *address) {
        const char *path = str_after_prefix(address, "unix://");
        RawClient *c = mem_new(RawClient);

        ck_assert_ptr_nonnull(c);
        c->event = sd_event_ref(event);
        c->fd = path ? connect_unix(path) : connect_tcp(strrchr(address, ':') + 1);
        ck_assert_int_ge(sd_event_add_io(event, &c->io, c->fd, EPOLLIN, on_input, c), 0);
        return c;
}

RawClient *raw_client_free(RawClient *c) {
        if (!c)
                return NULL;

        c->io = event_drop(c->io);
        c->fd = fd_close(c->fd);
        buf_done(&c->received);
        c->event = sd_event_unref(c->event);
        return mem_free(c);
}

bool raw_client_send(RawClient *c, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = send(c->fd, p, size, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno != EAGAIN)
                        return false;
                if (n < 0) {
                        ck_assert_int_ge(sd_event_run(c->event, USEC_PER_MSEC), 0);
                        continue;
                }
                p += n;
                size -= (size_t) n;
        }
        return true;
}

bool raw_client_say(RawClient *c, const char *text) {
        return raw_client_send(c, text, strlen(text));
}

void raw_client_set_reading(RawClient *c, bool on) {
        if (c->io)
                ck_assert_int_ge(
                        sd_event_source_set_enabled(c->io, on ? SD_EVENT_ON : SD_EVENT_OFF), 0);
}

void raw_client_half_close(RawClient *c) {
        ck_assert_int_eq(shutdown(c->fd, SHUT_WR), 0);
}

const char *raw_client_received(const RawClient *c) {
        return buf_str(&c->received);
}

size_t raw_client_received_bytes(const RawClient *c) {
        return c->received.size;
}

void raw_client_forget(RawClient *c) {
        buf_clear(&c->received);
}

bool raw_client_closed(const RawClient *c) {
        return c->closed;
}

static bool has_come(void *userdata) {
        RawClient *c = userdata;

        return c->closed || (c->awaited && strstr(buf_str(&c->received), c->awaited));
}

void raw_client_wait(RawClient *c, const char *text) {
        c->awaited = text;
        suite_wait_for(c->event, has_come, c);
        ck_assert_msg(strstr(buf_str(&c->received), text), "closed after '%s'",
                      buf_str(&c->received));
}

void raw_client_wait_closed(RawClient *c) {
        c->awaited = NULL;
        suite_wait_for(c->event, has_come, c);
}
