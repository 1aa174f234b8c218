#include "drivers/service/service_config.h"

#include <signal.h>

#include "drivers/service/service_keys.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

/* systemd-system.conf(5) as shipped. */
#define DEFAULT_TIMEOUT_USEC (90 * USEC_PER_SEC)
#define DEFAULT_RESTART_USEC (100 * USEC_PER_MSEC)
#define DEFAULT_START_LIMIT_INTERVAL_USEC (10 * USEC_PER_SEC)
#define DEFAULT_START_LIMIT_BURST 5

const char *service_exec_kind_to_string(ServiceExecKind k) {
        static const char *const names[] = { [SERVICE_EXEC_CONDITION] = "ExecCondition",
                                             [SERVICE_EXEC_START_PRE] = "ExecStartPre",
                                             [SERVICE_EXEC_START] = "ExecStart",
                                             [SERVICE_EXEC_START_POST] = "ExecStartPost",
                                             [SERVICE_EXEC_RELOAD] = "ExecReload",
                                             [SERVICE_EXEC_STOP] = "ExecStop",
                                             [SERVICE_EXEC_STOP_POST] = "ExecStopPost" };

        assert((unsigned) k < _SERVICE_EXEC_MAX);
        return names[k];
}

bool service_exit_set_has(const ServiceExitSet *set, bool signaled, int status) {
        if (signaled)
                return status >= 1 && status <= 64 && (set->signals >> (status - 1) & 1) != 0;

        return status >= 0 && status <= UINT8_MAX &&
               (set->codes[status / 8] >> (status % 8) & 1) != 0;
}

ServiceConfig *service_config_free(ServiceConfig *c) {
        if (!c)
                return NULL;

        for (size_t k = 0; k < _SERVICE_EXEC_MAX; k++) {
                for (size_t i = 0; i < c->n_commands[k]; i++)
                        command_line_done(&c->commands[k][i].line);
                mem_free(c->commands[k]);
        }
        for (size_t i = 0; i < c->n_conditions; i++)
                mem_free(c->conditions[i].argument);
        mem_free(c->conditions);
        strv_done(&c->environment);
        strv_done(&c->environment_files);
        strv_done(&c->pass_environment);
        strv_done(&c->unset_environment);
        mem_free(c->unit);
        return mem_free(c);
}

static ServiceConfig *config_new(const char *unit) {
        _cleanup_(service_config_freep) ServiceConfig *c = NULL;

        c = mem_new(ServiceConfig);
        if (!c)
                return NULL;

        *c = (ServiceConfig){ .restart_usec = DEFAULT_RESTART_USEC,
                              .timeout_start_usec = DEFAULT_TIMEOUT_USEC,
                              .timeout_stop_usec = DEFAULT_TIMEOUT_USEC,
                              .runtime_max_usec = USEC_INFINITY,
                              .start_limit_interval_usec = DEFAULT_START_LIMIT_INTERVAL_USEC,
                              .start_limit_burst = DEFAULT_START_LIMIT_BURST,
                              .kill_signal = SIGTERM,
                              .final_kill_signal = SIGKILL,
                              .watchdog_signal = SIGABRT,
                              .send_sigkill = true };
        c->unit = str_dup(unit);
        return c->unit ? TAKE_PTR(c) : NULL;
}

/* ---- one option --------------------------------------------------------------------------------- */

static int unknown_key(ServiceParser *p, const UnitOption *o) {
        const char *other = str_eq(o->section, "Unit") ? "Service" : "Unit", *nearest;

        if (service_key_find(other, o->name))
                return error_set_at(p->reterr, -EINVAL, p->config->unit, o->line, 0,
                                    "unknown key '%s' in [%s]: it belongs into [%s]", o->name,
                                    o->section, other);

        nearest = service_key_nearest(o->section, o->name);
        if (nearest)
                return error_set_at(p->reterr, -EINVAL, p->config->unit, o->line, 0,
                                    "unknown key '%s' in [%s]: did you mean '%s'?", o->name,
                                    o->section, nearest);

        return error_set_at(p->reterr, -EINVAL, p->config->unit, o->line, 0,
                            "unknown key '%s' in [%s]", o->name, o->section);
}

static int parse_option(ServiceParser *p, const UnitOption *o) {
        _cleanup_free_ char *joined = NULL;
        const ServiceKey *key;

        if (str_after_prefix(o->name, "X-"))
                return 0;

        key = service_key_find(o->section, o->name);
        if (!key)
                return unknown_key(p, o);
        if (!key->set)
                return 0;

        joined = unit_option_joined_value(o);
        if (!joined)
                return -ENOMEM;

        return key->set(p, o, str_trim(joined), (char *) p->config + key->offset);
}

/* Sections that are others' matter; what they hold is checked there. */
static bool section_is_foreign(const char *section) {
        static const char *const foreign[] = { "Install", "Container" };

        for (size_t i = 0; i < ELEMENTSOF(foreign); i++)
                if (str_eq(section, foreign[i]))
                        return true;

        return str_after_prefix(section, "X-") != NULL;
}

