#include "drivers/fake/fake_driver.h"

#include "drivers/fake/fake_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"

static FakeDriver *fake(Driver *d) {
        return CONTAINER_OF(d, FakeDriver, base);
}

/* ---- operations that are through ---------------------------------------------------------------- */

static FakeCall *call_free(FakeCall *c) {
        list_remove(&c->link);
        error_done(&c->error);
        mem_free(c->unit);
        return mem_free(c);
}

static void on_calls(void *userdata) {
        FakeDriver *d = userdata;

        while (!list_is_empty(&d->calls)) {
                FakeCall *c = CONTAINER_OF(d->calls.next, FakeCall, link);
                DriverDoneFn fn = c->fn;

                list_remove(&c->link);
                fn(c->unit, c->r, c->r < 0 ? &c->error : NULL, c->userdata);
                (void) call_free(c);
        }
}

/* Calls fn from the loop. Takes what it needs of `why`. */
static int call_later(FakeDriver *d, const char *unit, int r, const char *why, FakeCall with) {
        FakeCall *c = mem_new(FakeCall);

        if (!c)
                return -ENOMEM;

        *c = (FakeCall){ .unit = str_dup(unit), .r = r, .fn = with.fn, .userdata = with.userdata };
        if (!c->unit) {
                (void) call_free(c);
                return -ENOMEM;
        }
        if (r < 0)
                (void) error_set(&c->error, r, "%s", why ? why : strerror(-r));
        list_append(&d->calls, &c->link);
        return event_defer_trigger(d->calls_defer);
}

static void end_operation(FakeUnit *u, int r, const char *why) {
        FakeCall with = { .fn = u->done_fn, .userdata = u->done_userdata };

        if (!u->done_fn)
                return;

        u->done_fn = NULL;
        (void) call_later(u->driver, u->name, r, why, with); /* without memory nobody can be told */
}

/* The later operation wins. */
static void begin_operation(FakeUnit *u, DriverDoneFn fn, void *userdata) {
        end_operation(u, -ECANCELED, "overtaken by a later operation");
        u->done_fn = fn;
        u->done_userdata = userdata;
        u->is_load = u->unloading = false;
        (void) event_defer_trigger(u->changed);
}

void fake_unit_settled(FakeUnit *u) {
        FakeDriver *d = u->driver;
        ServiceState state = service_state(u->service);
        bool up = service_has_main(u->service) && state == SERVICE_RUNNING;

        if (up)
                (void) fake_store_put(u); /* tests look whether it is found again */
        else
                fake_store_remove(d, u->name);

        if (service_job_pending(u->service))
                return;

        if (!u->unloading) {
                int r = u->is_load ? 0 : service_job_result(u->service);

                end_operation(u, r, service_message(u->service));
                return;
        }
        if (state != SERVICE_DEAD && state != SERVICE_FAILED)
                return;

        end_operation(u, 0, NULL);
        fake_logs_forget(d, u->name);
        (void) map_steal(d->units, u->name);
        d->state_fn(u->name, NULL, d->userdata);
        (void) fake_unit_free(u);
}

/* ---- life --------------------------------------------------------------------------------------- */

static int fake_claim(const char *unit, const UnitFile *file, Error *reterr) {
        _cleanup_(service_config_freep) ServiceConfig *c = NULL;
        int r;

        r = service_config_parse(unit, file, NULL, &c, reterr);
        if (r < 0)
                return r;
        if (c->type == SERVICE_TYPE_FORKING)
                return error_set(reterr, -EINVAL, "Type=forking is not supported");

        return DRIVER_CLAIMS;
}

static void on_available(void *userdata) {
        FakeDriver *d = userdata;
        _cleanup_error_ Error why = ERROR_INIT;

        if (!d->available)
                (void) error_set(&why, -ENOTCONN, "the test says so");
        d->available_fn(&d->base, d->available, d->available ? NULL : &why, d->userdata);
}

void fake_driver_set_available(Driver *driver, bool available) {
        FakeDriver *d = fake(driver);

        d->available = available;
        (void) event_defer_trigger(d->available_defer);
}

int fake_driver_end_main(Driver *driver, const char *unit, int exit_status) {
        FakeUnit *u = map_get(fake(driver)->units, unit);

        if (!u || !u->runs[SERVICE_MAIN].runs)
                return -ESRCH;

        fake_unit_end(u, SERVICE_MAIN, exit_status);
        return 0;
}

static void *unit_free(void *u) {
        return fake_unit_free(u);
}

static void *found_free(void *f) {
        return fake_found_free(f);
}

