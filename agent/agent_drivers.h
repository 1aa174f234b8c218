/*
 * AgentDrivers: the drivers of this machine: brought up, asked once what they find, chosen for units.
 *
 * A driver counts as available when its engine answers and it has said what is there. One that goes
 * away later and comes back is not asked again: it knows its units.
 */
#pragma once

#include "drivers/driver.h"
#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"

typedef struct AgentDrivers AgentDrivers;

typedef struct AgentDriversOptions {
        const DriverType *const *types; /* NULL-terminated, static */
        DriverOptions driver_options;   /* its callbacks are ours */

        /* What a driver found; all of it comes before the `changed` that makes it available. */
        void (*found)(Driver *d, const DriverFound *found, void *userdata);
        /* The list of available ones, or the number of those that have not decided yet, has changed. */
        void (*changed)(void *userdata);
        void (*state)(Driver *d, const char *unit, const UnitState *state, void *userdata);
        void *userdata;
} AgentDriversOptions;

/* The caller owns *ret; the strings of the options must outlive it. */
int agent_drivers_new(const AgentDriversOptions *options, AgentDrivers **ret, Error *reterr);
AgentDrivers *agent_drivers_free(AgentDrivers *d); /* units run on; accepts NULL, returns NULL */
DEFINE_CLEANUP(AgentDrivers, agent_drivers_free);

const Strv *
agent_drivers_available(const AgentDrivers *d); /* sorted; borrowed until the next change */
unsigned
agent_drivers_undecided(const AgentDrivers *d); /* those that have not said what is there */

/* As driver_choose(), of those that are available. *ret is borrowed. */
int agent_drivers_choose(const AgentDrivers *d, const char *unit, const UnitFile *file,
                         const char *configured, Driver **ret, Error *reterr);
