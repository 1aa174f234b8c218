#include "ctl/command.h"
#include "ctl/draft.h"
#include "ctl/list.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static int unit_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return buf_append_str(cell, ((const ApiUnit *) row)->name);
}

static int global_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return buf_append_str(cell, draft_is_global(row) ? "true" : "false");
}

static json_t *global_json(const void *row, const void *view) {
        (void) view;
        return json_boolean(draft_is_global(row));
}

static int dstate_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return list_cell_or_dash(((const ApiUnit *) row)->desired_state, cell);
}

static int state_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return list_cell_or_dash(
                draft_is_global(row) ? NULL : ((const ApiUnit *) row)->current_state, cell);
}

static int target_text(const void *row, const void *view, Buf *cell) {
        const ListView *v = view;
        const char *machine = ((const ApiUnit *) row)->machine_id;

        if (draft_is_global(row))
                return buf_append_str(cell, "global");
        return render_machine(machine, list_view_ip(v, machine), v->full, cell);
}

static json_t *target_json(const void *row, const void *view) {
        const char *machine = ((const ApiUnit *) row)->machine_id;

        (void) view;
        if (draft_is_global(row))
                return json_string("global");
        return str_empty(machine) ? json_null() : json_string(machine);
}

static int hash_text(const void *row, const void *view, Buf *cell) {
        char hash[SHA1_HEX_SIZE];
        int r;

        r = unit_file_hash(((const ApiUnit *) row)->options, hash);
        return r < 0 ? r : list_cell_hash(hash, ((const ListView *) view)->full, cell);
}

static json_t *hash_json(const void *row, const void *view) {
        char hash[SHA1_HEX_SIZE];

        (void) view;
        return unit_file_hash(((const ApiUnit *) row)->options, hash) < 0 ? NULL
                                                                          : json_string(hash);
}

static int desc_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return list_cell_or_dash(
                unit_file_get_first(((const ApiUnit *) row)->options, "Unit", "Description"), cell);
}

static int reason_text(const void *row, const void *view, Buf *cell) {
        const ListView *v = view;

        return list_cell_or_dash(
                v->reasons ? map_get(v->reasons, ((const ApiUnit *) row)->name) : NULL, cell);
}

static const RenderField fields[] = {
        { "unit", unit_text, NULL },
        { "global", global_text, global_json },
        { "dstate", dstate_text, NULL },
        { "target", target_text, target_json },
        { "tmachine", target_text, target_json },
        { "state", state_text, NULL },
        { "hash", hash_text, hash_json },
        { "desc", desc_text, NULL },
        { "reason", reason_text, NULL },
        { 0 },
};

/* Byte order of the names, whoever the server is. */
static int by_name(const void *a, const void *b) {
        return strcmp((*(ApiUnit *const *) a)->name, (*(ApiUnit *const *) b)->name);
}

static int gather(Context *c, const RenderColumns *columns, ListView *view, UnitList *units,
                  Error *reterr) {
        bool target = render_has_column(fields, columns, "target") ||
                      render_has_column(fields, columns, "tmachine");
        int r;

        r = fleet_list_units(c->client, units, reterr);
        if (r < 0)
                return r;
        if (target && !str_eq(c->options.output, "json")) {
                r = fleet_list_machines(c->client, &view->machines, reterr);
                if (r < 0)
                        return r;
        }
        return render_has_column(fields, columns, "reason")
                       ? fleet_get_reasons(c->client, &view->reasons, reterr)
                       : 0;
}

int cmd_list_unit_files(Context *c) {
        _cleanup_(list_view_done) ListView view = { .full = c->options.full };
        _cleanup_(unit_list_done) UnitList units = { 0 };
        _cleanup_error_ Error e = ERROR_INIT;
        RenderColumns columns;
        int r;

        r = list_prepare(c, fields, &columns);
        if (r != 0)
                return r;
        if (render_has_column(fields, &columns, "tmachine"))
                err_line(&c->output,
                         "WARNING: The \"tmachine\" field is deprecated. Use \"target\" instead");
        if (gather(c, &columns, &view, &units, &e) < 0)
                return list_units_failed(c, &e);
        if (units.n > 0)
                qsort(units.items, units.n, sizeof(*units.items), by_name);

        return list_print(c,
                          &(const RenderList){
                                  .fields = fields,
                                  .view = &view,
                                  .rows = (const void *const *) units.items,
                                  .n_rows = units.n,
                          },
                          &columns);
}