static int parse_options(ServiceParser *p, const UnitFile *file) {
        int r;

        for (size_t i = 0; i < file->n_options; i++) {
                const UnitOption *o = &file->options[i];

                if (section_is_foreign(o->section))
                        continue;
                if (!str_eq(o->section, "Unit") && !str_eq(o->section, "Service"))
                        return error_set_at(p->reterr, -EINVAL, p->config->unit, o->line, 0,
                                            "unknown section [%s]", o->section);

                r = parse_option(p, o);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- the unit as a whole ------------------------------------------------------------------------ */

/* What was not written follows from what was. */
static void complete(ServiceParser *p) {
        ServiceConfig *c = p->config;

        if (!p->type_given && p->bus_name_given)
                c->type = SERVICE_TYPE_DBUS;
        else if (!p->type_given && c->n_commands[SERVICE_EXEC_START] == 0)
                c->type = SERVICE_TYPE_ONESHOT;

        if (c->type == SERVICE_TYPE_ONESHOT && !p->start_timeout_given)
                c->timeout_start_usec = USEC_INFINITY;
        if (!p->abort_timeout_given)
                c->timeout_abort_usec = c->timeout_stop_usec;
        if (c->watchdog_usec == USEC_INFINITY)
                c->watchdog_usec = 0;
}

/* The line of the last option of that name; 0 = none. */
static unsigned line_of(const UnitFile *file, const char *name) {
        const UnitOption *o;
        size_t position = 0;
        unsigned line = 0;

        while ((o = unit_file_next(file, "Service", &position)))
                if (str_eq(o->name, name))
                        line = o->line;

        return line;
}

static int verify_commands(ServiceParser *p, const UnitFile *file) {
        const ServiceConfig *c = p->config;
        size_t n_start = c->n_commands[SERVICE_EXEC_START];

        if (n_start == 0 && c->n_commands[SERVICE_EXEC_STOP] == 0)
                return error_set_at(p->reterr, -EINVAL, c->unit, line_of(file, "ExecStart"), 0,
                                    "[Service] has neither ExecStart= nor ExecStop=");
        if (n_start == 0 && c->type != SERVICE_TYPE_ONESHOT)
                return error_set_at(
                        p->reterr, -EINVAL, c->unit, line_of(file, "Type"), 0,
                        "[Service] has no ExecStart=, which only Type=oneshot may lack");
        if (n_start == 0 && !c->remain_after_exit)
                return error_set_at(p->reterr, -EINVAL, c->unit, line_of(file, "RemainAfterExit"),
                                    0, "[Service] has no ExecStart= and no RemainAfterExit=yes");
        if (n_start > 1 && c->type != SERVICE_TYPE_ONESHOT)
                return error_set_at(p->reterr, -EINVAL, c->unit,
                                    c->commands[SERVICE_EXEC_START][1].file_line, 0,
                                    "more than one ExecStart=, which only Type=oneshot may have");
        return 0;
}

static bool exit_set_is_empty(const ServiceExitSet *set) {
        for (size_t i = 0; i < sizeof(set->codes); i++)
                if (set->codes[i] != 0)
                        return false;

        return set->signals == 0;
}

static int verify(ServiceParser *p, const UnitFile *file) {
        const ServiceConfig *c = p->config;
        int r;

        if (!unit_file_has_section(file, "Service"))
                return error_set_at(p->reterr, -EINVAL, c->unit, 0, 0, "no [Service] section");

        r = verify_commands(p, file);
        if (r < 0)
                return r;

        if (c->type == SERVICE_TYPE_ONESHOT &&
            (c->restart == SERVICE_RESTART_ALWAYS || c->restart == SERVICE_RESTART_ON_SUCCESS))
                return error_set_at(p->reterr, -EINVAL, c->unit, line_of(file, "Restart"), 0,
                                    "Restart=always and on-success are not for Type=oneshot");
        if (c->type == SERVICE_TYPE_ONESHOT && !exit_set_is_empty(&c->restart_force))
                return error_set_at(p->reterr, -EINVAL, c->unit,
                                    line_of(file, "RestartForceExitStatus"), 0,
                                    "RestartForceExitStatus= is not for Type=oneshot");
        if (c->type == SERVICE_TYPE_DBUS && !p->bus_name_given)
                return error_set_at(p->reterr, -EINVAL, c->unit, line_of(file, "Type"), 0,
                                    "Type=dbus needs BusName=");
        return 0;
}

int service_config_parse(const char *unit, const UnitFile *file, const SpecifierHost *host,
                         ServiceConfig **ret, Error *reterr) {
        _cleanup_(service_config_freep) ServiceConfig *c = NULL;
        ServiceParser p;
        int r;

        if (!str_has_suffix(unit, ".service"))
                return error_set(reterr, -EINVAL, "'%s' is not a service", unit);

        c = config_new(unit);
        if (!c)
                return error_fill(reterr, -ENOMEM);

        p = (ServiceParser){ .config = c, .host = host, .reterr = reterr };
        r = parse_options(&p, file);
        if (r < 0)
                return error_fill(reterr, r);

        complete(&p);
        r = verify(&p, file);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}
