/*
 * fleetctl: the command line of the cluster. Reads what was typed and runs one command.
 */
#include <locale.h>
#include <signal.h>

#include "ctl/command.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

/* A reader of our output that goes away shall end it, not kill us in the middle of something. */
static void ignore_sigpipe(void) {
        struct sigaction ignore = { .sa_handler = SIG_IGN };

        (void) sigaction(SIGPIPE, &ignore, NULL);
}

static int unknown_command(Context *c, const char *name) {
        Buf b = BUF_INIT;

        if (command_unknown(name, &b) == 0)
                err_line(&c->output, "%.*s", (int) b.size - 1, buf_str(&b));
        buf_done(&b);
        return 1;
}

static int bad_usage(Context *c, const Command *command, const Error *e) {
        (void) command_help(c, command);
        err_line(&c->output, "Error: %s", error_text(e));
        return 1;
}

static int dispatch(Context *c, char *const *args, size_t n_args) {
        _cleanup_error_ Error e = ERROR_INIT;
        const Command *command;
        int r;

        if (n_args > 0 && (str_eq(args[0], "--version") || str_eq(args[0], "-version") ||
                           str_eq(args[0], "-v") || str_eq(args[0], "--v")))
                return cmd_version(c);

        r = command_parse(c, args, n_args, &command, &e);
        if (r < 0)
                return bad_usage(c, command, &e);
        if (c->options.debug)
                log_set_level(LOG_LEVEL_DEBUG);
        if (c->command_name && !command)
                return unknown_command(c, c->command_name);
        if (!command || c->options.help)
                return command_help(c, command);

        return command->run(c);
}

int main(int argc, char *argv[]) {
        Context c = { 0 };
        int rc;

        (void) setlocale(LC_CTYPE, "");
        ignore_sigpipe();
        output_init(&c.output, stdout, stderr);
        rc = dispatch(&c, argv + 1, argc > 0 ? (size_t) argc - 1 : 0);
        context_done(&c);
        return output_finish(&c.output, rc);
}
