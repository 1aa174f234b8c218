#include "scheduler/engine.h"

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "scheduler/engine_internal.h"

/*
 * Passes: however many changes a turn of the loop brought, the core is asked once, and its plan is applied in
 * fenced transactions. The next pass waits until the watch has shown what this one wrote, so that the core
 * never takes its own past for news.
 */

#define RETRY_MIN_USEC (50 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (5 * USEC_PER_SEC)

/* A plan that changed nothing in the store is confirmed by nobody. */
#define CONFIRM_USEC (200 * USEC_PER_MSEC)

void engine_wake(Engine *e) {
        (void) event_defer_trigger(e->pass_source);
}

static void stop_acting(Engine *e) {
        e->follow = registry_follow_free(e->follow);
        e->applying = registry_call_free(e->applying);
        e->collecting = registry_call_free(e->collecting);
        e->plan = core_plan_free(e->plan);
        event_timer_disarm(e->presence_timer);
        event_timer_disarm(e->retry_timer);
        event_timer_disarm(e->confirm_timer);
        engine_view_drop(e);
}

void engine_start_over(Engine *e, int r, const Error *error) {
        log_warning("engine: %s; reading everything anew",
                    error ? error_text(error) : strerror(-r));
        stop_acting(e);
        (void) event_timer_arm(e->retry_timer, backoff_next(&e->backoff));
}

static void begin(Engine *e) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        r = engine_view_new(e);
        if (r >= 0)
                r = registry_follow(e->options.registry, e->options.event,
                                    REGISTRY_UNIT | REGISTRY_PLACEMENT | REGISTRY_MACHINE |
                                            REGISTRY_REASON,
                                    NULL, &engine_follow_handler, e, &e->follow, &error);
        if (r < 0)
                engine_start_over(e, r, error.code ? &error : NULL);
}

static void on_retry(void *userdata) {
        Engine *e = userdata;

        if (e->leader != 0)
                begin(e);
}

/* ---- leading ---- */

static void on_elected(int64_t leader_revision, void *userdata) {
        Engine *e = userdata;

        e->leader = leader_revision;
        e->metrics.leads = true;
        e->metrics.leader_since_usec = clock_realtime_usec();
        backoff_reset(&e->backoff);
        begin(e);
}

static void on_deposed(void *userdata) {
        Engine *e = userdata;

        e->leader = 0;
        e->metrics.leads = false;
        e->metrics.leader_since_usec = 0;
        stop_acting(e);
}

static const ElectionHandler election_handler = { .elected = on_elected, .deposed = on_deposed };

/* ---- applying a plan ---- */

static void count_step(Engine *e, const CoreStep *s) {
        log_full(LOG_LEVEL_INFO, (&(const LogFields){ .unit = s->unit, .machine = s->machine }),
                 "engine: %s unit %s %s machine %s: %s",
                 s->type == CORE_PUT ? "scheduled" : "unscheduled", s->unit,
                 s->type == CORE_PUT ? "to" : "from", s->machine, s->why);
        if (s->type == CORE_PUT)
                e->metrics.tasks_placed++;
        else
                e->metrics.tasks_unplaced++;
        if (s->type == CORE_REMOVE && strstr(s->why, "unable to run unit"))
                e->metrics.failures_run++;
}

static void count_reason(Engine *e, const CoreReason *r) {
        if (!r->text)
                return;
        e->metrics.failures_schedule++;
        log_unit(LOG_LEVEL_NOTICE, r->unit, "engine: unit %s cannot be scheduled: %s", r->unit,
                 r->text);
}

static void on_applied(int r, int64_t revision, const Error *error, void *userdata) {
        Engine *e = userdata;

        e->applying = registry_call_free(e->applying);
        if (r == REGISTRY_CONFLICT) {
                log_notice("engine: a plan was refused: another engine leads");
                on_deposed(e);
                election_lost(e->election);
                return;
        }
        if (r < 0) {
                e->metrics.tasks_failed++;
                engine_start_over(e, r, error);
                return;
        }

        backoff_reset(&e->backoff);
        for (size_t i = 0; i < e->plan->n_steps; i++)
                count_step(e, &e->plan->steps[i]);
        for (size_t i = 0; i < e->plan->n_reasons; i++)
                count_reason(e, &e->plan->reasons[i]);
        if (e->plan->n_steps > 0) {
                e->confirm = revision;
                (void) event_timer_arm(e->confirm_timer, CONFIRM_USEC);
        }
        e->plan = core_plan_free(e->plan);
        engine_wake(e);
}

