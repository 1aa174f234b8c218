/*
 * Options: the flags of fleetctl, from the environment and the command line (FLEET.md B3.1-B3.3).
 *
 * One flat struct holds what any command can be told. Which flags there are is data (OptionSpec);
 * the global ones are here, a command's own in its line of the command table. All strings are
 * borrowed from argv, the environment or the tables.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"

typedef enum OptionType {
        OPTION_BOOL,
        OPTION_STRING,
        OPTION_NUMBER,  /* uint64_t */
        OPTION_SECONDS, /* double */
} OptionType;

typedef struct Options {
        /* for all commands */
        const char *driver;
        const char *endpoint;
        const char *etcd_key_prefix;
        const char *key_file, *cert_file, *ca_file;
        const char *known_hosts_file;
        bool strict_host_key_checking;
        double ssh_timeout;
        const char *ssh_username;
        const char *tunnel;
        double request_timeout;
        bool debug;
        bool version;
        bool help;
        bool experimental_api;
        const char *etcd_keyfile, *etcd_certfile, *etcd_cafile; /* old names of the three above */

        /* of single commands */
        bool full, no_legend;
        const char *fields;
        const char *output;
        bool no_block, replace, sign;
        uint64_t block_attempts;
        bool follow, sudo;
        uint64_t lines, ssh_port;
        const char *since, *until;
        const char *machine;

        bool request_timeout_given; /* by flag or environment: then it counts for API calls as well */
} Options;

/* One flag; a table of them ends with a NULL name. */
typedef struct OptionSpec {
        const char *name;
        char letter; /* 0 = none */
        OptionType type;
        size_t offset;          /* in Options */
        const char *fallback;   /* the default as text */
        const char *value_name; /* for the usage; NULL for switches */
        const char *meaning;    /* for the usage; NULL = not shown */
} OptionSpec;

#define OPTION_ARGUMENTS_MAX 65536

/* A flag as it was given. */
typedef struct OptionGiven {
        const OptionSpec *spec;
        const char *value;
} OptionGiven;

typedef struct OptionsParsed {
        OptionGiven *given;
        size_t n_given, capacity;
        Strv positional;
} OptionsParsed;

/* The flags that every command takes. */
const OptionSpec *options_global(void);

/* The spec with that name or one-letter name, or NULL. */
const OptionSpec *option_find(const OptionSpec *table, const char *name, size_t size);

/*
 * Splits a command line (without the program's name) into flags of any of the `tables`
 * (NULL-terminated) and the rest. Accepted: -x, --x, -x=v, --x=v, --x v, "--" (the rest are
 * arguments). Values are not looked at yet. -EINVAL in pflag's words, -E2BIG or -ENOMEM.
 */
int options_split(const OptionSpec *const *tables, char *const *args, size_t n_args,
                  OptionsParsed *ret, Error *reterr);
void options_parsed_done(OptionsParsed *p);

/* Sets every flag of the table to its default. */
void options_set_defaults(Options *o, const OptionSpec *table);

/* Sets the global flags that the environment has: FLEETCTL_<NAME>; empty values are ignored. -EINVAL names it. */
int options_set_environment(Options *o, Error *reterr);

/* Sets one flag. -EINVAL: the value is none of its type. */
int option_set(Options *o, const OptionSpec *spec, const char *value, Error *reterr);
