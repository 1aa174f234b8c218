/*
 * Client: HTTP to fleetd's API, for a program that asks and waits.
 *
 * It has its own event loop. client_run() sends any number of requests, as many at a time as is
 * sensible, and comes back when all have an answer; streams deliver lines while the loop runs.
 * Works with the original fleetd as well. Knows paths and bodies, not what is in them (api.h does).
 */
#pragma once

#include <systemd/sd-event.h>

#include "ctl/options.h"
#include "lib/base/base.h"
#include "lib/base/error.h"

#define CLIENT_BASE "/fleet/v1"
#define CLIENT_PARALLEL_MAX 16
#define CLIENT_LINE_MAX (4 * MIB)
#define CLIENT_TIMEOUT_USEC (60 * USEC_PER_SEC)

typedef struct Client Client;
typedef struct ClientStream ClientStream;

/* One request and its answer; everything is owned by it. */
typedef struct ClientRequest {
        const char *method; /* a literal */
        char *path;         /* below CLIENT_BASE, escaped, with its query */
        char *body;         /* JSON, or NULL */

        int r;           /* 0: there is an answer; else negative errno and error */
        unsigned status; /* HTTP status */
        char *answer;    /* never NULL once r is 0 */
        size_t answer_size;
        Error error;
} ClientRequest;

void client_request_done(ClientRequest *q);

/*
 * For the endpoint (and TLS files) that the options name. Connects to nobody yet. Words of a failure
 * are fleet's ("unrecognized driver \"x\"", "URL scheme undefined"). The caller owns *ret;
 * *ret_warning (owned by the caller) is NULL, or what to tell the user about the endpoint.
 */
int client_new(const Options *options, Client **ret, char **ret_warning, Error *reterr);
Client *client_free(Client *c); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Client, client_free);

/* Runs until each of the n requests has its answer or error. 0, or -ENOMEM and the like (then none counts). */
int client_run(Client *c, ClientRequest *requests, size_t n);

/* 0 if the request was answered with 2xx; else negative, in googleapi's or the transport's words. */
int client_request_check(const ClientRequest *q, Error *reterr);

/* A line of a stream, without its newline, NUL-terminated; empty lines are left out. Borrowed. */
typedef void (*ClientLineFn)(ClientStream *s, const char *line, size_t size, void *userdata);

/*
 * The stream has ended: status 200 and no error = regularly; else why not (status 0: no answer).
 * Not called after client_stream_free(), which it may call.
 */
typedef void (*ClientEndFn)(ClientStream *s, unsigned status, const Error *error, void *userdata);

/* Starts reading the lines of GET path. The caller owns *ret. */
int client_stream_new(Client *c, const char *path, ClientLineFn line_fn, ClientEndFn end_fn,
                      void *userdata, ClientStream **ret, Error *reterr);
ClientStream *client_stream_free(ClientStream *s); /* cancels; accepts NULL, returns NULL */
DEFINE_CLEANUP(ClientStream, client_stream_free);

/* The loop, for timers; and one turn of it (waits for something to happen). */
sd_event *client_event(Client *c);
int client_turn(Client *c);
