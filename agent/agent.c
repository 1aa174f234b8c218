#include "agent/agent.h"

#include <inttypes.h>

#include "agent/agent_drivers.h"
#include "agent/agent_unit.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

#define AGENT_RETRY_MIN_USEC (500 * USEC_PER_MSEC)
#define AGENT_RETRY_MAX_USEC (30 * USEC_PER_SEC)
#define AGENT_REST_USEC (1 * USEC_PER_SEC)

struct Agent {
        AgentOptions options;
        char *machine_id, *configured_driver;
        AgentContext context;
        AgentDrivers *drivers;
        bool found; /* a driver has found something, and its absence has not been thought about */

        Map *units; /* name -> AgentUnit */
        RegistryFollow *follow;
        bool listed; /* the schedule has been seen whole */

        RegistryCall *verify; /* is the registry empty? */
        Strv settled;         /* names of units to look at in on_collect() */
        sd_event_source *verify_retry, *collect, *rest;
        Backoff verify_backoff;

        void (*stopped)(void *userdata);
        void *stopped_userdata;
};

struct AgentLog {
        const DriverType *type;
        DriverLog *log;
};

static void run_all(Agent *a);

/* ---- units ----------------------------------------------------------------------------------- */

static void *free_unit(void *u) {
        return agent_unit_free(u);
}

static int get_unit(Agent *a, const char *name, AgentUnit **ret) {
        AgentUnit *u = map_get(a->units, name);
        int r;

        if (!u) {
                r = agent_unit_new(&a->context, name, &u);
                if (r < 0)
                        return r;
                r = map_put(a->units, name, u);
                if (r < 0) {
                        agent_unit_free(u);
                        return r;
                }
        }
        *ret = u;
        return 0;
}

static void publish_state(const char *unit, const UnitState *state, void *userdata) {
        Agent *a = userdata;
        int r;

        r = state ? publish_set(a->options.publish, state)
                  : publish_remove(a->options.publish, unit);
        if (r < 0)
                log_unit(LOG_LEVEL_WARNING, unit, "cannot note the state of %s: %s", unit,
                         strerror(-r));
}

static void on_settled(AgentUnit *u, void *userdata) {
        Agent *a = userdata;

        /* Out of memory, it is only kept for longer: until it settles the next time. */
        if (strv_push(&a->settled, agent_unit_name(u)) < 0)
                log_warning("out of memory: %s is not looked at now", agent_unit_name(u));
        (void) event_defer_trigger(a->collect);
}

static bool any_unit_there(const Agent *a) {
        const char *name;
        AgentUnit *u;

        MAP_FOREACH (name, u, a->units)
                if (agent_unit_is_there(u))
                        return true;
        return false;
}

/* Drops those of the settled units that are over; tells who waits for that. */
static void on_collect(void *userdata) {
        Agent *a = userdata;
        _cleanup_(strv_done) Strv settled = a->settled;

        a->settled = STRV_INIT;
        for (size_t i = 0; i < settled.n; i++) {
                const char *name = settled.items[i];
                AgentUnit *u = map_get(a->units, name);

                if (!u || !agent_unit_is_gone(u) || agent_unit_is_placed(u))
                        continue;
                publish_state(name, NULL, a);
                map_remove(a->units, name);
        }
        if (!event_timer_is_armed(a->rest))
                (void) event_timer_arm(a->rest, AGENT_REST_USEC);
        if (a->context.stopping && a->stopped && !any_unit_there(a)) {
                void (*fn)(void *) = a->stopped;

                a->stopped = NULL;
                fn(a->stopped_userdata);
        }
}

/* Some time after the last unit has settled: is there nothing more to do? */
static void on_rest(void *userdata) {
        Agent *a = userdata;
        const char *name;
        AgentUnit *u;

        if (a->context.undecided > 0 || !a->listed)
                return;
        MAP_FOREACH (name, u, a->units)
                if (agent_unit_is_busy(u))
                        return;
        contents_clear(a->context.contents);
        a->options.idle(a->options.userdata);
}

static void run_all(Agent *a) {
        _cleanup_(strv_done) Strv names = STRV_INIT;

        if (map_keys_sorted(a->units, &names) < 0) {
                log_error("out of memory: units are not looked at until the next change");
                return;
        }
        for (size_t i = 0; i < names.n; i++)
                agent_unit_run_now(map_get(a->units, names.items[i]));
        (void) event_defer_trigger(a->collect);
}

