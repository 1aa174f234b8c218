#include <strings.h>
#include <sys/epoll.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_server_internal.h"

#define MOVE(state) (1u << (state))

void exchange_set_state(HttpExchange *x, ExchangeState state) {
        static const unsigned allowed[] = {
                [EXCHANGE_RECEIVING] = MOVE(EXCHANGE_READY) | MOVE(EXCHANGE_REPLYING),
                [EXCHANGE_READY] = MOVE(EXCHANGE_HANDLED) | MOVE(EXCHANGE_ABORTED),
                [EXCHANGE_HANDLED] = MOVE(EXCHANGE_REPLYING) | MOVE(EXCHANGE_STREAMING) |
                                     MOVE(EXCHANGE_ABORTED),
                [EXCHANGE_REPLYING] = MOVE(EXCHANGE_ABORTED),
                [EXCHANGE_STREAMING] = MOVE(EXCHANGE_ENDING) | MOVE(EXCHANGE_ABORTED) |
                                       MOVE(EXCHANGE_CLOSED),
                [EXCHANGE_ENDING] = MOVE(EXCHANGE_ABORTED),
                [EXCHANGE_ABORTED] = 0,
                [EXCHANGE_CLOSED] = MOVE(EXCHANGE_ABORTED),
        };

        assert(allowed[x->state] & MOVE(state));
        x->state = state;
}

/* RFC 9112, 3.2.2: a server must take the absolute form, too. */
static const char *without_authority(const char *uri) {
        const char *rest = str_after_prefix(uri, "http://");

        if (!rest)
                rest = str_after_prefix(uri, "https://");
        if (!rest)
                return uri;

        rest += strcspn(rest, "/?");
        return *rest == '/' ? rest : "/";
}

HttpExchange *exchange_new(Listener *l, const char *uri) {
        HttpExchange *x = mem_new(HttpExchange);
        char *question;

        if (!x)
                return NULL;

        x->listener = l;
        x->body.limit = l->server->options.body_max_bytes;
        list_append(&l->server->exchanges, &x->exchanges);
        x->path = str_dup(without_authority(uri));
        if (!x->path)
                return exchange_free(x);

        question = strchr(x->path, '?');
        if (question)
                *question = '\0';
        x->query = question ? question + 1 : "";
        return x;
}

static size_t unread(const HttpExchange *x) {
        return x->stream.size - x->stream_offset;
}

HttpExchange *exchange_free(HttpExchange *x) {
        if (!x)
                return NULL;

        x->listener->server->unread_bytes -= unread(x);
        list_remove(&x->exchanges);
        list_remove(&x->queue);
        x->watch = event_drop(x->watch);
        if (x->response)
                MHD_destroy_response(x->response);
        mem_free(x->method);
        mem_free(x->path);
        map_free(x->arguments);
        buf_done(&x->body);
        buf_done(&x->stream);
        return mem_free(x);
}

/* ---- the peer, while libmicrohttpd does not look -------------------------------------------- */

void exchange_suspend(HttpExchange *x) {
        if (x->suspended)
                return;

        x->suspended = true;
        MHD_suspend_connection(x->connection);
}

void exchange_resume(HttpExchange *x) {
        if (!x->suspended)
                return;

        x->suspended = false;
        if (x->watch)
                (void) sd_event_source_set_enabled(x->watch, SD_EVENT_OFF);
        MHD_resume_connection(x->connection);
        /* It takes effect when the daemon is run next; without threads it has no way to ask for that. */
        (void) event_defer_trigger(x->listener->again);
}

static int on_peer_gone(sd_event_source *source _unused_, int fd _unused_,
                        uint32_t revents _unused_, void *userdata) {
        exchange_notify_closed(userdata);
        return 0;
}

int exchange_watch(HttpExchange *x) {
        const union MHD_ConnectionInfo *info;

        if (x->watch)
                return sd_event_source_set_enabled(x->watch, SD_EVENT_ON);

        info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (!info)
                return -EIO;

        /*
         * A unix socket tells a peer that closed from one that has only nothing more to say. TCP
         * does not: a half-closed connection counts as gone there, as it does for Go's server.
         */
        return sd_event_add_io(x->listener->server->event, &x->watch, info->connect_fd,
                               x->listener->local ? EPOLLHUP : EPOLLRDHUP, on_peer_gone, x);
}

