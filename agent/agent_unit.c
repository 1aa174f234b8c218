#include "agent/agent_unit.h"

#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

#define AGENT_RETRY_MIN_USEC (500 * USEC_PER_MSEC)
#define AGENT_RETRY_MAX_USEC (60 * USEC_PER_SEC)

/* A step that the driver was asked for; it lives until the driver has answered. */
typedef struct AgentOp {
        ListLink ops;
        AgentUnit *unit;
        ReconcileStepType type;
        ReconcileWanted
                asked; /* what was wanted when it was asked for; its hash points to `hash` */
        char hash[SHA1_HEX_SIZE];
} AgentOp;

struct AgentUnit {
        AgentContext *context;
        char *name;

        bool placed, held;
        char wanted_hash[SHA1_HEX_SIZE];
        uint64_t wanted_generation;
        DesiredState desired;

        Driver *driver;
        ReconcileHave have; /* its hash points to have_hash */
        char have_hash[SHA1_HEX_SIZE];
        UnitState *state;      /* as the driver told it last */
        char *message;         /* why the last step failed, or why it is held */
        const char *load_word; /* what to call a unit that could not be loaded; NULL = it could */

        AgentOp *op; /* the step under way; earlier ones it has overtaken are in `ops` only */
        ListLink ops;
        bool waiting_for_content;
        sd_event_source *retry;
        Backoff backoff;
};

/* ---- what it is now -------------------------------------------------------------------------- */

static bool is_wanted(const AgentUnit *u) {
        return !u->context->stopping && u->placed && u->desired != DESIRED_INACTIVE;
}

static ReconcileWanted wanted_now(const AgentUnit *u) {
        if (u->context->stopping)
                return (ReconcileWanted){ .trust = RECONCILE_KNOWN };
        return (ReconcileWanted){
                .trust = u->context->trust,
                .held = u->held,
                .placed = u->placed,
                .hash = u->wanted_hash,
                .generation = u->wanted_generation,
                .desired = u->desired,
        };
}

static bool state_is_active(const UnitState *s) {
        static const char *const words[] = { "active", "activating", "reloading", "deactivating" };

        for (size_t i = 0; s && i < ELEMENTSOF(words); i++)
                if (str_eq(s->active, words[i]))
                        return true;
        return false;
}

static ReconcileHave have_now(const AgentUnit *u) {
        ReconcileHave have = u->have;

        have.adopted = u->driver || u->context->undecided == 0;
        have.hash = u->have_hash;
        have.active = state_is_active(u->state);
        return have;
}

/* Takes over what the step has made true. */
static void have_apply(AgentUnit *u, const AgentOp *op) {
        const UnitState *told;
        ReconcileHave have = have_now(u);

        reconcile_apply(&have, &op->asked, op->type);
        u->have = have;
        if (op->type == RECONCILE_LOAD) {
                memcpy(u->have_hash, op->hash, sizeof(u->have_hash));
                told = u->driver->type->inspect(u->driver, u->name);
                if (told && !u->state)
                        u->state = unit_state_copy(told);
        }
        if (op->type == RECONCILE_UNLOAD) {
                u->have_hash[0] = '\0';
                u->driver = NULL;
                u->state = unit_state_free(u->state);
        }
}

/* ---- what the others see of it --------------------------------------------------------------- */

static DesiredState visible_target(const AgentUnit *u) {
        if (u->op && (u->op->type == RECONCILE_START || u->op->type == RECONCILE_RESTART))
                return DESIRED_LAUNCHED;
        if (u->have.found && state_is_active(u->state))
                return DESIRED_LAUNCHED; /* it runs from before, and is about to be taken up */
        return u->have.target == DESIRED_LAUNCHED ? DESIRED_LAUNCHED : DESIRED_LOADED;
}

/* A state for a unit that no driver has a state of. */
static int fill_without_driver(AgentUnit *u, UnitState *s) {
        int r;

        r = str_replace(&s->load, u->load_word);
        if (r >= 0)
                r = str_replace(&s->active, "inactive");
        if (r >= 0)
                r = str_replace(&s->sub, "dead");
        return r;
}

