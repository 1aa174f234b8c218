#include "tests/lib/raw_server.h"

#include <check.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/base/list.h"
#include "lib/event/event.h"

enum { BACKLOG = 128 };

typedef struct Peer {
        RawServer *server;
        ListLink peers;
        int fd;
        sd_event_source *io;
        size_t matched; /* of "\r\n\r\n" */
} Peer;

struct RawServer {
        sd_event *event;
        int fd;
        sd_event_source *io;
        char *directory, *path, *url;
        const char *reply;
        RawThen then;
        Buf received;
        ListLink peers;
        size_t accepted;
};

static void peer_free(Peer *p) {
        list_remove(&p->peers);
        p->io = event_drop(p->io);
        p->fd = fd_close(p->fd);
        mem_free(p);
}

static void answer(Peer *p) {
        RawServer *s = p->server;

        if (s->reply)
                (void) send(p->fd, s->reply, strlen(s->reply), MSG_NOSIGNAL);
}

static int on_input(sd_event_source *source _unused_, int fd, uint32_t revents _unused_,
                    void *userdata) {
        Peer *p = userdata;
        RawServer *s = p->server;
        char chunk[4096];
        ssize_t n;

        if (s->then == RAW_RESET) {
                const struct linger l = { .l_onoff = 1 };

                (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
                peer_free(p);
                return 0;
        }

        n = recv(fd, chunk, sizeof(chunk), 0);
        if (n <= 0) {
                peer_free(p);
                return 0;
        }

        ck_assert_int_eq(buf_append(&s->received, chunk, (size_t) n), 0);
        for (ssize_t i = 0; i < n; i++) {
                p->matched = chunk[i] == "\r\n\r\n"[p->matched] ? p->matched + 1 : 0;
                if (p->matched < 4)
                        continue;

                p->matched = 0;
                answer(p);
                if (s->reply && s->then == RAW_CLOSE) {
                        peer_free(p);
                        break;
                }
        }
        return 0;
}

static int on_connection(sd_event_source *source _unused_, int fd, uint32_t revents _unused_,
                         void *userdata) {
        RawServer *s = userdata;
        Peer *p = mem_new(Peer);

        ck_assert_ptr_nonnull(p);
        p->server = s;
        p->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        ck_assert_int_ge(p->fd, 0);
        ck_assert_int_ge(sd_event_add_io(s->event, &p->io, p->fd, EPOLLIN, on_input, p), 0);
        list_append(&s->peers, &p->peers);
        s->accepted++;
        return 0;
}

static void listen_tcp(RawServer *s) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(a);

        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(s->fd, 0);
        ck_assert_int_eq(bind(s->fd, (struct sockaddr *) &a, sizeof(a)), 0);
        ck_assert_int_eq(getsockname(s->fd, (struct sockaddr *) &a, &size), 0);
        s->url = str_printf("http://127.0.0.1:%u", ntohs(a.sin_port));
}

static void listen_unix(RawServer *s) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        ck_assert_int_eq(fs_temp_directory("raw", &s->directory), 0);
        s->path = str_printf("%s/socket", s->directory);
        ck_assert_uint_lt(strlen(s->path), sizeof(a.sun_path));
        memcpy(a.sun_path, s->path, strlen(s->path));
        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(s->fd, 0);
        ck_assert_int_eq(bind(s->fd, (struct sockaddr *) &a, sizeof(a)), 0);
        s->url = str_dup("http://raw");
}

RawServer *raw_server_new(sd_event *event, bool tcp, const char *reply, RawThen then) {
        RawServer *s = mem_new(RawServer);

        ck_assert_ptr_nonnull(s);
        s->event = sd_event_ref(event);
        s->reply = reply;
        s->then = then;
        list_init(&s->peers);
        if (tcp)
                listen_tcp(s);
        else
                listen_unix(s);
        ck_assert_int_eq(listen(s->fd, BACKLOG), 0);
        ck_assert_int_ge(sd_event_add_io(event, &s->io, s->fd, EPOLLIN, on_connection, s), 0);
        return s;
}

RawServer *raw_server_free(RawServer *s) {
        if (!s)
                return NULL;

        raw_server_close_all(s);
        s->io = event_drop(s->io);
        s->fd = fd_close(s->fd);
        if (s->directory)
                (void) fs_remove_tree(s->directory);
        mem_free(s->directory);
        mem_free(s->path);
        mem_free(s->url);
        buf_done(&s->received);
        s->event = sd_event_unref(s->event);
        return mem_free(s);
}

const char *raw_server_path(const RawServer *s) {
        return s->path;
}

const char *raw_server_url(const RawServer *s) {
        return s->url;
}

void raw_server_set_reply(RawServer *s, const char *reply, RawThen then) {
        s->reply = reply;
        s->then = then;
}

const char *raw_server_received(const RawServer *s) {
        return buf_str(&s->received);
}

size_t raw_server_accepted(const RawServer *s) {
        return s->accepted;
}

size_t raw_server_open(const RawServer *s) {
        size_t n = 0;

        LIST_FOREACH (Peer, p, (ListLink *) (uintptr_t) &s->peers, peers)
                n++;
        return n;
}

void raw_server_send(RawServer *s, const char *data) {
        LIST_FOREACH (Peer, p, &s->peers, peers)
                ck_assert_int_eq(send(p->fd, data, strlen(data), MSG_NOSIGNAL),
                                 (ssize_t) strlen(data));
}

void raw_server_close_all(RawServer *s) {
        LIST_FOREACH (Peer, p, &s->peers, peers)
                peer_free(p);
}
