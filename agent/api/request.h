/*
 * ApiRequest: one request that is being answered; and the Api's own insides, for its handlers only.
 *
 * A handler ends a request with exactly one of the reply functions, now or from a callback; the request
 * is gone after it. If the peer goes away first, it is freed, and with it what it waits for.
 */
#pragma once

#include "agent/api/api.h"
#include "agent/api/listing.h"
#include "lib/base/list.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef struct ApiEvents ApiEvents;

struct Api {
        ApiOptions options; /* strings point to the copies below */
        char *machine_id, *driver;
        bool in_contact;
        const Engine *engine;
        const HttpServer *server;
        ListLink requests; /* under way */
        size_t n_streams;
        Listings *listings;
        ApiEvents *events;
        uint64_t n_replies[6]; /* by the first digit of the status */
};

typedef struct ApiRequest {
        ListLink requests;
        Api *api;
        HttpExchange *x;  /* NULL once answered */
        char *path;       /* decoded */
        const char *name; /* the item's, part of path; NULL for collections */
        RegistryCall *call;
        bool streaming;
        void *data; /* the handler's own */
        void *(*free_data)(void *data);
} ApiRequest;

typedef void (*ApiHandlerFn)(ApiRequest *q);

/* Takes path. Registers for the peer's going away. 0 or -ENOMEM (x is not answered then). */
int request_new(Api *api, HttpExchange *x, char *path, ApiRequest **ret);

/* The handler's own state, freed with the request; replaces none. */
void request_set_data(ApiRequest *q, void *data, void *(*free_data)(void *data));

/* All values of a query argument, decoded; broken pairs are left out. 0 or -ENOMEM. */
int request_arguments(const ApiRequest *q, const char *name, Strv *ret);

/* Each ends the request. j is borrowed; message may be "". */
void request_reply_json(ApiRequest *q, unsigned status, const json_t *j);
void request_reply_error(ApiRequest *q, unsigned status, const char *message);
void request_reply_empty(ApiRequest *q, unsigned status, const char *content_type);
void request_reply_text(ApiRequest *q, unsigned status, const char *content_type, const char *text);
void request_redirect(ApiRequest *q, const char *location);

/* A failure of ours or of the store: 503 or 500, logged; 400 for what the client can change. */
void request_fail(ApiRequest *q, int r, const Error *error);

/* What looking a unit up came to: j, a 404 for -ENOENT, or another failure. Ends the request. */
void request_reply_unit(ApiRequest *q, int r, const Error *error, const json_t *j);

/* Opens a stream of JSON lines, unless there are too many (then it is answered, and this is -EMFILE). */
int request_stream(ApiRequest *q);
int request_stream_json(ApiRequest *q, const json_t *j); /* one line; < 0: end the stream */
void request_stream_end(ApiRequest *q);                  /* q is gone after it */
