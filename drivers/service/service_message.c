#include "drivers/service/exit_status.h"
#include "drivers/service/service_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"

/* The words of one message; longer ones are cut. */
#define MESSAGE_MAX 1024

void service_say(Service *s, const char *fmt, ...) {
        char *text;
        va_list ap;

        va_start(ap, fmt);
        text = str_vprintf(fmt, ap);
        va_end(ap);

        mem_free(s->message);
        s->message = text; /* NULL: the words did not fit into memory */
        if (text && strlen(text) > MESSAGE_MAX)
                text[MESSAGE_MAX] = '\0';
        s->changed = true;
}

/* " (line 7)", or nothing for a unit that never was a file. The caller owns it. */
static char *where(unsigned file_line) {
        return file_line > 0 ? str_printf(" (line %u)", file_line) : str_dup("");
}

static const char *or_nothing(const char *s) {
        return s ? s : "";
}

void service_say_exit(Service *s, const ServiceCommand *c, const ServiceExit *e) {
        _cleanup_free_ char *line = where(c->file_line), *how = NULL, *why = NULL;
        char buffer[SIGNAL_NAME_MAX];

        if (e->oom_killed)
                how = str_dup("was killed for lack of memory");
        else if (!e->signaled)
                how = str_printf("%s with status %d",
                                 s->state == SERVICE_CONDITION && e->status < 255 ? "said no"
                                                                                  : "failed",
                                 e->status);
        else
                how = str_printf("was killed by SIG%s%s", signal_to_string(e->status, buffer),
                                 e->core_dumped ? " and dumped core" : "");

        why = e->message ? str_printf(": %s", e->message) : str_dup("");
        service_say(s, "%s=%s%s %s%s", service_exec_kind_to_string(c->kind), c->line.path,
                    or_nothing(line), or_nothing(how), or_nothing(why));
}

void service_say_not_run(Service *s, const ServiceCommand *c, const Error *why) {
        _cleanup_free_ char *line = where(c->file_line);

        if (s->result == SERVICE_SUCCESS)
                service_say(s, "%s=%s%s could not be run: %s", service_exec_kind_to_string(c->kind),
                            c->line.path, or_nothing(line), error_text(why));
}

/* What was waited for: the line under way, or what the state is about. The caller owns it. */
static char *awaited(const Service *s) {
        _cleanup_free_ char *line = NULL;

        switch (s->state) {
        case SERVICE_START:
                if (s->config->type == SERVICE_TYPE_NOTIFY || s->config->type == SERVICE_TYPE_DBUS)
                        return str_dup("the main process to be ready");
                line = where(s->main_command->file_line);
                return str_printf("ExecStart%s", or_nothing(line));
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_START_POST:
        case SERVICE_RELOAD:
        case SERVICE_STOP:
        case SERVICE_STOP_POST:
                line = where(s->control->file_line);
                return str_printf("%s%s", service_exec_kind_to_string(s->control->kind),
                                  or_nothing(line));
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                return str_dup("what runs to end");
        case SERVICE_DEAD:
        case SERVICE_RUNNING:
        case SERVICE_EXITED:
        case SERVICE_FAILED:
        case SERVICE_AUTO_RESTART:
        case _SERVICE_STATE_MAX:
                break;
        }
        return NULL;
}

static uint64_t timeout_of_state(const Service *s) {
        const ServiceConfig *c = s->config;

        if (service_state_is_starting(s->state) || s->state == SERVICE_RELOAD)
                return c->timeout_start_usec;
        if (s->state == SERVICE_STOP_WATCHDOG || s->state == SERVICE_FINAL_WATCHDOG)
                return c->timeout_abort_usec;

        return c->timeout_stop_usec;
}

void service_say_timeout(Service *s) {
        _cleanup_free_ char *span = NULL, *what = NULL;

        if (s->result != SERVICE_SUCCESS)
                return;

        if (s->state == SERVICE_RUNNING) {
                span = timespan_format(s->config->runtime_max_usec);
                service_say(s, "ran longer than RuntimeMaxSec=%s", or_nothing(span));
                return;
        }

        what = awaited(s);
        if (!what)
                return;

        span = timespan_format(timeout_of_state(s));
        service_say(s, "timed out after %s waiting for %s", or_nothing(span), what);
}

void service_say_start_limit(Service *s) {
        _cleanup_free_ char *span = timespan_format(s->config->start_limit_interval_usec);
        _cleanup_free_ char *last = TAKE_PTR(s->message);
        bool again = s->result == SERVICE_FAILURE_START_LIMIT_HIT;
        bool failed = s->result != SERVICE_SUCCESS && last;

        if (again && last) {
                s->message = TAKE_PTR(last);
                return;
        }

        service_say(s, "start limit hit: %u starts within %s%s%s", s->config->start_limit_burst,
                    or_nothing(span), failed ? "; last: " : "", failed ? last : "");
}

void service_say_unmet(Service *s, const ServiceCondition *c) {
        _cleanup_free_ char *line = where(c->file_line);

        service_say(s, "%s=%s%s%s is not met", c->key, c->negate ? "!" : "", c->argument,
                    or_nothing(line));
}

void service_say_restart(Service *s) {
        _cleanup_free_ char *span = NULL;

        if (s->message)
                return;

        span = timespan_format(s->config->restart_usec);
        service_say(s, "ended, starts again after %s", or_nothing(span));
}
