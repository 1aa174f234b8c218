/*
 * WatchedUnit: what fleetctl knows of one unit while it waits: wanted, placed, and seen on machines.
 *
 * Pure: fed with the documents of /status and /events (or of the original fleetd's API), asked for
 * decisions. No clock, no I/O.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/json/json.h"
#include "specs/unit_state.h"

#define WATCHED_UNIT_STATES_MAX 100000 /* machines that one unit is on */

typedef struct WatchedUnit {
        char *name;
        bool known; /* something was applied; else nothing below means anything */
        bool exists;
        DesiredState desired;
        char hash[SHA1_HEX_SIZE]; /* of the content that is wanted; "" = unknown */
        char *machine;            /* where it is placed, or NULL */
        char *reason;             /* why it is not where it should be, or NULL */
        UnitState **states;
        size_t n_states, states_capacity;
        bool plain;           /* from a server that says little: `current` is what it said */
        DesiredState current; /* only if plain */
} WatchedUnit;

/* What to wait for. */
typedef enum WatchGoal {
        WATCH_LAUNCHED, /* its machine makes it run */
        WATCH_LOADED,   /* it is on its machine and does not run */
        WATCH_INACTIVE, /* it is on no machine */
        WATCH_GONE,     /* it does not exist, and no machine has anything of it */
} WatchGoal;

typedef enum WatchProgress {
        WATCH_PENDING,
        WATCH_REACHED,
        WATCH_FAILED, /* it will not get there: see the words */
        WATCH_UNCERTAIN, /* it looks as before it was started: give it a moment (words: it had failed) */
} WatchProgress;

int watched_unit_init(WatchedUnit *v, const char *name); /* 0 or -ENOMEM */
void watched_unit_done(WatchedUnit *v);

/* A document of GET /status/UNIT (NULL: there is no such unit), replacing everything. -EINVAL with words. */
int watched_unit_apply_status(WatchedUnit *v, const json_t *status, bool plain, Error *reterr);

/* A line of GET /events about this unit. -EINVAL with words. */
int watched_unit_apply_event(WatchedUnit *v, const json_t *event, Error *reterr);

/* Its state on the machine it is placed on, or NULL. Borrowed. */
const UnitState *watched_unit_state(const WatchedUnit *v);

/* Has its machine got it loaded? Else s->message says why not. */
bool watched_unit_is_loaded(const UnitState *s);

/* Is the goal reached? Words when it has failed. */
WatchProgress watched_unit_check(const WatchedUnit *v, WatchGoal goal, Error *reterr);

/*
 * Once launched: has it come up? A service that did its work and ended is fine; since_before_usec is
 * when its state had last changed before it was started (0 = it was never there).
 */
WatchProgress watched_unit_check_active(const WatchedUnit *v, uint64_t since_before_usec,
                                        Error *reterr);

/* "exit-code: the main process ended with 1": why it is as it is; NULL = out of memory. The caller owns it. */
char *watched_unit_explain(const UnitState *s);
