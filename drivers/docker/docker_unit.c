/* One unit: its service machine, and the docker commands it runs. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "drivers/docker/docker_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

/* ---- commands ----------------------------------------------------------------------------------- */

static int put(json_t *labels, const char *key, const char *value) {
        return json_object_set_new(labels, key, json_string(value)) < 0 ? -ENOMEM : 0;
}

/* The container's own account of what it is: all that adoption reads. The caller owns *ret. */
static int main_labels(const DockerUnit *u, const DockerCommand *c, json_t **ret) {
        _cleanup_json_ json_t *labels = json_object();
        _cleanup_free_ char *generation = str_printf("%" PRIu64, u->generation);
        _cleanup_free_ char *restarts = str_printf("%" PRIu64, service_restarts(u->service));

        if (!labels || !generation || !restarts || put(labels, DOCKER_LABEL_UNIT, u->name) < 0 ||
            put(labels, DOCKER_LABEL_HASH, u->hash) < 0 ||
            put(labels, DOCKER_LABEL_MACHINE, u->driver->machine_id) < 0 ||
            put(labels, DOCKER_LABEL_GENERATION, generation) < 0 ||
            put(labels, DOCKER_LABEL_RESTARTS, restarts) < 0 ||
            (c->remove && put(labels, DOCKER_LABEL_REMOVE, "1") < 0))
                return -ENOMEM;
        *ret = TAKE_PTR(labels);
        return 0;
}

/* Is that the container that ExecStart=docker start is going to start? */
static bool is_started_later(const DockerUnit *u, const DockerCommand *c) {
        const ServiceConfig *config = service_config(u->service);

        return c->verb == DOCKER_CREATE && c->name && config->n_commands[SERVICE_EXEC_START] > 0 &&
               strv_contains(&config->commands[SERVICE_EXEC_START][0].line.argv, c->name);
}

/* ExecStop= and ExecStopPost= that stop the main container end it in good order. */
static void note_own_stop(DockerUnit *u, const ServiceCommand *command, const DockerCommand *c) {
        bool stops = c->verb == DOCKER_STOP || c->verb == DOCKER_KILL ||
                     (c->verb == DOCKER_RM && c->force);

        if (!stops ||
            (command->kind != SERVICE_EXEC_STOP && command->kind != SERVICE_EXEC_STOP_POST))
                return;
        for (size_t i = 0; i < c->names.n; i++)
                if (docker_main_is(u, c->names.items[i]))
                        u->main.stopped_by_us = true;
}

static void report_control(DockerUnit *u, const ServiceExit *exit) {
        service_exited(u->service, SERVICE_CONTROL, exit);
        docker_unit_changed(u);
}

static void control_done(DockerJob *job, const DockerJobEnd *end, void *userdata) {
        DockerUnit *u = userdata;
        _cleanup_free_ char *message = end->message ? str_dup(end->message) : NULL;
        ServiceExit exit = { .status = end->status, .message = message };

        if (end->notice)
                docker_unit_note(u, end->notice);
        if (u->control_signal > 0 && end->status == 128 + u->control_signal) {
                exit.signaled = true;
                exit.status = u->control_signal;
        }
        (void) docker_job_free(job);
        u->control_job = NULL;
        report_control(u, &exit);
}

static void main_done(DockerJob *job, const DockerJobEnd *end, void *userdata) {
        DockerUnit *u = userdata;
        _cleanup_free_ char *message = end->message ? str_dup(end->message) : NULL;
        _cleanup_free_ char *id = end->id ? str_dup(end->id) : NULL;
        ServiceExit exit = { .status = end->status, .message = message };

        if (end->notice)
                docker_unit_note(u, end->notice);
        (void) docker_job_free(job);
        u->main_job = NULL;
        if (exit.status == 0 && id && u->supervise) {
                docker_main_started(u, id);
                service_main_started(u->service);
        } else {
                docker_main_forget(u);
                service_exited(u->service, SERVICE_MAIN, &exit);
        }
        docker_unit_changed(u);
}

static int new_job(DockerUnit *u, DockerCommand **command, bool main, DockerJob **ret) {
        _cleanup_json_ json_t *labels = NULL;
        DockerJobOptions o = { .event = u->driver->options.event,
                               .engine = u->driver->engine,
                               .command = *command,
                               .orphans = &u->driver->orphans,
                               .supervise = main && u->supervise,
                               .done_fn = main ? main_done : control_done,
                               .userdata = u };
        int r = 0;

        if ((main && u->supervise) || is_started_later(u, *command))
                r = main_labels(u, *command, &labels);
        else
                labels = json_pack("{s:s}", DOCKER_LABEL_CONTROL, u->name);
        if (r < 0 || !labels)
                return -ENOMEM;
        o.labels = labels;
        r = docker_job_new(&o, ret);
        if (r < 0)
                return r;
        *command = NULL;
        return 0;
}

