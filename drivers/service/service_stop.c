#include <signal.h>

#include "drivers/service/service_internal.h"

static bool is_final_kill(ServiceState state) {
        return state == SERVICE_STOP_SIGKILL || state == SERVICE_FINAL_SIGKILL;
}

static int signal_for(const Service *s, ServiceState state) {
        const ServiceConfig *c = s->config;

        if (is_final_kill(state))
                return c->final_kill_signal;
        if (state == SERVICE_STOP_WATCHDOG || state == SERVICE_FINAL_WATCHDOG)
                return c->watchdog_signal;

        return s->job == SERVICE_JOB_RESTART && c->restart_kill_signal != 0 ? c->restart_kill_signal
                                                                            : c->kill_signal;
}

static void kill_target(Service *s, ServiceTarget target, ServiceState state) {
        s->ops->kill(s, target, signal_for(s, state), s->userdata);
        if (s->config->send_sighup && !is_final_kill(state))
                s->ops->kill(s, target, SIGHUP, s->userdata);
}

/*
 * Sends the state's signal; true if there is an end to wait for. There is no control group here beside
 * main and control, so that the kill modes differ in none only.
 */
static bool kill_what_is_left(Service *s, ServiceState state) {
        bool any = false;

        if (s->config->kill_mode == SERVICE_KILL_NONE)
                return false;

        if (s->main != SERVICE_MAIN_NONE) {
                kill_target(s, SERVICE_MAIN, state);
                any = true;
        }
        if (s->control) {
                kill_target(s, SERVICE_CONTROL, state);
                any = true;
        }
        return any;
}

void service_enter_signal(Service *s, ServiceState state, ServiceResult f) {
        const ServiceConfig *c = s->config;

        service_set_result(s, f);
        if (kill_what_is_left(s, state)) {
                bool watchdog = state == SERVICE_STOP_WATCHDOG || state == SERVICE_FINAL_WATCHDOG;

                service_set_state(s, state);
                service_set_deadline(s, watchdog ? c->timeout_abort_usec : c->timeout_stop_usec);
                return;
        }

        /* Nothing left to kill. */
        if (state == SERVICE_STOP_WATCHDOG || state == SERVICE_STOP_SIGTERM ||
            state == SERVICE_STOP_SIGKILL)
                service_enter_stop_post(s, SERVICE_SUCCESS);
        else
                service_enter_dead(s, SERVICE_SUCCESS, true);
}

/* Whatever still runs is no concern of this service any more. */
static void forget_processes(Service *s) {
        s->main = SERVICE_MAIN_NONE;
        s->control = NULL;
}

void service_enter_dead(Service *s, ServiceResult f, bool allow_restart) {
        bool good, restart;

        service_set_result(s, f);
        forget_processes(s);
        good = s->result == SERVICE_SUCCESS || s->result == SERVICE_SKIP_CONDITION;
        restart = allow_restart && !s->start_when_down && service_shall_restart(s);

        if (restart) {
                service_set_state(s, SERVICE_AUTO_RESTART);
                service_say_restart(s);
                service_set_deadline(s, s->config->restart_usec);
        } else {
                service_set_state(s, good ? SERVICE_DEAD : SERVICE_FAILED);
                s->flush_restarts = true; /* at the next start; until then it can be read */
        }

        if (s->start_when_down)
                (void) service_start_now(s, NULL); /* its failure is the job's result */
        else
                service_end_start_job(s);
}