/* The arrays are ours, the strings are borrowed from the core's plan and the maps. */
typedef struct Translation {
        RegistryPlan plan;
        RegistryPlacement *put, *removed;
        RegistryReason *reasons;
        size_t reasons_capacity;
} Translation;

static void translation_done(Translation *t) {
        mem_free(t->put);
        mem_free(t->removed);
        mem_free(t->reasons);
}

static char *lend(const char *s) {
        return (char *) (uintptr_t) s;
}

static int translate_steps(const CorePlan *p, Translation *t) {
        t->put = mem_new_array(RegistryPlacement, p->n_steps);
        t->removed = mem_new_array(RegistryPlacement, p->n_steps);
        if (!t->put || !t->removed)
                return -ENOMEM;

        for (size_t i = 0; i < p->n_steps; i++) {
                const CoreStep *s = &p->steps[i];
                RegistryPlacement *to = s->type == CORE_PUT ? &t->put[t->plan.n_put++]
                                                            : &t->removed[t->plan.n_removed++];

                *to = (RegistryPlacement){
                        .unit = lend(s->unit),
                        .machine = lend(s->machine),
                        .desired = s->desired,
                        .generation = s->generation,
                };
                memcpy(to->hash, s->hash, SHA1_HEX_SIZE);
        }
        return 0;
}

/* text NULL = none. What the registry says already is left out. */
static int add_reason(Engine *e, Translation *t, const char *unit, const char *text) {
        if (str_eq(map_get(e->reasons, unit), text))
                return 0;
        if (mem_grow(&t->reasons, &t->reasons_capacity, t->plan.n_reasons + 1,
                     sizeof(RegistryReason)) < 0)
                return -ENOMEM;

        t->reasons[t->plan.n_reasons++] = (RegistryReason){ lend(unit), lend(text) };
        return 0;
}

static bool has_reason(const CorePlan *p, const char *unit) {
        size_t low = 0, high = p->n_reasons;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(p->reasons[middle].unit, unit);

                if (order == 0)
                        return true;
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return false;
}

/* What a leader before us has left behind, and is true no more. */
static int take_back_reasons(Engine *e, const CorePlan *p, Translation *t) {
        const char *unit;
        char *text;
        int r = 0;

        MAP_FOREACH (unit, text, e->reasons) {
                (void) text;
                if (r >= 0 && !has_reason(p, unit) && !map_get(e->sayings, unit))
                        r = add_reason(e, t, unit, NULL);
        }
        return r;
}

/* One that is to be taken back ("") is still in the registry's picture, whose strings live on. */
static int add_sayings(Engine *e, const CorePlan *p, Translation *t) {
        const char *unit;
        char *text, *said;
        int r = 0;

        MAP_FOREACH (unit, text, e->sayings)
                if (r >= 0 && text[0] && !has_reason(p, unit))
                        r = add_reason(e, t, unit, text);
        MAP_FOREACH (unit, said, e->reasons) {
                const char *now = map_get(e->sayings, unit);

                (void) said;
                if (r < 0 || !now || now[0])
                        continue;
                if (!has_reason(p, unit))
                        r = add_reason(e, t, unit, NULL);
                (void) map_remove(e->sayings, unit); /* from now on the core speaks for the unit */
        }
        return r;
}

static int translate(Engine *e, const CorePlan *p, Translation *t) {
        int r;

        r = translate_steps(p, t);
        for (size_t i = 0; r >= 0 && i < p->n_reasons; i++)
                r = add_reason(e, t, p->reasons[i].unit, p->reasons[i].text);
        if (r >= 0)
                r = add_sayings(e, p, t);
        if (r >= 0 && e->first_pass)
                r = take_back_reasons(e, p, t);
        if (r < 0)
                return r;

        e->first_pass = false;
        t->plan.put = t->put;
        t->plan.removed = t->removed;
        t->plan.reasons = t->reasons;
        return 0;
}

