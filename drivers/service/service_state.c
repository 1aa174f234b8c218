#include "drivers/service/service_internal.h"

#define BIT(state) (UINT32_C(1) << SERVICE_##state)

#define DOWN (BIT(DEAD) | BIT(FAILED) | BIT(AUTO_RESTART))
#define STARTING (BIT(CONDITION) | BIT(START_PRE) | BIT(START) | BIT(START_POST))
#define UP (BIT(RUNNING) | BIT(EXITED))
#define FINAL (BIT(FINAL_WATCHDOG) | BIT(FINAL_SIGTERM) | BIT(FINAL_SIGKILL))
#define KILLING (BIT(STOP_WATCHDOG) | BIT(STOP_SIGTERM) | BIT(STOP_SIGKILL))
/* Phases with nothing to do are skipped, so that each way down may begin anywhere in it. */
#define AFTER_SIGKILL (BIT(STOP_POST) | FINAL | DOWN)
#define ENDING (KILLING | AFTER_SIGKILL)

static const struct {
        const char *name, *active;
        uint32_t moves; /* where it may go */
} states[_SERVICE_STATE_MAX] = {
        /* Up without a start: adopted. Failed without one: the start limit. */
        [SERVICE_DEAD] = { "dead", "inactive", STARTING | UP | BIT(FAILED) },
        [SERVICE_FAILED] = { "failed", "failed", STARTING | UP | BIT(DEAD) },
        [SERVICE_AUTO_RESTART] = { "auto-restart", "activating",
                                   STARTING | UP | BIT(DEAD) | BIT(FAILED) },
        [SERVICE_CONDITION] = { "condition", "activating",
                                BIT(START_PRE) | BIT(START) | BIT(START_POST) | UP | ENDING },
        [SERVICE_START_PRE] = { "start-pre", "activating",
                                BIT(START) | BIT(START_POST) | UP | ENDING },
        [SERVICE_START] = { "start", "activating", BIT(START_POST) | UP | BIT(STOP) | ENDING },
        [SERVICE_START_POST] = { "start-post", "activating", UP | BIT(STOP) | ENDING },
        [SERVICE_RUNNING] = { "running", "active", BIT(EXITED) | BIT(RELOAD) | BIT(STOP) | ENDING },
        [SERVICE_EXITED] = { "exited", "active", BIT(RELOAD) | BIT(STOP) | ENDING },
        [SERVICE_RELOAD] = { "reload", "reloading", UP | BIT(STOP) | ENDING },
        [SERVICE_STOP] = { "stop", "deactivating", ENDING },
        [SERVICE_STOP_SIGTERM] = { "stop-sigterm", "deactivating",
                                   BIT(STOP_WATCHDOG) | BIT(STOP_SIGKILL) | AFTER_SIGKILL },
        [SERVICE_STOP_WATCHDOG] = { "stop-watchdog", "deactivating",
                                    BIT(STOP_SIGKILL) | AFTER_SIGKILL },
        [SERVICE_STOP_SIGKILL] = { "stop-sigkill", "deactivating", AFTER_SIGKILL },
        [SERVICE_STOP_POST] = { "stop-post", "deactivating", FINAL | DOWN },
        [SERVICE_FINAL_SIGTERM] = { "final-sigterm", "deactivating",
                                    BIT(FINAL_WATCHDOG) | BIT(FINAL_SIGKILL) | DOWN },
        [SERVICE_FINAL_WATCHDOG] = { "final-watchdog", "deactivating", BIT(FINAL_SIGKILL) | DOWN },
        [SERVICE_FINAL_SIGKILL] = { "final-sigkill", "deactivating", DOWN },
};

const char *service_state_to_string(ServiceState s) {
        assert((unsigned) s < _SERVICE_STATE_MAX);
        return states[s].name;
}

const char *service_state_active_string(ServiceState s) {
        assert((unsigned) s < _SERVICE_STATE_MAX);
        return states[s].active;
}

const char *service_result_to_string(ServiceResult r) {
        static const char *const names[_SERVICE_RESULT_MAX] = {
                [SERVICE_SUCCESS] = "success",
                [SERVICE_FAILURE_RESOURCES] = "resources",
                [SERVICE_FAILURE_PROTOCOL] = "protocol",
                [SERVICE_FAILURE_TIMEOUT] = "timeout",
                [SERVICE_FAILURE_EXIT_CODE] = "exit-code",
                [SERVICE_FAILURE_SIGNAL] = "signal",
                [SERVICE_FAILURE_CORE_DUMP] = "core-dump",
                [SERVICE_FAILURE_WATCHDOG] = "watchdog",
                [SERVICE_FAILURE_START_LIMIT_HIT] = "start-limit-hit",
                [SERVICE_FAILURE_OOM_KILL] = "oom-kill",
                [SERVICE_SKIP_CONDITION] = "exec-condition",
        };

        assert((unsigned) r < _SERVICE_RESULT_MAX);
        return names[r];
}

static bool is_one_of(ServiceState s, uint32_t set) {
        return (set >> s & 1) != 0;
}

bool service_move_is_allowed(ServiceState from, ServiceState to) {
        return is_one_of(to, states[from].moves);
}

bool service_state_is_down(ServiceState s) {
        return is_one_of(s, BIT(DEAD) | BIT(FAILED));
}

bool service_state_is_up(ServiceState s) {
        return is_one_of(s, UP | BIT(RELOAD));
}

bool service_state_is_starting(ServiceState s) {
        return is_one_of(s, STARTING);
}

/* The clock of WatchdogSec= runs from the end of the start until the stop. */
static bool has_watchdog(ServiceState s) {
        return is_one_of(s, BIT(START_POST) | BIT(RUNNING) | BIT(RELOAD));
}

/* The only writer of s->state. Each state sets its own deadline after it. */
void service_set_state(Service *s, ServiceState state) {
        s->deadline_usec = USEC_INFINITY;
        if (state == s->state)
                return;

        assert(service_move_is_allowed(s->state, state));
        s->state = state;
        s->changed = true;
        if (!has_watchdog(state))
                s->watchdog_deadline_usec = USEC_INFINITY;
}

static uint64_t from_now(const Service *s, uint64_t in_usec) {
        uint64_t at;

        if (in_usec == USEC_INFINITY ||
            __builtin_add_overflow(s->ops->now(s->userdata), in_usec, &at))
                return USEC_INFINITY;

        return at;
}

void service_set_deadline(Service *s, uint64_t in_usec) {
        s->deadline_usec = from_now(s, in_usec);
}

void service_set_watchdog(Service *s) {
        if (s->config->watchdog_usec > 0 && has_watchdog(s->state))
                s->watchdog_deadline_usec = from_now(s, s->config->watchdog_usec);
}

void service_flush(Service *s) {
        uint64_t at = MIN(s->deadline_usec, s->watchdog_deadline_usec);

        if (at != s->timer_usec) {
                s->timer_usec = at;
                s->ops->timer(s, at, s->userdata);
        }
        if (s->changed) {
                s->changed = false;
                s->ops->changed(s, s->userdata);
        }
}
