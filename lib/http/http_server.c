#include "lib/http/http_server.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/event/event.h"
#include "lib/http/http_server_internal.h"

enum {
        FRUITLESS_MAX = 8,
        ACCEPT_PAUSE_USEC = 100 * 1000,
};

/* ---- one daemon on the loop ----------------------------------------------------------------- */

/* Lets the daemon do what is due, and finds out when it wants to be called next. */
static void run(Listener *l) {
        unsigned long long msec;

        (void) MHD_run(l->daemon);

        if (MHD_get_timeout(l->daemon, &msec) != MHD_YES)
                event_timer_disarm(l->timer);
        else if (msec == 0)
                (void) event_defer_trigger(l->again);
        else
                (void) event_timer_arm(l->timer, msec * USEC_PER_MSEC);
}

static void on_due(void *userdata) {
        run(userdata);
}

static void on_pause_over(void *userdata) {
        Listener *l = userdata;

        (void) sd_event_source_set_enabled(l->io, SD_EVENT_ON);
}

/*
 * Out of descriptors with no connection to wait for, the daemon goes on trying, and its socket stays
 * readable: we would spin. Nothing tells when a descriptor is free again, so try now and then.
 */
static void pause_if_fruitless(Listener *l, size_t accepted_before) {
        if (l->n_open > 0 || l->n_accepted != accepted_before) {
                l->fruitless = 0;
                return;
        }

        if (++l->fruitless < FRUITLESS_MAX)
                return;

        if (event_timer_arm(l->pause, ACCEPT_PAUSE_USEC) >= 0)
                (void) sd_event_source_set_enabled(l->io, SD_EVENT_OFF);
}

static int on_io(sd_event_source *source _unused_, int fd _unused_, uint32_t revents _unused_,
                 void *userdata) {
        Listener *l = userdata;
        size_t accepted = l->n_accepted;

        run(l);
        pause_if_fruitless(l, accepted);
        return 0;
}

static Listener *listener_free(Listener *l) {
        if (!l)
                return NULL;

        list_remove(&l->listeners);
        l->io = event_drop(l->io);
        l->timer = event_drop(l->timer);
        l->again = event_drop(l->again);
        l->pause = event_drop(l->pause);
        if (l->daemon)
                MHD_stop_daemon(l->daemon);
        return mem_free(l);
}

static void listener_freep(Listener **l) {
        *l = listener_free(*l);
}

static int check_fd(int fd, bool *ret_local, Error *reterr) {
        int listening = 0, domain = 0, flags;
        socklen_t size = sizeof(int);

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0 ||
            getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
                return error_set(reterr, -errno, "cannot serve HTTP on descriptor %d: %s", fd,
                                 strerrordesc_np(errno));
        if (!listening)
                return error_set(reterr, -EINVAL, "descriptor %d is not a listening socket", fd);

        /* Sockets that were handed over may block; accepting from one must not. */
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return error_fill(reterr, -errno);

        *ret_local = domain == AF_UNIX;
        return 0;
}

static int watch_daemon(Listener *l) {
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);

        if (!info)
                return -EIO;

        return sd_event_add_io(l->server->event, &l->io, info->epoll_fd, EPOLLIN, on_io, l);
}

int http_server_add_fd(HttpServer *s, int fd, Error *reterr) {
        _cleanup_(listener_freep) Listener *l = mem_new(Listener);
        int r;

        if (!l)
                return error_fill(reterr, -ENOMEM);

        l->server = s;
        r = check_fd(fd, &l->local, reterr);
        if (r < 0)
                return r;

        r = event_timer_new(s->event, "http-server-timer", on_due, l, &l->timer);
        if (r >= 0)
                r = event_defer_new(s->event, "http-server-again", on_due, l, &l->again);
        if (r >= 0)
                r = event_timer_new(s->event, "http-server-pause", on_pause_over, l, &l->pause);
        if (r < 0)
                return error_fill(reterr, r);

        r = daemon_start(l, fd, reterr);
        if (r < 0)
                return r;

        r = watch_daemon(l);
        if (r < 0)
                return error_fill(reterr, r);

        (void) sd_event_source_set_description(l->io, "http-server");
        list_append(&s->listeners, &l->listeners);
        (void) fd_close(fd); /* the daemon has a copy */
        TAKE_PTR(l);
        return 0;
}

/* ---- what is handed to handlers ------------------------------------------------------------- */

static HttpExchange *first(const ListLink *queue) {
        return list_is_empty(queue) ? NULL : CONTAINER_OF(queue->next, HttpExchange, queue);
}

