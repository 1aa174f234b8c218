/*
 * What http_server.c (daemons, the loop), http_exchange.c (what handlers call) and http_daemon.c
 * (what libmicrohttpd calls) share. Nobody else includes this.
 *
 * No handler and no callback of ours runs on libmicrohttpd's stack: a complete request is suspended
 * and queued, and a source of ours hands it over. So whoever is called may free the server.
 */
#pragma once

#include <microhttpd.h>
#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/buf.h"
#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/http/http_server.h"

/* One listening socket. */
typedef struct Listener {
        HttpServer *server;
        ListLink listeners;
        struct MHD_Daemon *daemon;
        bool local;          /* a unix socket */
        sd_event_source *io; /* the daemon's epoll descriptor */
        sd_event_source *timer;
        sd_event_source *again; /* the daemon has more to do at once */
        sd_event_source *pause; /* armed: `io` is off, as accepting fails */
        size_t n_open, n_accepted;
        unsigned fruitless; /* how often in a row the daemon was called for nothing */
} Listener;

/* One accepted socket. It is in server->receiving while a request is awaited or incomplete. */
typedef struct Connection {
        Listener *listener;
        ListLink receiving;
        int fd;
        uint64_t deadline_usec;
        size_t progress_bytes; /* of a body, since the deadline was set */
} Connection;

typedef enum ExchangeState {
        EXCHANGE_RECEIVING, /* libmicrohttpd collects the request */
        EXCHANGE_READY,     /* in server->ready, suspended */
        EXCHANGE_HANDLED,   /* the handler's, no reply yet, suspended */
        EXCHANGE_REPLYING,  /* the handler has let go of it */
        EXCHANGE_STREAMING, /* the handler's, with a stream */
        EXCHANGE_ENDING,  /* the handler has let go of it; the peer reads the rest of the stream */
        EXCHANGE_ABORTED, /* to be closed without (the rest of) an answer */
        EXCHANGE_CLOSED, /* in server->closed; the connection is gone, the handler is yet to be told */
} ExchangeState;

struct HttpExchange {
        Listener *listener;
        ListLink exchanges, queue; /* of server->exchanges; of ->ready or ->closed */
        ExchangeState state;
        struct MHD_Connection
                *connection; /* NULL before the headers are there, and after the end */
        bool suspended;
        sd_event_source *watch; /* of the peer, while suspended: libmicrohttpd does not look then */

        char *method, *path; /* the query is behind the path's NUL */
        const char *query;
        Map *arguments; /* decoded */
        Buf body;
        size_t discarded_bytes; /* of a body over the limit */

        unsigned status;
        struct MHD_Response *response; /* until it is queued */
        Buf stream;
        size_t stream_offset; /* what was read of it */
        bool stream_overflow;
        HttpClosedFn closed_fn;
        void *closed_userdata;
};

struct HttpServer {
        sd_event *event;
        HttpServerOptions options; /* with the defaults filled in */
        char *server_header;
        ListLink listeners, exchanges, ready, closed, receiving;
        size_t n_connections;
        size_t unread_bytes;       /* of all streams */
        sd_event_source *work;     /* hands over what is ready or closed, one per turn */
        sd_event_source *deadline; /* of the first in `receiving` */
        bool *freed;               /* of the handler call that is under way, or NULL */
};

void exchange_set_state(HttpExchange *x, ExchangeState state);
HttpExchange *exchange_new(Listener *l, const char *uri); /* NULL = out of memory */
HttpExchange *exchange_free(HttpExchange *x);

/* Lets libmicrohttpd go on with the connection. */
void exchange_resume(HttpExchange *x);

/* Stops libmicrohttpd's work on the connection; called on its stack. */
void exchange_suspend(HttpExchange *x);

/* Looks whether the peer of a suspended connection goes away. */
int exchange_watch(HttpExchange *x);

/* Tells the handler that the peer is gone, and takes x from it. x and the server may be gone after it. */
void exchange_notify_closed(HttpExchange *x);

/* A response without body, for what no handler sees; NULL = out of memory. */
struct MHD_Response *server_empty_response(const HttpServer *s);

/* The idle timeout as libmicrohttpd counts: ours for requests is exact, this one is for answers. */
unsigned server_idle_seconds(const HttpServer *s);

/* The daemon for (a copy of) fd, with all its callbacks. */
int daemon_start(Listener *l, int fd, Error *reterr);
