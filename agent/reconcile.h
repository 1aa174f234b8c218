/*
 * Reconcile: what is to be done so that one unit is what the schedule says. PURE: no I/O, no clock.
 *
 * The agent asks for each unit by itself, does the first step, and asks again with what has become of
 * it: no unit ever waits for another, and a step that fails spoils nothing but its own unit.
 *
 * Invariants: nothing that runs is unloaded because something is not known (yet); what was found
 * running with the right content is taken up as it runs; a unit that was told to run and has ended is
 * not started again (that is what Restart= is for).
 */
#pragma once

#include "lib/base/base.h"
#include "specs/unit_state.h"

/* How far the schedule can be believed. */
typedef enum ReconcileTrust {
        RECONCILE_UNKNOWN, /* no listing has arrived: absence means nothing, presence counts */
        RECONCILE_KNOWN,
} ReconcileTrust;

/* What the schedule says of the unit. */
typedef struct ReconcileWanted {
        ReconcileTrust trust;
        bool held; /* it was there when the whole registry was found empty: its absence is not believed */
        bool placed; /* the rest counts only then */
        const char *hash;
        uint64_t generation;
        DesiredState desired;
} ReconcileWanted;

/* What the driver has. */
typedef struct ReconcileHave {
        bool adopted; /* the driver has said what it found: before that nothing is loaded */
        bool found;   /* it is there from before and nobody has loaded it yet */
        bool loaded;
        const char *hash;
        uint64_t loaded_generation; /* the driver was told at load */
        uint64_t generation;        /* what runs was started as */
        DesiredState target; /* what the driver was last told: DESIRED_LAUNCHED after start */
        bool active;         /* its main process runs, or is being started */
} ReconcileHave;

typedef enum ReconcileStepType {
        RECONCILE_LOAD,
        RECONCILE_START,
        RECONCILE_STOP,
        RECONCILE_RESTART,
        RECONCILE_UNLOAD,
} ReconcileStepType;

typedef struct ReconcileStep {
        ReconcileStepType type;
        const char *why; /* static; the words users know (FLEET.md B9) */
} ReconcileStep;

#define RECONCILE_STEPS_MAX 3

/* Fills ret with at most RECONCILE_STEPS_MAX steps, in order; returns how many. */
size_t reconcile_unit(const ReconcileWanted *wanted, const ReconcileHave *have,
                      ReconcileStep ret[RECONCILE_STEPS_MAX]);

/* What `have` is once the step has been done as asked. */
void reconcile_apply(ReconcileHave *have, const ReconcileWanted *wanted, ReconcileStepType step);

/*
 * While `running` is under way the next step is `next`: may it be asked for at once (it ends the one
 * under way), or must it wait? A start may take as long as an image needs to come.
 */
bool reconcile_may_interrupt(ReconcileStepType running, ReconcileStepType next);

const char *reconcile_step_to_string(ReconcileStepType t); /* "load" */
