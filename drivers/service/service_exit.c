#include <signal.h>

#include "drivers/service/service_internal.h"
#include "lib/base/alloc.h"

/*
 * systemd.service(5) "Restart=": what a clean end is. The four signals are a clean end of a daemon; a
 * oneshot and the other commands have not done their work when they are ended by one.
 */
static bool exit_is_clean(const Service *s, ServiceTarget target, const ServiceExit *e) {
        const ServiceConfig *c = s->config;
        bool daemon = target == SERVICE_MAIN && c->type != SERVICE_TYPE_ONESHOT;

        if (e->clean || service_exit_set_has(&c->success, e->signaled, e->status))
                return true;
        if (!e->signaled)
                return e->status == 0;

        return daemon && (e->status == SIGHUP || e->status == SIGINT || e->status == SIGTERM ||
                          e->status == SIGPIPE);
}

static ServiceResult exit_result(const Service *s, ServiceTarget target, const ServiceExit *e) {
        if (exit_is_clean(s, target, e))
                return SERVICE_SUCCESS;
        if (e->oom_killed)
                return SERVICE_FAILURE_OOM_KILL;
        if (!e->signaled)
                return SERVICE_FAILURE_EXIT_CODE;

        return e->core_dumped ? SERVICE_FAILURE_CORE_DUMP : SERVICE_FAILURE_SIGNAL;
}

void service_set_result(Service *s, ServiceResult f) {
        if (s->result != SERVICE_SUCCESS || f == SERVICE_SUCCESS)
                return;

        s->result = f;
        s->changed = true;
}

/* ---- main -------------------------------------------------------------------------------------- */

static void remember_main_exit(Service *s, const ServiceExit *e) {
        s->main = SERVICE_MAIN_NONE;
        s->main_ended = s->have_main_exit = true;
        s->main_exit = *e;
        mem_free(s->main_exit_message);
        s->main_exit_message = e->message ? str_dup(e->message) : NULL;
        s->main_exit.message = s->main_exit_message;
        s->changed = true;
}

/* The main process ended while the service was being started. */
static void main_exited_in_start(Service *s, ServiceResult f) {
        switch (s->config->type) {
        case SERVICE_TYPE_ONESHOT:
                if (f == SERVICE_SUCCESS)
                        service_enter_start_post(s);
                else
                        service_enter_signal(s, SERVICE_STOP_SIGTERM, f);
                break;

        case SERVICE_TYPE_NOTIFY:
        case SERVICE_TYPE_DBUS:
                /* It never was ready and never will be. */
                if (f == SERVICE_SUCCESS) {
                        service_say(s, "the main process ended before it was ready");
                        f = SERVICE_FAILURE_PROTOCOL;
                }
                service_enter_signal(s, SERVICE_STOP_SIGTERM, f);
                break;

        case SERVICE_TYPE_SIMPLE:
        case SERVICE_TYPE_EXEC:
        case SERVICE_TYPE_FORKING:
        case SERVICE_TYPE_IDLE:
                service_enter_running(s, f);
                break;
        }
}

/* What the end of main leads to; with a command under way besides, that one is waited for. */
static void after_main(Service *s, ServiceResult f) {
        bool alone = !s->control;

        switch (s->state) {
        case SERVICE_START:
                main_exited_in_start(s, f);
                break;
        case SERVICE_RUNNING:
                service_enter_running(s, f);
                break;
        case SERVICE_START_POST:
        case SERVICE_RELOAD:
                if (alone)
                        service_enter_stop(s, f);
                break;
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
                if (alone)
                        service_enter_stop_post(s, f);
                break;
        case SERVICE_STOP_POST:
                if (alone)
                        service_enter_signal(s, SERVICE_FINAL_SIGTERM, f);
                break;
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                if (alone)
                        service_enter_dead(s, f, true);
                break;
        case SERVICE_STOP: /* ExecStop= is waited for */
        case SERVICE_DEAD:
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_EXITED:
        case SERVICE_FAILED:
        case SERVICE_AUTO_RESTART:
        case _SERVICE_STATE_MAX:
                break;
        }
}

