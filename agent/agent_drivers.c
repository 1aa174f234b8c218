#include "agent/agent_drivers.h"

#include "drivers/driver_registry.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

#define ADOPT_RETRY_MIN_USEC (500 * USEC_PER_MSEC)
#define ADOPT_RETRY_MAX_USEC (30 * USEC_PER_SEC)

/* One driver and how far it has told what is there. */
typedef struct AgentDriver {
        AgentDrivers *drivers;
        Driver *driver;
        bool answered; /* has said whether its engine answers, for the first time */
        bool available, adopting, adopted;
        sd_event_source *retry; /* of asking what is there */
        Backoff backoff;
} AgentDriver;

struct AgentDrivers {
        AgentDriversOptions options;
        AgentDriver *items;
        size_t n;
        unsigned undecided;
        Strv available;
};

static void changed(AgentDrivers *ds) {
        strv_done(&ds->available);
        ds->undecided = 0;
        for (size_t i = 0; i < ds->n; i++) {
                const AgentDriver *d = &ds->items[i];

                if (!d->answered || (d->available && !d->adopted))
                        ds->undecided++;
                if (d->available && d->adopted &&
                    strv_push(&ds->available, d->driver->type->name) < 0)
                        log_error("out of memory: driver '%s' is not used", d->driver->type->name);
        }
        strv_sort(&ds->available);
        ds->options.changed(ds->options.userdata);
}

static void on_adopted(Driver *driver, int r, const DriverFound *found, size_t n,
                       const Error *error, void *userdata) {
        AgentDriver *d = userdata;
        AgentDrivers *ds = d->drivers;

        d->adopting = false;
        if (r < 0) {
                log_warning("driver '%s' cannot say what runs here, asking again: %s",
                            driver->type->name, error_text(error));
                (void) event_timer_arm(d->retry, backoff_next(&d->backoff));
                return;
        }
        backoff_reset(&d->backoff);
        d->adopted = true;
        for (size_t i = 0; i < n; i++)
                ds->options.found(driver, &found[i], ds->options.userdata);
        changed(ds);
}

static void adopt(void *userdata) {
        AgentDriver *d = userdata;
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (!d->available || d->adopting || d->adopted)
                return;
        d->adopting = true;
        r = d->driver->type->adopt(d->driver, on_adopted, d, &error);
        if (r < 0) {
                error_fill(&error, r);
                on_adopted(d->driver, r, NULL, 0, &error, d);
        }
}

static void on_available(Driver *driver, bool available, const Error *why_not, void *userdata) {
        AgentDriver *d = userdata;

        if (available)
                log_info("driver '%s' is available", driver->type->name);
        else
                log_notice("driver '%s' is not available: %s", driver->type->name,
                           error_text(why_not));
        d->answered = true;
        d->available = available;
        event_timer_disarm(d->retry);
        adopt(d);
        changed(d->drivers);
}

static void on_state(const char *unit, const UnitState *state, void *userdata) {
        AgentDriver *d = userdata;
        AgentDrivers *ds = d->drivers;

        ds->options.state(d->driver, unit, state, ds->options.userdata);
}

static int bring_up(AgentDrivers *ds, const DriverType *type, AgentDriver *d, Error *reterr) {
        DriverOptions o = ds->options.driver_options;
        int r;

        *d = (AgentDriver){
                .drivers = ds,
                .backoff = BACKOFF_INIT(ADOPT_RETRY_MIN_USEC, ADOPT_RETRY_MAX_USEC,
                                        (uint64_t) (uintptr_t) d),
        };
        r = event_timer_new(o.event, "driver-adopt", adopt, d, &d->retry);
        if (r < 0)
                return r;
        o.state_fn = on_state;
        o.available_fn = on_available;
        o.userdata = d;
        r = type->new (&o, &d->driver, reterr);
        if (r < 0) {
                error_prefix(reterr, "cannot bring up driver '%s'", type->name);
                d->retry = event_drop(d->retry);
        }
        return r;
}

int agent_drivers_new(const AgentDriversOptions *options, AgentDrivers **ret, Error *reterr) {
        _cleanup_(agent_drivers_freep) AgentDrivers *ds = mem_new(AgentDrivers);
        size_t n = 0;
        int r;

        if (!ds)
                return -ENOMEM;
        ds->options = *options;
        while (options->types[n])
                n++;
        ds->items = mem_new_array(AgentDriver, n + 1);
        if (!ds->items)
                return -ENOMEM;
        for (; ds->n < n; ds->n++) {
                r = bring_up(ds, options->types[ds->n], &ds->items[ds->n], reterr);
                if (r < 0)
                        return r;
        }
        ds->undecided = (unsigned) n;
        *ret = TAKE_PTR(ds);
        return 0;
}

AgentDrivers *agent_drivers_free(AgentDrivers *ds) {
        if (!ds)
                return NULL;
        for (size_t i = 0; i < ds->n; i++) {
                AgentDriver *d = &ds->items[i];

                d->retry = event_drop(d->retry);
                d->driver = d->driver->type->free(d->driver);
        }
        ds->items = mem_free(ds->items);
        strv_done(&ds->available);
        return mem_free(ds);
}

const Strv *agent_drivers_available(const AgentDrivers *ds) {
        return &ds->available;
}

unsigned agent_drivers_undecided(const AgentDrivers *ds) {
        return ds->undecided;
}

int agent_drivers_choose(const AgentDrivers *ds, const char *unit, const UnitFile *file,
                         const char *configured, Driver **ret, Error *reterr) {
        const DriverType *type = NULL;
        int r;

        r = driver_choose(unit, file, configured, &ds->available, &type, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ds->n; i++) {
                if (str_eq(ds->items[i].driver->type->name, type->name)) {
                        *ret = ds->items[i].driver;
                        return 0;
                }
        }
        return error_set(reterr, -ENOENT, "driver '%s' is not there", type->name);
}