static int apply(Engine *e) {
        _cleanup_(translation_done) Translation t = { 0 };
        int r;

        r = translate(e, e->plan, &t);
        if (r < 0)
                return r;
        if (t.plan.n_put + t.plan.n_removed + t.plan.n_reasons == 0) {
                e->plan = core_plan_free(e->plan);
                engine_collect_run(e);
                return 0;
        }
        return registry_plan_apply(e->options.registry, &t.plan, e->leader, on_applied, e,
                                   &e->applying, NULL);
}

/* ---- the pass ---- */

static bool is_ready(Engine *e) {
        if (e->leader == 0 || !e->fed || e->applying || e->empty)
                return false;
        if (e->loading && (e->n_waiting > 0 || e->n_fetching > 0))
                return false;
        e->loading = false;
        if (e->confirm > e->places_revision)
                return false;
        event_timer_disarm(e->confirm_timer);
        return true;
}

static void on_pass(void *userdata) {
        Engine *e = userdata;
        int r;

        if (!is_ready(e))
                return;

        r = engine_presence_check(e);
        if (r >= 0)
                r = core_plan(e->core, &e->plan);
        if (r >= 0) {
                e->metrics.passes++;
                r = apply(e);
        }
        if (r < 0)
                engine_start_over(e, r, NULL);
}

static void on_unconfirmed(void *userdata) {
        Engine *e = userdata;

        e->confirm = 0;
        engine_wake(e);
}

/* ---- life ---- */

static int new_sources(Engine *e) {
        sd_event *event = e->options.event;
        int r;

        r = event_defer_new(event, "engine-pass", on_pass, e, &e->pass_source);
        if (r >= 0)
                r = event_timer_new(event, "engine-presence", engine_presence_timer, e,
                                    &e->presence_timer);
        if (r >= 0)
                r = event_timer_new(event, "engine-retry", on_retry, e, &e->retry_timer);
        if (r >= 0)
                r = event_timer_new(event, "engine-confirm", on_unconfirmed, e, &e->confirm_timer);
        return r;
}

int engine_new(const EngineOptions *options, Engine **ret, Error *reterr) {
        _cleanup_(engine_freep) Engine *e = NULL;
        int r;

        e = mem_new(Engine);
        if (!e)
                return error_fill(reterr, -ENOMEM);

        *e = (Engine){
                .options = *options,
                .machine_id = str_dup(options->machine_id),
                .version = str_dup(options->version),
                .backoff = BACKOFF_INIT(RETRY_MIN_USEC, RETRY_MAX_USEC, clock_boottime_usec()),
        };
        list_init(&e->fetch_queue);
        if (!e->machine_id || !e->version)
                return error_fill(reterr, -ENOMEM);

        r = new_sources(e);
        if (r < 0)
                return error_fill(reterr, r);

        r = election_new(
                &(ElectionOptions){
                        .event = options->event,
                        .registry = options->registry,
                        .machine_id = e->machine_id,
                        .version = e->version,
                        .ttl_usec = options->lease_ttl_usec,
                        .handler = &election_handler,
                        .userdata = e,
                },
                &e->election, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(e);
        return 0;
}

Engine *engine_free(Engine *e) {
        if (!e)
                return NULL;

        stop_acting(e);
        election_free(e->election);
        event_drop(e->pass_source);
        event_drop(e->presence_timer);
        event_drop(e->retry_timer);
        event_drop(e->confirm_timer);
        mem_free(e->ineligible);
        mem_free(e->machine_id);
        mem_free(e->version);
        return mem_free(e);
}

void engine_resign(Engine *e, void (*fn)(void *userdata), void *userdata) {
        on_deposed(e);
        election_resign(e->election, fn, userdata);
}

void engine_metrics(const Engine *e, EngineMetrics *ret) {
        *ret = e->metrics;
}
