#include "drivers/service/service.h"

#include "drivers/service/service_internal.h"
#include "lib/base/alloc.h"

int service_new(ServiceConfig *config, const ServiceOps *ops, void *userdata, Service **ret) {
        Service *s;

        if (config->type == SERVICE_TYPE_FORKING)
                return -ENOTSUP;

        s = mem_new(Service);
        if (!s)
                return -ENOMEM;

        *s = (Service){ .config = config,
                        .ops = ops,
                        .userdata = userdata,
                        .deadline_usec = USEC_INFINITY,
                        .runtime_deadline_usec = USEC_INFINITY,
                        .watchdog_deadline_usec = USEC_INFINITY,
                        .timer_usec = USEC_INFINITY };
        *ret = s;
        return 0;
}

Service *service_free(Service *s) {
        if (!s)
                return NULL;

        (void) service_config_free(s->config);
        mem_free(s->message);
        mem_free(s->main_exit_message);
        return mem_free(s);
}

/* ---- what people ask for ------------------------------------------------------------------------ */

static int start(Service *s, Error *reterr) {
        if (service_state_is_up(s->state)) {
                service_end_job(s, -ECANCELED);
                s->job_result = 0;
                return error_set(reterr, -EALREADY, "it is up");
        }

        s->job = SERVICE_JOB_START;
        s->changed = true;
        if (service_state_is_down(s->state))
                return service_start_now(s, reterr);
        if (s->state == SERVICE_AUTO_RESTART)
                return 0;
        if (service_state_is_starting(s->state))
                return error_set(reterr, -EALREADY, "it is coming up");

        s->start_when_down = true;
        return 0;
}

int service_start(Service *s, Error *reterr) {
        int r;

        r = start(s, reterr);
        service_flush(s);
        return r;
}

/* Goes down from wherever it is, and not up again by itself. */
static void go_down(Service *s) {
        s->forbid_restart = true;

        if (s->state == SERVICE_AUTO_RESTART) {
                service_set_state(s, SERVICE_DEAD);
                s->flush_restarts = true;
                if (s->result == SERVICE_SUCCESS)
                        s->message = mem_free(s->message); /* it waits no more */
        } else if (s->state == SERVICE_RUNNING || s->state == SERVICE_EXITED) {
                service_enter_stop(s, SERVICE_SUCCESS);
        } else if (service_state_is_starting(s->state) || s->state == SERVICE_RELOAD) {
                service_enter_signal(s, SERVICE_STOP_SIGTERM, SERVICE_SUCCESS);
        }
}

int service_stop(Service *s) {
        s->start_when_down = false;
        s->job = SERVICE_JOB_STOP;
        s->changed = true;
        go_down(s);
        if (service_state_is_down(s->state))
                service_end_job(s, 0);

        service_flush(s);
        return 0;
}

static int restart(Service *s, Error *reterr) {
        s->job = SERVICE_JOB_RESTART;
        s->changed = true;
        if (service_state_is_down(s->state))
                return service_start_now(s, reterr);
        if (s->state == SERVICE_AUTO_RESTART) {
                go_down(s);
                return service_start_now(s, reterr);
        }

        s->start_when_down = true;
        go_down(s);
        return 0;
}

int service_restart(Service *s, Error *reterr) {
        int r;

        r = restart(s, reterr);
        service_flush(s);
        return r;
}

int service_reload(Service *s, Error *reterr) {
        if (s->config->n_commands[SERVICE_EXEC_RELOAD] == 0)
                return error_set(reterr, -ENOEXEC, "'%s' has no ExecReload=", s->config->unit);
        if (s->state == SERVICE_RELOAD)
                return error_set(reterr, -EALREADY, "'%s' is being reloaded", s->config->unit);
        if (!service_state_is_up(s->state))
                return error_set(reterr, -ENOTCONN, "'%s' is not running", s->config->unit);

        s->job = SERVICE_JOB_RELOAD;
        service_enter_reload(s);
        service_flush(s);
        return 0;
}

void service_reset_failed(Service *s) {
        s->limit_starts = 0;
        if (s->state == SERVICE_FAILED) {
                service_set_state(s, SERVICE_DEAD);
                s->result = SERVICE_SUCCESS;
                s->message = mem_free(s->message);
        }
        if (service_state_is_down(s->state) && s->restarts > 0) {
                s->restarts = 0;
                s->changed = true;
        }
        service_flush(s);
}

/* ---- adoption ----------------------------------------------------------------------------------- */

void service_adopt(Service *s, bool running, uint64_t restarts) {
        const ServiceConfig *c = s->config;
        size_t n = c->n_commands[SERVICE_EXEC_START];

        assert(s->state == SERVICE_DEAD && s->main == SERVICE_MAIN_NONE);
        s->restarts = restarts;
        if (n == 0)
                return; /* a unit without main process: nothing can have been found */

        s->main = SERVICE_MAIN_UP;
        s->main_command = &c->commands[SERVICE_EXEC_START][n - 1];
        if (c->type == SERVICE_TYPE_ONESHOT) {
                service_set_state(s, SERVICE_START);
                service_set_deadline(s, c->timeout_start_usec);
        } else {
                service_enter_running(s, SERVICE_SUCCESS);
        }

        /* What has ended is told of when its end is. */
        if (running)
                service_flush(s);
}

void service_restore(Service *s, ServiceState state, ServiceResult result, const ServiceExit *exit,
                     uint64_t restarts, const char *message) {
        assert(s->state == SERVICE_DEAD && s->main == SERVICE_MAIN_NONE);
        assert(service_state_is_down(state) || state == SERVICE_EXITED);
        s->restarts = restarts;
        s->result = result;
        s->have_main_exit = exit != NULL;
        if (exit)
                s->main_exit = *exit;
        s->main_exit.message = NULL;
        if (message)
                service_say(s, "%s", message);
        service_set_state(s, state);
        service_flush(s);
}

/* ---- questions ---------------------------------------------------------------------------------- */

ServiceState service_state(const Service *s) {
        return s->state;
}

ServiceResult service_result(const Service *s) {
        return s->result;
}

uint64_t service_restarts(const Service *s) {
        return s->restarts;
}

const char *service_message(const Service *s) {
        return s->message;
}

bool service_has_main(const Service *s) {
        return s->main != SERVICE_MAIN_NONE;
}

const ServiceExit *service_main_exit(const Service *s) {
        return s->have_main_exit ? &s->main_exit : NULL;
}

const ServiceConfig *service_config(const Service *s) {
        return s->config;
}

bool service_job_pending(const Service *s) {
        return s->job != SERVICE_JOB_NONE;
}

int service_job_result(const Service *s) {
        return s->job_result;
}
