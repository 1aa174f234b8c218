/*
 * Presence: that this machine is there. Keeps the agent's lease alive and its machine document under it.
 *
 * A lost lease (restart, long outage) is answered by a new one and a new registration at once; nothing
 * is ever stopped because of it. Renews every third of the lease's time.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "scheduler/registry.h"
#include "specs/machine.h"

typedef struct Presence Presence;

typedef struct PresenceOptions {
        sd_event *event;
        Registry *registry; /* borrowed */
        uint64_t ttl_usec;
        /* Registered under this lease; 0 = not registered. Called on each change. */
        void (*lease_changed)(int64_t lease, void *userdata);
        void *userdata;
} PresenceOptions;

/* Starts with the first presence_set_machine(). The caller owns *ret. */
int presence_new(const PresenceOptions *options, Presence **ret);
Presence *presence_free(Presence *p); /* leaves the lease to run out; accepts NULL, returns NULL */
DEFINE_CLEANUP(Presence, presence_free);

/* What this machine says of itself; copied. Written if it is another document than before. */
int presence_set_machine(Presence *p, const Machine *m);
const Machine *presence_machine(const Presence *p); /* borrowed, or NULL */

void presence_set_ttl(Presence *p,
                      uint64_t ttl_usec); /* from the next lease on, which is asked for at once */

/* Somebody else saw that the lease is gone. */
void presence_lease_lost(Presence *p);

/* Leaves the cluster: removes the document and all states, gives the lease back. fn once, r as of the removal. */
void presence_leave(Presence *p, void (*fn)(int r, void *userdata), void *userdata);
