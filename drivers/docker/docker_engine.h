/*
 * DockerEngine: the connection to one Engine: finding it again and again, its API version, calls in lanes,
 * and its stream of events.
 *
 * A call waits until the engine is there, and for its turn in its lane. If the connection breaks under a
 * call that is no stream, it is made again when the engine is back.
 * While the engine is away it is looked for at growing intervals; while it is there, nothing is asked.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/json/json.h"

typedef struct DockerEngine DockerEngine;
typedef struct DockerCall DockerCall;

/* What we speak; an engine that is newer than all of it is spoken to in its oldest version. */
#define DOCKER_API_MAJOR 1
#define DOCKER_API_MINOR 41

#define DOCKER_STOPS_FACTOR 4  /* stops wait rather than work: this many times the parallelism */
#define DOCKER_PULLS_MAX 64    /* at once */
#define DOCKER_QUEUE_MAX 65536 /* calls that wait */
#define DOCKER_REPEATS_MAX 3
#define DOCKER_EVENT_MAX_BYTES (1 * MIB)

/* Calls of one lane do not wait for those of another. */
typedef enum DockerLane {
        DOCKER_LANE_FREE,   /* reading, waiting, streams: no limit */
        DOCKER_LANE_WORK,   /* what changes something */
        DOCKER_LANE_URGENT, /* as work, and before it: starting what was created */
        DOCKER_LANE_STOP,
        DOCKER_LANE_PULL,
        _DOCKER_LANE_MAX,
} DockerLane;

/* Borrowed for the time of the call. r < 0: no answer, with words. The callback may free the call. */
typedef struct DockerReply {
        int r;
        unsigned status;
        const char *body;
        size_t size;
        const Error *error;
} DockerReply;
typedef void (*DockerReplyFn)(DockerCall *call, const DockerReply *reply, void *userdata);

/* A piece of a stream. A negative return ends the call with -ECANCELED. */
typedef int (*DockerDataFn)(DockerCall *call, unsigned status, const char *data, size_t size,
                            void *userdata);

typedef struct DockerRequest {
        const char *method;
        const char *path;   /* "/containers/…", query included; the version is put before it */
        const json_t *body; /* or NULL */
        DockerLane lane;
        DockerDataFn data_fn; /* a stream: never repeated */
        DockerReplyFn reply_fn;
        void *userdata;
} DockerRequest;

typedef struct DockerEngineOptions {
        sd_event *event;
        const char *address; /* unix:///path */
        unsigned parallelism;
        const char *label; /* KEY=VALUE of the containers that matter */
        /* It is there (again): all containers with the label, as GET /containers/json lists them. */
        void (*found_fn)(const json_t *containers, void *userdata);
        void (*lost_fn)(const Error *why, void *userdata);
        void (*event_fn)(const json_t *event, void *userdata);
        void *userdata;
} DockerEngineOptions;

/* Starts to look for the engine. The caller owns *ret. -EINVAL: not a unix socket. */
int docker_engine_new(const DockerEngineOptions *options, DockerEngine **ret, Error *reterr);
DockerEngine *docker_engine_free(DockerEngine *e); /* cancels all calls; accepts NULL */
DEFINE_CLEANUP(DockerEngine, docker_engine_free);

bool docker_engine_is_found(const DockerEngine *e);
/* Whether its socket takes connections at this moment: one that shuts down does not any more. */
bool docker_engine_accepts(const DockerEngine *e);

/* The caller owns *ret, and frees it in reply_fn or before (which cancels). 0, -ENOMEM, -EBUSY (queue is full). */
int docker_engine_call(DockerEngine *e, const DockerRequest *request, DockerCall **ret);
DockerCall *docker_call_free(DockerCall *c); /* accepts NULL, returns NULL */
bool docker_call_is_sent(const DockerCall *c);
/* Whether the connection broke under it before: what it asked for may have been begun. */
bool docker_call_was_repeated(const DockerCall *c);

/* The "message" of an API error, else the body, else the status; the caller owns it; NULL = out of memory. */
char *docker_reply_message(const DockerReply *reply);
