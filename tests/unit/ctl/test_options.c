#include "ctl/options.h"

#include <stdlib.h>

#include "ctl/command.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

#define ARGS_MAX 8

/* What a command line comes to: command, and one of its values as text. */
typedef struct Line {
        const char *args[ARGS_MAX];
        const char *command;   /* NULL = none */
        const char *arguments; /* joined with spaces */
} Line;

static size_t count(const char *const *args) {
        size_t n = 0;

        while (n < ARGS_MAX && args[n])
                n++;
        return n;
}

static int parse(Context *c, const char *const *args, const Command **ret, Error *e) {
        char *copy[ARGS_MAX];
        size_t n = count(args);

        for (size_t i = 0; i < n; i++)
                copy[i] = (char *) args[i];
        return command_parse(c, copy, n, ret, e);
}

START_TEST(test_lines) {
        static const Line lines[] = {
                { { "start", "a", "b" }, "start", "a b" },
                { { "sta" }, NULL, "" }, /* start, status */
                { { "star", "a" }, "start", "a" },
                { { "stat", "a" }, "status", "a" },
                { { "list-m" }, "list-machines", "" },
                { { "list-unit" }, NULL, "" },
                { { "list-units" }, "list-units", "" },
                { { "vers" }, "version", "" },
                { { "--debug", "stop", "a" }, "stop", "a" },
                { { "-endpoint", "unix:///x", "stop", "a" }, "stop", "a" },
                { { "--no-block", "start", "a" }, "start", "a" },
                { { "start", "--", "--no-block" }, "start", "--no-block" },
                { { "start", "-", "a" }, "start", "- a" },
                { { "nothing" }, NULL, "" },
                { { "" }, NULL, "" },
                { { NULL }, NULL, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                Context c = { 0 };
                _cleanup_error_ Error e = ERROR_INIT;
                const Command *command;
                char *joined;

                ck_assert_msg(parse(&c, lines[i].args, &command, &e) == 0, "%zu: %s", i,
                              error_text(&e));
                ck_assert_msg(str_eq(command ? command->name : NULL, lines[i].command), "%zu", i);
                joined = strv_join(&c.arguments, " ");
                ck_assert_str_eq(joined, lines[i].arguments);
                mem_freep(&joined);
                context_done(&c);
        }
}
END_TEST

START_TEST(test_forms_of_flags) {
        static const char *const forms[][ARGS_MAX] = {
                { "journal", "-f", "--lines", "20", "--output=cat", "u" },
                { "journal", "--f", "--lines=20", "--output", "cat", "u" },
                { "journal", "-follow", "-lines", "20", "-output=cat", "u" },
                { "journal", "u", "-follow=true", "-n", "20", "-output", "cat" },
                { "--follow", "-n=20", "--output=cat", "journal", "u" },
                { "journal", "--follow=false", "-f=1", "-n", "5", "-n=20", "--output=cat", "u" },
        };

        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                Context c = { 0 };
                _cleanup_error_ Error e = ERROR_INIT;
                const Command *command;

                ck_assert_msg(parse(&c, forms[i], &command, &e) == 0, "%zu: %s", i, error_text(&e));
                ck_assert_str_eq(command->name, "journal");
                ck_assert_msg(c.options.follow && c.options.lines == 20, "%zu", i);
                ck_assert_str_eq(c.options.output, "cat");
                ck_assert_uint_eq(c.arguments.n, 1);
                context_done(&c);
        }
}
END_TEST

