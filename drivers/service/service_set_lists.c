#include "drivers/service/service_set.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

/* Where the host is not known (a check at submit), its specifiers stay as they are. */
static const SpecifierHost unknown_host = { .hostname = "%H",
                                            .machine_id = "%m",
                                            .boot_id = "%b",
                                            .kernel_release = "%v",
                                            .architecture = "%a",
                                            .user = "%u",
                                            .user_id = "%U",
                                            .home = "%h",
                                            .shell = "%s",
                                            .runtime_directory = "%t",
                                            .state_directory = "%S",
                                            .cache_directory = "%C",
                                            .log_directory = "%L" };

/* Passes out-of-memory on, puts key and line before the words of anything else. */
static int value_error(ServiceParser *p, const UnitOption *o, int r, const Error *why) {
        return r == -ENOMEM ? r : service_set_error(p, o, "%s", error_text(why));
}

int service_set_expand(ServiceParser *p, const UnitOption *o, const char *s, char **ret) {
        _cleanup_error_ Error why = ERROR_INIT;
        int r;

        r = specifier_expand(s, p->config->unit, p->host ? p->host : &unknown_host, ret, &why);
        return r < 0 ? value_error(p, o, r, &why) : 0;
}

/* systemd expands specifiers word by word: what they stand for is never split or unquoted. */
static int expand_in_place(ServiceParser *p, const UnitOption *o, char **s) {
        char *expanded;
        int r;

        r = service_set_expand(p, o, *s, &expanded);
        if (r < 0)
                return r;

        mem_free(*s);
        *s = expanded;
        return 0;
}

static void commands_clear(ServiceConfig *c, ServiceExecKind kind) {
        for (size_t i = 0; i < c->n_commands[kind]; i++)
                command_line_done(&c->commands[kind][i].line);
        c->commands[kind] = mem_free(c->commands[kind]);
        c->n_commands[kind] = 0;
}

/* Takes the contents of the lines. */
static int commands_append(ServiceConfig *c, ServiceExecKind kind, CommandLine *lines, size_t n,
                           unsigned file_line) {
        size_t have = c->n_commands[kind];
        ServiceCommand *grown;

        grown = mem_realloc(c->commands[kind], (have + n) * sizeof(ServiceCommand));
        if (!grown)
                return -ENOMEM;

        c->commands[kind] = grown;
        for (size_t i = 0; i < n; i++) {
                grown[have + i] = (ServiceCommand){ .line = lines[i],
                                                    .kind = kind,
                                                    .file_line = file_line };
                lines[i] = (CommandLine){ 0 };
        }
        c->n_commands[kind] += n;
        return 0;
}

static int exec_lines(ServiceParser *p, const UnitOption *o, ServiceExecKind kind,
                      CommandLine *lines, size_t n) {
        int r;

        if (p->config->n_commands[kind] + n > SERVICE_COMMANDS_MAX)
                return service_set_error(p, o, "more than %d commands", SERVICE_COMMANDS_MAX);

        for (size_t i = 0; i < n; i++) {
                _cleanup_error_ Error why = ERROR_INIT;

                r = command_line_expand_specifiers(&lines[i], p->config->unit,
                                                   p->host ? p->host : &unknown_host, &why);
                if (r < 0)
                        return value_error(p, o, r, &why);
        }

        return commands_append(p->config, kind, lines, n, o->line);
}

SERVICE_SETTER(exec) {
        ServiceExecKind kind = (ServiceExecKind) ((ServiceCommand **) field - p->config->commands);
        _cleanup_error_ Error why = ERROR_INIT;
        CommandLine *lines = NULL;
        size_t n = 0;
        int r;

        if (str_empty(value)) {
                commands_clear(p->config, kind);
                return 0;
        }

        r = command_line_parse(value, &lines, &n, &why);
        if (r < 0)
                return value_error(p, o, r, &why);

        r = exec_lines(p, o, kind, lines, n);
        (void) command_lines_free(lines, n);
        return r;
}

SERVICE_SETTER(environment) {
        _cleanup_(strv_done) Strv words = STRV_INIT;
        _cleanup_error_ Error why = ERROR_INIT;
        int r;

        if (str_empty(value)) {
                strv_done(field);
                return 0;
        }

        r = command_words(value, true, &words, &why);
        if (r < 0)
                return value_error(p, o, r, &why);

        for (size_t i = 0; i < words.n; i++) {
                r = expand_in_place(p, o, &words.items[i]);
                if (r < 0)
                        return r;

                r = environment_set(field, words.items[i]);
                if (r == -EINVAL)
                        return service_set_error(p, o, "'%s' is not an assignment NAME=value",
                                                 words.items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

SERVICE_SETTER(environment_file) {
        _cleanup_free_ char *path = NULL;
        Strv *files = field;
        int r;

        if (str_empty(value)) {
                strv_done(files);
                return 0;
        }

        r = service_set_expand(p, o, value, &path);
        if (r < 0)
                return r;
        if (path[path[0] == '-'] != '/')
                return service_set_error(p, o, "'%s' is not an absolute path", value);
        if (files->n >= SERVICE_ENVIRONMENT_FILES_MAX)
                return service_set_error(p, o, "more than %d files", SERVICE_ENVIRONMENT_FILES_MAX);

        r = strv_take(files, path);
        if (r < 0)
                return r;

        path = NULL;
        return 0;
}

/* Words that are names of variables, or (where `assignments`) NAME=value as well. */
static int name_list(ServiceParser *p, const UnitOption *o, const char *value, Strv *list,
                     bool assignments) {
        _cleanup_(strv_done) Strv words = STRV_INIT;
        _cleanup_error_ Error why = ERROR_INIT;
        int r;

        if (str_empty(value)) {
                strv_done(list);
                return 0;
        }

        r = command_words(value, true, &words, &why);
        if (r < 0)
                return value_error(p, o, r, &why);

        for (size_t i = 0; i < words.n; i++) {
                size_t size;

                r = expand_in_place(p, o, &words.items[i]);
                if (r < 0)
                        return r;

                size = assignments ? strcspn(words.items[i], "=") : strlen(words.items[i]);
                if (!environment_name_is_valid(words.items[i], size))
                        return service_set_error(p, o, "'%s' is not a name of a variable",
                                                 words.items[i]);

                r = strv_push(list, words.items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

SERVICE_SETTER(names) {
        return name_list(p, o, value, field, false);
}

SERVICE_SETTER(unset) {
        return name_list(p, o, value, field, true);
}
