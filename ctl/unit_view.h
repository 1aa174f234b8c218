/*
 * UnitView: what fleetctl knows of one unit while it waits: wanted, placed, and seen on machines.
 *
 * Pure: fed with the documents of /status and /events (or of the original fleetd's API), asked for
 * decisions. No clock, no I/O.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/json/json.h"
#include "specs/unit_state.h"

#define UNIT_VIEW_STATES_MAX 100000 /* machines that one unit is on */

typedef struct UnitView {
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
} UnitView;

/* What to wait for. */
typedef enum ViewGoal {
        VIEW_LAUNCHED, /* its machine makes it run */
        VIEW_LOADED,   /* it is on its machine and does not run */
        VIEW_INACTIVE, /* it is on no machine */
        VIEW_GONE,     /* it does not exist, and no machine has anything of it */
} ViewGoal;

typedef enum ViewProgress {
        VIEW_PENDING,
        VIEW_REACHED,
        VIEW_FAILED, /* it will not get there: see the words */
        VIEW_UNCERTAIN, /* it looks as before it was started: give it a moment (words: it had failed) */
} ViewProgress;

int unit_view_init(UnitView *v, const char *name); /* 0 or -ENOMEM */
void unit_view_done(UnitView *v);

/* A document of GET /status/UNIT (NULL: there is no such unit), replacing everything. -EINVAL with words. */
int unit_view_apply_status(UnitView *v, const json_t *status, bool plain, Error *reterr);

/* A line of GET /events about this unit. -EINVAL with words. */
int unit_view_apply_event(UnitView *v, const json_t *event, Error *reterr);

/* How far it got, in fleet's words (B8). */
DesiredState unit_view_current(const UnitView *v);

/* Its state on the machine it is placed on, or NULL. Borrowed. */
const UnitState *unit_view_state(const UnitView *v);

/* Is the goal reached? Words when it has failed. */
ViewProgress unit_view_check(const UnitView *v, ViewGoal goal, Error *reterr);

/*
 * Once launched: has it come up? A service that did its work and ended is fine; since_before_usec is
 * when its state had last changed before it was started (0 = it was never there).
 */
ViewProgress unit_view_check_active(const UnitView *v, uint64_t since_before_usec, Error *reterr);

/* "exit-code: the main process ended with 1": why it is as it is; NULL = out of memory. The caller owns it. */
char *unit_state_explain(const UnitState *s);