void exchange_notify_closed(HttpExchange *x) {
        HttpClosedFn fn = x->closed_fn;
        void *userdata = x->closed_userdata;
        HttpServer *s = x->listener->server;
        bool freed = false, *outer = s->freed;

        x->closed_fn = NULL;
        if (x->state == EXCHANGE_CLOSED)
                list_remove(&x->queue);
        exchange_set_state(x, EXCHANGE_ABORTED);

        if (fn) {
                s->freed = &freed;
                fn(x, userdata);
                if (freed) {
                        if (outer)
                                *outer = true;
                        return;
                }
                s->freed = outer;
        }

        if (x->connection)
                exchange_resume(x);
        else
                (void) exchange_free(x);
}

/* ---- the request ---------------------------------------------------------------------------- */

const char *http_exchange_method(const HttpExchange *x) {
        return x->method;
}

const char *http_exchange_path(const HttpExchange *x) {
        return x->path;
}

const char *http_exchange_query(const HttpExchange *x) {
        return x->query;
}

const char *http_exchange_body(const HttpExchange *x, size_t *ret_size) {
        if (ret_size)
                *ret_size = x->body.size;

        return buf_str(&x->body);
}

static void *value_free(void *p) {
        return mem_free(p);
}

const char *http_exchange_argument(HttpExchange *x, const char *name) {
        char *value = x->arguments ? map_get(x->arguments, name) : NULL;

        if (value || http_query_argument(x->query, name, &value) < 0 || !value)
                return value;

        if (!x->arguments)
                x->arguments = map_new(value_free);
        if (!x->arguments || map_put(x->arguments, name, value) < 0)
                return mem_free(value);

        return value;
}

typedef struct HeaderSearch {
        const char *name, *first;
        size_t n;
} HeaderSearch;

static enum MHD_Result on_header(void *userdata, enum MHD_ValueKind kind _unused_, const char *name,
                                 const char *value) {
        HeaderSearch *search = userdata;

        if (strcasecmp(name, search->name) != 0)
                return MHD_YES;
        if (search->n++ == 0)
                search->first = value ? value : "";
        return MHD_YES;
}

const char *http_exchange_header(const HttpExchange *x, const char *name, size_t *ret_n) {
        HeaderSearch search = { .name = name };

        if (x->connection)
                (void) MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_header,
                                                 &search);
        if (ret_n)
                *ret_n = search.n;

        return search.first;
}

void http_exchange_on_closed(HttpExchange *x, HttpClosedFn closed_fn, void *userdata) {
        x->closed_fn = closed_fn;
        x->closed_userdata = userdata;
}

/* ---- the reply ------------------------------------------------------------------------------ */

static void body_free(void *p) {
        mem_free(p);
}

/* With the headers every response has; takes `response` (may be NULL), also when it fails. */
static struct MHD_Response *with_headers(const HttpServer *s, struct MHD_Response *response,
                                         const char *content_type, const char *location) {
        bool good = response != NULL;

        if (good && s->server_header)
                good = MHD_add_response_header(response, "Server", s->server_header) == MHD_YES;
        if (good && content_type)
                good = MHD_add_response_header(response, "Content-Type", content_type) == MHD_YES;
        if (good && location)
                good = MHD_add_response_header(response, "Location", location) == MHD_YES;
        if (good)
                return response;

        if (response)
                MHD_destroy_response(response);
        return NULL;
}

static struct MHD_Response *body_response(const void *body, size_t size) {
        void *copy = mem_dup(body, size);
        struct MHD_Response *response;

        if (!copy)
                return NULL;

        response = MHD_create_response_from_buffer_with_free_callback(size, copy, body_free);
        if (!response)
                mem_free(copy);
        return response;
}

struct MHD_Response *server_empty_response(const HttpServer *s) {
        return with_headers(s, body_response("", 0), NULL, NULL);
}

