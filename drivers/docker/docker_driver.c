#include "drivers/docker/docker_driver.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "drivers/docker/docker_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "specs/specifier.h"

/* A done_fn that is to be called. */
typedef struct Completion {
        ListLink link;
        char *unit;
        DriverDoneFn fn;
        void *userdata;
        int r;
        Error error;
} Completion;

static DockerDriver *docker_driver(Driver *d) {
        return CONTAINER_OF(d, DockerDriver, base);
}

/* ---- outward, in the next turn of the loop ------------------------------------------------------ */

void docker_driver_flush_later(DockerDriver *d) {
        /* Switching on a source that exists cannot fail. */
        (void) event_defer_trigger(d->flush);
}

static void completion_free(Completion *c) {
        list_remove(&c->link);
        error_done(&c->error);
        mem_free(c->unit);
        mem_free(c);
}

void docker_driver_complete(DockerDriver *d, const char *unit, DriverDoneFn fn, void *userdata,
                            int r, const char *words) {
        Completion *c;

        if (!fn)
                return;
        c = mem_new(Completion);
        if (!c)
                return; /* the state is told all the same */
        c->unit = str_dup(unit);
        c->fn = fn;
        c->userdata = userdata;
        c->r = r;
        if (r < 0 && words)
                error_set(&c->error, r, "%s", words);
        else if (r < 0)
                error_fill(&c->error, r);
        list_append(&d->completions, &c->link);
        docker_driver_flush_later(d);
}

static void flush_completions(DockerDriver *d) {
        while (!list_is_empty(&d->completions)) {
                Completion *c = CONTAINER_OF(d->completions.next, Completion, link);

                list_remove(&c->link);
                if (c->unit)
                        c->fn(c->unit, c->r, c->r < 0 ? &c->error : NULL, c->userdata);
                completion_free(c);
        }
}

static void flush_available(DockerDriver *d) {
        _cleanup_error_ Error error = ERROR_INIT;
        bool available = docker_engine_is_found(d->engine) && d->synced;

        if (!available && !d->why_not)
                return; /* it is still being looked for the first time */
        if (d->available_known && d->available == available)
                return;
        d->available_known = true;
        d->available = available;
        if (!available)
                error_set(&error, -EHOSTDOWN, "%s", d->why_not);
        if (d->options.available_fn)
                d->options.available_fn(&d->base, available, available ? NULL : &error,
                                        d->options.userdata);
}

static void finish_op(DockerUnit *u, int r, const char *words) {
        docker_driver_complete(u->driver, u->name, u->done_fn, u->done_userdata, r, words);
        u->done_fn = NULL;
}

static void begin_op(DockerUnit *u) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        u->op_waits = false;
        r = u->op(u, &error);
        if (r < 0 && r != -EALREADY)
                finish_op(u, r, error_text(&error));
        docker_unit_changed(u);
}

/* Before the engine was seen, nobody knows what runs; what is being taken away has our name still. */
static bool may_begin(const DockerUnit *u) {
        return u->driver->synced && !docker_removal_pending(u->driver, u->name);
}

static bool is_down(const DockerUnit *u) {
        ServiceState s = service_state(u->service);

        return s == SERVICE_DEAD || s == SERVICE_FAILED;
}

/* Takes the unit out; the map frees it. The unload is done when its containers are gone, too. */
static void forget_unit(DockerUnit *u) {
        DockerDriver *d = u->driver;
        _cleanup_free_ char *name = str_dup(u->name);

        docker_removal_of_unit(d, u->name, u->done_fn, u->done_userdata);
        (void) map_remove(d->units, u->name);
        if (name)
                d->options.state_fn(name, NULL, d->options.userdata);
}

static void publish(DockerUnit *u) {
        UnitState *copy;

        docker_unit_refresh_state(u);
        if (u->published && unit_state_equal(u->published, u->state))
                return;
        copy = unit_state_copy(u->state);
        (void) unit_state_free(u->published);
        u->published = copy; /* out of memory: it is told once too often */
        u->driver->options.state_fn(u->name, u->state, u->driver->options.userdata);
}

