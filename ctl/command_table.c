#include "ctl/command.h"

#define FIELD(member) offsetof(Options, member)

#define BLOCK_ATTEMPTS                                                                             \
        {                                                                                          \
                "block-attempts", 0, OPTION_NUMBER, FIELD(block_attempts), "0", "N",               \
                        "wait at most N times 2 seconds (0 = as long as it takes)"                 \
        }
#define NO_BLOCK                                                                                   \
        {                                                                                          \
                "no-block", 0, OPTION_BOOL, FIELD(no_block), "false", NULL,                        \
                        "do not wait: return once it is asked for"                                 \
        }
#define REPLACE                                                                                    \
        {                                                                                          \
                "replace", 0, OPTION_BOOL, FIELD(replace), "false", NULL,                          \
                        "replace the units that are already there by the local files"              \
        }
#define SIGN                                                                                       \
        { "sign", 0, OPTION_BOOL, FIELD(sign), "false", NULL, NULL }
#define SSH_PORT                                                                                   \
        {                                                                                          \
                "ssh-port", 0, OPTION_NUMBER, FIELD(ssh_port), "22", "PORT",                       \
                        "accepted for old scripts: everything comes through the API"               \
        }
#define NO_LEGEND                                                                                  \
        {                                                                                          \
                "no-legend", 0, OPTION_BOOL, FIELD(no_legend), "false", NULL,                      \
                        "do not print the line of headings"                                        \
        }
#define FULL(letter)                                                                               \
        {                                                                                          \
                "full", letter, OPTION_BOOL, FIELD(full), "false", NULL,                           \
                        "do not shorten machine ids and hashes"                                    \
        }
#define FIELDS(fallback, all)                                                                      \
        { "fields", 0, OPTION_STRING, FIELD(fields), fallback, "LIST", "columns to print: " all }
#define LIST_OUTPUT                                                                                \
        { "output", 0, OPTION_STRING, FIELD(output), "text", "FORMAT", "text or json" }

static const OptionSpec no_options[] = { { 0 } };

static const OptionSpec block_options[] = { BLOCK_ATTEMPTS, NO_BLOCK, { 0 } };

static const OptionSpec load_options[] = { BLOCK_ATTEMPTS, NO_BLOCK, REPLACE, SIGN, { 0 } };

static const OptionSpec submit_options[] = { REPLACE, SIGN, { 0 } };

static const OptionSpec status_options[] = { SSH_PORT, { 0 } };

static const OptionSpec journal_options[] = {
        { "lines", 'n', OPTION_NUMBER, FIELD(lines), "10", "N", "how many of the last lines" },
        { "follow", 'f', OPTION_BOOL, FIELD(follow), "false", NULL,
          "go on with new lines as they come" },
        { "output", 0, OPTION_STRING, FIELD(output), "short", "FORMAT",
          "short, short-iso, cat or json" },
        { "since", 0, OPTION_STRING, FIELD(since), "", "TIME",
          "only lines from then on: 2026-11-21 10:00, today, -10min, @1700000000" },
        { "until", 0, OPTION_STRING, FIELD(until), "", "TIME", "only lines up to then" },
        { "machine", 0, OPTION_STRING, FIELD(machine), "", "ID",
          "the machine whose lines are wanted (whole id or its beginning)" },
        { "sudo", 0, OPTION_BOOL, FIELD(sudo), "false", NULL,
          "accepted for old scripts: everything comes through the API" },
        SSH_PORT,
        { 0 },
};

static const OptionSpec list_machines_options[] = {
        FULL('l'),   NO_LEGEND, FIELDS("machine,ip,metadata", "machine, ip, metadata"),
        LIST_OUTPUT, { 0 },
};

static const OptionSpec list_unit_files_options[] = {
        FULL('l'),
        NO_LEGEND,
        FIELDS("unit,hash,dstate,state,target",
               "unit, global, dstate, target, state, hash, desc, reason"),
        LIST_OUTPUT,
        { 0 },
};

static const OptionSpec list_units_options[] = {
        FULL('l'),
        NO_LEGEND,
        FIELDS("unit,machine,active,sub",
               "unit, load, active, sub, machine, hash, driver, result, since, message"),
        LIST_OUTPUT,
        { 0 },
};