static int answer(HttpExchange *x, unsigned status, struct MHD_Response *response,
                  ExchangeState state) {
        assert(x->state == EXCHANGE_HANDLED);

        x->status = status;
        x->response = response;
        exchange_set_state(x, response ? state : EXCHANGE_ABORTED);
        exchange_resume(x);
        return response ? 0 : -ENOMEM;
}

int http_exchange_reply(HttpExchange *x, const HttpReply *reply) {
        struct MHD_Response *response = body_response(reply->body, reply->body_size);

        x->closed_fn = NULL;
        response = with_headers(x->listener->server, response, reply->content_type,
                                reply->location);
        return answer(x, reply->status, response, EXCHANGE_REPLYING);
}

/* ---- streams -------------------------------------------------------------------------------- */

enum {
        STREAM_PIECE_BYTES = 4096,
        STREAM_SHARE_BYTES = 64 * 1024, /* what each may leave unread, whatever the others do */
};

/* On libmicrohttpd's stack: it wants to send more. */
static ssize_t on_read(void *userdata, uint64_t position _unused_, char *buffer, size_t size) {
        HttpExchange *x = userdata;
        size_t n = MIN(unread(x), size);

        if (x->state == EXCHANGE_ABORTED)
                return MHD_CONTENT_READER_END_WITH_ERROR;

        if (n > 0) {
                memcpy(buffer, x->stream.data + x->stream_offset, n);
                x->stream_offset += n;
                x->listener->server->unread_bytes -= n;
                return (ssize_t) n;
        }

        if (x->state == EXCHANGE_ENDING)
                return MHD_CONTENT_READER_END_OF_STREAM;

        exchange_suspend(x);
        /* Without the watch we would only learn of the peer's end from the next write. */
        (void) exchange_watch(x);
        return 0;
}

int http_exchange_stream(HttpExchange *x, unsigned status, const char *content_type,
                         HttpClosedFn closed_fn, void *userdata) {
        struct MHD_Response *response;

        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_PIECE_BYTES, on_read,
                                                     x, NULL);
        response = with_headers(x->listener->server, response, content_type, NULL);
        http_exchange_on_closed(x, response ? closed_fn : NULL, userdata);
        (void) MHD_set_connection_option(x->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
        return answer(x, status, response, EXCHANGE_STREAMING);
}

/* Moves what is unread to the front once half of the buffer is behind us: each byte moves rarely. */
static void compact(HttpExchange *x) {
        if (x->stream_offset < x->stream.size / 2)
                return;

        buf_consume(&x->stream, x->stream_offset);
        x->stream_offset = 0;
}

/* How much x may leave unread: less when all together leave too much. */
static size_t stream_limit(const HttpExchange *x, size_t size) {
        const HttpServer *s = x->listener->server;
        size_t limit = s->options.stream_buffer_max_bytes;

        if (s->unread_bytes + size <= s->options.streams_buffer_max_bytes)
                return limit;
        return MIN(limit, (size_t) STREAM_SHARE_BYTES);
}

int http_stream_write(HttpExchange *x, const void *data, size_t size) {
        int r;

        assert(x->state == EXCHANGE_STREAMING || x->state == EXCHANGE_CLOSED);

        /* The peer is gone; closed_fn is about to say so. */
        if (x->state == EXCHANGE_CLOSED || size == 0)
                return 0;

        if (x->stream_overflow || unread(x) + size > stream_limit(x, size)) {
                x->stream_overflow = true;
                return -ENOBUFS;
        }

        compact(x);
        r = buf_append(&x->stream, data, size);
        if (r < 0)
                return r;

        x->listener->server->unread_bytes += size;
        exchange_resume(x);
        return 0;
}

void http_stream_end(HttpExchange *x) {
        x->closed_fn = NULL;
        if (x->state == EXCHANGE_CLOSED) {
                (void) exchange_free(x);
                return;
        }

        /* What is cut short must not look complete. */
        exchange_set_state(x, x->stream_overflow ? EXCHANGE_ABORTED : EXCHANGE_ENDING);
        (void) MHD_set_connection_option(x->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                         server_idle_seconds(x->listener->server));
        exchange_resume(x);
}