static int run_main(DockerUnit *u, DockerCommand **command) {
        const DockerCommand *c = *command;
        const char *name = c->verb == DOCKER_START && c->names.n > 0 ? c->names.items[0] : c->name;
        bool oneshot = service_config(u->service)->type == SERVICE_TYPE_ONESHOT;
        int r;

        docker_main_forget(u);
        if (u->main_job)
                docker_job_leave(TAKE_PTR(u->main_job), &u->driver->orphans);
        u->main_called_off = false;
        /* `docker run -d` of a oneshot is over when the container is started, as its author meant. */
        u->supervise = !(oneshot && c->detach);
        u->main.remove = c->remove || (c->verb == DOCKER_START && u->created_remove);
        r = str_replace(&u->main.name, name);
        return r < 0 ? r : new_job(u, command, true, &u->main_job);
}

static int run_control(DockerUnit *u, const ServiceCommand *line, DockerCommand **command) {
        if (u->control_job)
                docker_job_leave(TAKE_PTR(u->control_job), &u->driver->orphans);
        u->control_called_off = false;
        u->control_signal = 0;
        if (is_started_later(u, *command))
                u->created_remove = (*command)->remove;
        note_own_stop(u, line, *command);
        return new_job(u, command, false, &u->control_job);
}

static int op_run(_unused_ Service *s, ServiceTarget target, const ServiceCommand *line,
                  const Strv *argv, const Strv *environment, void *userdata, Error *reterr) {
        DockerUnit *u = userdata;
        _cleanup_(docker_command_freep) DockerCommand *command = NULL;
        _cleanup_free_ char *host = str_printf("unix://%s", u->driver->socket);
        DockerParseOptions o = { .mode = DOCKER_PARSE_FULL,
                                 .environment = environment,
                                 .host = host,
                                 .read_file = fs_read_file };
        int r;

        if (!docker_command_is_docker(line->line.path))
                return error_set(reterr, -EOPNOTSUPP, "%s runs '%s', not docker",
                                 service_exec_kind_to_string(line->kind), line->line.path);
        r = docker_command_parse(argv, &o, &command, reterr);
        if (r < 0)
                return error_fill(reterr, r);
        r = target == SERVICE_MAIN ? run_main(u, &command) : run_control(u, line, &command);
        return r < 0 ? error_fill(reterr, r) : 0;
}

/* What is only being asked for is called off; its end is reported in the next turn. */
static void op_kill(_unused_ Service *s, ServiceTarget target, int signal_number, void *userdata) {
        DockerUnit *u = userdata;
        DockerJob **job = target == SERVICE_MAIN ? &u->main_job : &u->control_job;

        if (target == SERVICE_CONTROL)
                u->control_signal = signal_number;
        if (!*job) {
                if (target == SERVICE_MAIN && u->main.id)
                        docker_main_kill(u, signal_number);
                return;
        }
        if (target == SERVICE_CONTROL && docker_job_kill(*job, signal_number))
                return;
        docker_job_leave(TAKE_PTR(*job), &u->driver->orphans);
        if (target == SERVICE_MAIN) {
                u->main_called_off = true;
                u->main_signal = signal_number;
        } else
                u->control_called_off = true;
        (void) event_defer_trigger(u->later);
}

static void on_later(void *userdata) {
        DockerUnit *u = userdata;
        ServiceExit exit = { .signaled = true };

        if (u->control_called_off) {
                u->control_called_off = false;
                exit.status = u->control_signal;
                report_control(u, &exit);
        }
        if (u->main_called_off) {
                u->main_called_off = false;
                docker_main_forget(u);
                exit.status = u->main_signal;
                service_exited(u->service, SERVICE_MAIN, &exit);
                docker_unit_changed(u);
        }
}

static uint64_t op_now(_unused_ void *userdata) {
        return clock_boottime_usec();
}

static void op_timer(_unused_ Service *s, uint64_t at_usec, void *userdata) {
        DockerUnit *u = userdata;
        uint64_t now = clock_boottime_usec();

        if (at_usec == USEC_INFINITY)
                event_timer_disarm(u->timer);
        else
                (void) event_timer_arm(u->timer, at_usec > now ? at_usec - now : 0);
}