static void on_content(const char *unit, const char *hash, int r, const Error *error,
                       void *userdata) {
        Agent *a = userdata;
        AgentUnit *u = map_get(a->units, unit);

        if (u && str_eq(agent_unit_hash(u), hash))
                agent_unit_set_content(u, r, error);
}

/* ---- drivers --------------------------------------------------------------------------------- */

static int choose_driver(const char *unit, const UnitFile *file, Driver **ret, Error *reterr,
                         void *userdata) {
        const Agent *a = userdata;

        return agent_drivers_choose(a->drivers, unit, file, a->configured_driver, ret, reterr);
}

static void verify_emptiness(Agent *a);

static void on_drivers_changed(void *userdata) {
        Agent *a = userdata;

        a->context.undecided = agent_drivers_undecided(a->drivers);
        a->options.drivers_changed(agent_drivers_available(a->drivers), a->options.userdata);
        if (a->found) {
                a->found = false;
                verify_emptiness(a);
        }
        run_all(a);
}

static void on_found(Driver *driver, const DriverFound *found, void *userdata) {
        Agent *a = userdata;
        AgentUnit *u;
        int r;

        a->found = true;
        r = get_unit(a, found->unit, &u);
        if (r >= 0)
                r = agent_unit_set_found(u, driver, found);
        if (r == -EEXIST)
                log_unit(LOG_LEVEL_WARNING, found->unit,
                         "%s is here twice: driver '%s' has it too and leaves it alone",
                         found->unit, driver->type->name);
        else if (r < 0)
                log_unit(LOG_LEVEL_ERROR, found->unit, "cannot take up %s: %s", found->unit,
                         strerror(-r));
        else
                log_unit(LOG_LEVEL_INFO, found->unit, "found %s with driver '%s'", found->unit,
                         driver->type->name);
}

static void on_state(Driver *driver, const char *unit, const UnitState *state, void *userdata) {
        Agent *a = userdata;
        AgentUnit *u = map_get(a->units, unit);

        if (!u || agent_unit_driver(u) != driver)
                return;
        if (agent_unit_set_state(u, state) < 0)
                log_unit(LOG_LEVEL_WARNING, unit, "out of memory: a state of %s is lost", unit);
}

static int bring_up_drivers(Agent *a, Error *reterr) {
        AgentDriversOptions options = {
                .types = a->options.drivers,
                .driver_options = a->options.driver_options,
                .found = on_found,
                .changed = on_drivers_changed,
                .state = on_state,
                .userdata = a,
        };
        int r;

        options.driver_options.event = a->options.event;
        options.driver_options.machine_id = a->machine_id;
        r = agent_drivers_new(&options, &a->drivers, reterr);
        if (r >= 0)
                a->context.undecided = agent_drivers_undecided(a->drivers);
        return r;
}

/* ---- the schedule ---------------------------------------------------------------------------- */

static void each_unit_there(Agent *a, void (*fn)(AgentUnit *u)) {
        const char *name;
        AgentUnit *u;

        MAP_FOREACH (name, u, a->units)
                if (agent_unit_is_there(u) && !agent_unit_is_placed(u))
                        fn(u);
}

static void hold(AgentUnit *u) {
        agent_unit_set_held(
                u, "kept running: the registry was found empty, which is no order to stop");
}

static void on_verified(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        _cleanup_(registry_snapshot_freep) RegistrySnapshot *s = snapshot;
        Agent *a = userdata;

        a->verify = registry_call_free(a->verify);
        if (r < 0) {
                log_warning("cannot read the registry, keeping what runs: %s", error_text(error));
                (void) event_timer_arm(a->verify_retry, backoff_next(&a->verify_backoff));
                return;
        }
        backoff_reset(&a->verify_backoff);
        if (s->n_units == 0) {
                log_error("the registry is empty, yet units run here: they are kept running "
                          "(destroy them by name if they are not wanted)");
                each_unit_there(a, hold);
        }
        a->context.trust = RECONCILE_KNOWN;
        run_all(a);
}

static void ask_verify(void *userdata) {
        Agent *a = userdata;
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (a->verify)
                return;
        r = registry_read(a->options.registry, REGISTRY_UNIT, NULL, on_verified, a, &a->verify,
                          &error);
        if (r < 0) {
                error_fill(&error, r);
                on_verified(r, NULL, &error, a);
        }
}

