#include <signal.h>

#include "drivers/fake/fake_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

/* ---- what commands do --------------------------------------------------------------------------- */

static void run_now(FakeRun *run, uint64_t in_usec, int status) {
        run->ends = true;
        run->exit = (ServiceExit){ .status = status };
        (void) event_timer_arm(run->timer, in_usec);
}

/* The word after the program's name; NULL = none. */
static const char *argument(const Strv *argv) {
        return argv->n > 1 ? argv->items[1] : NULL;
}

static int begin(FakeRun *run, const char *program, const Strv *argv, bool lasts) {
        uint64_t n;

        run->runs = run->started = true;
        run->stubborn = str_eq(program, "stubborn");

        if (str_eq(program, "false")) {
                run_now(run, 0, 1);
        } else if (str_eq(program, "exit") && argument(argv) &&
                   str_to_u64(argument(argv), &n) == 0 && n <= UINT8_MAX) {
                run_now(run, 0, (int) n);
        } else if (str_eq(program, "sleep") && argument(argv) &&
                   timespan_parse(argument(argv), USEC_PER_SEC, &n, NULL) == 0) {
                run_now(run, n, 0);
        } else if (str_eq(program, "never")) {
                run->started = false;
        } else if (str_eq(program, "true") || (!lasts && !run->stubborn)) {
                run_now(run, 0, 0);
        }
        return 0;
}

static int op_run(Service *s, ServiceTarget target, const ServiceCommand *command, const Strv *argv,
                  const Strv *environment, void *userdata, Error *reterr) {
        const char *path = command->line.path, *slash = strrchr(path, '/');
        const char *program = slash ? slash + 1 : path;
        FakeUnit *u = userdata;
        FakeRun *run = &u->runs[target];
        sd_event_source *timer = run->timer;
        _cleanup_free_ char *line = NULL;
        bool lasts;

        (void) environment;
        if (str_eq(program, "cannot-run"))
                return error_set(reterr, -ENOENT, "'%s' cannot be run", path);

        line = strv_join(argv, " ");
        if (!line ||
            fake_unit_log(u, "%s: %s", service_exec_kind_to_string(command->kind), line) < 0)
                return error_fill(reterr, -ENOMEM);

        event_timer_disarm(timer);
        *run = (FakeRun){ .timer = timer };
        lasts = target == SERVICE_MAIN && service_config(s)->type != SERVICE_TYPE_ONESHOT;
        (void) begin(run, program, argv, lasts);
        if (target == SERVICE_MAIN && run->started && !run->ends)
                (void) event_timer_arm(run->timer, 0); /* tells that it has started */
        return 0;
}

static void on_run(FakeUnit *u, ServiceTarget target) {
        FakeRun *run = &u->runs[target];

        if (!run->runs)
                return;

        if (target == SERVICE_MAIN && run->started) {
                run->started = false;
                if (run->ends && run->exit.status == 0 && run->exit.signaled)
                        return;
                service_main_started(u->service);
        }
        if (run->runs && run->ends) {
                run->runs = false;
                service_exited(u->service, target, &run->exit);
        }
}

static void on_main(void *userdata) {
        on_run(userdata, SERVICE_MAIN);
}

static void on_control(void *userdata) {
        on_run(userdata, SERVICE_CONTROL);
}

static void op_kill(Service *s, ServiceTarget target, int signal_number, void *userdata) {
        FakeUnit *u = userdata;
        FakeRun *run = &u->runs[target];

        (void) s;
        if (!run->runs || (run->stubborn && signal_number != SIGKILL))
                return;

        run->started = false;
        run->ends = true;
        run->exit = (ServiceExit){ .signaled = true, .status = signal_number };
        (void) event_timer_arm(run->timer, 0);
}

static uint64_t op_now(void *userdata) {
        (void) userdata;
        return clock_boottime_usec();
}

static void op_timer(Service *s, uint64_t at_usec, void *userdata) {
        FakeUnit *u = userdata;
        uint64_t now = op_now(NULL);

        (void) s;
        (void) event_timer_arm(u->timer, at_usec == USEC_INFINITY ? USEC_INFINITY
                                         : at_usec > now          ? at_usec - now
                                                                  : 0);
}

static void on_timer(void *userdata) {
        FakeUnit *u = userdata;

        service_timer_elapsed(u->service);
}

static void op_changed(Service *s, void *userdata) {
        FakeUnit *u = userdata;

        (void) s;
        (void) event_defer_trigger(u->changed);
}

static const ServiceOps ops = {
        .run = op_run, .kill = op_kill, .timer = op_timer, .changed = op_changed, .now = op_now
};

