#include "tests/lib/service_rig.h"

#include <stdio.h>

#include "drivers/service/exit_status.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

#define UNIT_NAME "job@one.service"

static void note(ServiceRig *rig, const char *fmt, ...) _printf_(2, 3);
static void note(ServiceRig *rig, const char *fmt, ...) {
        va_list ap;

        if (!rig->traces)
                return;

        va_start(ap, fmt);
        assert(buf_append_str(&rig->trace, "  ") == 0);
        assert(buf_vprintf(&rig->trace, fmt, ap) == 0);
        assert(buf_append_char(&rig->trace, '\n') == 0);
        va_end(ap);
}

static const char *target_name(ServiceTarget target) {
        return target == SERVICE_MAIN ? "main" : "control";
}

static int rig_run(Service *s, ServiceTarget target, const ServiceCommand *command,
                   const Strv *argv, const Strv *environment, void *userdata, Error *reterr) {
        ServiceRig *rig = userdata;
        _cleanup_free_ char *line = rig->traces ? strv_join(argv, " ") : NULL;
        int r;

        assert(command->line.path);
        rig->restarts_at_run = service_restarts(s);
        if (strstr(command->line.path, "cannot-run")) {
                note(rig, "refused %s %s", target_name(target), line);
                return error_set(reterr, -EIO, "the rig refuses");
        }

        if (rig->traces) {
                note(rig, "run %s %s", target_name(target), line);
                strv_done(&rig->environment);
                r = strv_copy(environment, &rig->environment);
                assert(r >= 0);
        }
        if (target == SERVICE_MAIN)
                rig->main_runs = true;
        else
                rig->control_runs = true;
        return 0;
}

static void rig_kill(Service *s, ServiceTarget target, int signal_number, void *userdata) {
        char buffer[SIGNAL_NAME_MAX];

        (void) s;
        note(userdata, "kill %s %s", target_name(target), signal_to_string(signal_number, buffer));
}

static void rig_timer(Service *s, uint64_t at_usec, void *userdata) {
        ServiceRig *rig = userdata;

        (void) s;
        rig->timer_usec = at_usec;
}

static void rig_changed(Service *s, void *userdata) {
        ServiceRig *rig = userdata;
        ServiceResult result = service_result(s);
        char *line;

        if (!rig->traces)
                return;

        line = str_printf("%s %s%s%s", service_state_active_string(service_state(s)),
                          service_state_to_string(service_state(s)),
                          result == SERVICE_SUCCESS ? "" : " ",
                          result == SERVICE_SUCCESS ? "" : service_result_to_string(result));
        assert(line);
        if (!str_eq(rig->shown, line))
                note(rig, "%s", line);
        mem_free(rig->shown);
        rig->shown = line;
}

static uint64_t rig_now(void *userdata) {
        ServiceRig *rig = userdata;

        return rig->now_usec;
}

static const ServiceOps rig_ops = {
        .run = rig_run, .kill = rig_kill, .timer = rig_timer, .changed = rig_changed, .now = rig_now
};

int service_rig_init(ServiceRig *rig, const char *unit_text, size_t size, Error *reterr) {
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        _cleanup_(service_config_freep) ServiceConfig *config = NULL;
        int r;

        *rig = (ServiceRig){ .now_usec = USEC_PER_HOUR,
                             .timer_usec = USEC_INFINITY,
                             .traces = true };
        r = unit_file_parse(unit_text, size, &file, reterr);
        if (r < 0)
                return r;

        r = service_config_parse(UNIT_NAME, file, NULL, &config, reterr);
        if (r < 0)
                return r;

        r = service_new(config, &rig_ops, rig, &rig->service);
        if (r < 0)
                return error_fill(reterr, r);

        config = NULL;
        return 0;
}

void service_rig_done(ServiceRig *rig) {
        rig->service = service_free(rig->service);
        buf_done(&rig->trace);
        rig->shown = mem_free(rig->shown);
        strv_done(&rig->environment);
}

void service_rig_advance(ServiceRig *rig, uint64_t usec) {
        uint64_t until = rig->now_usec + usec;

        while (rig->timer_usec <= until) {
                rig->now_usec = MAX(rig->now_usec, rig->timer_usec);
                rig->timer_usec = USEC_INFINITY;
                service_timer_elapsed(rig->service);
        }
        rig->now_usec = until;
}

void service_rig_exit(ServiceRig *rig, ServiceTarget target, const ServiceExit *exit) {
        bool *runs = target == SERVICE_MAIN ? &rig->main_runs : &rig->control_runs;

        if (!*runs)
                note(rig, "(no %s runs)", target_name(target));
        *runs = false;
        service_exited(rig->service, target, exit);
}

/* ---- scripts ----------------------------------------------------------------------------------- */