static Driver *fake_free(Driver *driver) {
        FakeDriver *d;

        if (!driver)
                return NULL;

        d = fake(driver);
        fake_logs_forget(d, NULL);
        d->available_defer = event_drop(d->available_defer);
        d->calls_defer = event_drop(d->calls_defer);
        d->adopt_defer = event_drop(d->adopt_defer);
        LIST_FOREACH (FakeCall, c, &d->calls, link)
                (void) call_free(c);
        (void) map_free(d->units);
        (void) map_free(d->found);
        mem_free(d->machine_id);
        mem_free(d->directory);
        (void) sd_event_unref(d->event);
        return mem_free(d);
}

static void driver_freep(Driver **d) {
        (void) fake_free(*d);
}

static void on_adopt(void *userdata);

static int make(FakeDriver *d, const DriverOptions *o) {
        int r;

        d->units = map_new(unit_free);
        d->found = map_new(found_free);
        d->machine_id = str_dup(o->machine_id ? o->machine_id : "");
        if (!d->units || !d->found || !d->machine_id)
                return -ENOMEM;

        if (o->state_directory) {
                d->directory = str_printf("%s/fake", o->state_directory);
                if (!d->directory)
                        return -ENOMEM;

                r = fs_mkdir_p(d->directory, 0700);
                if (r < 0)
                        return r;
        }

        r = event_defer_new(d->event, "fake-available", on_available, d, &d->available_defer);
        if (r >= 0)
                r = event_defer_new(d->event, "fake-calls", on_calls, d, &d->calls_defer);
        if (r >= 0)
                r = event_defer_new(d->event, "fake-adopt", on_adopt, d, &d->adopt_defer);
        if (r >= 0)
                r = event_defer_trigger(d->available_defer);
        return r;
}

static int fake_new(const DriverOptions *options, Driver **ret, Error *reterr) {
        _cleanup_(driver_freep) Driver *driver = NULL;
        FakeDriver *d = mem_new(FakeDriver);
        int r;

        if (!d)
                return error_fill(reterr, -ENOMEM);

        *d = (FakeDriver){ .base.type = &fake_driver_type,
                           .event = sd_event_ref(options->event),
                           .state_fn = options->state_fn,
                           .available_fn = options->available_fn,
                           .userdata = options->userdata,
                           .available = true };
        list_init(&d->calls);
        list_init(&d->logs);
        driver = &d->base;
        r = make(d, options);
        if (r < 0)
                return error_fill(reterr, r);

        *ret = TAKE_PTR(driver);
        return 0;
}

/* ---- adoption ----------------------------------------------------------------------------------- */

static int list_found(FakeDriver *d, DriverFound **ret, size_t *ret_n) {
        _cleanup_(strv_done) Strv names = STRV_INIT;
        DriverFound *list;
        int r;

        r = map_keys_sorted(d->found, &names);
        if (r < 0)
                return r;

        list = mem_new_array(DriverFound, names.n);
        if (!list)
                return -ENOMEM;

        for (size_t i = 0; i < names.n; i++) {
                const FakeFound *f = map_get(d->found, names.items[i]);

                list[i] = (DriverFound){ .unit = f->unit,
                                         .hash = f->hash,
                                         .generation = f->generation,
                                         .state = f->state };
        }
        *ret = list;
        *ret_n = names.n;
        return 0;
}

static void on_adopt(void *userdata) {
        FakeDriver *d = userdata;
        _cleanup_free_ DriverFound *list = NULL;
        _cleanup_error_ Error why = ERROR_INIT;
        size_t n = 0;
        int r;

        r = d->available ? fake_store_read(d) : -ENOTCONN;
        if (r >= 0)
                r = list_found(d, &list, &n);
        if (r < 0) {
                map_clear(d->found);
                (void) error_fill(&why, r);
        }
        d->adopt_fn(&d->base, r < 0 ? r : 0, list, n, r < 0 ? &why : NULL, d->adopt_userdata);
}

static int fake_adopt(Driver *driver, DriverAdoptFn fn, void *userdata, Error *reterr) {
        FakeDriver *d = fake(driver);
        int r;

        d->adopt_fn = fn;
        d->adopt_userdata = userdata;
        r = event_defer_trigger(d->adopt_defer);
        return r < 0 ? error_fill(reterr, r) : 0;
}

/* ---- operations --------------------------------------------------------------------------------- */

/* It was found running with the same content: it is taken up as it runs. */
static void take_up(FakeUnit *u) {
        const FakeFound *f = map_get(u->driver->found, u->name);

        if (f && str_eq(f->hash, u->hash)) {
                u->runs[SERVICE_MAIN].runs = true;
                service_adopt(u->service, true, 0);
        }
        (void) map_remove(u->driver->found, u->name);
}

