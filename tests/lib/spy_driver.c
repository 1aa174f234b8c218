#include "tests/lib/spy_driver.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

typedef struct SpyOperation {
        ListLink link;
        char *name; /* load, start, … */
        char *unit;
        DriverDoneFn fn;
        void *userdata;
        bool finished;
        int r;
} SpyOperation;

struct SpyDriver {
        Driver base;
        DriverOptions options;
        SpySetup setup;
        bool available;
        Buf asked;
        ListLink operations;
        Map *states; /* unit -> UnitState */
        sd_event_source *tick;
        bool told_available;
        DriverAdoptFn adopt_fn;
        void *adopt_userdata;
        char fail_operation[16], fail_unit[64];
        int fail_r;
        unsigned fail_n;
};

static SpySetup next_setup;
static SpyDriver *last;

SpyDriver *spy_driver_get(void) {
        return last;
}

void spy_driver_setup(const SpySetup *setup) {
        next_setup = *setup;
}

static void *free_state(void *s) {
        return unit_state_free(s);
}

static SpyOperation *operation_free(SpyOperation *o) {
        list_remove(&o->link);
        mem_free(o->name);
        mem_free(o->unit);
        return mem_free(o);
}

/* ---- states ---------------------------------------------------------------------------------- */

static UnitState *make_state(const SpyDriver *s, const char *unit, const char *active,
                             const char *sub) {
        UnitState *state = unit_state_new(unit, s->options.machine_id);

        ck_assert_int_eq(str_replace(&state->load, "loaded"), 0);
        ck_assert_int_eq(str_replace(&state->active, active), 0);
        ck_assert_int_eq(str_replace(&state->sub, sub), 0);
        return state;
}

void spy_driver_tell(SpyDriver *s, const char *unit, const char *active, const char *sub) {
        UnitState *state = make_state(s, unit, active, sub);

        ck_assert_int_eq(map_put(s->states, unit, state), 0);
        s->options.state_fn(unit, state, s->options.userdata);
}

static void apply(SpyDriver *s, const SpyOperation *o) {
        if (str_eq(o->name, "load") && !map_get(s->states, o->unit))
                spy_driver_tell(s, o->unit, "inactive", "dead");
        else if (str_eq(o->name, "start") || str_eq(o->name, "restart"))
                spy_driver_tell(s, o->unit, "active", "running");
        else if (str_eq(o->name, "stop"))
                spy_driver_tell(s, o->unit, "inactive", "dead");
        else if (str_eq(o->name, "unload")) {
                map_remove(s->states, o->unit);
                s->options.state_fn(o->unit, NULL, s->options.userdata);
        }
}

/* ---- answering ------------------------------------------------------------------------------- */

static void answer(SpyDriver *s, SpyOperation *o) {
        _cleanup_error_ Error error = ERROR_INIT;
        DriverDoneFn fn = o->fn;

        list_remove(&o->link);
        if (o->r == 0)
                apply(s, o);
        else
                error_set(&error, o->r, "%s failed as the test wants", o->name);
        fn(o->unit, o->r, o->r ? &error : NULL, o->userdata);
        operation_free(o);
}

static void answer_adopt(SpyDriver *s) {
        DriverAdoptFn fn = s->adopt_fn;
        _cleanup_(strv_done) Strv words = STRV_INIT;
        DriverFound found[16] = { 0 };
        _cleanup_error_ Error error = ERROR_INIT;
        size_t n = 0;

        s->adopt_fn = NULL;
        if (s->setup.adopt_fails > 0) {
                s->setup.adopt_fails--;
                error_set(&error, -EIO, "the test says so");
                fn(&s->base, -EIO, NULL, 0, &error, s->adopt_userdata);
                return;
        }
        ck_assert_int_eq(strv_split(&words, str_or(s->setup.found, ""), " "), 0);
        for (size_t i = 0; i + 3 < words.n; i += 4) {
                const char *unit = words.items[i], *active = words.items[i + 3];
                UnitState *state = make_state(s, unit, active,
                                              str_eq(active, "active") ? "running" : "dead");

                ck_assert_int_eq(map_put(s->states, unit, state), 0);
                found[n] = (DriverFound){ .unit = unit,
                                          .hash = words.items[i + 1],
                                          .state = state };
                ck_assert_int_eq(str_to_u64(words.items[i + 2], &found[n].generation), 0);
                n++;
        }
        fn(&s->base, 0, found, n, NULL, s->adopt_userdata);
}

static void on_tick(void *userdata) {
        SpyDriver *s = userdata;

        if (!s->told_available) {
                s->told_available = true;
                s->options.available_fn(&s->base, s->available, NULL, s->options.userdata);
        }
        if (s->adopt_fn)
                answer_adopt(s);
        LIST_FOREACH (SpyOperation, o, &s->operations, link)
                if (o->finished)
                        answer(s, o);
}

