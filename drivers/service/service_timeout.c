#include <signal.h>

#include "drivers/service/service_internal.h"

/* What is left is killed without asking, or (SendSIGKILL=no) left alone. */
static void kill_at_once(Service *s) {
        if (s->config->send_sigkill)
                service_enter_signal(s, SERVICE_STOP_SIGKILL, SERVICE_FAILURE_TIMEOUT);
        else
                service_enter_stop_post(s, SERVICE_FAILURE_TIMEOUT);
}

static void kill_finally(Service *s) {
        if (s->config->send_sigkill)
                service_enter_signal(s, SERVICE_FINAL_SIGKILL, SERVICE_FAILURE_TIMEOUT);
        else
                service_enter_dead(s, SERVICE_FAILURE_TIMEOUT, false);
}

/* TimeoutStartFailureMode=, TimeoutStopFailureMode= */
static void end_by_mode(Service *s, ServiceTimeoutMode mode) {
        switch (mode) {
        case SERVICE_TIMEOUT_TERMINATE:
                service_enter_signal(s, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_TIMEOUT);
                break;
        case SERVICE_TIMEOUT_ABORT:
                service_enter_signal(s, SERVICE_STOP_WATCHDOG, SERVICE_FAILURE_TIMEOUT);
                break;
        case SERVICE_TIMEOUT_KILL:
                kill_at_once(s);
                break;
        }
}

static void end_stop_post_by_mode(Service *s) {
        switch (s->config->timeout_stop_mode) {
        case SERVICE_TIMEOUT_TERMINATE:
                service_enter_signal(s, SERVICE_FINAL_SIGTERM, SERVICE_FAILURE_TIMEOUT);
                break;
        case SERVICE_TIMEOUT_ABORT:
                service_enter_signal(s, SERVICE_FINAL_WATCHDOG, SERVICE_FAILURE_TIMEOUT);
                break;
        case SERVICE_TIMEOUT_KILL:
                kill_finally(s);
                break;
        }
}

/* A reload that takes too long is ended, the service goes on. */
static void reload_timed_out(Service *s) {
        if (s->control)
                s->ops->kill(s, SERVICE_CONTROL, SIGKILL, s->userdata);
        s->reload_result = SERVICE_FAILURE_TIMEOUT;
        service_enter_running(s, SERVICE_SUCCESS);
}

static void state_timed_out(Service *s) {
        bool abort = s->config->timeout_stop_mode == SERVICE_TIMEOUT_ABORT;

        switch (s->state) {
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_START:
        case SERVICE_START_POST:
                end_by_mode(s, s->config->timeout_start_mode);
                break;
        case SERVICE_RUNNING:
                service_enter_stop(s, SERVICE_FAILURE_TIMEOUT);
                break;
        case SERVICE_RELOAD:
                reload_timed_out(s);
                break;
        case SERVICE_STOP:
                end_by_mode(s, s->config->timeout_stop_mode);
                break;
        case SERVICE_STOP_SIGTERM:
                if (abort)
                        service_enter_signal(s, SERVICE_STOP_WATCHDOG, SERVICE_FAILURE_TIMEOUT);
                else
                        kill_at_once(s);
                break;
        case SERVICE_STOP_WATCHDOG:
                kill_at_once(s);
                break;
        case SERVICE_STOP_SIGKILL: /* cannot be killed: go on without it */
                service_enter_stop_post(s, SERVICE_FAILURE_TIMEOUT);
                break;
        case SERVICE_STOP_POST:
                end_stop_post_by_mode(s);
                break;
        case SERVICE_FINAL_SIGTERM:
                if (abort)
                        service_enter_signal(s, SERVICE_FINAL_WATCHDOG, SERVICE_FAILURE_TIMEOUT);
                else
                        kill_finally(s);
                break;
        case SERVICE_FINAL_WATCHDOG:
                kill_finally(s);
                break;
        case SERVICE_FINAL_SIGKILL:
                service_enter_dead(s, SERVICE_FAILURE_TIMEOUT, true);
                break;
        case SERVICE_AUTO_RESTART:
                service_auto_restart(s);
                break;
        case SERVICE_DEAD:
        case SERVICE_EXITED:
        case SERVICE_FAILED:
        case _SERVICE_STATE_MAX:
                break;
        }
}

void service_timer_elapsed(Service *s) {
        uint64_t now = s->ops->now(s->userdata);

        s->timer_usec = USEC_INFINITY; /* it has gone off: whatever is left must be set anew */
        if (s->watchdog_deadline_usec <= now) {
                if (s->result == SERVICE_SUCCESS)
                        service_say(s, "no sign of life within WatchdogSec=");
                service_enter_signal(s, SERVICE_STOP_WATCHDOG, SERVICE_FAILURE_WATCHDOG);
        } else if (s->deadline_usec <= now) {
                service_say_timeout(s);
                state_timed_out(s);
        }

        service_flush(s);
}