static int load_new(FakeDriver *d, const DriverUnit *unit, FakeUnit **ret, Error *reterr) {
        const FakeFound *f = map_get(d->found, unit->name);
        _cleanup_(fake_unit_freep) FakeUnit *u = NULL;
        int r;

        if (f && !str_eq(f->hash, unit->hash))
                return error_set(reterr, -EEXIST, "'%s' runs with another content", unit->name);
        if (map_count(d->units) >= FAKE_UNITS_MAX)
                return error_set(reterr, -E2BIG, "more than %d units", FAKE_UNITS_MAX);

        r = fake_unit_new(d, unit, &u, reterr);
        if (r < 0)
                return r;

        r = map_put(d->units, unit->name, u);
        if (r < 0)
                return error_fill(reterr, r);

        take_up(u);
        *ret = TAKE_PTR(u);
        return 0;
}

static int fake_load(Driver *driver, const DriverUnit *unit, DriverDoneFn fn, void *userdata,
                     Error *reterr) {
        FakeDriver *d = fake(driver);
        FakeUnit *u = map_get(d->units, unit->name);
        int r = 0;

        if (u && !str_eq(u->hash, unit->hash))
                return error_set(reterr, -EEXIST, "'%s' is loaded with another content",
                                 unit->name);
        if (!u)
                r = load_new(d, unit, &u, reterr);
        if (!u)
                return r;

        u->generation = unit->generation;
        begin_operation(u, fn, userdata);
        u->is_load = true;
        return 0;
}

/* NULL: it is not there (-ESRCH in reterr). */
static FakeUnit *find(Driver *driver, const char *unit, Error *reterr) {
        FakeUnit *u = map_get(fake(driver)->units, unit);

        if (!u)
                (void) error_set(reterr, -ESRCH, "'%s' is not loaded", unit);
        return u;
}

/* -EAGAIN and -EALREADY are told by the job's end. */
static int fake_start(Driver *driver, const char *unit, DriverDoneFn fn, void *userdata,
                      Error *reterr) {
        FakeUnit *u = find(driver, unit, reterr);

        if (!u)
                return -ESRCH;

        begin_operation(u, fn, userdata);
        (void) service_start(u->service, NULL);
        return 0;
}

static int fake_stop(Driver *driver, const char *unit, DriverDoneFn fn, void *userdata,
                     Error *reterr) {
        FakeUnit *u = find(driver, unit, reterr);

        if (!u)
                return -ESRCH;

        begin_operation(u, fn, userdata);
        return service_stop(u->service);
}

static int fake_restart(Driver *driver, const char *unit, DriverDoneFn fn, void *userdata,
                        Error *reterr) {
        FakeUnit *u = find(driver, unit, reterr);

        if (!u)
                return -ESRCH;

        begin_operation(u, fn, userdata);
        (void) service_restart(u->service, NULL);
        return 0;
}

static int fake_reload(Driver *driver, const char *unit, DriverDoneFn fn, void *userdata,
                       Error *reterr) {
        FakeUnit *u = find(driver, unit, reterr);
        int r;

        if (!u)
                return -ESRCH;

        r = service_reload(u->service, reterr);
        if (r < 0)
                return r;

        begin_operation(u, fn, userdata);
        return 0;
}

static int fake_unload(Driver *driver, const char *unit, DriverDoneFn fn, void *userdata,
                       Error *reterr) {
        FakeDriver *d = fake(driver);
        FakeUnit *u = map_get(d->units, unit);

        if (!u && !map_get(d->found, unit))
                return error_set(reterr, -ESRCH, "'%s' is not loaded", unit);
        if (!u) {
                FakeCall with = { .fn = fn, .userdata = userdata };
                int r;

                fake_store_remove(d, unit);
                (void) map_remove(d->found, unit);
                r = call_later(d, unit, 0, NULL, with);
                return r < 0 ? error_fill(reterr, r) : 0;
        }

        begin_operation(u, fn, userdata);
        u->unloading = true;
        return service_stop(u->service);
}

static const UnitState *fake_inspect(Driver *driver, const char *unit) {
        const FakeUnit *u = map_get(fake(driver)->units, unit);

        return u ? u->state : NULL;
}

const DriverType fake_driver_type = { .name = "fake",
                                      .claim = fake_claim,
                                      .new = fake_new,
                                      .free = fake_free,
                                      .adopt = fake_adopt,
                                      .load = fake_load,
                                      .start = fake_start,
                                      .stop = fake_stop,
                                      .restart = fake_restart,
                                      .reload = fake_reload,
                                      .unload = fake_unload,
                                      .inspect = fake_inspect,
                                      .logs = fake_logs,
                                      .log_free = fake_log_free };