static void main_exited(Service *s, const ServiceExit *e) {
        ServiceResult f = exit_result(s, SERVICE_MAIN, e);

        if (s->main == SERVICE_MAIN_NONE)
                return; /* given up before */

        remember_main_exit(s, e);
        if (s->main_command->line.flags & COMMAND_IGNORE_FAILURE)
                f = SERVICE_SUCCESS;
        if (f != SERVICE_SUCCESS && s->result == SERVICE_SUCCESS)
                service_say_exit(s, s->main_command, e);
        service_set_result(s, f);

        if (s->config->type == SERVICE_TYPE_ONESHOT && s->state == SERVICE_START &&
            f == SERVICE_SUCCESS && service_next_main(s))
                return;

        after_main(s, f);
}

/* ---- control ----------------------------------------------------------------------------------- */

static void after_control(Service *s, ServiceResult f) {
        bool alone = s->main == SERVICE_MAIN_NONE;

        switch (s->state) {
        case SERVICE_CONDITION:
                if (f == SERVICE_SUCCESS)
                        service_enter_start_pre(s);
                else
                        service_enter_signal(s, SERVICE_STOP_SIGTERM, f);
                break;
        case SERVICE_START_PRE:
                if (f == SERVICE_SUCCESS)
                        service_enter_start(s);
                else
                        service_enter_signal(s, SERVICE_STOP_SIGTERM, f);
                break;
        case SERVICE_START_POST:
                if (f == SERVICE_SUCCESS)
                        service_enter_running(s, f);
                else
                        service_enter_signal(s, SERVICE_STOP_SIGTERM, f);
                break;
        case SERVICE_RELOAD:
                s->reload_result = f;
                service_enter_running(s, SERVICE_SUCCESS);
                break;
        case SERVICE_STOP:
                service_enter_signal(s, SERVICE_STOP_SIGTERM, f);
                break;
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
                if (alone)
                        service_enter_stop_post(s, f);
                break;
        case SERVICE_STOP_POST:
                service_enter_signal(s, SERVICE_FINAL_SIGTERM, f);
                break;
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                if (alone)
                        service_enter_dead(s, f, true);
                break;
        case SERVICE_DEAD:
        case SERVICE_START:
        case SERVICE_RUNNING:
        case SERVICE_EXITED:
        case SERVICE_FAILED:
        case SERVICE_AUTO_RESTART:
        case _SERVICE_STATE_MAX:
                break;
        }
}

/* An ExecCondition= that says no (1 to 254) is no failure: the unit is skipped. */
static ServiceResult condition_result(const ServiceExit *e, ServiceResult f) {
        return f == SERVICE_FAILURE_EXIT_CODE && e->status < 255 ? SERVICE_SKIP_CONDITION : f;
}

static void control_exited(Service *s, const ServiceExit *e) {
        const ServiceCommand *c = s->control;
        ServiceResult f = exit_result(s, SERVICE_CONTROL, e);

        if (!c)
                return; /* given up before */

        s->control = NULL;
        if (c->line.flags & COMMAND_IGNORE_FAILURE)
                f = SERVICE_SUCCESS;
        if (s->state == SERVICE_CONDITION)
                f = condition_result(e, f);

        if (f != SERVICE_SUCCESS && s->result == SERVICE_SUCCESS)
                service_say_exit(s, c, e);
        if (s->state != SERVICE_RELOAD)
                service_set_result(s, f);

        /* Only a phase goes on with its next line; what is being killed does not. */
        if (f == SERVICE_SUCCESS && service_phase_of(c->kind) == s->state &&
            service_next_control(s, c))
                return;

        after_control(s, f);
}

void service_exited(Service *s, ServiceTarget target, const ServiceExit *exit) {
        if (target == SERVICE_MAIN)
                main_exited(s, exit);
        else
                control_exited(s, exit);

        service_flush(s);
}

void service_main_started(Service *s) {
        ServiceType type = s->config->type;

        if (s->main != SERVICE_MAIN_STARTING)
                return;

        s->main = SERVICE_MAIN_UP;
        if (s->state == SERVICE_START &&
            (type == SERVICE_TYPE_SIMPLE || type == SERVICE_TYPE_EXEC || type == SERVICE_TYPE_IDLE))
                service_enter_start_post(s);

        service_flush(s);
}

void service_ready(Service *s) {
        ServiceType type = s->config->type;

        if (s->state == SERVICE_START && s->main != SERVICE_MAIN_NONE &&
            (type == SERVICE_TYPE_NOTIFY || type == SERVICE_TYPE_DBUS))
                service_enter_start_post(s);

        service_flush(s);
}

void service_watchdog_ping(Service *s) {
        service_set_watchdog(s);
        service_flush(s);
}
