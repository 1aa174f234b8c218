/*
 * The states a unit can be in: what its owner wants, what fleet says, and what the driver saw.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/json/json.h"

/* What the owner wants (B8), and, seen from outside, how far it got. */
typedef enum DesiredState {
        DESIRED_INACTIVE,
        DESIRED_LOADED,
        DESIRED_LAUNCHED,
} DesiredState;

const char *desired_state_to_string(DesiredState s);
int desired_state_from_string(const char *s, DesiredState *ret); /* 0 or -EINVAL */

/*
 * UnitState: one unit on one machine, in systemd's words. Plain document; strings may be NULL where
 * nothing is known.
 */
typedef struct UnitState {
        char *unit;
        char *machine;
        char hash[SHA1_HEX_SIZE]; /* of the content that runs; "" = unknown */
        char *load;               /* loaded, not-found, error, … */
        char *active;             /* active, activating, failed, inactive, … */
        char *sub;                /* running, start-pre, auto-restart, … */
        char *driver;             /* who runs it */
        char *result; /* success, exit-code, signal, timeout, start-limit-hit, … (systemd.service Result) */
        char *message;       /* in words, when something is not as wanted */
        DesiredState target; /* what the agent is making true (loaded or launched) */
        uint64_t since_usec; /* CLOCK_REALTIME of the last change of active */
        uint64_t restarts;   /* automatic ones since the last start by a person */
        int exit_code;       /* of the last main process; -1 = none yet */
        int exit_signal;     /* 0 = none */
        char *main_id;       /* container id or pid, as text */
} UnitState;

UnitState *unit_state_new(const char *unit, const char *machine); /* NULL = out of memory */
UnitState *unit_state_copy(const UnitState *s);                   /* deep; likewise */
UnitState *unit_state_free(UnitState *s);                         /* accepts NULL, returns NULL */
DEFINE_CLEANUP(UnitState, unit_state_free);

bool unit_state_equal(const UnitState *a, const UnitState *b);

/* How far its machine got with the unit (B8); NULL = no machine has it. */
DesiredState unit_state_reached(const UnitState *s);

/* The document in the store. Unknown keys are ignored. */
int unit_state_to_json(const UnitState *s, json_t **ret);
int unit_state_from_json(const json_t *j, UnitState **ret, Error *reterr);
