#include "drivers/service/service_set.h"

#include "drivers/service/exit_status.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

int service_set_error(ServiceParser *p, const UnitOption *o, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, fmt);
        text = str_vprintf(fmt, ap);
        va_end(ap);
        return error_set_at(p->reterr, -EINVAL, p->config->unit, o->line, 0, "%s=: %s", o->name,
                            text ? text : "invalid value");
}

/* The place of `value` among `words`, for the enums of ServiceConfig. */
static int word_index(ServiceParser *p, const UnitOption *o, const char *value,
                      const char *const *words, int *ret) {
        _cleanup_free_ char *all = NULL;

        for (int i = 0; words[i]; i++) {
                _cleanup_free_ char *longer = NULL;

                if (str_eq(words[i], value)) {
                        *ret = i;
                        return 0;
                }

                longer = str_printf("%s%s%s", all ? all : "", all ? ", " : "", words[i]);
                if (!longer)
                        return -ENOMEM;
                mem_free(all);
                all = TAKE_PTR(longer);
        }
        return service_set_error(p, o, "'%s' is none of %s", value, all);
}

SERVICE_SETTER(type) {
        static const char *const words[] = {
                [SERVICE_TYPE_SIMPLE] = "simple",   [SERVICE_TYPE_EXEC] = "exec",
                [SERVICE_TYPE_FORKING] = "forking", [SERVICE_TYPE_ONESHOT] = "oneshot",
                [SERVICE_TYPE_NOTIFY] = "notify",   [SERVICE_TYPE_DBUS] = "dbus",
                [SERVICE_TYPE_IDLE] = "idle",       NULL
        };
        int i, r;

        if (str_empty(value))
                return 0;

        r = word_index(p, o, value, words, &i);
        if (r < 0)
                return r;

        *(ServiceType *) field = (ServiceType) i;
        p->type_given = true;
        return 0;
}

SERVICE_SETTER(restart) {
        static const char *const words[] = { [SERVICE_RESTART_NO] = "no",
                                             [SERVICE_RESTART_ON_SUCCESS] = "on-success",
                                             [SERVICE_RESTART_ON_FAILURE] = "on-failure",
                                             [SERVICE_RESTART_ON_ABNORMAL] = "on-abnormal",
                                             [SERVICE_RESTART_ON_WATCHDOG] = "on-watchdog",
                                             [SERVICE_RESTART_ON_ABORT] = "on-abort",
                                             [SERVICE_RESTART_ALWAYS] = "always",
                                             NULL };
        int i, r;

        if (str_empty(value))
                return 0;

        r = word_index(p, o, value, words, &i);
        if (r < 0)
                return r;

        *(ServiceRestart *) field = (ServiceRestart) i;
        return 0;
}

SERVICE_SETTER(kill_mode) {
        static const char *const words[] = { [SERVICE_KILL_CONTROL_GROUP] = "control-group",
                                             [SERVICE_KILL_MIXED] = "mixed",
                                             [SERVICE_KILL_PROCESS] = "process",
                                             [SERVICE_KILL_NONE] = "none",
                                             NULL };
        int i, r;

        if (str_empty(value))
                return 0;

        r = word_index(p, o, value, words, &i);
        if (r < 0)
                return r;

        *(ServiceKillMode *) field = (ServiceKillMode) i;
        return 0;
}

SERVICE_SETTER(timeout_mode) {
        static const char *const words[] = { [SERVICE_TIMEOUT_TERMINATE] = "terminate",
                                             [SERVICE_TIMEOUT_ABORT] = "abort",
                                             [SERVICE_TIMEOUT_KILL] = "kill",
                                             NULL };
        int i, r;

        if (str_empty(value))
                return 0;

        r = word_index(p, o, value, words, &i);
        if (r < 0)
                return r;

        *(ServiceTimeoutMode *) field = (ServiceTimeoutMode) i;
        return 0;
}

SERVICE_SETTER(bool) {
        if (!str_empty(value) && str_to_bool(value, field) < 0)
                return service_set_error(p, o, "'%s' is neither yes nor no", value);

        return 0;
}