static void handle(HttpServer *s, HttpExchange *x) {
        bool freed = false;

        list_remove(&x->queue);
        exchange_set_state(x, EXCHANGE_HANDLED);

        s->freed = &freed;
        s->options.handler(x, s->options.userdata);
        if (freed)
                return;

        s->freed = NULL;
        /* x is alive: only the loop, or freeing the server, ends it. */
        if (x->state == EXCHANGE_HANDLED)
                (void) exchange_watch(x);
}

/* One per turn: whoever is called may change anything. */
static void on_work(void *userdata) {
        HttpServer *s = userdata;
        HttpExchange *closed = first(&s->closed), *ready = first(&s->ready);

        if (closed || ready)
                (void) event_defer_trigger(s->work);

        if (closed)
                exchange_notify_closed(closed);
        else if (ready)
                handle(s, ready);
}

/* Ends connections whose request has not come in time; libmicrohttpd then sees them closed. */
static void on_deadline(void *userdata) {
        HttpServer *s = userdata;
        uint64_t now = clock_boottime_usec();

        LIST_FOREACH (Connection, c, &s->receiving, receiving) {
                if (c->deadline_usec > now) {
                        (void) event_timer_arm(s->deadline, c->deadline_usec - now);
                        return;
                }
                (void) shutdown(c->fd, SHUT_RDWR);
                list_remove(&c->receiving);
        }
}

/* ---- the server ----------------------------------------------------------------------------- */

static void fill_defaults(HttpServerOptions *o) {
        if (o->body_max_bytes == 0)
                o->body_max_bytes = 8 * MIB;
        if (o->header_max_bytes == 0)
                o->header_max_bytes = 32 * KIB;
        if (o->connections_max == 0)
                o->connections_max = 1024;
        if (o->idle_timeout_usec == 0)
                o->idle_timeout_usec = 60 * USEC_PER_SEC;
        if (o->stream_buffer_max_bytes == 0)
                o->stream_buffer_max_bytes = 4 * MIB;
        if (o->streams_buffer_max_bytes == 0)
                o->streams_buffer_max_bytes = 32 * MIB;
}

int http_server_new(sd_event *event, const HttpServerOptions *options, HttpServer **ret,
                    Error *reterr) {
        _cleanup_(http_server_freep) HttpServer *s = mem_new(HttpServer);
        int r;

        assert(options->handler);
        if (!s)
                return error_fill(reterr, -ENOMEM);

        s->event = sd_event_ref(event);
        s->options = *options;
        fill_defaults(&s->options);
        list_init(&s->listeners);
        list_init(&s->exchanges);
        list_init(&s->ready);
        list_init(&s->closed);
        list_init(&s->receiving);

        r = str_replace(&s->server_header, options->server_header);
        if (r >= 0)
                r = event_defer_new(event, "http-server-work", on_work, s, &s->work);
        if (r >= 0)
                r = event_timer_new(event, "http-server-deadline", on_deadline, s, &s->deadline);
        if (r < 0)
                return error_fill(reterr, r);

        *ret = TAKE_PTR(s);
        return 0;
}

static bool is_handlers(const HttpExchange *x) {
        return x->state == EXCHANGE_HANDLED || x->state == EXCHANGE_STREAMING ||
               x->state == EXCHANGE_CLOSED;
}

/* Tells each handler; what is told of one exchange may end another, so it starts over each time. */
static void notify_all(HttpServer *s) {
        for (bool again = true; again;) {
                again = false;
                LIST_FOREACH (HttpExchange, x, &s->exchanges, exchanges) {
                        if (!is_handlers(x))
                                continue;
                        exchange_notify_closed(x);
                        again = true;
                        break;
                }
        }
}

HttpServer *http_server_free(HttpServer *s) {
        if (!s)
                return NULL;

        if (s->freed)
                *s->freed = true;
        s->freed = NULL;

        notify_all(s);
        /* libmicrohttpd does not end with suspended connections. */
        LIST_FOREACH (HttpExchange, x, &s->exchanges, exchanges)
                exchange_resume(x);
        LIST_FOREACH (Listener, l, &s->listeners, listeners)
                (void) listener_free(l);
        s->work = event_drop(s->work);
        s->deadline = event_drop(s->deadline);
        s->event = sd_event_unref(s->event);
        mem_free(s->server_header);
        return mem_free(s);
}

size_t http_server_connections(const HttpServer *s) {
        return s->n_connections;
}
