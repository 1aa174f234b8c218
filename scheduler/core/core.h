/*
 * Core: which unit belongs on which machine (FLEET.md B7-B9 with its fixes). PURE: no I/O, no clock, no
 * random. Same input in any order, same plan, byte for byte; ties break on names.
 *
 * The owner feeds what it sees (machines, units, where units are placed); each feed marks the units it
 * may matter for as dirty. core_plan() looks at dirty units only and says what to change.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/digest.h"
#include "specs/machine.h"
#include "specs/requirements.h"
#include "specs/unit_state.h"

typedef struct Core Core;

/*
 * May this machine run the unit at all, beyond [X-Fleet] (is there a driver)? 0 = yes; else a short reason
 * in words in *ret_reason (static or owned by the userdata). Must be pure. NULL = every machine may.
 */
typedef bool (*CoreEligibleFn)(const Machine *m, const char *unit, const char *hash,
                               const char **ret_reason, void *userdata);

int core_new(CoreEligibleFn eligible, void *userdata, Core **ret);
Core *core_free(Core *c); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Core, core_free);

/* All copy what they need. 0 or -ENOMEM. Setting what is already so marks nothing dirty. */
int core_machine_set(Core *c, const Machine *m);
/* It is gone: what is placed there is placed anew. */
int core_machine_remove(Core *c, const char *id);
/*
 * It is silent, and nobody knows yet whether it is gone: what is placed there stays, nothing is added. So
 * it is with a machine that was never set, but has placements.
 */
int core_machine_doubt(Core *c, const char *id);
int core_unit_set(Core *c, const char *name, const char *hash, DesiredState desired,
                  uint64_t generation, const Requirements *q);
int core_unit_remove(Core *c, const char *name);
/* What the registry says is placed where (for globals: one call per machine). */
int core_placement_set(Core *c, const char *unit, const char *machine, const char *hash,
                       DesiredState desired, uint64_t generation);
int core_placement_remove(Core *c, const char *unit, const char *machine);
void core_mark_all(Core *c); /* the next plan is a full pass */

/* One decision. Strings are borrowed from the plan. */
typedef struct CoreStep {
        enum { CORE_PUT, CORE_REMOVE } type;
        const char *unit;
        const char *machine;
        char hash[SHA1_HEX_SIZE];
        DesiredState desired;
        uint64_t generation;
        const char *why; /* for the log: B9's words */
} CoreStep;

typedef struct CoreReason {
        const char *unit;
        const char *text; /* NULL = nothing is wrong any more */
} CoreReason;

typedef struct CorePlan {
        CoreStep *steps; /* a move is a REMOVE directly followed by its PUT */
        size_t n_steps;
        CoreReason *reasons; /* only those that changed since the last plan */
        size_t n_reasons;
} CorePlan;

/* The caller owns *ret. The core takes its own plan for done: the feeds that confirm it mark nothing dirty. */
int core_plan(Core *c, CorePlan **ret);
CorePlan *core_plan_free(CorePlan *p); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(CorePlan, core_plan_free);
