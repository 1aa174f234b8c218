/*
 * HttpServer: HTTP/1.1 on listening sockets of any kind (libmicrohttpd, on our loop, no threads).
 *
 * A request is handed over whole, body included, as a HttpExchange; the reply may come at once or
 * later (the connection is suspended meanwhile), in one piece or as a stream. Requests over a limit
 * are answered 400, 413, 414 or 431 before any handler sees them.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/http/http_url.h"

typedef struct HttpServer HttpServer;
typedef struct HttpExchange HttpExchange;

/* Handles a request; it must lead to exactly one reply or stream, now or later. x is borrowed until then. */
typedef void (*HttpHandlerFn)(HttpExchange *x, void *userdata);

/* The peer has gone, or the server is freed, before the reply or stream was complete: x dies after this. */
typedef void (*HttpClosedFn)(HttpExchange *x, void *userdata);

typedef struct HttpServerOptions {
        HttpHandlerFn handler;
        void *userdata;
        const char *server_header; /* value of the Server header, or NULL */
        size_t body_max_bytes;     /* 0 = 8 MiB */
        size_t header_max_bytes;   /* 0 = 32 KiB, request line included */
        size_t connections_max;    /* per listening socket; 0 = 1024; more wait in the backlog */
        uint64_t
                idle_timeout_usec; /* silent connections, half-sent requests; 0 = 60 s; not for streams */
        size_t stream_buffer_max_bytes; /* unread by the peer; more ends the stream. 0 = 4 MiB */
        size_t streams_buffer_max_bytes; /* by all peers: above it each may leave 64 KiB. 0 = 32 MiB */
} HttpServerOptions;

int http_server_new(sd_event *event, const HttpServerOptions *options, HttpServer **ret,
                    Error *reterr);
HttpServer *http_server_free(HttpServer *s); /* ends every exchange; accepts NULL, returns NULL */
DEFINE_CLEANUP(HttpServer, http_server_free);

/* Adds a bound, listening stream socket (unix or TCP); takes fd on success only. */
int http_server_add_fd(HttpServer *s, int fd, Error *reterr);

/*
 * Makes a listening socket for "unix:///run/fleet.sock" (mode 0660; a stale socket file is replaced,
 * one that somebody listens on is -EADDRINUSE) or "http://IP:PORT" (IPv6 in brackets; port 0 = any).
 * The caller owns *ret_fd.
 */
int http_listen(const char *address, int *ret_fd, Error *reterr);

const char *http_exchange_method(const HttpExchange *x);
const char *http_exchange_path(const HttpExchange *x); /* as sent, without the query, not decoded */
const char *http_exchange_query(const HttpExchange *x); /* as sent, behind the '?'; "" if none */
const char *http_exchange_body(const HttpExchange *x,
                               size_t *ret_size); /* NUL-terminated; never NULL */

/* First value of a query argument, decoded; NULL if it is not there. Borrowed from x. */
const char *http_exchange_argument(HttpExchange *x, const char *name);

/* First value of a header, and how many times it was sent (ret_n may be NULL). NULL if it was not. */
const char *http_exchange_header(const HttpExchange *x, const char *name, size_t *ret_n);

/*
 * The reply. content_type may be NULL; location is for 301 and may be NULL; body is copied. x is gone
 * after it. Returns 0, or a negative errno: then the connection is closed, and x is gone as well.
 */
typedef struct HttpReply {
        unsigned status;
        const char *content_type;
        const char *location;
        const void *body;
        size_t body_size;
} HttpReply;
int http_exchange_reply(HttpExchange *x, const HttpReply *reply);

/*
 * A stream of any length (chunked). closed_fn is called if the peer goes away first; after
 * http_stream_end() it is not called any more. Write: 0, -ENOBUFS (the peer does not read: end it),
 * -ENOMEM.
 */
int http_exchange_stream(HttpExchange *x, unsigned status, const char *content_type,
                         HttpClosedFn closed_fn, void *userdata);
int http_stream_write(HttpExchange *x, const void *data, size_t size);
void http_stream_end(HttpExchange *x); /* x is gone after it, once the peer has read the rest */

/* For replies that take time: called if the peer goes away before the reply. NULL switches it off. */
void http_exchange_on_closed(HttpExchange *x, HttpClosedFn closed_fn, void *userdata);

/* How many connections are open now (for metrics and tests). */
size_t http_server_connections(const HttpServer *s);
