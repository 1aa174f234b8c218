/*
 * UnitName: the parts of a unit's name, and which names there may be (FLEET.md B6).
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"

#define UNIT_NAME_MAX 256

typedef struct UnitName {
        char *full;          /* foo@bar.service */
        char *name;          /* foo@bar */
        char *prefix;        /* foo */
        char *instance;      /* bar, or NULL */
        char *template_name; /* foo@.service, or NULL for names without '@' */
        const char *type;    /* service (points into full) */
} UnitName;

/* -EINVAL with fleet's message, or 0. */
int unit_name_validate(const char *name, Error *reterr);

/* Splits without validating. 0 or -ENOMEM; the caller ends *ret with unit_name_done(). */
int unit_name_parse(const char *name, UnitName *ret);
void unit_name_done(UnitName *n);

bool unit_name_is_template(const char *name); /* foo@.service */

/* A command-line argument as fleetctl reads it: base name, ".service" appended to what has no known
 * suffix (B3.2, all types of B6 known). The caller owns it; NULL = out of memory. */
char *unit_name_from_argument(const char *argument);

/* systemd-escape(1): '/' to '-', others to \xNN; and back (-EINVAL for a broken escape). The caller owns *ret. */
int unit_name_escape(const char *s, char **ret);
int unit_name_escape_path(const char *s, char **ret);
int unit_name_unescape(const char *s, char **ret);
int unit_name_unescape_path(const char *s, char **ret);
