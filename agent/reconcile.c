#include "agent/reconcile.h"

#include "lib/base/str.h"

static const char *const step_names[] = {
        [RECONCILE_LOAD] = "load",       [RECONCILE_START] = "start",   [RECONCILE_STOP] = "stop",
        [RECONCILE_RESTART] = "restart", [RECONCILE_UNLOAD] = "unload",
};

const char *reconcile_step_to_string(ReconcileStepType t) {
        return step_names[t];
}

static size_t step(ReconcileStep *steps, size_t n, ReconcileStepType type, const char *why) {
        assert(n < RECONCILE_STEPS_MAX);
        steps[n] = (ReconcileStep){ .type = type, .why = why };
        return n + 1;
}

static bool is_there(const ReconcileHave *have) {
        return have->found || have->loaded;
}

static bool is_wanted(const ReconcileWanted *wanted) {
        return wanted->placed && wanted->desired != DESIRED_INACTIVE;
}

/* Not (or no longer) for this machine. */
static size_t plan_absent(const ReconcileWanted *wanted, const ReconcileHave *have,
                          ReconcileStep *steps) {
        if (!is_there(have))
                return 0;
        if (!wanted->placed && (wanted->trust != RECONCILE_KNOWN || wanted->held))
                return 0;
        return step(steps, 0, RECONCILE_UNLOAD, "unit loaded but not scheduled here");
}

/* The content is the right one: bring it to what is desired. */
static size_t plan_target(const ReconcileWanted *wanted, const ReconcileHave *have, size_t n,
                          ReconcileStep *steps) {
        bool launch = wanted->desired == DESIRED_LAUNCHED;

        if (launch && have->target != DESIRED_LAUNCHED)
                return step(steps, n, RECONCILE_START,
                            "unit currently loaded but desired state is launched");
        if (!launch && (have->target == DESIRED_LAUNCHED || have->active))
                return step(steps, n, RECONCILE_STOP,
                            "unit currently launched but desired state is loaded");
        if (launch && have->generation < wanted->generation)
                return step(steps, n, RECONCILE_RESTART, "a restart of the unit was asked for");
        return n;
}

size_t reconcile_unit(const ReconcileWanted *wanted, const ReconcileHave *have,
                      ReconcileStep ret[RECONCILE_STEPS_MAX]) {
        ReconcileHave then = *have;
        size_t n = 0;

        if (!have->adopted)
                return 0;
        if (!is_wanted(wanted))
                return plan_absent(wanted, have, ret);

        if (is_there(have) && !str_eq(have->hash, wanted->hash)) {
                n = step(ret, n, RECONCILE_UNLOAD, "unit loaded but hash differs to expected");
                reconcile_apply(&then, wanted, RECONCILE_UNLOAD);
        }
        if (!then.loaded) {
                n = step(ret, n, RECONCILE_LOAD,
                         then.found ? "unit found here from before"
                                    : "unit scheduled here but not loaded");
                reconcile_apply(&then, wanted, RECONCILE_LOAD);
        } else if (then.loaded_generation != wanted->generation) {
                n = step(ret, n, RECONCILE_LOAD, "unit loaded but generation differs to expected");
                reconcile_apply(&then, wanted, RECONCILE_LOAD);
        }
        return plan_target(wanted, &then, n, ret);
}

void reconcile_apply(ReconcileHave *have, const ReconcileWanted *wanted, ReconcileStepType type) {
        switch (type) {
        case RECONCILE_LOAD:
                /* What was found running is told to run; it keeps the generation it was started as. */
                if (!have->loaded)
                        have->target = have->found && have->active ? DESIRED_LAUNCHED
                                                                   : DESIRED_LOADED;
                have->loaded_generation = wanted->generation;
                have->found = false;
                have->loaded = true;
                have->hash = wanted->hash;
                break;
        case RECONCILE_START:
        case RECONCILE_RESTART:
                have->target = DESIRED_LAUNCHED;
                have->generation = wanted->generation;
                break;
        case RECONCILE_STOP:
                have->target = DESIRED_LOADED;
                have->active = false;
                break;
        case RECONCILE_UNLOAD:
                *have = (ReconcileHave){ .adopted = have->adopted };
                break;
        }
}

bool reconcile_may_interrupt(ReconcileStepType running, ReconcileStepType next) {
        bool starting = running == RECONCILE_START || running == RECONCILE_RESTART;

        return starting && (next == RECONCILE_STOP || next == RECONCILE_UNLOAD);
}