void spy_driver_finish(SpyDriver *s, const char *unit, int r) {
        LIST_FOREACH (SpyOperation, o, &s->operations, link) {
                if (!o->finished && str_eq(o->unit, unit)) {
                        o->finished = true;
                        o->r = r;
                        ck_assert_int_ge(event_defer_trigger(s->tick), 0);
                        return;
                }
        }
        ck_abort_msg("nothing waits on %s", unit);
}

void spy_driver_set_available(SpyDriver *s, bool available) {
        s->available = available;
        s->told_available = false;
        ck_assert_int_ge(event_defer_trigger(s->tick), 0);
}

void spy_driver_fail(SpyDriver *s, const char *operation, const char *unit, int r, unsigned n) {
        (void) snprintf(s->fail_operation, sizeof(s->fail_operation), "%s", operation);
        (void) snprintf(s->fail_unit, sizeof(s->fail_unit), "%s", unit);
        s->fail_r = r;
        s->fail_n = n;
}

char *spy_driver_take(SpyDriver *s) {
        char *text = buf_steal(&s->asked);

        return text;
}

/* ---- being asked ----------------------------------------------------------------------------- */

static int ask(SpyDriver *s, const char *name, const char *unit, DriverDoneFn fn, void *userdata) {
        SpyOperation *o = mem_new(SpyOperation);

        LIST_FOREACH (SpyOperation, old, &s->operations, link) {
                if (str_eq(old->unit, unit) && !old->finished) {
                        old->finished = true;
                        old->r = -ECANCELED;
                }
        }
        *o = (SpyOperation){ .name = str_dup(name),
                             .unit = str_dup(unit),
                             .fn = fn,
                             .userdata = userdata,
                             .finished = !s->setup.manual };
        if (s->fail_n > 0 && str_eq(s->fail_operation, name) && str_eq(s->fail_unit, unit)) {
                s->fail_n--;
                o->finished = true;
                o->r = s->fail_r;
        }
        list_append(&s->operations, &o->link);
        return event_defer_trigger(s->tick);
}

static SpyDriver *spy(Driver *d) {
        return CONTAINER_OF(d, SpyDriver, base);
}

static int spy_load(Driver *d, const DriverUnit *unit, DriverDoneFn fn, void *userdata,
                    Error *reterr _unused_) {
        ck_assert_int_eq(buf_printf(&spy(d)->asked, "load %s %.4s %" PRIu64 "|", unit->name,
                                    unit->hash, unit->generation),
                         0);
        return ask(spy(d), "load", unit->name, fn, userdata);
}

#define OPERATION(operation)                                                                       \
        static int spy_##operation(Driver *d, const char *unit, DriverDoneFn fn, void *userdata,   \
                                   Error *reterr _unused_) {                                       \
                ck_assert_int_eq(buf_printf(&spy(d)->asked, #operation " %s|", unit), 0);          \
                return ask(spy(d), #operation, unit, fn, userdata);                                \
        }

OPERATION(start)
OPERATION(stop)
OPERATION(restart)
OPERATION(reload)
OPERATION(unload)

static int spy_adopt(Driver *d, DriverAdoptFn fn, void *userdata, Error *reterr _unused_) {
        SpyDriver *s = spy(d);

        s->adopt_fn = fn;
        s->adopt_userdata = userdata;
        return event_defer_trigger(s->tick);
}

static const UnitState *spy_inspect(Driver *d, const char *unit) {
        return map_get(spy(d)->states, unit);
}

static int spy_claim(const char *unit _unused_, const UnitFile *file _unused_,
                     Error *reterr _unused_) {
        return DRIVER_CLAIMS;
}

static int spy_new(const DriverOptions *options, Driver **ret, Error *reterr _unused_) {
        SpyDriver *s = mem_new(SpyDriver);

        *s = (SpyDriver){ .base.type = &spy_driver_type, .options = *options, .setup = next_setup };
        s->available = !s->setup.unavailable;
        s->states = map_new(free_state);
        list_init(&s->operations);
        ck_assert_int_ge(event_defer_new(options->event, "spy", on_tick, s, &s->tick), 0);
        ck_assert_int_ge(event_defer_trigger(s->tick), 0);
        last = s;
        *ret = &s->base;
        return 0;
}

static Driver *spy_free(Driver *d) {
        SpyDriver *s = spy(d);

        LIST_FOREACH (SpyOperation, o, &s->operations, link)
                operation_free(o);
        s->tick = event_drop(s->tick);
        s->states = map_free(s->states);
        buf_done(&s->asked);
        last = NULL;
        return mem_free(s);
}

const DriverType spy_driver_type = {
        .name = "fake",
        .claim = spy_claim,
        .new = spy_new,
        .free = spy_free,
        .adopt = spy_adopt,
        .load = spy_load,
        .start = spy_start,
        .stop = spy_stop,
        .restart = spy_restart,
        .reload = spy_reload,
        .unload = spy_unload,
        .inspect = spy_inspect,
};