void fake_unit_end(FakeUnit *u, ServiceTarget target, int exit_status) {
        run_now(&u->runs[target], 0, exit_status);
}

/* ---- state -------------------------------------------------------------------------------------- */

static int fill_state(const FakeUnit *u, UnitState *t) {
        const Service *s = u->service;
        const ServiceExit *e = service_main_exit(s);

        if (str_replace(&t->load, "loaded") < 0 ||
            str_replace(&t->active, service_state_active_string(service_state(s))) < 0 ||
            str_replace(&t->sub, service_state_to_string(service_state(s))) < 0 ||
            str_replace(&t->driver, "fake") < 0 ||
            str_replace(&t->result, service_result_to_string(service_result(s))) < 0 ||
            str_replace(&t->message, service_message(s)) < 0 ||
            str_replace(&t->main_id, service_has_main(s) ? u->name : NULL) < 0)
                return -ENOMEM;

        memcpy(t->hash, u->hash, sizeof(t->hash));
        t->restarts = service_restarts(s);
        t->exit_code = e && !e->signaled ? e->status : -1;
        t->exit_signal = e && e->signaled ? e->status : 0;
        return 0;
}

static void on_changed(void *userdata) {
        FakeUnit *u = userdata;
        _cleanup_(unit_state_freep) UnitState *t = unit_state_new(u->name, u->driver->machine_id);

        /* Out of memory: the old state is kept until the next change. */
        if (t && fill_state(u, t) >= 0) {
                bool same = u->state && str_eq(u->state->active, t->active);

                t->since_usec = same ? u->state->since_usec : clock_realtime_usec();
                if (!u->state || !unit_state_equal(u->state, t)) {
                        (void) unit_state_free(u->state);
                        u->state = TAKE_PTR(t);
                        u->driver->state_fn(u->name, u->state, u->driver->userdata);
                }
        }

        fake_unit_settled(u);
}

/* ---- life --------------------------------------------------------------------------------------- */

FakeUnit *fake_unit_free(FakeUnit *u) {
        if (!u)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(u->runs); i++)
                u->runs[i].timer = event_drop(u->runs[i].timer);
        u->timer = event_drop(u->timer);
        u->changed = event_drop(u->changed);
        (void) service_free(u->service);
        (void) unit_state_free(u->state);
        for (size_t i = 0; i < u->n_lines; i++)
                mem_free(u->lines[i].text);
        mem_free(u->lines);
        mem_free(u->name);
        return mem_free(u);
}

static int make_sources(FakeUnit *u) {
        sd_event *e = u->driver->event;
        int r;

        r = event_timer_new(e, "fake-main", on_main, u, &u->runs[SERVICE_MAIN].timer);
        if (r >= 0)
                r = event_timer_new(e, "fake-control", on_control, u,
                                    &u->runs[SERVICE_CONTROL].timer);
        if (r >= 0)
                r = event_timer_new(e, "fake-unit-timer", on_timer, u, &u->timer);
        if (r >= 0)
                r = event_defer_new(e, "fake-unit-changed", on_changed, u, &u->changed);
        return r;
}

static int make_service(FakeUnit *u, const UnitFile *file, Error *reterr) {
        _cleanup_(service_config_freep) ServiceConfig *c = NULL;
        int r;

        r = service_config_parse(u->name, file, NULL, &c, reterr);
        if (r < 0)
                return r;

        r = service_new(c, &ops, u, &u->service);
        if (r == -ENOTSUP)
                return error_set(reterr, r, "Type=forking is not supported");
        if (r < 0)
                return error_fill(reterr, r);

        c = NULL;
        return 0;
}

int fake_unit_new(FakeDriver *d, const DriverUnit *unit, FakeUnit **ret, Error *reterr) {
        _cleanup_(fake_unit_freep) FakeUnit *u = mem_new(FakeUnit);
        int r;

        if (!u)
                return error_fill(reterr, -ENOMEM);

        *u = (FakeUnit){ .driver = d, .generation = unit->generation, .name = str_dup(unit->name) };
        if (!u->name)
                return error_fill(reterr, -ENOMEM);

        if (unit->hash)
                memcpy(u->hash, unit->hash, strnlen(unit->hash, sizeof(u->hash) - 1));
        r = make_service(u, unit->file, reterr);
        if (r < 0)
                return r;

        r = make_sources(u);
        if (r < 0)
                return error_fill(reterr, r);

        u->state = unit_state_new(u->name, d->machine_id);
        if (!u->state || fill_state(u, u->state) < 0)
                return error_fill(reterr, -ENOMEM);

        u->state->since_usec = clock_realtime_usec();
        *ret = TAKE_PTR(u);
        return 0;
}
