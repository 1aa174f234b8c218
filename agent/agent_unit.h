/*
 * AgentUnit: one unit on this machine, between what the schedule says and what its driver has.
 *
 * Owned by the Agent. It asks reconcile for the next step, has it done, and asks again; it waits for
 * nothing but its own driver. What it does not know it does not act on.
 */
#pragma once

#include "agent/contents.h"
#include "agent/reconcile.h"
#include "drivers/driver.h"
#include "lib/base/base.h"
#include "scheduler/registry.h"
#include "specs/unit_state.h"

typedef struct AgentUnit AgentUnit;

/* What all units of an agent share; lives in the Agent and outlives them. */
typedef struct AgentContext {
        sd_event *event;
        const char *machine_id;
        Contents *contents;
        ReconcileTrust trust;
        bool stopping; /* everything is to be stopped and unloaded, whatever the schedule says */
        unsigned undecided; /* drivers that have not said yet what is there */
        uint64_t steps_done, steps_failed;

        /* A driver for the unit: 0, or -ENOENT/-EINVAL with the reason. *ret is borrowed. */
        int (*choose)(const char *unit, const UnitFile *file, Driver **ret, Error *reterr,
                      void *userdata);
        /* The state has changed; NULL = the unit is no longer here. */
        void (*publish)(const char *unit, const UnitState *state, void *userdata);
        /* The unit has come to rest (and may be gone). It may be freed in a later turn only. */
        void (*settled)(AgentUnit *u, void *userdata);
        void *userdata;
} AgentContext;

int agent_unit_new(AgentContext *context, const char *name, AgentUnit **ret);
/* Its driver must have been freed before, unless agent_unit_is_gone(). Accepts NULL, returns NULL. */
AgentUnit *agent_unit_free(AgentUnit *u);
DEFINE_CLEANUP(AgentUnit, agent_unit_free);

const char *agent_unit_name(const AgentUnit *u);
Driver *agent_unit_driver(const AgentUnit *u);     /* who has it; NULL = nobody */
const char *agent_unit_hash(const AgentUnit *u);   /* of the content it waits for; NULL = none */
const char *agent_unit_target(const AgentUnit *u); /* "launched", "loaded" or "inactive" */

/* Each of these says what is so now; agent_unit_run() acts on it. p NULL = not placed here. */
void agent_unit_set_placement(AgentUnit *u, const RegistryPlacement *p);
/* Its absence from the schedule is not believed, for this reason; NULL = it is, from now on. */
void agent_unit_set_held(AgentUnit *u, const char *why);
bool agent_unit_is_placed(const AgentUnit *u);
int agent_unit_set_found(AgentUnit *u, Driver *driver, const DriverFound *found);
int agent_unit_set_state(AgentUnit *u,
                         const UnitState *state); /* NULL = the driver has it no more */
void agent_unit_set_content(AgentUnit *u, int r, const Error *error); /* the fetch has ended */

/* Does the next step unless one is under way or a retry is due later. */
void agent_unit_run(AgentUnit *u);
void agent_unit_run_now(AgentUnit *u); /* does not wait for the retry: something has changed */

bool agent_unit_is_there(const AgentUnit *u); /* the driver has it */
bool agent_unit_is_held(const AgentUnit *u);
bool agent_unit_is_busy(const AgentUnit *u); /* a step or its content is under way */
bool agent_unit_is_gone(const AgentUnit *u); /* nothing is there, wanted or under way */