static int build_state(AgentUnit *u, UnitState **ret) {
        _cleanup_(unit_state_freep) UnitState *s = NULL;
        int r;

        s = u->state && u->driver ? unit_state_copy(u->state)
                                  : unit_state_new(u->name, u->context->machine_id);
        if (!s)
                return -ENOMEM;
        if (!u->state || !u->driver) {
                r = fill_without_driver(u, s);
                if (r < 0)
                        return r;
                memcpy(s->hash, u->wanted_hash, sizeof(s->hash));
        }
        r = str_replace(&s->machine, u->context->machine_id);
        if (r >= 0 && u->driver) {
                r = str_replace(&s->driver, u->driver->type->name);
                memcpy(s->hash, u->have_hash, sizeof(s->hash));
        }
        if (r >= 0 && u->message)
                r = str_replace(&s->message, u->message);
        if (r < 0)
                return r;
        s->target = visible_target(u);
        *ret = TAKE_PTR(s);
        return 0;
}

/* While a unit is being replaced, its last state stands: others need not see the gap. */
static void publish(AgentUnit *u) {
        AgentContext *c = u->context;
        _cleanup_(unit_state_freep) UnitState *s = NULL;

        if (!(u->state && u->driver) && !u->load_word) {
                if (agent_unit_is_gone(u))
                        c->publish(u->name, NULL, c->userdata);
                return;
        }
        if (build_state(u, &s) < 0) {
                log_unit(LOG_LEVEL_WARNING, u->name, "out of memory: a state of %s is not shown",
                         u->name);
                return;
        }
        c->publish(u->name, s, c->userdata);
}

static void set_message(AgentUnit *u, const char *load_word, const char *text) {
        u->load_word = load_word;
        if (str_replace(&u->message, text) < 0)
                u->message = mem_free(u->message);
}

/* ---- doing steps ----------------------------------------------------------------------------- */

static void retry_later(AgentUnit *u) {
        (void) event_timer_arm(u->retry, backoff_next(&u->backoff));
}

/* systemd's words for a unit that cannot be loaded. */
static const char *load_error_word(const AgentUnit *u, int r) {
        if (r == -EINVAL)
                return "bad-setting";
        return contents_get(u->context->contents, u->wanted_hash) ? "error" : "not-found";
}

static void step_failed(AgentUnit *u, ReconcileStepType type, int r, const Error *error) {
        const char *word = NULL;

        u->context->steps_failed++;
        log_unit(LOG_LEVEL_WARNING, u->name, "cannot %s %s: %s", reconcile_step_to_string(type),
                 u->name, error_text(error));
        if (type == RECONCILE_LOAD && !u->have.loaded)
                word = load_error_word(u, r);
        set_message(u, word, error_text(error));
        publish(u);
        retry_later(u);
}

static void step_done(AgentUnit *u, const AgentOp *op) {
        u->context->steps_done++;
        have_apply(u, op);
        set_message(u, NULL, NULL);
        backoff_reset(&u->backoff);
        event_timer_disarm(u->retry);
        publish(u);
}

/* A start job that failed was asked for all the same: whether to try again is up to Restart=. */
static bool counts_as_done(ReconcileStepType type, int r) {
        return r == 0 || type == RECONCILE_START || type == RECONCILE_RESTART;
}

static AgentOp *agent_op_free(AgentOp *op) {
        if (!op)
                return NULL;
        list_remove(&op->ops);
        return mem_free(op);
}
DEFINE_CLEANUP(AgentOp, agent_op_free);

static void on_step_done(const char *unit _unused_, int r, const Error *error, void *userdata) {
        _cleanup_(agent_op_freep) AgentOp *op = userdata;
        AgentUnit *u = op->unit;

        if (u->op != op)
                return; /* a later step has overtaken it */

        u->op = NULL;
        if (counts_as_done(op->type, r)) {
                if (r < 0)
                        log_unit(LOG_LEVEL_NOTICE, u->name, "%s of %s failed: %s",
                                 reconcile_step_to_string(op->type), u->name, error_text(error));
                step_done(u, op);
        } else
                step_failed(u, op->type, r, error);
        list_remove(&op->ops); /* so that the unit may be seen as gone */
        agent_unit_run(u);
}

typedef int (*DriverOperation)(Driver *d, const char *unit, DriverDoneFn fn, void *userdata,
                               Error *reterr);

static int ask_load(AgentUnit *u, const UnitFile *file, AgentOp *op, Error *reterr) {
        const DriverUnit unit = {
                .name = u->name,
                .hash = u->wanted_hash,
                .generation = u->wanted_generation,
                .file = file,
        };

        return u->driver->type->load(u->driver, &unit, on_step_done, op, reterr);
}