/* Units are here and none is scheduled here: was everything lost, or just moved away? */
static void verify_emptiness(Agent *a) {
        const char *name;
        AgentUnit *u;
        bool there = false;

        if (!a->listed)
                return;
        MAP_FOREACH (name, u, a->units) {
                if (agent_unit_is_placed(u))
                        return;
                there = there || agent_unit_is_there(u);
        }
        if (!there)
                return;
        a->context.trust = RECONCILE_UNKNOWN;
        ask_verify(a);
}

static void unplace_all(Agent *a) {
        const char *name;
        AgentUnit *u;

        MAP_FOREACH (name, u, a->units)
                agent_unit_set_placement(u, NULL);
}

/* ret_unit: NULL if the change concerns nothing that is here. */
static int apply_change(Agent *a, const RegistryChange *change, AgentUnit **ret_unit) {
        AgentUnit *u = map_get(a->units, change->unit);
        int r;

        *ret_unit = NULL;
        if (change->deleted && !u)
                return 0;
        r = get_unit(a, change->unit, &u);
        if (r < 0)
                return r;
        agent_unit_set_placement(u, change->deleted ? NULL : change->placement);
        if (change->deleted)
                agent_unit_set_held(u, NULL);
        *ret_unit = u;
        return 0;
}

static void on_schedule(RegistryFollow *f _unused_, bool snapshot, const RegistryChange *changes,
                        size_t n, int64_t revision, void *userdata) {
        Agent *a = userdata;
        AgentUnit *u;
        int r;

        log_debug("schedule: %zu %s at revision %" PRId64, n, snapshot ? "units" : "changes",
                  revision);
        if (snapshot) {
                a->context.trust = RECONCILE_UNKNOWN;
                unplace_all(a);
        }
        for (size_t i = 0; i < n; i++) {
                r = apply_change(a, &changes[i], &u);
                if (r < 0) {
                        /* A listing that was not taken in whole proves no absence. */
                        log_unit(LOG_LEVEL_ERROR, changes[i].unit, "cannot follow the schedule: %s",
                                 strerror(-r));
                        return;
                }
                if (u && !snapshot)
                        agent_unit_run_now(u);
        }
        if (!snapshot)
                return;
        a->listed = true;
        a->context.trust = RECONCILE_KNOWN;
        verify_emptiness(a);
        run_all(a);
}

/* What is wanted of that unit is not known: it stays as it is. */
static void on_malformed(RegistryFollow *f _unused_, RegistryKind kind _unused_, const char *unit,
                         const char *machine _unused_, void *userdata) {
        Agent *a = userdata;
        AgentUnit *u;

        if (get_unit(a, unit, &u) < 0)
                a->context.trust = RECONCILE_UNKNOWN;
        else
                agent_unit_set_held(u, "left as it is: its entry in the schedule cannot be read");
}

static const RegistryFollowHandler schedule_handler = {
        .changed = on_schedule,
        .malformed = on_malformed,
};

/* ---- life ------------------------------------------------------------------------------------ */

static int make_sources(Agent *a) {
        int r;

        r = event_defer_new(a->options.event, "agent-collect", on_collect, a, &a->collect);
        if (r >= 0)
                r = event_timer_new(a->options.event, "agent-rest", on_rest, a, &a->rest);
        if (r < 0)
                return r;
        return event_timer_new(a->options.event, "agent-verify", ask_verify, a, &a->verify_retry);
}

int agent_new(const AgentOptions *options, Agent **ret, Error *reterr) {
        _cleanup_(agent_freep) Agent *a = mem_new(Agent);
        int r;

        if (!a)
                return -ENOMEM;
        a->options = *options;
        a->verify_backoff = BACKOFF_INIT(AGENT_RETRY_MIN_USEC, AGENT_RETRY_MAX_USEC,
                                         (uint64_t) (uintptr_t) a);
        a->machine_id = str_dup(options->machine_id);
        a->configured_driver = str_dup(options->driver);
        a->units = map_new(free_unit);
        if (!a->machine_id || !a->configured_driver || !a->units)
                return -ENOMEM;
        a->context = (AgentContext){
                .event = options->event,
                .machine_id = a->machine_id,
                .choose = choose_driver,
                .publish = publish_state,
                .settled = on_settled,
                .userdata = a,
        };
        r = contents_new(options->registry, on_content, a, &a->context.contents);
        if (r >= 0)
                r = make_sources(a);
        if (r >= 0)
                r = bring_up_drivers(a, reterr);
        if (r >= 0)
                r = registry_follow(options->registry, options->event, REGISTRY_PLACEMENT,
                                    a->machine_id, &schedule_handler, a, &a->follow, reterr);
        if (r < 0)
                return error_fill(reterr, r);
        *ret = TAKE_PTR(a);
        return 0;
}