/* False: the unit is gone. */
static bool flush_unit(DockerUnit *u) {
        if (u->op_waits && may_begin(u))
                begin_op(u);
        u->dirty = false;
        publish(u);
        if (u->op_waits || service_job_pending(u->service) || u->main.id)
                return true;
        if (u->started && (is_down(u) || service_state(u->service) == SERVICE_EXITED))
                docker_outcome_keep(u);
        if (u->unloading && is_down(u)) {
                forget_unit(u);
                return false;
        }
        return true;
}

static void flush_op(DockerUnit *u) {
        int r;

        if (!u->done_fn || u->op_waits || u->unloading || u->main.ending ||
            service_job_pending(u->service))
                return;
        r = service_job_result(u->service);
        finish_op(u, r, service_message(u->service));
}

static DockerUnit *next_dirty(DockerDriver *d) {
        const char *name;
        DockerUnit *u;

        MAP_FOREACH (name, u, d->units)
                if (u->dirty)
                        return u;
        return NULL;
}

/* state_fn and done_fn may call into the driver: nothing is held over them. */
static void on_flush(void *userdata) {
        DockerDriver *d = userdata;
        DockerUnit *u;

        flush_available(d);
        if (d->adopt_fn && (d->synced || d->why_not))
                docker_adopt_report(d);
        while ((u = next_dirty(d)))
                if (flush_unit(u))
                        flush_op(u);
        flush_completions(d);
}

static void on_lost(const Error *why, void *userdata) {
        DockerDriver *d = userdata;
        const char *name;
        DockerUnit *u;

        (void) str_replace(&d->why_not, error_text(why));
        MAP_FOREACH (name, u, d->units)
                u->dirty = true;
        docker_driver_flush_later(d);
}

static void on_event(const json_t *event, void *userdata) {
        DockerDriver *d = userdata;
        const json_t *actor = json_object_get(event, "Actor");
        const char *name = json_string_value(
                json_object_get(json_object_get(actor, "Attributes"), DOCKER_LABEL_UNIT));
        const char *action = json_string_value(json_object_get(event, "Action"));
        const char *id = json_string_value(json_object_get(actor, "ID"));
        DockerUnit *u = name ? map_get(d->units, name) : NULL;

        if (id && str_eq(action, "destroy"))
                (void) map_remove(d->ended, id);
        if (u)
                docker_main_event(u, event);
}

/* ---- operations --------------------------------------------------------------------------------- */

static int driver_adopt(Driver *driver, DriverAdoptFn fn, void *userdata, _unused_ Error *reterr) {
        DockerDriver *d = docker_driver(driver);

        d->adopt_fn = fn;
        d->adopt_userdata = userdata;
        docker_driver_flush_later(d);
        return 0;
}

static SpecifierHost host_facts(const DockerDriver *d) {
        return (SpecifierHost){ .hostname = d->hostname,
                                .machine_id = d->machine_id,
                                .boot_id = d->boot_id,
                                .kernel_release = d->kernel,
                                .architecture = d->architecture,
                                .user = "root",
                                .user_id = "0",
                                .home = "/root",
                                .shell = "/bin/sh",
                                .runtime_directory = "/run",
                                .state_directory = "/var/lib",
                                .cache_directory = "/var/cache",
                                .log_directory = "/var/log" };
}

static int reload_same(DockerUnit *u, const DriverUnit *unit, Error *reterr) {
        if (!str_eq(u->hash, unit->hash))
                return error_set(reterr, -EEXIST, "unit '%s' is loaded with another content",
                                 unit->name);
        u->generation = unit->generation;
        return 0;
}

static int load_new(DockerDriver *d, const DriverUnit *unit, Error *reterr) {
        _cleanup_(service_config_freep) ServiceConfig *config = NULL;
        const DockerFoundContainer *f = map_get(d->found, unit->name);
        SpecifierHost host = host_facts(d);
        DockerUnit *u;
        int r;

        if (f && f->running && !str_eq(f->hash, unit->hash))
                return error_set(reterr, -EEXIST, "unit '%s' runs with another content",
                                 unit->name);
        r = service_config_parse(unit->name, unit->file, &host, &config, reterr);
        if (r < 0)
                return r;
        r = docker_unit_new(d, unit, config, &u, reterr);
        if (r < 0)
                return r;
        config = NULL;
        r = map_put(d->units, unit->name, u);
        if (r < 0) {
                (void) docker_unit_free(u);
                return error_fill(reterr, r);
        }
        if (d->synced)
                docker_adopt_take_up(u);
        docker_unit_changed(u);
        return 0;
}

