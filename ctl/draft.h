/*
 * Draft: a unit that submit, load and start were given, from where it is found to where it is in the
 * registry (FLEET.md B3.6: "Lookup when creating X", "--replace").
 */
#pragma once

#include "ctl/context.h"
#include "ctl/fleet.h"
#include "lib/base/base.h"
#include "lib/base/error.h"
#include "specs/unit_state.h"

typedef struct Draft {
        char *argument; /* as it was given: a path or a name */
        char *name;
        ApiUnit *existing; /* what the registry had, or NULL */
        ApiUnit *upload;   /* what was created or replaced, or NULL */
} Draft;

typedef struct DraftList {
        Draft *items;
        size_t n;
} DraftList;

void draft_list_done(DraftList *l);

/*
 * Finds the unit of each argument and uploads those that are new or to be replaced (allowed while
 * their desired state is at most `replace_up_to`). Prints warnings and "Unit NAME inactive". Returns
 * an exit code, after "Error creating units: …" if it is not 0.
 */
int draft_create(Context *c, DesiredState replace_up_to, DraftList *ret);

/* The unit as it is in the registry now: upload or existing. Borrowed. */
const ApiUnit *draft_unit(const Draft *d);

/* Does the unit run on every machine that fits? */
bool draft_is_global(const ApiUnit *u);