static const OptionSpec help_options[] = {
        { "output", 0, OPTION_STRING, FIELD(output), "text", "FORMAT",
          "text, or completion for what shells complete" },
        { 0 },
};

static const Command commands[] = {
        { "cat", "UNIT", "Print a unit as the cluster has it",
          "Prints the contents of a unit that was submitted.\n\n"
          "Example: fleetctl cat hello.service",
          no_options, cmd_cat, false },
        { "destroy", "UNIT...", "Stop units and remove them from the cluster",
          "Stops the units wherever they run and forgets them. Waits until they are gone.\n\n"
          "A name with *, ? or [ stands for every unit it matches; quote it.\n\n"
          "Example: fleetctl destroy hello.service 'web@*.service'",
          block_options, cmd_destroy, false },
        { "help", "[COMMAND]", "Explain fleetctl or one of its commands",
          "Prints what fleetctl can do, or how one of its commands is used.\n\n"
          "Example: fleetctl help start",
          help_options, cmd_help, false },
        { "journal", "UNIT", "Print what a unit has written",
          "Prints the last lines that a unit wrote on stdout and stderr, from the machine it is "
          "on,\nwithout logging in there.\n\n"
          "Example: fleetctl journal --lines 100 --follow hello.service",
          journal_options, cmd_journal, false },
        { "list-machines", "", "List the machines of the cluster",
          "Lists the machines that are in the cluster now.\n\n"
          "Example: fleetctl list-machines --full --fields machine,metadata",
          list_machines_options, cmd_list_machines, false },
        { "list-unit-files", "", "List the units that exist in the cluster",
          "Lists every unit that was submitted: what its owner wants (dstate), what it is (state) "
          "and\nwhere (target). --fields unit,reason says why one is not where it should be.\n\n"
          "Example: fleetctl list-unit-files --fields unit,dstate,target,reason",
          list_unit_files_options, cmd_list_unit_files, false },
        { "list-units", "", "List the units that are on machines, and their states",
          "Lists the units that machines have loaded, a line for each machine, with systemd's "
          "states.\n\n"
          "Example: fleetctl list-units --fields unit,machine,active,sub,result",
          list_units_options, cmd_list_units, false },
        { "load", "UNIT...", "Place units on machines without starting them",
          "Submits the units if need be, has a machine chosen for each and loads them there. A "
          "unit\nthat runs is stopped by this.\n\n"
          "Example: fleetctl load hello.service",
          load_options, cmd_load, false },
        { "start", "UNIT...", "Run units: submit, place and start them",
          "Submits the units if need be, has a machine chosen for each, starts them there and "
          "waits\nuntil they are active. A unit is a file, a unit of the cluster, or an instance "
          "of a template\n(web@1.service of web@.service).\n\n"
          "Example: fleetctl start hello.service web@1.service web@2.service",
          load_options, cmd_start, false },
        { "status", "UNIT...", "Show how units are doing",
          "Shows state, machine, driver and the last lines of each unit, like systemctl "
          "status.\nEnds with 0 if all are active, 3 if one is not.\n\n"
          "Example: fleetctl status hello.service",
          status_options, cmd_status, false },
        { "stop", "UNIT...", "Stop units; they stay loaded on their machines",
          "Stops the units and waits until they have stopped. They stay where they are: start "
          "runs\nthem there again.\n\n"
          "A name with *, ? or [ stands for every unit it matches; quote it.\n\n"
          "Example: fleetctl stop hello.service",
          block_options, cmd_stop, false },
        { "submit", "UNIT...", "Make units known to the cluster without placing them",
          "Uploads unit files. Units that are already there are left alone without --replace.\n\n"
          "Example: fleetctl submit hello.service web@.service",
          submit_options, cmd_submit, false },
        { "unload", "UNIT...", "Stop units and take them off their machines",
          "Stops the units and removes them from their machines. The cluster keeps them: start "
          "places\nthem anew.\n\n"
          "Example: fleetctl unload hello.service",
          block_options, cmd_unload, false },
        { "verify", "UNIT", "Deprecated: signed units are no more",
          "Signed units are no longer supported.", no_options, cmd_verify, true },
        { "version", "", "Print the version", "Prints the version of fleetctl.", no_options,
          cmd_version, false },
        { 0 },
};

const Command *command_table(void) {
        return commands;
}