static int driver_load(Driver *driver, const DriverUnit *unit, DriverDoneFn fn, void *userdata,
                       Error *reterr) {
        DockerDriver *d = docker_driver(driver);
        DockerUnit *u = map_get(d->units, unit->name);
        int r;

        r = u ? reload_same(u, unit, reterr) : load_new(d, unit, reterr);
        if (r < 0)
                return r;
        docker_driver_complete(d, unit->name, fn, userdata, 0, NULL);
        return 0;
}

/* The later operation wins. */
static int operate(Driver *driver, const char *unit, int (*op)(DockerUnit *u, Error *reterr),
                   DriverDoneFn fn, void *userdata, Error *reterr) {
        DockerDriver *d = docker_driver(driver);
        DockerUnit *u = map_get(d->units, unit);

        if (!u)
                return error_set(reterr, -ENOENT, "unit '%s' is not loaded", unit);
        finish_op(u, -ECANCELED, "a later operation came");
        u->unloading = false;
        u->done_fn = fn;
        u->done_userdata = userdata;
        u->op = op;
        if (may_begin(u))
                begin_op(u);
        else {
                u->op_waits = true;
                docker_unit_changed(u);
        }
        return 0;
}

static int op_start(DockerUnit *u, Error *reterr) {
        bool was_done = u->restored && docker_outcome_holds(u);

        u->started = true;
        u->restored = false;
        if (docker_adopt_tell_ended(u) || was_done)
                return 0;
        docker_outcome_drop(u->driver, u->name);
        return service_start(u->service, reterr);
}

static int op_stop(DockerUnit *u, _unused_ Error *reterr) {
        u->started = u->restored = false;
        docker_outcome_drop(u->driver, u->name);
        return service_stop(u->service);
}

static int op_restart(DockerUnit *u, Error *reterr) {
        u->started = true;
        u->restored = false;
        docker_outcome_drop(u->driver, u->name);
        docker_adopt_drop_ended(u);
        return service_restart(u->service, reterr);
}

static int op_reload(DockerUnit *u, Error *reterr) {
        return service_reload(u->service, reterr);
}

static int driver_start(Driver *d, const char *unit, DriverDoneFn fn, void *userdata,
                        Error *reterr) {
        return operate(d, unit, op_start, fn, userdata, reterr);
}

static int driver_stop(Driver *d, const char *unit, DriverDoneFn fn, void *userdata,
                       Error *reterr) {
        return operate(d, unit, op_stop, fn, userdata, reterr);
}

static int driver_restart(Driver *d, const char *unit, DriverDoneFn fn, void *userdata,
                          Error *reterr) {
        return operate(d, unit, op_restart, fn, userdata, reterr);
}

static int driver_reload(Driver *d, const char *unit, DriverDoneFn fn, void *userdata,
                         Error *reterr) {
        return operate(d, unit, op_reload, fn, userdata, reterr);
}

static int driver_unload(Driver *driver, const char *unit, DriverDoneFn fn, void *userdata,
                         Error *reterr) {
        DockerDriver *d = docker_driver(driver);
        DockerUnit *u = map_get(d->units, unit);
        int r;

        if (!u) {
                docker_adopt_unload(d, unit, fn, userdata);
                return 0;
        }
        r = operate(driver, unit, op_stop, fn, userdata, reterr);
        u->unloading = r >= 0;
        return r;
}

static const UnitState *driver_inspect(Driver *driver, const char *unit) {
        DockerDriver *d = docker_driver(driver);
        DockerUnit *u = map_get(d->units, unit);

        if (!u)
                return NULL;
        docker_unit_refresh_state(u);
        return u->state;
}

/* ---- life --------------------------------------------------------------------------------------- */

static void *unit_free(void *u) {
        return docker_unit_free(u);
}

static void *outcome_free(void *o) {
        return docker_outcome_free(o);
}

static void *found_free(void *f) {
        return docker_found_free(f);
}

