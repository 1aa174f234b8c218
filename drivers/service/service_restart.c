#include "drivers/service/service_internal.h"
#include "lib/base/alloc.h"

/* Table 2 of systemd.service(5), and its exceptions. */
bool service_shall_restart(const Service *s) {
        const ServiceConfig *c = s->config;
        const ServiceExit *e = &s->main_exit;

        if (s->forbid_restart)
                return false;
        if (s->main_ended && service_exit_set_has(&c->restart_prevent, e->signaled, e->status))
                return false;
        if (s->main_ended && service_exit_set_has(&c->restart_force, e->signaled, e->status))
                return true;
        if (s->result == SERVICE_SKIP_CONDITION)
                return false;

        switch (c->restart) {
        case SERVICE_RESTART_NO:
                return false;
        case SERVICE_RESTART_ALWAYS:
                return true;
        case SERVICE_RESTART_ON_SUCCESS:
                return s->result == SERVICE_SUCCESS;
        case SERVICE_RESTART_ON_FAILURE:
                return s->result != SERVICE_SUCCESS;
        case SERVICE_RESTART_ON_ABNORMAL:
                return s->result != SERVICE_SUCCESS && s->result != SERVICE_FAILURE_EXIT_CODE;
        case SERVICE_RESTART_ON_WATCHDOG:
                return s->result == SERVICE_FAILURE_WATCHDOG;
        case SERVICE_RESTART_ON_ABORT:
                return s->result == SERVICE_FAILURE_SIGNAL ||
                       s->result == SERVICE_FAILURE_CORE_DUMP;
        }
        return false;
}

/* At most `burst` starts in an interval that begins with the first of them. Counts this one. */
static bool start_limit_passes(Service *s) {
        const ServiceConfig *c = s->config;
        uint64_t now = s->ops->now(s->userdata);

        if (c->start_limit_interval_usec == 0 || c->start_limit_burst == 0)
                return true;

        if (s->limit_starts == 0 || now - s->limit_begin_usec > c->start_limit_interval_usec) {
                s->limit_begin_usec = now;
                s->limit_starts = 1;
                return true;
        }
        if (s->limit_starts >= c->start_limit_burst)
                return false;

        s->limit_starts++;
        return true;
}

/* The start does not happen; it is down, with the reason. */
static void skip_start(Service *s, const ServiceCondition *unmet) {
        service_say_unmet(s, unmet);
        service_set_state(s, SERVICE_DEAD);
        s->result = SERVICE_SKIP_CONDITION;
        s->flush_restarts = s->changed = true;
}

/* 0 = they are met, 1 = the start is skipped, -EPROTO = it fails. */
static int check_conditions(Service *s, Error *reterr) {
        const ServiceCondition *unmet;

        unmet = service_config_unmet(s->config, false);
        if (unmet) {
                skip_start(s, unmet);
                service_end_job(s, 0);
                return 1;
        }

        unmet = service_config_unmet(s->config, true);
        if (!unmet)
                return 0;

        skip_start(s, unmet);
        service_end_job(s, -EPROTO);
        return error_set(reterr, -EPROTO, "%s", s->message ? s->message : "an assert is not met");
}

static int start_now(Service *s, bool automatic, Error *reterr) {
        int r;

        s->start_when_down = false;
        if (!start_limit_passes(s)) {
                service_say_start_limit(s);
                s->result = SERVICE_FAILURE_START_LIMIT_HIT;
                s->flush_restarts = s->changed = true;
                service_set_state(s, SERVICE_FAILED);
                service_end_job(s, -EAGAIN);
                return error_set(reterr, -EAGAIN, "%s",
                                 s->message ? s->message : "start limit hit");
        }

        r = check_conditions(s, reterr);
        if (r != 0)
                return r < 0 ? r : 0;

        if (s->flush_restarts) {
                s->restarts = 0;
                s->flush_restarts = false;
        }
        if (automatic)
                s->restarts++; /* before anything is run: the owner may write it down there */
        service_begin(s);
        return 0;
}

int service_start_now(Service *s, Error *reterr) {
        return start_now(s, false, reterr);
}

void service_auto_restart(Service *s) {
        (void) start_now(s, true, NULL); /* what goes wrong is in the result and the message */
}

void service_end_job(Service *s, int r) {
        if (s->job == SERVICE_JOB_NONE)
                return;

        s->job = SERVICE_JOB_NONE;
        s->job_result = r;
        s->changed = true;
}

static int job_result_of(ServiceResult f) {
        switch (f) {
        case SERVICE_SUCCESS:
        case SERVICE_SKIP_CONDITION:
                return 0;
        case SERVICE_FAILURE_TIMEOUT:
                return -ETIMEDOUT;
        case SERVICE_FAILURE_START_LIMIT_HIT:
                return -EAGAIN;
        case SERVICE_FAILURE_RESOURCES:
        case SERVICE_FAILURE_PROTOCOL:
        case SERVICE_FAILURE_EXIT_CODE:
        case SERVICE_FAILURE_SIGNAL:
        case SERVICE_FAILURE_CORE_DUMP:
        case SERVICE_FAILURE_WATCHDOG:
        case SERVICE_FAILURE_OOM_KILL:
        case _SERVICE_RESULT_MAX:
                break;
        }
        return -EIO;
}

void service_end_start_job(Service *s) {
        bool up = service_state_is_up(s->state);

        switch (s->job) {
        case SERVICE_JOB_START:
        case SERVICE_JOB_RESTART:
                service_end_job(s, job_result_of(s->result));
                break;
        case SERVICE_JOB_RELOAD:
                service_end_job(s, up ? job_result_of(s->reload_result) : -EIO);
                break;
        case SERVICE_JOB_STOP:
                service_end_job(s, 0);
                break;
        case SERVICE_JOB_NONE:
                break;
        }
}
