/* Whether a unit is one for docker: its Exec lines are docker commands that become Engine calls. Pure. */
#include "drivers/docker/docker_command.h"
#include "drivers/docker/docker_internal.h"
#include "drivers/service/service_config.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/unit_name.h"

static int not_mine(Error *reterr, unsigned line, const char *fmt, ...) _printf_(3, 4);

static int not_mine(Error *reterr, unsigned line, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, fmt);
        text = str_vprintf(fmt, ap);
        va_end(ap);
        (void) error_set_at(reterr, -EOPNOTSUPP, NULL, line, 0, "%s",
                            str_or(text, "out of memory"));
        return DRIVER_NOT_MINE;
}

/* The first ExecStart= tells what a unit is; the rest must fit. */
static int look_at_exec_start(const char *unit, const UnitFile *file, Error *reterr) {
        const UnitOption *o;
        size_t position = 0;

        if (!str_has_suffix(unit, ".service"))
                return not_mine(reterr, 0, "it is no service");
        while ((o = unit_file_next(file, "Service", &position))) {
                _cleanup_free_ char *value = NULL;
                _cleanup_error_ Error why = ERROR_INIT;
                CommandLine *lines = NULL;
                size_t n = 0;
                int r;

                if (!str_eq(o->name, "ExecStart") || str_empty(o->value))
                        continue;
                value = unit_option_joined_value(o);
                if (!value)
                        return -ENOMEM;
                r = command_line_parse(value, &lines, &n, &why);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) /* nobody can run it */
                        return error_set_at(reterr, -EINVAL, NULL, o->line, 0, "ExecStart: %s",
                                            error_text(&why));
                if (n == 0)
                        return not_mine(reterr, o->line, "ExecStart is no command line");
                if (docker_command_is_docker(lines[0].path))
                        r = DRIVER_CLAIMS;
                else
                        r = not_mine(reterr, o->line, "ExecStart runs %s, not docker",
                                     lines[0].path);
                (void) command_lines_free(lines, n);
                return r;
        }
        return not_mine(reterr, 0, "it has no ExecStart");
}

/* ExecStart=docker start needs a container of ours: one that an ExecStartPre= creates. */
static bool is_created_before(const ServiceConfig *config, const DockerCommand *start) {
        for (size_t i = 0; i < config->n_commands[SERVICE_EXEC_START_PRE]; i++) {
                const Strv *argv = &config->commands[SERVICE_EXEC_START_PRE][i].line.argv;
                _cleanup_(docker_command_freep) DockerCommand *c = NULL;
                DockerParseOptions o = { .mode = DOCKER_PARSE_VALUES };

                if (docker_command_parse(argv, &o, &c, NULL) >= 0 && c->verb == DOCKER_CREATE &&
                    strv_contains(&start->names, str_or(c->name, "")))
                        return true;
        }
        return false;
}

static int claim_main(const ServiceConfig *config, const ServiceCommand *line,
                      const DockerCommand *c, Error *reterr) {
        if (c->verb != DOCKER_RUN && c->verb != DOCKER_START)
                return not_mine(reterr, line->file_line,
                                "ExecStart is 'docker %s', not 'docker run' or 'docker start'",
                                docker_verb_to_string(c->verb));
        if (c->verb == DOCKER_START && c->names.n > 1)
                return not_mine(reterr, line->file_line, "ExecStart starts several containers");
        if (c->verb == DOCKER_START && !is_created_before(config, c))
                return not_mine(reterr, line->file_line,
                                "ExecStart starts a container that no ExecStartPre creates");
        return DRIVER_CLAIMS;
}

static int claim_command(const char *unit, const ServiceConfig *config, const ServiceCommand *line,
                         Error *reterr) {
        _cleanup_(docker_command_freep) DockerCommand *c = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        DockerParseOptions o = { .mode = unit_name_is_template(unit) ? DOCKER_PARSE_FLAGS
                                                                     : DOCKER_PARSE_VALUES };
        int r;

        if (!docker_command_is_docker(line->line.path))
                return not_mine(reterr, line->file_line, "%s runs %s, not docker",
                                service_exec_kind_to_string(line->kind), line->line.path);
        r = docker_command_parse(&line->line.argv, &o, &c, &error);
        if (r == -ENOMEM)
                return r;
        if (r == -EOPNOTSUPP)
                return not_mine(reterr, line->file_line, "%s", error_text(&error));
        if (r < 0)
                return error_set_at(reterr, -EINVAL, NULL, line->file_line, 0, "%s",
                                    error_text(&error));
        if (line->kind == SERVICE_EXEC_START)
                return claim_main(config, line, c, reterr);
        return DRIVER_CLAIMS;
}

static int claim_type(const ServiceConfig *config, Error *reterr) {
        if (config->type == SERVICE_TYPE_FORKING)
                return not_mine(reterr, 0, "Type=forking has no process that could be told here");
        if (config->type == SERVICE_TYPE_NOTIFY || config->type == SERVICE_TYPE_DBUS)
                return not_mine(reterr, 0,
                                "a docker client does not say when it is ready "
                                "(Type=notify, Type=dbus)");
        if (config->watchdog_usec > 0)
                return not_mine(reterr, 0,
                                "nothing in a container can say that it is alive (WatchdogSec=)");
        return DRIVER_CLAIMS;
}

int docker_claim(const char *unit, const UnitFile *file, Error *reterr) {
        _cleanup_(service_config_freep) ServiceConfig *config = NULL;
        int r;

        r = look_at_exec_start(unit, file, reterr);
        if (r != DRIVER_CLAIMS)
                return r;
        r = service_config_parse(unit, file, NULL, &config, reterr);
        if (r < 0)
                return r;
        for (size_t kind = 0; kind < _SERVICE_EXEC_MAX; kind++)
                for (size_t i = 0; i < config->n_commands[kind]; i++) {
                        r = claim_command(unit, config, &config->commands[kind][i], reterr);
                        if (r != DRIVER_CLAIMS)
                                return r;
                }
        return claim_type(config, reterr);
}
