#include "drivers/service/exit_status.h"
#include "drivers/service/service_internal.h"
#include "lib/base/alloc.h"

/* $SERVICE_RESULT, and how the main process ended: for ExecStop= and ExecStopPost= (systemd.exec(5)). */
static int add_result(const Service *s, Strv *environment) {
        char buffer[SIGNAL_NAME_MAX];
        const ServiceExit *e = &s->main_exit;
        int r;

        r = strv_push_printf(environment, "SERVICE_RESULT=%s", service_result_to_string(s->result));
        if (r < 0 || !s->main_ended)
                return r;

        r = strv_push_printf(environment, "EXIT_CODE=%s",
                             !e->signaled     ? "exited"
                             : e->core_dumped ? "dumped"
                                              : "killed");
        if (r < 0)
                return r;

        return e->signaled ? strv_push_printf(environment, "EXIT_STATUS=%s",
                                              signal_to_string(e->status, buffer))
                           : strv_push_printf(environment, "EXIT_STATUS=%d", e->status);
}

/* Begins a command; a failure has its words in reterr. */
static int run(Service *s, ServiceTarget target, const ServiceCommand *c, Error *reterr) {
        _cleanup_(strv_done) Strv environment = STRV_INIT, argv = STRV_INIT;
        int r;

        r = service_config_environment(s->config, &environment, reterr);
        if (r < 0)
                return r;

        if (c->kind == SERVICE_EXEC_STOP || c->kind == SERVICE_EXEC_STOP_POST) {
                r = add_result(s, &environment);
                if (r < 0)
                        return error_fill(reterr, r);
        }

        r = command_line_expand(&c->line, &environment, &argv, NULL);
        if (r < 0)
                return error_fill(reterr, r);

        r = s->ops->run(s, target, c, &argv, &environment, s->userdata, reterr);
        return r < 0 ? error_fill(reterr, r) : 0;
}

ServiceState service_phase_of(ServiceExecKind kind) {
        static const ServiceState phases[] = { [SERVICE_EXEC_CONDITION] = SERVICE_CONDITION,
                                               [SERVICE_EXEC_START_PRE] = SERVICE_START_PRE,
                                               [SERVICE_EXEC_START] = SERVICE_START,
                                               [SERVICE_EXEC_START_POST] = SERVICE_START_POST,
                                               [SERVICE_EXEC_RELOAD] = SERVICE_RELOAD,
                                               [SERVICE_EXEC_STOP] = SERVICE_STOP,
                                               [SERVICE_EXEC_STOP_POST] = SERVICE_STOP_POST };

        return phases[kind];
}

static uint64_t timeout_of(const Service *s, ServiceExecKind kind) {
        bool stops = kind == SERVICE_EXEC_STOP || kind == SERVICE_EXEC_STOP_POST;

        return stops ? s->config->timeout_stop_usec : s->config->timeout_start_usec;
}

/*
 * Runs c as control, or what follows it of its kind when c cannot be begun and its failure is ignored.
 * RUNS: one of them runs; NONE_LEFT; or it failed, which counts as lack of resources.
 */
enum { RUNS, NONE_LEFT, FAILED };

static int run_control(Service *s, const ServiceCommand *c) {
        const ServiceConfig *config = s->config;
        const ServiceCommand *end = config->commands[c->kind] + config->n_commands[c->kind];

        for (; c < end; c++) {
                _cleanup_error_ Error why = ERROR_INIT;

                if (run(s, SERVICE_CONTROL, c, &why) >= 0) {
                        s->control = c;
                        service_set_deadline(s, timeout_of(s, c->kind));
                        return RUNS;
                }

                if (!(c->line.flags & COMMAND_IGNORE_FAILURE)) {
                        service_say_not_run(s, c, &why);
                        return FAILED;
                }
        }
        return NONE_LEFT;
}