Agent *agent_free(Agent *a) {
        if (!a)
                return NULL;
        a->follow = registry_follow_free(a->follow);
        a->verify = registry_call_free(a->verify);
        a->context.contents = contents_free(a->context.contents);
        a->drivers = agent_drivers_free(a->drivers);
        a->units = map_free(a->units); /* after the drivers, whose answers they wait for */
        a->collect = event_drop(a->collect);
        a->rest = event_drop(a->rest);
        strv_done(&a->settled);
        a->verify_retry = event_drop(a->verify_retry);
        a->machine_id = mem_free(a->machine_id);
        a->configured_driver = mem_free(a->configured_driver);
        return mem_free(a);
}

int agent_set_driver(Agent *a, const char *driver) {
        int r;

        if (str_eq(a->configured_driver, driver))
                return 0;
        r = str_replace(&a->configured_driver, driver);
        if (r < 0)
                return r;
        run_all(a);
        return 0;
}

void agent_stop(Agent *a, void (*fn)(void *userdata), void *userdata) {
        a->context.stopping = true;
        a->stopped = fn;
        a->stopped_userdata = userdata;
        run_all(a);
}

bool agent_release(Agent *a, const char *unit) {
        AgentUnit *u = map_get(a->units, unit);

        if (!u || !agent_unit_is_held(u))
                return false;
        agent_unit_set_held(u, NULL);
        agent_unit_run_now(u);
        return true;
}

/* ---- what others ask ------------------------------------------------------------------------- */

void agent_metrics(const Agent *a, AgentMetrics *ret) {
        const char *name;
        AgentUnit *u;

        *ret = (AgentMetrics){
                .steps_done = a->context.steps_done,
                .steps_failed = a->context.steps_failed,
        };
        MAP_FOREACH (name, u, a->units)
                ret->units += agent_unit_is_there(u) ? 1 : 0;
}

bool agent_has_unit(const Agent *a, const char *unit) {
        const AgentUnit *u = map_get(a->units, unit);

        return u && agent_unit_is_there(u);
}

int agent_to_json(const Agent *a, json_t **ret_agent, json_t **ret_generator) {
        _cleanup_json_ json_t *targets = json_object(), *subscribed = json_array();
        _cleanup_(strv_done) Strv names = STRV_INIT;
        json_t *agent;

        if (map_keys_sorted(a->units, &names) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < names.n; i++) {
                const AgentUnit *u = map_get(a->units, names.items[i]);

                if (!agent_unit_is_there(u))
                        continue;
                if (json_object_set_new(targets, names.items[i],
                                        json_string(agent_unit_target(u))) < 0 ||
                    json_array_append_new(subscribed, json_string(names.items[i])) < 0)
                        return -ENOMEM;
        }
        agent = json_pack("{s:{s:O}}", "Cache", "TargetStates", targets);
        *ret_generator = json_pack("{s:O}", "Subscribed", subscribed);
        if (!agent || !*ret_generator) {
                json_decref(agent);
                json_decref(*ret_generator);
                return -ENOMEM;
        }
        *ret_agent = agent;
        return 0;
}

int agent_logs(Agent *a, const char *unit, const DriverLogOptions *options, DriverLogLineFn line_fn,
               DriverLogEndFn end_fn, void *userdata, AgentLog **ret, Error *reterr) {
        _cleanup_(agent_log_freep) AgentLog *l = mem_new(AgentLog);
        AgentUnit *u = map_get(a->units, unit);
        Driver *d = u ? agent_unit_driver(u) : NULL;
        int r;

        if (!l)
                return -ENOMEM;
        if (!d)
                return error_set(reterr, -ENOENT, "unit '%s' is not loaded on this machine", unit);
        l->type = d->type;
        r = d->type->logs(d, unit, options, line_fn, end_fn, userdata, &l->log, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

AgentLog *agent_log_free(AgentLog *l) {
        if (!l)
                return NULL;
        if (l->log)
                l->log = l->type->log_free(l->log);
        return mem_free(l);
}