START_TEST(test_defaults_are_the_command_s) {
        static const struct {
                const char *command, *fields, *output;
        } cases[] = {
                { "list-units", "unit,machine,active,sub", "text" },
                { "list-unit-files", "unit,hash,dstate,state,target", "text" },
                { "list-machines", "machine,ip,metadata", "text" },
                { "journal", NULL, "short" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *args[ARGS_MAX] = { cases[i].command };
                Context c = { 0 };
                const Command *command;

                ck_assert_int_eq(parse(&c, args, &command, NULL), 0);
                ck_assert(str_eq(c.options.fields, cases[i].fields));
                ck_assert_str_eq(c.options.output, cases[i].output);
                ck_assert_str_eq(c.options.endpoint, "unix:///var/run/fleet.sock");
                ck_assert_str_eq(c.options.driver, "API");
                ck_assert(c.options.strict_host_key_checking && !c.options.debug);
                ck_assert(c.options.request_timeout == 3.0 && !c.options.request_timeout_given);
                context_done(&c);
        }
}
END_TEST

START_TEST(test_bad_flags) {
        static const struct {
                const char *args[ARGS_MAX];
                const char *text, *command;
        } cases[] = {
                { { "start", "--nope" }, "unknown flag: --nope", "start" },
                { { "start", "-nope=1" }, "unknown flag: -nope", "start" },
                { { "start", "-q" }, "unknown shorthand flag: 'q' in -q", "start" },
                { { "start", "--"
                             "=x" },
                  "unknown flag: --",
                  "start" },
                { { "start", "--follow" }, "unknown flag: --follow", "start" },
                { { "--follow" }, "unknown flag: --follow", NULL },
                { { "list-units", "--fields" }, "flag needs an argument: --fields", "list-units" },
                { { "start", "--block-attempts", "-1" },
                  "invalid argument \"-1\" for --block-attempts: expected a whole number",
                  "start" },
                { { "start", "--no-block=maybe" },
                  "invalid argument \"maybe\" for --no-block: expected true or false",
                  "start" },
                { { "version", "--ssh-timeout=nan" },
                  "invalid argument \"nan\" for --ssh-timeout: expected seconds",
                  "version" },
                { { "version", "--request-timeout", "-3" },
                  "invalid argument \"-3\" for --request-timeout: expected seconds",
                  "version" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Context c = { 0 };
                _cleanup_error_ Error e = ERROR_INIT;
                const Command *command;

                ck_assert_int_lt(parse(&c, cases[i].args, &command, &e), 0);
                ck_assert_str_eq(error_text(&e), cases[i].text);
                ck_assert(str_eq(command ? command->name : NULL, cases[i].command));
                context_done(&c);
        }
}
END_TEST

START_TEST(test_environment) {
        const char *args[ARGS_MAX] = { "version", "--ssh-username=flag" };
        _cleanup_error_ Error e = ERROR_INIT;
        const Command *command;
        Context c = { 0 };

        ck_assert_int_eq(setenv("FLEETCTL_ENDPOINT", "http://10.0.0.1:49153", 1), 0);
        ck_assert_int_eq(setenv("FLEETCTL_SSH_USERNAME", "env", 1), 0);
        ck_assert_int_eq(setenv("FLEETCTL_TUNNEL", "", 1), 0);
        ck_assert_int_eq(setenv("FLEETCTL_DEBUG", "true", 1), 0);
        ck_assert_int_eq(setenv("FLEETCTL_REQUEST_TIMEOUT", "7.5", 1), 0);
        ck_assert_int_eq(setenv("FLEETCTL_FIELDS", "machine", 1), 0); /* no global flag */
        ck_assert_int_eq(parse(&c, args, &command, &e), 0);
        ck_assert_str_eq(c.options.endpoint, "http://10.0.0.1:49153");
        ck_assert_str_eq(c.options.ssh_username, "flag");
        ck_assert_str_eq(c.options.tunnel, "");
        ck_assert(c.options.debug);
        ck_assert(c.options.request_timeout_given && c.options.request_timeout == 7.5);
        context_done(&c);

        ck_assert_int_eq(setenv("FLEETCTL_DEBUG", "perhaps", 1), 0);
        c = (Context){ 0 };
        ck_assert_int_lt(parse(&c, args, &command, &e), 0);
        ck_assert_str_eq(error_text(&e), "FLEETCTL_DEBUG: invalid argument \"perhaps\" for "
                                         "--debug: expected true or false");
        context_done(&c);
}
END_TEST

/* Flags with the same name take the same kind of value, or they could not stand before the command. */
START_TEST(test_tables_agree) {
        for (const Command *a = command_table(); a->name; a++) {
                if (a[1].name)
                        ck_assert_int_lt(strcmp(a->name, a[1].name), 0);
                for (const OptionSpec *s = a->options; s->name; s++) {
                        ck_assert_ptr_null(option_find(options_global(), s->name, strlen(s->name)));
                        for (const Command *b = command_table(); b->name; b++) {
                                const OptionSpec *other = option_find(b->options, s->name,
                                                                      strlen(s->name));

                                if (other)
                                        ck_assert_msg(other->type == s->type &&
                                                              other->offset == s->offset,
                                                      "--%s of %s and %s", s->name, a->name,
                                                      b->name);
                        }
                }
        }
}
END_TEST

START_TEST(test_unknown_command) {
        Buf b = BUF_INIT;

        ck_assert_int_eq(command_unknown("strat", &b), 0);
        ck_assert_str_eq(buf_str(&b),
                         "Error: unknown command \"strat\" for \"fleetctl\"\n\n"
                         "Did you mean this?\n\tstart\n\nRun 'fleetctl --help' for usage.\n"
                         "cannot execute cmdFleet: unknown command \"strat\" for \"fleetctl\"\n");
        buf_clear(&b);
        ck_assert_int_eq(command_unknown("something-else", &b), 0);
        ck_assert_str_eq(
                buf_str(&b),
                "Error: unknown command \"something-else\" for \"fleetctl\"\n"
                "Run 'fleetctl --help' for usage.\n"
                "cannot execute cmdFleet: unknown command \"something-else\" for \"fleetctl\"\n");
        buf_done(&b);
}
END_TEST

START_TEST(test_usage) {
        static const char *const headings[] = { "NAME:\n\t", "\nUSAGE:\n\tfleetctl ",
                                                "\nDESCRIPTION:\n\t", "\nGLOBAL OPTIONS:\n\t--" };
        Buf b = BUF_INIT;

        ck_assert_int_eq(command_usage(NULL, &b), 0);
        ck_assert_ptr_nonnull(strstr(buf_str(&b), "\nVERSION:\n\t" VERSION "\n"));
        ck_assert_ptr_nonnull(strstr(buf_str(&b), "\nCOMMANDS:\n\tcat "));
        ck_assert_ptr_null(strstr(buf_str(&b), "verify"));
        for (const Command *c = command_table(); c->name; c++) {
                buf_clear(&b);
                ck_assert_int_eq(command_usage(c, &b), 0);
                for (size_t i = 0; i < ELEMENTSOF(headings); i++)
                        ck_assert_msg(strstr(buf_str(&b), headings[i]), "%s: %s", c->name,
                                      headings[i]);
                ck_assert_msg(c->hidden || str_eq(c->name, "version") ||
                                      strstr(buf_str(&b), "Example: fleetctl "),
                              "%s has no example", c->name);
        }
        buf_done(&b);
}
END_TEST

TEST_MAIN("options", test_lines, test_forms_of_flags, test_defaults_are_the_command_s,
          test_bad_flags, test_environment, test_tables_agree, test_unknown_command, test_usage);
