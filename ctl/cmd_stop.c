/*
 * stop and unload: the units stay known; stop leaves them on their machines.
 */
#include "ctl/command.h"
#include "ctl/draft.h"
#include "ctl/known_units.h"
#include "ctl/wait.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

/* What differs between the two commands. */
typedef struct Halt {
        DesiredState desired;
        WatchGoal goal;
        const char *word;  /* "Triggered unit NAME <word>", "Failed to <word> units" */
        const char *ended; /* "Successfully <ended> units" */
} Halt;

/* Which units are set, and which of them are waited for. Names are borrowed from the list. */
typedef struct Plan {
        const char **set;
        size_t n_set;
        WaitUnit *wait;
        size_t n_wait;
} Plan;

static void plan_done(Plan *p) {
        mem_free(p->set);
        mem_free(p->wait);
        *p = (Plan){ 0 };
}

/* Adds a unit unless it is there already. Returns 1 if the command has to end here (B3.5). */
static int plan_unit(Context *c, const Halt *halt, const ApiUnit *u, Plan *p) {
        const char *inactive = desired_state_to_string(DESIRED_INACTIVE),
                   *desired = desired_state_to_string(halt->desired);
        bool global = draft_is_global(u);

        if (!global && halt->desired != DESIRED_INACTIVE && str_eq(u->current_state, inactive)) {
                err_line(&c->output, "Unable to stop unit %s in state %s", u->name, inactive);
                return 1;
        }
        if (!global && str_eq(u->current_state, desired) && str_eq(u->desired_state, desired))
                return 0;
        p->set[p->n_set++] = u->name;
        if (!global)
                p->wait[p->n_wait++] = (WaitUnit){ .name = u->name };
        return 0;
}

static void tell_triggered(Context *c, const Halt *halt, const Plan *p) {
        size_t waited = 0;

        for (size_t i = 0; i < p->n_set; i++) {
                /* Those to wait for stand in the same order. */
                if (waited < p->n_wait && p->wait[waited].name == p->set[i])
                        waited++;
                else
                        out_line(&c->output, "Triggered global unit %s %s", p->set[i], halt->word);
        }
        for (size_t i = 0; i < p->n_wait && !wait_wanted(&c->options); i++)
                out_line(&c->output, "Triggered unit %s %s", p->wait[i].name, halt->word);
        out_flush(&c->output);
}

static int wait_until_halted(Context *c, const Halt *halt, const Plan *p) {
        WaitOptions options = { .goal = halt->goal, .attempts = c->options.block_attempts };
        _cleanup_(wait_result_done) WaitResult result = { 0 };
        _cleanup_free_ char *names = known_units_format(p->wait, p->n_wait);

        if (wait_wanted(&c->options) &&
            wait_for_units(c, &options, p->wait, p->n_wait, &result) != 0) {
                err_line(&c->output, "Failed to %s units %s. err: %s", halt->word,
                         str_or(names, "[]"), error_text(&result.error));
                return 1;
        }
        err_line(&c->output, "Successfully %s units %s.", halt->ended, str_or(names, "[]"));
        return 0;
}

static int run_halt(Context *c, const Halt *halt) {
        _cleanup_(unit_list_done) UnitList units = { 0 };
        _cleanup_(plan_done) Plan p = { 0 };
        bool refused = false;
        int rc;

        if (known_units_find(c, &units, &rc) != 0)
                return rc;
        p.set = mem_new_array(const char *, units.n);
        p.wait = mem_new_array(WaitUnit, units.n);
        if (!p.set || !p.wait) {
                err_line(&c->output, "Error: out of memory");
                return 1;
        }
        for (size_t i = 0; i < units.n && !refused; i++)
                refused = plan_unit(c, halt, units.items[i], &p) != 0;

        rc = known_units_set(c, p.set, p.n_set, halt->desired);
        if (rc != 0 || refused)
                return 1;
        tell_triggered(c, halt, &p);
        return wait_until_halted(c, halt, &p);
}

int cmd_stop(Context *c) {
        return run_halt(c, &(const Halt){ .desired = DESIRED_LOADED,
                                          .goal = WATCH_LOADED,
                                          .word = "stop",
                                          .ended = "stopped" });
}

int cmd_unload(Context *c) {
        return run_halt(c, &(const Halt){ .desired = DESIRED_INACTIVE,
                                          .goal = WATCH_INACTIVE,
                                          .word = "unload",
                                          .ended = "unloaded" });
}
