/*
 * HttpClient: HTTP calls on the event loop (libcurl's multi interface), over TCP, TLS or a unix socket.
 *
 * libcurl is loaded when the first client is made, so that a program that makes none starts fast.
 * Callbacks come from the loop only, never from inside http_client_call(). Freeing a HttpCall
 * cancels it: nothing of it is called any more. Connections are kept open and used again.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/http/http_url.h"

typedef struct HttpClient HttpClient;
typedef struct HttpCall HttpCall;

typedef struct HttpResponse {
        unsigned status;          /* 0 if there was none: see the error */
        const char *content_type; /* or NULL */
        const char *body;         /* NUL-terminated; "" in streaming calls */
        size_t body_size;
} HttpResponse;

/*
 * The end of a call, exactly once unless it is cancelled. r: 0 = there was a response (whatever its
 * status); -ETIMEDOUT, -ECONNREFUSED, -ENOENT (no socket file), -EFBIG (body over response_max_bytes),
 * -ECONNRESET (broke off), -EPROTO (not HTTP), -ECANCELED (a callback wanted no more), -ENOMEM, -EIO,
 * with words in error. Everything is borrowed for the time of the call. The callback may free the call.
 */
typedef void (*HttpDoneFn)(HttpCall *call, int r, const HttpResponse *response, const Error *error,
                           void *userdata);

/* A piece of the body of a streaming call; status is already known. A negative return ends the call. */
typedef int (*HttpDataFn)(HttpCall *call, unsigned status, const char *data, size_t size,
                          void *userdata);

/* The next piece of a streaming request body: fills at most size bytes, returns how many, 0 = end, < 0 = give up. */
typedef ssize_t (*HttpBodyFn)(HttpCall *call, char *buffer, size_t size, void *userdata);

typedef struct HttpRequest {
        const char *method; /* NULL = GET */
        const char *url; /* http://… or https://…; with unix_socket the host is only a name */
        const char *unix_socket;    /* path, or NULL */
        const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
        const void *body;           /* copied; NULL = none */
        size_t body_size;
        HttpBodyFn body_fn; /* instead of body: sent chunked */
        HttpDataFn data_fn; /* set: streaming, the body is not collected */
        HttpDoneFn done_fn;
        void *userdata;
        uint64_t timeout_usec;         /* whole call; 0 = none */
        uint64_t connect_timeout_usec; /* 0 = 10 s */
        size_t response_max_bytes;     /* 0 = 64 MiB; not for streaming calls */

        /* TLS: the server is verified unless tls_insecure; ca_file NULL = the system's. */
        const char *ca_file, *cert_file, *key_file;
        bool tls_insecure;
        const char *username, *password; /* basic authentication, or NULL */
} HttpRequest;

/* max_connections: in all, further calls wait for their turn; 0 = no limit. The caller owns *ret. */
int http_client_new(sd_event *event, size_t max_connections, HttpClient **ret, Error *reterr);
HttpClient *
http_client_free(HttpClient *c); /* cancels what is under way; accepts NULL, returns NULL */
DEFINE_CLEANUP(HttpClient, http_client_free);

/* Everything in `request` is copied. The caller owns *ret and frees it, in done_fn or before. 0, -ENOMEM, -EINVAL. */
int http_client_call(HttpClient *c, const HttpRequest *request, HttpCall **ret, Error *reterr);
HttpCall *http_call_free(HttpCall *call); /* cancels; accepts NULL, returns NULL */
DEFINE_CLEANUP(HttpCall, http_call_free);
