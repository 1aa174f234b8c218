/*
 * Api: fleet's HTTP API (FLEET.md B4) and ours beside it (specs/api_doc.h), over the registry.
 *
 * One file per resource; api.c finds the handler for a path. Holds no state of units: every answer is
 * read from the registry. Any number of requests may be under way; streams are limited.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/agent.h"
#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/http/http_server.h"
#include "scheduler/engine.h"
#include "scheduler/registry.h"

typedef struct Api Api;

#define API_STREAMS_MAX 256 /* events and journals together, per daemon */

typedef struct ApiOptions {
        sd_event *event;
        Registry *registry; /* borrowed */
        Agent *agent;       /* borrowed; for journals of this machine */
        const char *machine_id;
        const char *driver;   /* fleet.conf's driver=, for checks at submit */
        uint16_t token_limit; /* page size of lists */
        /* May be NULL. A request has come: memory is in use that can be given back later. */
        void (*active)(void *userdata);
        void *userdata;
} ApiOptions;

/* Strings are copied. The caller owns *ret. */
int api_new(const ApiOptions *options, Api **ret, Error *reterr);
/* After the HttpServer, which ends what is under way. Accepts NULL, returns NULL. */
Api *api_free(Api *a);
DEFINE_CLEANUP(Api, api_free);

/* The HttpServer's handler; userdata is the Api. */
void api_handle(HttpExchange *x, void *userdata);

int api_configure(Api *a, const char *driver, uint16_t token_limit); /* after a reload */
void api_set_contact(Api *a, bool in_contact);         /* false: everything is answered 503 */
void api_set_engine(Api *a, const Engine *engine);     /* borrowed; NULL = there is none */
void api_set_server(Api *a, const HttpServer *server); /* borrowed; for metrics */
