/*
 * Requirements: what a unit's [X-Fleet] section asks of the machine it runs on (FLEET.md B7).
 *
 * Specifiers are already substituted, aliases resolved.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "specs/unit_file.h"

#define REQUIREMENT_VALUES_MAX 1024 /* of each key */
#define REQUIREMENT_BYTES_MAX 1024  /* of each value */

typedef struct RequiredMetadata {
        char *key;
        Strv values; /* any one of them will do */
} RequiredMetadata;

typedef enum OnDisconnect {
        ON_DISCONNECT_KEEP,
        ON_DISCONNECT_STOP,
} OnDisconnect;

typedef struct Requirements {
        char *machine_id;           /* or NULL */
        Strv machine_of;            /* exact unit names, all must be on the machine */
        RequiredMetadata *metadata; /* all of them */
        size_t n_metadata, metadata_capacity;
        Strv conflicts; /* globs */
        Strv replaces;  /* globs */
        bool global;
        OnDisconnect on_disconnect;
        char *driver; /* Driver=, or NULL = auto */
} Requirements;

/*
 * Reads the [X-Fleet] section. *warnings (may be NULL; initialised by the caller) gets a line per unknown
 * key ("unrecognized requirement in [X-Fleet] section: \"Key\"") and per malformed MachineMetadata.
 * -EINVAL (Driver=, OnDisconnect= with an unknown value; over a limit) or -ENOMEM. The caller owns *ret.
 */
int requirements_parse(const char *unit_name, const UnitFile *u, Requirements **ret, Strv *warnings,
                       Error *reterr);
Requirements *requirements_free(Requirements *q); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Requirements, requirements_free);

/* Combinations that contradict each other, with fleet's exact message (B6): 0 or -EINVAL. */
int requirements_validate(const Requirements *q, Error *reterr);

/* unit_name_validate + requirements_parse + requirements_validate: what the API and fleetctl check of fleet's own. */
int unit_validate(const char *unit_name, const UnitFile *u, Error *reterr);
