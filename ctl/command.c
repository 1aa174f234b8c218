#include "ctl/command.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define COMMANDS_MAX 64
#define NAME_MAX_COMPARED 32
#define SUGGESTION_DISTANCE 2

const Command *command_find(const char *name) {
        const Command *found = NULL;
        size_t matches = 0;

        for (const Command *c = command_table(); c->name; c++) {
                if (str_eq(c->name, name))
                        return c;
                if (str_empty(name) || c->hidden || !str_after_prefix(c->name, name))
                        continue;
                found = c;
                matches++;
        }
        return matches == 1 ? found : NULL;
}

/* ---- what was typed --------------------------------------------------------------------------- */

/* The global table and that of each command, so that flags are understood wherever they stand. */
static void all_tables(const OptionSpec *ret[COMMANDS_MAX + 2]) {
        size_t n = 0;

        ret[n++] = options_global();
        for (const Command *c = command_table(); c->name; c++) {
                assert(n <= COMMANDS_MAX);
                ret[n++] = c->options;
        }
        ret[n] = NULL;
}

/* Applies one flag, as the command (or, NULL, fleetctl itself) knows it. */
static int apply(Context *c, const Command *command, const OptionGiven *given, Error *reterr) {
        const char *name = given->spec->name;
        const OptionSpec *spec = option_find(options_global(), name, strlen(name));

        if (!spec && command)
                spec = option_find(command->options, name, strlen(name));
        if (!spec)
                return error_set(reterr, -EINVAL, "unknown flag: --%s", name);
        return option_set(&c->options, spec, given->value, reterr);
}

/* Whose usage to show when the flags cannot be understood. */
static const Command *first_command(char *const *args, size_t n_args) {
        for (size_t i = 0; i < n_args; i++) {
                const Command *command = args[i][0] == '-' ? NULL : command_find(args[i]);

                if (command)
                        return command;
        }
        return NULL;
}

static int take_arguments(Context *c, const Strv *positional, Error *reterr) {
        for (size_t i = 0; i < positional->n; i++) {
                int r = i == 0 ? str_replace(&c->command_name, positional->items[0])
                               : strv_push(&c->arguments, positional->items[i]);

                if (r < 0)
                        return error_fill(reterr, r);
        }
        return 0;
}

int command_parse(Context *c, char *const *args, size_t n_args, const Command **ret_command,
                  Error *reterr) {
        const OptionSpec *tables[COMMANDS_MAX + 2];
        _cleanup_(options_parsed_done) OptionsParsed p = { 0 };
        const Command *command = NULL;
        int r;

        *ret_command = first_command(args, n_args);
        options_set_defaults(&c->options, options_global());
        r = options_set_environment(&c->options, reterr);
        if (r < 0)
                return r;

        all_tables(tables);
        r = options_split(tables, args, n_args, &p, reterr);
        if (r < 0)
                return r;
        if (p.positional.n > 0)
                command = command_find(p.positional.items[0]);
        if (command)
                options_set_defaults(&c->options, command->options);
        *ret_command = command;

        for (size_t i = 0; i < p.n_given && (command || p.positional.n == 0); i++) {
                r = apply(c, command, p.given + i, reterr);
                if (r < 0)
                        return r;
        }
        return take_arguments(c, &p.positional, reterr);
}

/* ---- usage ------------------------------------------------------------------------------------ */

static int usage_flags(const OptionSpec *table, const char *heading, Buf *b) {
        bool any = false;
        int r = 0;

        for (const OptionSpec *s = table; s->name && r == 0; s++) {
                char letter[] = { '-', s->letter, ',', ' ', '\0' };

                if (!s->meaning)
                        continue;
                if (!any)
                        r = buf_printf(b, "\n%s:\n", heading);
                any = true;
                if (r == 0)
                        r = buf_printf(b, "\t%s--%s%s%s\n\t\t%s", s->letter ? letter : "", s->name,
                                       s->value_name ? " " : "", str_or(s->value_name, ""),
                                       s->meaning);
                if (r == 0)
                        r = str_empty(s->fallback) || str_eq(s->fallback, "false")
                                    ? buf_append_str(b, "\n")
                                    : buf_printf(b, " [%s]\n", s->fallback);
        }
        return r;
}

/* Text whose lines each start with a tab. */
static int indented(const char *text, Buf *b) {
        int r = 0;

        while (*text && r == 0) {
                size_t n = strcspn(text, "\n");

                r = n ? buf_printf(b, "\t%.*s\n", (int) n, text) : buf_append_str(b, "\n");
                text += n + (text[n] == '\n');
        }
        return r;
}

