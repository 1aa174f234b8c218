/*
 * What the list-* commands have in common: the view their fields look at, and printing.
 */
#pragma once

#include "ctl/context.h"
#include "ctl/fleet.h"
#include "ctl/render.h"
#include "lib/base/base.h"
#include "lib/base/map.h"

/* What cells need beside their row; parts that no chosen column needs stay empty. */
typedef struct ListView {
        bool full;
        MachineList machines;
        Map *reasons; /* unit to text, or NULL */
} ListView;

void list_view_done(ListView *v);

/* The address of a machine, or NULL if it is gone or has none. Borrowed. */
const char *list_view_ip(const ListView *v, const char *machine);

/* Reads --fields and --output, before anything is asked of fleetd. 0, or an exit code after saying why. */
int list_prepare(Context *c, const RenderField *fields, RenderColumns *ret);

/* Sorts nothing; prints the rows. Returns the exit code. */
int list_print(Context *c, const RenderList *list, const RenderColumns *columns);

/* "Error retrieving list of units from repository: …"; returns 1. */
int list_units_failed(Context *c, const Error *e);

/* Appends the text, or "-" if there is none. 0 or -ENOMEM. */
int list_cell_or_dash(const char *s, Buf *cell);

/* Appends 7 hex digits of a hash (40 if full), or "-". 0 or -ENOMEM. */
int list_cell_hash(const char *hash, bool full, Buf *cell);