static int ask_driver(AgentUnit *u, ReconcileStepType type, const UnitFile *file, AgentOp *op,
                      Error *reterr) {
        const DriverType *t = u->driver->type;
        DriverOperation operation = NULL;

        switch (type) {
        case RECONCILE_LOAD:
                return ask_load(u, file, op, reterr);
        case RECONCILE_START:
                operation = t->start;
                break;
        case RECONCILE_STOP:
                operation = t->stop;
                break;
        case RECONCILE_RESTART:
                operation = t->restart;
                break;
        case RECONCILE_UNLOAD:
                operation = t->unload;
                break;
        }
        return operation(u->driver, u->name, on_step_done, op, reterr);
}

/* The content: 1 = there, 0 = it will come, < 0 = failed. */
static int prepare_content(AgentUnit *u, const UnitFile **ret_file, Error *reterr) {
        *ret_file = contents_get(u->context->contents, u->wanted_hash);
        if (*ret_file)
                return 1;
        u->waiting_for_content = true;
        return contents_fetch(u->context->contents, u->name, u->wanted_hash, reterr);
}

/* What a step needs before the driver can be asked: as prepare_content(). */
static int prepare_step(AgentUnit *u, ReconcileStepType type, const UnitFile **ret_file,
                        Error *reterr) {
        AgentContext *c = u->context;
        int r = 1;

        /* A unit that is to be replaced runs on until its new content is at hand. */
        if (type == RECONCILE_LOAD || (type == RECONCILE_UNLOAD && is_wanted(u)))
                r = prepare_content(u, ret_file, reterr);
        if (r > 0 && type == RECONCILE_LOAD && !u->driver) {
                r = c->choose(u->name, *ret_file, &u->driver, reterr, c->userdata);
                return r < 0 ? r : 1;
        }
        return r;
}

static int begin_step(AgentUnit *u, ReconcileStepType type, Error *reterr) {
        _cleanup_(agent_op_freep) AgentOp *op = mem_new(AgentOp);
        const UnitFile *file = NULL;
        bool had_driver = u->driver;
        int r;

        if (!op)
                return -ENOMEM;
        r = prepare_step(u, type, &file, reterr);
        if (r <= 0)
                return r;

        *op = (AgentOp){ .unit = u, .type = type, .asked = wanted_now(u) };
        memcpy(op->hash, u->wanted_hash, sizeof(op->hash));
        op->asked.hash = op->hash;
        list_append(&u->ops, &op->ops);
        r = ask_driver(u, type, file, op, reterr);
        if (r < 0) {
                if (!had_driver)
                        u->driver = NULL;
                return r;
        }
        u->op = TAKE_PTR(op);
        return 0;
}

static bool must_wait(const AgentUnit *u, const ReconcileStep *next) {
        if (u->op)
                return !reconcile_may_interrupt(u->op->type, next->type);
        if (event_timer_is_armed(u->retry))
                return true;
        return u->waiting_for_content && is_wanted(u);
}

/* The next step, with a start under way taken for done. */
static bool next_step(const AgentUnit *u, ReconcileStep *ret) {
        ReconcileStep steps[RECONCILE_STEPS_MAX];
        ReconcileWanted wanted = wanted_now(u);
        ReconcileHave have = have_now(u);

        if (u->op && (u->op->type == RECONCILE_START || u->op->type == RECONCILE_RESTART))
                reconcile_apply(&have, &u->op->asked, u->op->type);
        if (reconcile_unit(&wanted, &have, steps) == 0)
                return false;
        *ret = steps[0];
        return true;
}

void agent_unit_run(AgentUnit *u) {
        _cleanup_error_ Error error = ERROR_INIT;
        ReconcileStep step;
        int r;

        if (!next_step(u, &step)) {
                if (!u->op)
                        u->context->settled(u, u->context->userdata);
                return;
        }
        if (must_wait(u, &step))
                return;

        r = begin_step(u, step.type, &error);
        if (r < 0) {
                error_fill(&error, r);
                step_failed(u, step.type, r, &error);
                return;
        }
        if (!u->op)
                return; /* until the content has come */
        log_unit(LOG_LEVEL_INFO, u->name, "%s %s: %s", reconcile_step_to_string(step.type), u->name,
                 step.why);
        publish(u);
}