SERVICE_SETTER(burst) {
        uint64_t n;

        if (str_empty(value))
                return 0;
        if (str_to_u64(value, &n) < 0 || n > UINT32_MAX)
                return service_set_error(p, o, "'%s' is not a number of starts", value);

        *(unsigned *) field = (unsigned) n;
        return 0;
}

SERVICE_SETTER(signal) {
        int n;

        if (str_empty(value))
                return 0;

        n = signal_from_string(value);
        if (n < 0)
                return service_set_error(p, o, "there is no signal '%s'", value);

        *(int *) field = n;
        return 0;
}

/* Marks one word of a list of exit statuses and signals. */
static int exit_set_add(ServiceExitSet *set, const char *word) {
        int n;

        n = exit_status_from_string(word);
        if (n >= 0) {
                set->codes[n / 8] |= (uint8_t) (1U << (n % 8));
                return 0;
        }

        n = signal_from_string(word);
        if (n < 0)
                return n;

        set->signals |= UINT64_C(1) << (n - 1);
        return 0;
}

SERVICE_SETTER(exit_set) {
        ServiceExitSet *set = field;
        _cleanup_(strv_done) Strv words = STRV_INIT;
        int r;

        if (str_empty(value)) {
                *set = (ServiceExitSet){ 0 };
                return 0;
        }

        r = strv_split(&words, value, " \t\r\n");
        if (r < 0)
                return r;

        for (size_t i = 0; i < words.n; i++)
                if (exit_set_add(set, words.items[i]) < 0)
                        return service_set_error(p, o,
                                                 "'%s' is neither an exit status nor a signal",
                                                 words.items[i]);
        return 0;
}

SERVICE_SETTER(bus_name) {
        (void) o;
        (void) field;
        p->bus_name_given = !str_empty(value);
        return 0;
}

SERVICE_SETTER(span) {
        _cleanup_error_ Error why = ERROR_INIT;
        int r;

        if (str_empty(value))
                return 0;

        r = timespan_parse(value, USEC_PER_SEC, field, &why);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return service_set_error(p, o, "%s", error_text(&why));

        return 0;
}

SERVICE_SETTER(timeout) {
        int r;

        r = service_set_span(p, o, value, field);
        if (r < 0)
                return r;

        if (*(uint64_t *) field == 0)
                *(uint64_t *) field = USEC_INFINITY;
        return 0;
}

SERVICE_SETTER(timeout_start) {
        (void) field;
        if (!str_empty(value))
                p->start_timeout_given = true;
        return service_set_timeout(p, o, value, &p->config->timeout_start_usec);
}

SERVICE_SETTER(timeout_both) {
        int r;

        r = service_set_timeout_start(p, o, value, field);
        if (r < 0)
                return r;

        return service_set_timeout(p, o, value, &p->config->timeout_stop_usec);
}

SERVICE_SETTER(timeout_abort) {
        (void) field;
        p->abort_timeout_given = !str_empty(value);
        return service_set_timeout(p, o, value, &p->config->timeout_abort_usec);
}

SERVICE_SETTER(no_action) {
        (void) field;
        if (str_empty(value) || str_eq(value, "none"))
                return 0;

        return service_set_error(p, o,
                                 "'%s' would act on the whole machine, which is not done for a "
                                 "supervised unit",
                                 value);
}

SERVICE_SETTER(exit_type) {
        (void) field;
        if (str_empty(value) || str_eq(value, "main"))
                return 0;

        return service_set_error(p, o, "'%s' cannot be followed, only 'main'", value);
}

SERVICE_SETTER(standard_input) {
        static const char *const harmless[] = { "null", "tty", "tty-force", "tty-fail" };

        (void) field;
        if (str_empty(value))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(harmless); i++)
                if (str_eq(value, harmless[i]))
                        return 0;

        return service_set_error(p, o, "input from '%s' cannot be given to a supervised unit",
                                 value);
}

SERVICE_SETTER(refused) {
        (void) field;
        if (str_empty(value))
                return 0;

        return service_set_error(p, o, "cannot be followed for a supervised unit");
}