static void read_facts(DockerDriver *d) {
        _cleanup_free_ char *boot = NULL;
        struct utsname name;
        size_t n = 0;

        if (uname(&name) >= 0) {
                (void) snprintf(d->hostname, sizeof(d->hostname), "%s", name.nodename);
                (void) snprintf(d->kernel, sizeof(d->kernel), "%s", name.release);
                (void) snprintf(d->architecture, sizeof(d->architecture), "%s",
                                str_eq(name.machine, "x86_64")    ? "x86-64"
                                : str_eq(name.machine, "aarch64") ? "arm64"
                                                                  : name.machine);
        }
        if (fs_read_file("/proc/sys/kernel/random/boot_id", 128, &boot, NULL) < 0)
                return;
        for (const char *p = boot; *p && *p != '\n' && n + 1 < sizeof(d->boot_id); p++)
                if (*p != '-')
                        d->boot_id[n++] = *p;
}

static int driver_init(DockerDriver *d, const DriverOptions *o, Error *reterr) {
        _cleanup_free_ char *label = NULL;
        const char *path = str_after_prefix(o->docker_socket, "unix://");
        DockerEngineOptions engine = { .event = o->event,
                                       .address = o->docker_socket,
                                       .parallelism = o->docker_parallelism,
                                       .found_fn = docker_adopt_found,
                                       .lost_fn = on_lost,
                                       .event_fn = on_event,
                                       .userdata = d };
        int r;

        d->machine_id = str_dup(o->machine_id);
        d->socket = str_dup(path ? path : "");
        d->ended_path = str_printf("%s/docker-ended", o->state_directory);
        d->outcomes_path = str_printf("%s/docker-outcomes", o->state_directory);
        d->outcomes = map_new(outcome_free);
        d->units = map_new(unit_free);
        d->found = map_new(found_free);
        d->ended = map_new(NULL);
        label = str_printf("%s=%s", DOCKER_LABEL_MACHINE, o->machine_id);
        engine.label = label;
        if (!d->outcomes_path || !d->outcomes || !d->machine_id || !d->socket || !d->ended_path ||
            !d->units || !d->found || !d->ended || !label)
                return error_fill(reterr, -ENOMEM);
        read_facts(d);
        docker_ended_load(d);
        docker_outcomes_load(d);
        r = event_defer_new(o->event, "docker-driver-flush", on_flush, d, &d->flush);
        if (r < 0)
                return error_fill(reterr, r);
        return docker_engine_new(&engine, &d->engine, reterr);
}

static Driver *driver_free(Driver *driver) {
        DockerDriver *d;

        if (!driver)
                return NULL;
        d = docker_driver(driver);
        event_drop(d->flush);
        d->flush = NULL;
        (void) map_free(d->units);
        docker_logs_orphan(d);
        docker_jobs_free(&d->orphans);
        docker_removals_free(d);
        (void) map_free(d->found);
        (void) map_free(d->ended);
        (void) map_free(d->outcomes);
        (void) docker_engine_free(d->engine);
        LIST_FOREACH (Completion, c, &d->completions, link)
                completion_free(c);
        mem_free(d->machine_id);
        mem_free(d->socket);
        mem_free(d->ended_path);
        mem_free(d->outcomes_path);
        mem_free(d->why_not);
        mem_free(d);
        return NULL;
}

static int driver_new(const DriverOptions *options, Driver **ret, Error *reterr) {
        DockerDriver *d = mem_new(DockerDriver);
        int r;

        if (!d)
                return error_fill(reterr, -ENOMEM);
        d->base.type = &docker_driver_type;
        d->options = *options;
        list_init(&d->orphans);
        list_init(&d->completions);
        list_init(&d->removals);
        list_init(&d->logs);
        r = driver_init(d, options, reterr);
        if (r < 0) {
                (void) driver_free(&d->base);
                return r;
        }
        *ret = &d->base;
        return 0;
}

const DriverType docker_driver_type = { .name = "docker",
                                        .claim = docker_claim,
                                        .new = driver_new,
                                        .free = driver_free,
                                        .adopt = driver_adopt,
                                        .load = driver_load,
                                        .start = driver_start,
                                        .stop = driver_stop,
                                        .restart = driver_restart,
                                        .reload = driver_reload,
                                        .unload = driver_unload,
                                        .inspect = driver_inspect,
                                        .logs = docker_logs,
                                        .log_free = docker_log_free };