static void show_job(ServiceRig *rig) {
        int r = service_job_result(rig->service);

        if (service_job_pending(rig->service))
                note(rig, "job pending");
        else
                note(rig, "job ended: %s", r == 0 ? "well" : strerrorname_np(-r));
}

static void show_call(ServiceRig *rig, int r, const Error *e) {
        if (r < 0)
                note(rig, "%s: %s", strerrorname_np(-r), error_text(e));
}

/* "0", "1", "TERM", "SEGV dumped", "oom", "143 clean", "125 no such image" */
static void exit_event(ServiceRig *rig, ServiceTarget target, const char *how) {
        _cleanup_(strv_done) Strv words = STRV_INIT;
        ServiceExit e = { 0 };
        int n;

        assert(strv_split(&words, how, " ") == 0 && words.n > 0);
        if (str_eq(words.items[0], "oom")) {
                e = (ServiceExit){ .status = 137, .oom_killed = true };
        } else if (words.items[0][0] >= '0' && words.items[0][0] <= '9') {
                n = exit_status_from_string(words.items[0]);
                assert(n >= 0);
                e.status = n;
        } else {
                n = signal_from_string(words.items[0]);
                assert(n > 0);
                e = (ServiceExit){ .signaled = true, .status = n };
        }

        if (words.n > 1) {
                const char *rest = how + strlen(words.items[0]) + 1;

                e.core_dumped = str_eq(rest, "dumped");
                e.clean = str_eq(rest, "clean");
                if (!e.core_dumped && !e.clean)
                        e.message = rest;
        }
        service_rig_exit(rig, target, &e);
}

static int argument_event(ServiceRig *rig, const char *line) {
        const char *rest;
        uint64_t usec;

        if ((rest = str_after_prefix(line, "exit main ")))
                exit_event(rig, SERVICE_MAIN, rest);
        else if ((rest = str_after_prefix(line, "exit control ")))
                exit_event(rig, SERVICE_CONTROL, rest);
        else if ((rest = str_after_prefix(line, "advance ")) &&
                 timespan_parse(rest, USEC_PER_SEC, &usec, NULL) == 0)
                service_rig_advance(rig, usec);
        else if ((rest = str_after_prefix(line, "environment "))) {
                const char *value = environment_get(&rig->environment, rest);

                note(rig, "%s=%s", rest, value ? value : "(unset)");
        } else
                return -EINVAL;

        return 0;
}

static void restore_event(ServiceRig *rig, ServiceState state, ServiceResult result, int status) {
        ServiceExit exit = { .status = status };

        service_restore(rig->service, state, result, &exit, 7, "as it was");
}

static void adopt_event(ServiceRig *rig, bool running) {
        rig->main_runs = true;
        service_adopt(rig->service, running, 7);
}

int service_rig_event(ServiceRig *rig, const char *line) {
        _cleanup_error_ Error why = ERROR_INIT;
        Service *s = rig->service;

        if (str_eq(line, "start"))
                show_call(rig, service_start(s, &why), &why);
        else if (str_eq(line, "stop"))
                (void) service_stop(s);
        else if (str_eq(line, "restart"))
                show_call(rig, service_restart(s, &why), &why);
        else if (str_eq(line, "reload"))
                show_call(rig, service_reload(s, &why), &why);
        else if (str_eq(line, "reset-failed"))
                service_reset_failed(s);
        else if (str_eq(line, "main-started"))
                service_main_started(s);
        else if (str_eq(line, "ready"))
                service_ready(s);
        else if (str_eq(line, "ping"))
                service_watchdog_ping(s);
        else if (str_eq(line, "timer"))
                service_timer_elapsed(s);
        else if (str_eq(line, "adopt running"))
                adopt_event(rig, true);
        else if (str_eq(line, "adopt ended"))
                adopt_event(rig, false);
        else if (str_eq(line, "restore exited"))
                restore_event(rig, SERVICE_EXITED, SERVICE_SUCCESS, 0);
        else if (str_eq(line, "restore failed"))
                restore_event(rig, SERVICE_FAILED, SERVICE_FAILURE_EXIT_CODE, 3);
        else if (str_eq(line, "job"))
                show_job(rig);
        else if (str_eq(line, "message"))
                note(rig, "%s", service_message(s) ? service_message(s) : "(none)");
        else if (str_eq(line, "restarts"))
                note(rig, "restarts %llu", (unsigned long long) service_restarts(s));
        else if (str_eq(line, "restarts-at-run"))
                note(rig, "restarts %llu", (unsigned long long) rig->restarts_at_run);
        else if (str_eq(line, "idle"))
                note(rig, "%s", rig->timer_usec == USEC_INFINITY ? "no timer" : "a timer");
        else
                return argument_event(rig, line);

        return 0;
}
