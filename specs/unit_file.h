/*
 * UnitFile: a unit file as fleet reads, writes and names it (FLEET.md B5).
 *
 * A plain document: sections in first-seen order, options in file order, values verbatim. What the
 * options mean is for others (requirements.h, drivers).
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"

typedef struct UnitOption {
        char *section;
        char *name;
        char *value;   /* continuation lines keep backslash and newline, as fleet does */
        unsigned line; /* where it stood in the text; 0 = it came from the API */
} UnitOption;

typedef struct UnitFile {
        UnitOption *options;
        size_t n_options, capacity;
        size_t text_bytes; /* the serialised text is not longer */
        size_t n_joined; /* options that a backslash before white space joined to the one before */
} UnitFile;

/* systemd's LONG_LINE_MAX; fleet had 2048. */
#define UNIT_FILE_LINE_MAX (1 * MIB)
#define UNIT_FILE_SIZE_MAX (4 * MIB)
#define UNIT_FILE_OPTIONS_MAX 4096
#define UNIT_FILE_JOINED_MAX 256

/* The caller owns *ret. -EINVAL (with line), -EFBIG (over a limit) or -ENOMEM. NUL bytes and bad UTF-8 are refused. */
int unit_file_parse(const char *text, size_t size, UnitFile **ret, Error *reterr);
UnitFile *unit_file_new(void);         /* empty; NULL = out of memory */
UnitFile *unit_file_free(UnitFile *u); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(UnitFile, unit_file_free);

/*
 * Appends an option that came from the API: the same limits and characters as parsing, and what could
 * not be read back from the text (a newline without a backslash, `]` in a section, …) is -EINVAL.
 * White space around name and value is cut off. 0, -EINVAL, -EFBIG or -ENOMEM.
 */
int unit_file_add(UnitFile *u, const char *section, const char *name, const char *value,
                  Error *reterr);

/* Fleet's text form; the caller owns *ret. 0 or -ENOMEM. No options: "". */
int unit_file_serialise(const UnitFile *u, char **ret);

/* SHA-1 of the serialised text: the unit's hash. 0 or -ENOMEM. */
int unit_file_hash(const UnitFile *u, char ret[SHA1_HEX_SIZE]);

/* Last value of an option, or NULL; borrowed. */
const char *unit_file_get(const UnitFile *u, const char *section, const char *name);
/* First value (fleet shows the first Description). */
const char *unit_file_get_first(const UnitFile *u, const char *section, const char *name);
bool unit_file_has_section(const UnitFile *u, const char *section);

/* The next option of a section at or after *position, or NULL; *position moves behind it. */
const UnitOption *unit_file_next(const UnitFile *u, const char *section, size_t *position);

/* A value as systemd reads it: continuation backslash-newlines become one space. The caller owns it. */
char *unit_option_joined_value(const UnitOption *o);
