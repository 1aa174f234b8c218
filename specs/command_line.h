/*
 * CommandLine: one value of ExecStart= and its kin, as systemd.service(5) "COMMAND LINES" reads it.
 *
 * Splitting happens once, at load; variables are put in at each start, when the environment is known.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "specs/specifier.h"

typedef enum CommandFlags {
        COMMAND_IGNORE_FAILURE = 1 << 0,  /* - */
        COMMAND_ARGV0 = 1 << 1,           /* @: argv[0] is given, path is apart */
        COMMAND_NO_VARIABLES = 1 << 2,    /* : */
        COMMAND_FULL_PRIVILEGES = 1 << 3, /* + */
        COMMAND_NO_SETUID = 1 << 4,       /* ! and !! */
} CommandFlags;

typedef struct CommandLine {
        char *path;     /* what is executed: absolute, or a name to be looked up */
        Strv argv;      /* argv[0] included (after '@': the given one) */
        unsigned flags; /* CommandFlags */
} CommandLine;

#define COMMAND_LINE_ARGUMENTS_MAX 4096
#define COMMAND_LINE_EXPANDED_MAX (4 * MIB) /* what variables may make of one */

/*
 * Splits a joined value (unit_option_joined_value). `;` as an argument of its own separates commands:
 * *ret is an array of *ret_n (0 for a blank value), to be freed with command_lines_free(). Unbalanced
 * quotes, prefixes that exclude each other, an empty or impossible path are -EINVAL with the column;
 * unknown escapes stay as they are, as systemd keeps them. Specifiers are left in: they are put into
 * finished words (command_line_expand_specifiers), so that an instance can neither split nor quote.
 */
int command_line_parse(const char *s, CommandLine **ret, size_t *ret_n, Error *reterr);
CommandLine *command_lines_free(CommandLine *lines, size_t n); /* accepts NULL, returns NULL */
void command_line_done(CommandLine *c);

/* specifier_expand() on the path and every argument. On failure c may be half done: drop it. */
int command_line_expand_specifiers(CommandLine *c, const char *unit_name, const SpecifierHost *host,
                                   Error *reterr);

/*
 * systemd's EXTRACT_UNQUOTE splitting alone (quotes, C escapes if `escapes`), without prefixes: for
 * Environment=, and lists of words. Appends to *words. Unbalanced quotes and, with `escapes`, unknown
 * escapes are -EINVAL with the column.
 */
int command_words(const char *s, bool escapes, Strv *words, Error *reterr);

/*
 * Puts `$NAME` (a word of its own: split at white space, may become none) and `${NAME}` (inside words,
 * unsplit) into argv, from `environment` ("NAME=value"; the last one counts). `$$` is `$`. Unset = empty;
 * names of unset ones are appended to *unset (may be NULL). argv[0] is left alone unless it was given
 * with '@'; with COMMAND_NO_VARIABLES nothing is replaced. 0, -E2BIG (over COMMAND_LINE_EXPANDED_MAX)
 * or -ENOMEM; the caller owns *ret.
 */
int command_line_expand(const CommandLine *c, const Strv *environment, Strv *ret, Strv *unset);

/*
 * An EnvironmentFile= (systemd.exec(5)): appends "NAME=value" items to *ret. What is no assignment and
 * names that cannot be (`export A=b`) are left out, as systemd does; *warnings (may be NULL) gets a line
 * for each. -EINVAL (NUL bytes, bad UTF-8; with the line) or -ENOMEM.
 */
int environment_file_parse(const char *text, size_t size, Strv *ret, Strv *warnings, Error *reterr);

/* Sets NAME in a list of "NAME=value" (replacing the one before). 0, -EINVAL (bad name) or -ENOMEM. */
int environment_set(Strv *environment, const char *assignment);
const char *environment_get(const Strv *environment, const char *name); /* the value, or NULL */
const char *environment_get_n(const Strv *environment, const char *name, size_t size);
bool environment_name_is_valid(const char *name, size_t size);
