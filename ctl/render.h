/*
 * Render: lists as tables (FLEET.md B3.4, tabs and all) or as JSON.
 *
 * A list is rows of any type and a table of fields, each of which writes one cell. Pure: rows in,
 * text out; no colours, no terminal.
 */
#pragma once

#include "ctl/options.h"
#include "lib/base/base.h"
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define RENDER_FIELDS_MAX 32

/* One column. `view` is whatever the list's fields need beside the row. */
typedef struct RenderField {
        const char *name;
        /* Appends the cell. Returns 0 or -ENOMEM. */
        int (*text)(const void *row, const void *view, Buf *cell);
        /* The JSON value, NULL = out of memory. No function: the text, or null for "-" and "". */
        json_t *(*json)(const void *row, const void *view);
} RenderField;

typedef struct RenderList {
        const RenderField *fields; /* ends with a NULL name */
        const void *view;
        const void *const *rows;
        size_t n_rows;
} RenderList;

/* The chosen columns: indices into the list's fields. */
typedef struct RenderColumns {
        size_t items[RENDER_FIELDS_MAX];
        size_t n;
} RenderColumns;

/* Reads --fields. -EINVAL in fleet's words, -E2BIG. */
int render_columns(const RenderField *fields, const char *text, RenderColumns *ret, Error *reterr);

/* Is that field among the columns? */
bool render_has_column(const RenderField *fields, const RenderColumns *columns, const char *name);

/* Appends the list in the format of --output ("text" or "json"); -EINVAL for any other. */
int render_list(const RenderList *list, const RenderColumns *columns, const Options *options,
                Buf *out, Error *reterr);

/* Appends "<8>.../IP" for a machine; `full`: the whole id; "-" for none. 0 or -ENOMEM. */
int render_machine(const char *id, const char *ip, bool full, Buf *out);
