/*
 * Publish: writes this machine's unit states to the registry, on change only, many at once.
 *
 * What changes during one turn of the loop goes into one write; while a write is under way the next
 * one collects. Everything is written under the agent's lease, and again in full under a new one.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/json/json.h"
#include "scheduler/registry.h"
#include "specs/unit_state.h"

typedef struct Publish Publish;

typedef struct PublishOptions {
        sd_event *event;
        Registry *registry;                 /* borrowed */
        const char *machine_id;             /* copied */
        void (*lease_lost)(void *userdata); /* the store does not know the lease any more */
        void *userdata;
} PublishOptions;

/* The caller owns *ret. */
int publish_new(const PublishOptions *options, Publish **ret);
Publish *publish_free(Publish *p); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Publish, publish_free);

/* Copies. A state that is as it was is not written again. 0 or -ENOMEM. */
int publish_set(Publish *p, const UnitState *state);
int publish_remove(Publish *p, const char *unit);
const UnitState *publish_get(const Publish *p, const char *unit); /* borrowed, or NULL */

/* The lease to write under; 0 = there is none: keep what is to be written. */
void publish_set_lease(Publish *p, int64_t lease);

/* The UnitStatePublisher part of SIGUSR1's line (FLEET.md B1). The caller owns *ret. */
int publish_to_json(const Publish *p, json_t **ret);
