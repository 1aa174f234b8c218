/*
 * Command: the table of fleetctl's sub-commands. Usage texts and completions are made from it.
 */
#pragma once

#include "ctl/context.h"
#include "lib/base/base.h"
#include "lib/base/buf.h"

typedef struct Command {
        const char *name;
        const char *arguments;   /* as the usage shows them, "" if none */
        const char *summary;     /* one line */
        const char *description; /* paragraphs, with an example */
        const OptionSpec *options;
        int (*run)(Context *c); /* returns the exit code */
        bool hidden;            /* left out of lists: deprecated */
} Command;

/* The whole table, by name, ending with a NULL name. */
const Command *command_table(void);

/* The command of that name or unique prefix; NULL if there is none or several. */
const Command *command_find(const char *name);

/*
 * Splits and applies what was typed. *ret_command is NULL if no command was named, or an unknown one
 * (see c->command_name). It is also set on failure, if a command can be made out.
 */
int command_parse(Context *c, char *const *args, size_t n_args, const Command **ret_command,
                  Error *reterr);

/* The usage of a command, or (NULL) of fleetctl. 0 or -ENOMEM. */
int command_usage(const Command *command, Buf *b);

/* What fleet says to an unknown command, with suggestions. 0 or -ENOMEM. */
int command_unknown(const char *name, Buf *b);

/* Prints the usage of a command or (NULL) of fleetctl on stdout. Returns 0, an exit code. */
int command_help(Context *c, const Command *command);

/* One line per command and flag, tab-separated: what shells complete (`fleetctl help --output completion`). */
int command_completion(Buf *b);

/* The commands. Each returns the exit code. */
int cmd_cat(Context *c);
int cmd_destroy(Context *c);
int cmd_help(Context *c);
int cmd_journal(Context *c);
int cmd_list_machines(Context *c);
int cmd_list_unit_files(Context *c);
int cmd_list_units(Context *c);
int cmd_load(Context *c);
int cmd_start(Context *c);
int cmd_status(Context *c);
int cmd_stop(Context *c);
int cmd_submit(Context *c);
int cmd_unload(Context *c);
int cmd_verify(Context *c);
int cmd_version(Context *c);
