/*
 * What libmicrohttpd calls. Everything here runs on its stack, so nothing here calls a handler.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_server_internal.h"

enum {
        POOL_EXTRA_BYTES = 8 * 1024, /* per connection, beyond the headers' limit: for the answer */
        PROGRESS_BYTES = 4 * 1024,   /* of a body: earns another idle timeout */
        ARGUMENTS_MAX = 256,         /* of a query */
};

/* Starts, or moves on, the time the peer has for its request. */
static void expect_request(Connection *c) {
        HttpServer *s = c->listener->server;

        list_remove(&c->receiving);
        list_append(&s->receiving, &c->receiving);
        c->deadline_usec = clock_boottime_usec() + s->options.idle_timeout_usec;
        c->progress_bytes = 0;

        /* Armed for another one already: when it fires it looks who is first then. */
        if (!event_timer_is_armed(s->deadline))
                (void) event_timer_arm(s->deadline, s->options.idle_timeout_usec);
}

static Connection *connection_of(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(
                connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static void connection_started(Listener *l, struct MHD_Connection *connection, void **context) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(
                connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        Connection *c = mem_new(Connection);

        *context = c;
        if (!c) {
                (void) shutdown(info->connect_fd, SHUT_RDWR);
                return;
        }

        c->listener = l;
        c->fd = info->connect_fd;
        l->server->n_connections++;
        l->n_open++;
        l->n_accepted++;
        expect_request(c);
}

static void on_connection(void *userdata, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
        Listener *l = userdata;
        Connection *c = *context;

        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                connection_started(l, connection, context);
                return;
        }

        if (!c)
                return;

        list_remove(&c->receiving);
        l->server->n_connections--;
        l->n_open--;
        *context = mem_free(c);
        /* At its limit the daemon does not listen; it begins to again only when it is run again. */
        (void) event_defer_trigger(l->again);
}

static size_t count_arguments(const char *uri) {
        size_t n = 1;

        for (const char *s = strchr(uri, '?'); s; s = strchr(s + 1, '&'))
                n++;
        return n - 1;
}

/*
 * libmicrohttpd takes the query apart in the connection's memory before it shows us the headers. When
 * that is used up it gives the request up but forgets the connection, which hangs; so we are first.
 */
static void cut_off(Listener *l, struct MHD_Connection *connection) {
        static const char answer[] = "HTTP/1.1 414 URI Too Long\r\nConnection: close\r\n"
                                     "Content-Length: 0\r\n\r\n";
        const Connection *c = connection_of(connection);

        if (!c)
                return;
        /* If the socket's buffer is full, the peer has not read what came before either. */
        (void) send(c->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void) shutdown(c->fd, SHUT_RDWR);
        (void) event_defer_trigger(l->again);
}

/* The request line has come; what we return is the request's context from now on. */
static void *on_uri(void *userdata, const char *uri, struct MHD_Connection *connection) {
        if (count_arguments(uri) > ARGUMENTS_MAX) {
                cut_off(userdata, connection);
                return NULL; /* on_request() refuses it */
        }
        return exchange_new(userdata, uri);
}

static enum MHD_Result refuse(HttpExchange *x, unsigned status) {
        struct MHD_Response *response = server_empty_response(x->listener->server);
        enum MHD_Result result;

        if (!response)
                return MHD_NO;

        exchange_set_state(x, EXCHANGE_REPLYING);
        result = MHD_queue_response(x->connection, status, response);
        MHD_destroy_response(response);
        return result;
}

/* The body's size as announced, 0 if it was not. libmicrohttpd has refused what is no number. */
static uint64_t announced_size(const HttpExchange *x) {
        const char *value = http_exchange_header(x, "Content-Length", NULL);
        uint64_t size = 0;

        if (value && str_to_u64(value, &size) < 0)
                return UINT64_MAX;

        return size;
}

/* The headers are complete: 0, or the status to refuse the request with. */
static unsigned check_headers(const HttpExchange *x) {
        const HttpServerOptions *o = &x->listener->server->options;
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(
                x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        uint64_t size = announced_size(x);

        if (info && info->header_size > o->header_max_bytes)
                return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;

        /*
         * A peer that is cut off while it still sends may never read the answer, so a body that is
         * not out of all proportion is read and thrown away - unless the peer waits to be asked.
         */
        if (size > o->body_max_bytes &&
            (size / 2 > o->body_max_bytes || http_exchange_header(x, "Expect", NULL)))
                return MHD_HTTP_CONTENT_TOO_LARGE;

        return 0;
}

static enum MHD_Result receive(HttpExchange *x, Connection *c, const char *data, size_t size) {
        int r = -EFBIG;

        c->progress_bytes += size;
        if (c->progress_bytes >= PROGRESS_BYTES)
                expect_request(c);

        if (x->discarded_bytes == 0)
                r = buf_append(&x->body, data, size);
        if (r == -EFBIG) {
                x->discarded_bytes += size;
                buf_done(&x->body);
                return x->discarded_bytes / 2 > x->body.limit ? MHD_NO : MHD_YES;
        }

        return r < 0 ? MHD_NO : MHD_YES;
}

/* The request is complete: it waits for its turn to be handled. */
static enum MHD_Result complete(HttpExchange *x, Connection *c) {
        HttpServer *s = x->listener->server;

        list_remove(&c->receiving);
        if (x->discarded_bytes > 0)
                return refuse(x, MHD_HTTP_CONTENT_TOO_LARGE);

        exchange_set_state(x, EXCHANGE_READY);
        exchange_suspend(x);
        list_append(&s->ready, &x->queue);
        (void) event_defer_trigger(s->work);
        return MHD_YES;
}

static enum MHD_Result queue_response(HttpExchange *x) {
        struct MHD_Response *response = TAKE_PTR(x->response);
        enum MHD_Result result;

        if (!response)
                return MHD_NO;

        result = MHD_queue_response(x->connection, x->status, response);
        MHD_destroy_response(response);
        return result;
}

/* Called with the headers, with each piece of the body, behind it, and when a suspension ends. */
static enum MHD_Result on_request(void *userdata _unused_, struct MHD_Connection *connection,
                                  const char *url _unused_, const char *method,
                                  const char *version _unused_, const char *data, size_t *size,
                                  void **context) {
        Connection *c = connection_of(connection);
        HttpExchange *x = *context;
        unsigned status;

        if (!x || !c)
                return MHD_NO;

        if (!x->connection) {
                x->connection = connection;
                x->method = str_dup(method);
                if (!x->method)
                        return MHD_NO;

                status = check_headers(x);
                return status > 0 ? refuse(x, status) : MHD_YES;
        }

        if (*size > 0) {
                enum MHD_Result result = receive(x, c, data, *size);

                *size = 0;
                return result;
        }

        return x->state == EXCHANGE_RECEIVING ? complete(x, c) : queue_response(x);
}

/* The request is over, in whatever way; the connection may live on for the next one. */
static void on_completed(void *userdata _unused_, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code _unused_) {
        Connection *c = connection_of(connection);
        HttpExchange *x = *context;

        *context = NULL;
        if (c)
                expect_request(c);
        if (!x)
                return;

        x->connection = NULL;
        if (x->state != EXCHANGE_STREAMING) {
                (void) exchange_free(x);
                return;
        }

        x->watch = event_drop(x->watch);
        exchange_set_state(x, EXCHANGE_CLOSED);
        list_append(&x->listener->server->closed, &x->queue);
        (void) event_defer_trigger(x->listener->server->work);
}

unsigned server_idle_seconds(const HttpServer *s) {
        const HttpServerOptions *o = &s->options;

        return (unsigned) MIN((o->idle_timeout_usec + USEC_PER_SEC - 1) / USEC_PER_SEC,
                              (uint64_t) INT32_MAX);
}

int daemon_start(Listener *l, int fd, Error *reterr) {
        const HttpServerOptions *o = &l->server->options;
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        if (copy < 0)
                return error_fill(reterr, -errno);

        l->daemon = MHD_start_daemon(
                MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, l,
                MHD_OPTION_LISTEN_SOCKET, copy, MHD_OPTION_URI_LOG_CALLBACK, on_uri, l,
                MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_NOTIFY_CONNECTION,
                on_connection, l, MHD_OPTION_CONNECTION_LIMIT, (unsigned) o->connections_max,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->header_max_bytes + POOL_EXTRA_BYTES,
                MHD_OPTION_CONNECTION_TIMEOUT, server_idle_seconds(l->server), MHD_OPTION_END);
        if (!l->daemon) {
                /* Whether it has closed the descriptor by now depends on where it failed. */
                if (fcntl(copy, F_GETFD) >= 0)
                        (void) close(copy);
                return error_set(reterr, -EIO, "cannot start an HTTP server on a socket");
        }

        return 0;
}