/* Begins the phase of that kind of lines: the state first, so that a failure leaves from there. */
static int run_phase(Service *s, ServiceExecKind kind) {
        s->control = NULL;
        if (s->config->n_commands[kind] == 0)
                return NONE_LEFT;

        service_set_state(s, service_phase_of(kind));
        return run_control(s, s->config->commands[kind]);
}

/* What a phase of the start comes to when it has no command (left), and when it failed. */
static void start_phase_failed(Service *s) {
        service_enter_signal(s, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
}

void service_begin(Service *s) {
        s->result = s->reload_result = SERVICE_SUCCESS;
        s->message = mem_free(s->message);
        s->main = SERVICE_MAIN_NONE;
        s->main_command = NULL;
        s->main_ended = false;
        s->forbid_restart = s->start_when_down = false;
        s->changed = true;

        switch (run_phase(s, SERVICE_EXEC_CONDITION)) {
        case NONE_LEFT:
                service_enter_start_pre(s);
                break;
        case FAILED:
                start_phase_failed(s);
                break;
        }
}

void service_enter_start_pre(Service *s) {
        switch (run_phase(s, SERVICE_EXEC_START_PRE)) {
        case NONE_LEFT:
                service_enter_start(s);
                break;
        case FAILED:
                start_phase_failed(s);
                break;
        }
}

/*
 * systemd gives simple and idle no time limit here, since for them this phase is a fork. Here it may
 * hold the pull of an image, which an old unit's client process did without any limit, too.
 */
static uint64_t main_timeout(const ServiceConfig *c) {
        bool unlimited = c->type == SERVICE_TYPE_SIMPLE || c->type == SERVICE_TYPE_IDLE;

        return unlimited ? USEC_INFINITY : c->timeout_start_usec;
}

/* As run_control, for the commands of ExecStart=. */
static int run_main(Service *s, const ServiceCommand *c) {
        const ServiceConfig *config = s->config;
        const ServiceCommand *end = config->commands[SERVICE_EXEC_START] +
                                    config->n_commands[SERVICE_EXEC_START];

        for (; c < end; c++) {
                _cleanup_error_ Error why = ERROR_INIT;

                s->main_command = c;
                if (run(s, SERVICE_MAIN, c, &why) >= 0) {
                        s->main = SERVICE_MAIN_STARTING;
                        s->main_ended = false;
                        s->changed = true;
                        service_set_deadline(s, main_timeout(config));
                        return RUNS;
                }

                if (!(c->line.flags & COMMAND_IGNORE_FAILURE)) {
                        service_say_not_run(s, c, &why);
                        return FAILED;
                }
        }
        return NONE_LEFT;
}

static void start_main(Service *s, const ServiceCommand *first) {
        switch (run_main(s, first)) {
        case NONE_LEFT:
                /* Nothing could be begun, and nobody minds. */
                if (s->config->type == SERVICE_TYPE_ONESHOT)
                        service_enter_start_post(s);
                else
                        service_enter_running(s, SERVICE_SUCCESS);
                break;
        case FAILED:
                start_phase_failed(s);
                break;
        }
}

void service_enter_start(Service *s) {
        s->control = NULL;
        if (s->config->n_commands[SERVICE_EXEC_START] == 0) {
                service_enter_start_post(s);
                return;
        }

        service_set_state(s, SERVICE_START);
        start_main(s, s->config->commands[SERVICE_EXEC_START]);
}

bool service_next_main(Service *s) {
        const ServiceConfig *c = s->config;
        const ServiceCommand *next = s->main_command + 1;

        if (next >= c->commands[SERVICE_EXEC_START] + c->n_commands[SERVICE_EXEC_START])
                return false;

        start_main(s, next);
        return true;
}

void service_enter_start_post(Service *s) {
        int r;

        r = run_phase(s, SERVICE_EXEC_START_POST);
        service_set_watchdog(s);
        if (r == NONE_LEFT)
                service_enter_running(s, SERVICE_SUCCESS);
        else if (r == FAILED)
                start_phase_failed(s);
}

/* FNV-1a: the same unit gets the same share of RuntimeRandomizedExtraSec=, different ones different. */
static uint64_t runtime_extra(const ServiceConfig *c) {
        uint64_t h = UINT64_C(14695981039346656037);

        if (c->runtime_extra_usec == 0 || c->runtime_extra_usec == USEC_INFINITY)
                return 0;

        for (const char *p = c->unit; *p; p++)
                h = (h ^ (unsigned char) *p) * UINT64_C(1099511628211);
        return h % (c->runtime_extra_usec + 1);
}

static uint64_t runtime_max(const ServiceConfig *c) {
        uint64_t usec;

        if (c->runtime_max_usec == USEC_INFINITY ||
            __builtin_add_overflow(c->runtime_max_usec, runtime_extra(c), &usec))
                return USEC_INFINITY;

        return usec;
}

void service_enter_running(Service *s, ServiceResult f) {
        service_set_result(s, f);
        s->control = NULL;

        if (s->result != SERVICE_SUCCESS) {
                service_enter_signal(s, SERVICE_STOP_SIGTERM, f);
                return;
        }
        if (s->main != SERVICE_MAIN_NONE) {
                uint64_t runtime_deadline_usec = s->runtime_deadline_usec;
                bool again = s->state == SERVICE_RELOAD;

                service_set_state(s, SERVICE_RUNNING);
                service_set_deadline(s, runtime_max(s->config));
                if (again)
                        s->deadline_usec = runtime_deadline_usec;
                s->runtime_deadline_usec = s->deadline_usec;
                if (s->watchdog_deadline_usec == USEC_INFINITY)
                        service_set_watchdog(s);
        } else if (s->config->remain_after_exit) {
                service_set_state(s, SERVICE_EXITED);
        } else {
                service_enter_stop(s, SERVICE_SUCCESS);
                return;
        }

        service_end_start_job(s);
}

void service_enter_reload(Service *s) {
        s->reload_result = SERVICE_SUCCESS;
        s->message = mem_free(s->message); /* of the reload before */
        s->changed = true;
        switch (run_phase(s, SERVICE_EXEC_RELOAD)) {
        case FAILED:
                s->reload_result = SERVICE_FAILURE_RESOURCES;
                service_enter_running(s, SERVICE_SUCCESS);
                break;
        case NONE_LEFT:
                service_enter_running(s, SERVICE_SUCCESS);
                break;
        }
}

void service_enter_stop(Service *s, ServiceResult f) {
        service_set_result(s, f);
        switch (run_phase(s, SERVICE_EXEC_STOP)) {
        case NONE_LEFT:
                service_enter_signal(s, SERVICE_STOP_SIGTERM, SERVICE_SUCCESS);
                break;
        case FAILED:
                start_phase_failed(s);
                break;
        }
}

void service_enter_stop_post(Service *s, ServiceResult f) {
        service_set_result(s, f);
        switch (run_phase(s, SERVICE_EXEC_STOP_POST)) {
        case NONE_LEFT:
                service_enter_signal(s, SERVICE_FINAL_SIGTERM, SERVICE_SUCCESS);
                break;
        case FAILED:
                service_enter_signal(s, SERVICE_FINAL_SIGTERM, SERVICE_FAILURE_RESOURCES);
                break;
        }
}

bool service_next_control(Service *s, const ServiceCommand *after) {
        const ServiceConfig *c = s->config;
        ServiceResult f = SERVICE_FAILURE_RESOURCES;

        if (after + 1 >= c->commands[after->kind] + c->n_commands[after->kind])
                return false;

        switch (run_control(s, after + 1)) {
        case RUNS:
                return true;
        case NONE_LEFT:
                return false;
        }

        if (s->state == SERVICE_RELOAD) {
                s->reload_result = f;
                service_enter_running(s, SERVICE_SUCCESS);
        } else if (s->state == SERVICE_STOP_POST) {
                service_enter_signal(s, SERVICE_FINAL_SIGTERM, f);
        } else {
                service_enter_signal(s, SERVICE_STOP_SIGTERM, f);
        }
        return true;
}