static void on_timer(void *userdata) {
        DockerUnit *u = userdata;

        service_timer_elapsed(u->service);
        docker_unit_changed(u);
}

static void op_changed(_unused_ Service *s, void *userdata) {
        docker_unit_changed(userdata);
}

/* ---- state -------------------------------------------------------------------------------------- */

void docker_unit_changed(DockerUnit *u) {
        u->dirty = true;
        docker_driver_flush_later(u->driver);
}

void docker_unit_note(DockerUnit *u, const char *notice) {
        (void) str_replace(&u->notice, notice);
        docker_unit_changed(u);
}

static const char *message_of(const DockerUnit *u) {
        const char *message = service_message(u->service);
        ServiceState state = service_state(u->service);

        if (message)
                return message;
        if (state != SERVICE_DEAD && state != SERVICE_FAILED && u->driver->why_not)
                return u->driver->why_not;
        return state == SERVICE_DEAD ? NULL : u->notice;
}

static void set_exit(const DockerUnit *u, UnitState *s) {
        const ServiceExit *exit = service_main_exit(u->service);

        s->exit_code = !exit || exit->signaled ? -1 : exit->status;
        s->exit_signal = exit && exit->signaled ? exit->status : 0;
}

/* Out of memory leaves the old words where they are: the next change writes them again. */
void docker_unit_refresh_state(DockerUnit *u) {
        UnitState *s = u->state;
        const char *active = service_state_active_string(service_state(u->service));

        if (!str_eq(s->active, active))
                s->since_usec = clock_realtime_usec();
        (void) str_replace(&s->load, "loaded");
        (void) str_replace(&s->active, active);
        (void) str_replace(&s->sub, service_state_to_string(service_state(u->service)));
        (void) str_replace(&s->driver, docker_driver_type.name);
        (void) str_replace(&s->result, service_result_to_string(service_result(u->service)));
        (void) str_replace(&s->message, message_of(u));
        (void) str_replace(&s->main_id, u->main.id);
        memcpy(s->hash, u->hash, sizeof(s->hash));
        s->restarts = service_restarts(u->service);
        set_exit(u, s);
}

/* ---- life --------------------------------------------------------------------------------------- */

static const ServiceOps ops = {
        .run = op_run, .kill = op_kill, .timer = op_timer, .changed = op_changed, .now = op_now
};

static int unit_init(DockerUnit *u, sd_event *event) {
        int r;

        r = event_timer_new(event, "docker-unit-timer", on_timer, u, &u->timer);
        if (r < 0)
                return r;
        r = event_timer_new(event, "docker-unit-grace", docker_main_grace_over, u, &u->grace);
        if (r < 0)
                return r;
        return event_defer_new(event, "docker-unit-later", on_later, u, &u->later);
}

int docker_unit_new(DockerDriver *d, const DriverUnit *unit, ServiceConfig *config,
                    DockerUnit **ret, Error *reterr) {
        DockerUnit *u = mem_new(DockerUnit);
        int r = -ENOMEM;

        if (!u)
                return error_fill(reterr, r);
        u->driver = d;
        u->generation = unit->generation;
        (void) snprintf(u->hash, sizeof(u->hash), "%s", unit->hash);
        u->name = str_dup(unit->name);
        u->state = unit_state_new(unit->name, d->machine_id);
        if (u->name && u->state)
                r = unit_init(u, d->options.event);
        if (r >= 0)
                r = service_new(config, &ops, u, &u->service);
        if (r < 0) {
                (void) docker_unit_free(u);
                return r == -ENOTSUP ? error_set(reterr, r, "Type=forking is not supported")
                                     : error_fill(reterr, r);
        }
        *ret = u;
        return 0;
}

DockerUnit *docker_unit_free(DockerUnit *u) {
        if (!u)
                return NULL;
        docker_main_forget(u);
        if (u->main_job)
                docker_job_leave(u->main_job, &u->driver->orphans);
        if (u->control_job)
                docker_job_leave(u->control_job, &u->driver->orphans);
        (void) docker_found_free(u->ended);
        event_drop(u->timer);
        event_drop(u->grace);
        event_drop(u->later);
        (void) service_free(u->service);
        (void) unit_state_free(u->state);
        (void) unit_state_free(u->published);
        mem_free(u->last_id);
        mem_free(u->notice);
        mem_free(u->name);
        return mem_free(u);
}