static int usage_root(Buf *b) {
        size_t width = 0;
        int r;

        r = buf_append_str(b,
                           "NAME:\n\tfleetctl - a cluster manager for people who think in systemd "
                           "units\n\nUSAGE:\n\tfleetctl [global options] <command> [command "
                           "options] [arguments...]\n\nVERSION:\n\t" VERSION "\n\nCOMMANDS:\n");
        for (const Command *c = command_table(); c->name; c++)
                width = MAX(width, strlen(c->name));
        for (const Command *c = command_table(); c->name && r == 0; c++)
                if (!c->hidden)
                        r = buf_printf(b, "\t%-*s  %s\n", (int) width, c->name, c->summary);
        if (r == 0)
                r = usage_flags(options_global(), "GLOBAL OPTIONS", b);
        if (r == 0)
                r = buf_append_str(b,
                                   "\nEach global option can be set in the environment: --request-"
                                   "timeout is FLEETCTL_REQUEST_TIMEOUT.\nRun \"fleetctl help "
                                   "<command>\" for the options and an example of a command.\n");
        return r;
}

int command_usage(const Command *command, Buf *b) {
        int r;

        if (!command)
                return usage_root(b);

        r = buf_printf(b,
                       "NAME:\n\tfleetctl %s - %s\n\nUSAGE:\n\tfleetctl %s%s%s%s\n\nDESCRIPTION:\n",
                       command->name, command->summary, command->name,
                       command->options->name ? " [options]" : "",
                       str_empty(command->arguments) ? "" : " ", command->arguments);
        if (r == 0)
                r = indented(command->description, b);
        if (r == 0)
                r = usage_flags(command->options, "OPTIONS", b);
        if (r == 0)
                r = usage_flags(options_global(), "GLOBAL OPTIONS", b);
        return r;
}

int command_help(Context *c, const Command *command) {
        Buf b = BUF_INIT;
        int r;

        r = command_usage(command, &b);
        if (r < 0)
                err_line(&c->output, "Error printing help: %s", strerror(-r));
        out_data(&c->output, buf_str(&b), b.size);
        buf_done(&b);
        return r < 0 ? 1 : 0;
}

/* ---- suggestions ------------------------------------------------------------------------------ */

/* Levenshtein's distance of two short words. */
static size_t distance(const char *a, const char *b) {
        size_t row[NAME_MAX_COMPARED + 1], n = strlen(b);

        if (n > NAME_MAX_COMPARED || strlen(a) > NAME_MAX_COMPARED)
                return SIZE_MAX;
        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1]; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t above = row[j], insert = MIN(above, row[j - 1]) + 1;
                        size_t change = diagonal + (a[i - 1] != b[j - 1]);

                        row[j] = MIN(insert, change);
                        diagonal = above;
                }
        }
        return row[n];
}

int command_unknown(const char *name, Buf *b) {
        bool any = false;
        int r;

        r = buf_printf(b, "Error: unknown command \"%s\" for \"fleetctl\"\n", name);
        for (const Command *c = command_table(); c->name && r == 0; c++) {
                if (c->hidden || (distance(name, c->name) > SUGGESTION_DISTANCE &&
                                  (str_empty(name) || !str_after_prefix(c->name, name))))
                        continue;
                if (!any)
                        r = buf_append_str(b, "\nDid you mean this?\n");
                any = true;
                if (r == 0)
                        r = buf_printf(b, "\t%s\n", c->name);
        }
        if (r == 0)
                r = buf_printf(b,
                               "%sRun 'fleetctl --help' for usage.\n"
                               "cannot execute cmdFleet: unknown command \"%s\" for \"fleetctl\"\n",
                               any ? "\n" : "", name);
        return r;
}

/* ---- what shells complete --------------------------------------------------------------------- */

static int completion_flags(const char *command, const OptionSpec *table, Buf *b) {
        int r = 0;

        for (const OptionSpec *s = table; s->name && r == 0; s++)
                if (s->meaning)
                        r = buf_printf(b, "flag\t%s\t--%s\t%s\t%s\n", command, s->name,
                                       str_or(s->value_name, "-"), s->meaning);
        return r;
}

int command_completion(Buf *b) {
        int r;

        r = completion_flags("-", options_global(), b);
        for (const Command *c = command_table(); c->name && r == 0; c++) {
                if (c->hidden)
                        continue;
                r = buf_printf(b, "command\t%s\t%s\t%s\n", c->name, str_or(c->arguments, "-"),
                               c->summary);
                if (r == 0)
                        r = completion_flags(c->name, c->options, b);
        }
        return r;
}