void agent_unit_run_now(AgentUnit *u) {
        event_timer_disarm(u->retry);
        backoff_reset(&u->backoff);
        agent_unit_run(u);
}

/* ---- what it is told ------------------------------------------------------------------------- */

void agent_unit_set_placement(AgentUnit *u, const RegistryPlacement *p) {
        bool changed = !u->placed;

        if (!p) {
                u->placed = false;
                u->load_word = NULL;
                return;
        }
        changed = changed || !str_eq(u->wanted_hash, p->hash);
        u->placed = true;
        u->held = false;
        u->desired = p->desired;
        u->wanted_generation = p->generation;
        memcpy(u->wanted_hash, p->hash, sizeof(u->wanted_hash));
        if (changed) {
                u->waiting_for_content = false;
                set_message(u, NULL, NULL);
                event_timer_disarm(u->retry);
                backoff_reset(&u->backoff);
        }
}

void agent_unit_set_held(AgentUnit *u, const char *why) {
        if (u->held == (why != NULL))
                return;
        u->held = why;
        set_message(u, NULL, why);
        publish(u);
}

bool agent_unit_is_placed(const AgentUnit *u) {
        return u->placed;
}

int agent_unit_set_found(AgentUnit *u, Driver *driver, const DriverFound *found) {
        if (u->driver)
                return -EEXIST;
        u->driver = driver;
        u->have = (ReconcileHave){ .found = true, .generation = found->generation };
        memset(u->have_hash, 0, sizeof(u->have_hash));
        if (found->hash)
                memcpy(u->have_hash, found->hash,
                       MIN(strlen(found->hash), sizeof(u->have_hash) - 1));
        return agent_unit_set_state(u, found->state);
}

int agent_unit_set_state(AgentUnit *u, const UnitState *state) {
        UnitState *copy = NULL;

        if (state) {
                copy = unit_state_copy(state);
                if (!copy)
                        return -ENOMEM;
        }
        unit_state_free(u->state);
        u->state = copy;
        if (copy)
                publish(u);
        return 0;
}

void agent_unit_set_content(AgentUnit *u, int r, const Error *error) {
        if (!u->waiting_for_content)
                return;
        u->waiting_for_content = false;
        if (r < 0)
                step_failed(u, RECONCILE_LOAD, r, error);
        else
                agent_unit_run(u);
}

const char *agent_unit_name(const AgentUnit *u) {
        return u->name;
}

Driver *agent_unit_driver(const AgentUnit *u) {
        return u->driver;
}

const char *agent_unit_hash(const AgentUnit *u) {
        return u->waiting_for_content ? u->wanted_hash : NULL;
}

const char *agent_unit_target(const AgentUnit *u) {
        return agent_unit_is_there(u) ? desired_state_to_string(visible_target(u))
                                      : desired_state_to_string(DESIRED_INACTIVE);
}

bool agent_unit_is_there(const AgentUnit *u) {
        return u->have.found || u->have.loaded;
}

bool agent_unit_is_held(const AgentUnit *u) {
        return u->held;
}

bool agent_unit_is_busy(const AgentUnit *u) {
        return u->op || u->waiting_for_content;
}

bool agent_unit_is_gone(const AgentUnit *u) {
        return !agent_unit_is_there(u) && !is_wanted(u) && !u->held && list_is_empty(&u->ops);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void on_retry(void *userdata) {
        agent_unit_run(userdata);
}

int agent_unit_new(AgentContext *context, const char *name, AgentUnit **ret) {
        _cleanup_(agent_unit_freep) AgentUnit *u = mem_new(AgentUnit);
        int r;

        if (!u)
                return -ENOMEM;
        u->context = context;
        u->backoff = BACKOFF_INIT(AGENT_RETRY_MIN_USEC, AGENT_RETRY_MAX_USEC,
                                  (uint64_t) (uintptr_t) u);
        list_init(&u->ops);
        u->name = str_dup(name);
        if (!u->name)
                return -ENOMEM;
        r = event_timer_new(context->event, "unit-retry", on_retry, u, &u->retry);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(u);
        return 0;
}

AgentUnit *agent_unit_free(AgentUnit *u) {
        if (!u)
                return NULL;
        u->retry = event_drop(u->retry);
        LIST_FOREACH (AgentOp, op, &u->ops, ops)
                agent_op_free(op);
        u->state = unit_state_free(u->state);
        u->message = mem_free(u->message);
        u->name = mem_free(u->name);
        return mem_free(u);
}
