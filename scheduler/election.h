/*
 * Election: one engine leads. It holds the leader key under a lease that it renews at a third of its
 * time; the others follow the key and stand again when it goes.
 *
 * Of one machine's engines in a row (a crash and a restart) the later takes the key over at once. Who cannot
 * renew for the lease's whole time takes itself for deposed, even if the store cannot say so.
 */
#pragma once

#include <systemd/sd-event.h>

#include "scheduler/registry.h"

typedef struct Election Election;

typedef struct ElectionHandler {
        void (*elected)(int64_t leader_revision, void *userdata); /* to fence plans with */
        void (*deposed)(void *userdata);
} ElectionHandler;

typedef struct ElectionOptions {
        sd_event *event;
        Registry *registry; /* borrowed */
        const char *machine_id;
        const char *version;
        uint64_t ttl_usec;
        const ElectionHandler *handler; /* must outlive it */
        void *userdata;
} ElectionOptions;

/* Strings are copied. Stands at once; answers come from the loop. The caller owns *ret. */
int election_new(const ElectionOptions *options, Election **ret, Error *reterr);
Election *election_free(Election *e); /* the key is left to its lease; accepts NULL, returns NULL */
DEFINE_CLEANUP(Election, election_free);

/* The caller has learnt that it is deposed (a fenced write failed): look anew. No handler is called. */
void election_lost(Election *e);

/* Stands no more and gives the key back; fn (may be NULL) when that is done or has failed. */
void election_resign(Election *e, void (*fn)(void *userdata), void *userdata);

/* CLOCK_BOOTTIME since when every answer of the store was good; USEC_INFINITY = the last was not. */
uint64_t election_contact_since(const Election *e);
