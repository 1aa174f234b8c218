#include "ctl/command.h"
#include "ctl/list.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

static int unit_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return buf_append_str(cell, ((const UnitState *) row)->unit);
}

static int load_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return buf_append_str(cell, str_or(((const UnitState *) row)->load, ""));
}

static int active_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return buf_append_str(cell, str_or(((const UnitState *) row)->active, ""));
}

static int sub_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return buf_append_str(cell, str_or(((const UnitState *) row)->sub, ""));
}

static int machine_text(const void *row, const void *view, Buf *cell) {
        const char *machine = ((const UnitState *) row)->machine;
        const ListView *v = view;

        return render_machine(machine, list_view_ip(v, machine), v->full, cell);
}

static json_t *machine_json(const void *row, const void *view) {
        const char *machine = ((const UnitState *) row)->machine;

        (void) view;
        return str_empty(machine) ? json_null() : json_string(machine);
}

static int hash_text(const void *row, const void *view, Buf *cell) {
        return list_cell_hash(((const UnitState *) row)->hash, ((const ListView *) view)->full,
                              cell);
}

static json_t *hash_json(const void *row, const void *view) {
        const char *hash = ((const UnitState *) row)->hash;

        (void) view;
        return str_empty(hash) ? json_null() : json_string(hash);
}

static int driver_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return list_cell_or_dash(((const UnitState *) row)->driver, cell);
}

static int result_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return list_cell_or_dash(((const UnitState *) row)->result, cell);
}

static int message_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return list_cell_or_dash(((const UnitState *) row)->message, cell);
}

static int since_text(const void *row, const void *view, Buf *cell) {
        uint64_t since_usec = ((const UnitState *) row)->since_usec;
        _cleanup_free_ char *text = NULL;

        (void) view;
        if (since_usec == 0)
                return list_cell_or_dash(NULL, cell);
        text = clock_format_rfc3339(since_usec);
        return text ? buf_append_str(cell, text) : -ENOMEM;
}

static const RenderField fields[] = {
        { "unit", unit_text, NULL },
        { "load", load_text, NULL },
        { "active", active_text, NULL },
        { "sub", sub_text, NULL },
        { "machine", machine_text, machine_json },
        { "hash", hash_text, hash_json },
        { "driver", driver_text, NULL },
        { "result", result_text, NULL },
        { "since", since_text, NULL },
        { "message", message_text, NULL },
        { 0 },
};

static int by_unit_and_machine(const void *a, const void *b) {
        const UnitState *x = *(UnitState *const *) a, *y = *(UnitState *const *) b;
        int order = strcmp(str_or(x->unit, ""), str_or(y->unit, ""));

        return order ? order : strcmp(str_or(x->machine, ""), str_or(y->machine, ""));
}

/* Is there a column of what /state does not tell? */
static bool wants_details(const RenderColumns *columns) {
        return render_has_column(fields, columns, "driver") ||
               render_has_column(fields, columns, "result") ||
               render_has_column(fields, columns, "since") ||
               render_has_column(fields, columns, "message");
}

/* Puts the states of one unit's /status in the place of those that /state gave. */
static int take_details(const json_t *status, StateList *states, size_t *i, Error *reterr) {
        json_t *items = NULL;
        int r;

        r = json_get_array(status, "states", &items, reterr);
        if (r < 0)
                return r;
        for (; *i < states->n; ++*i) {
                UnitState *have = states->items[*i];

                if (!str_eq(have->unit, json_string_value(json_object_get(status, "unit"))))
                        return 0;
                for (size_t j = 0; j < json_array_size(items); j++) {
                        _cleanup_(unit_state_freep) UnitState *s = NULL;

                        r = unit_state_from_json(json_array_get(items, j), &s, reterr);
                        if (r < 0)
                                return r;
                        if (!str_eq(s->machine, have->machine))
                                continue;
                        unit_state_free(have);
                        have = states->items[*i] = TAKE_PTR(s);
                }
        }
        return 0;
}

/* Asks for the status of each unit in the (sorted) list. */
static int get_details(Context *c, StateList *states, Error *reterr) {
        _cleanup_(strv_done) Strv names = STRV_INIT;
        _cleanup_(json_list_done) JsonList status = { 0 };
        size_t position = 0;
        int r;

        for (size_t i = 0; i < states->n; i++) {
                const char *unit = states->items[i]->unit;

                r = names.n > 0 && str_eq(names.items[names.n - 1], unit) ? 0
                                                                          : strv_push(&names, unit);
                if (r < 0)
                        return error_fill(reterr, r);
        }
        if (names.n == 0)
                return 0;
        r = fleet_get_status(c->client, &names, &status, reterr);
        if (r == FLEET_NOT_FOUND)
                return 0; /* the original fleetd: the cells stay empty */
        for (size_t i = 0; r == 0 && i < status.n; i++) {
                while (position < states->n &&
                       strcmp(states->items[position]->unit, names.items[i]) < 0)
                        position++;
                if (status.items[i])
                        r = take_details(status.items[i], states, &position, reterr);
        }
        return r;
}

static int gather(Context *c, const RenderColumns *columns, ListView *view, StateList *states,
                  Error *reterr) {
        int r;

        r = fleet_list_states(c->client, states, reterr);
        if (r < 0)
                return r;
        if (states->n > 0)
                qsort(states->items, states->n, sizeof(*states->items), by_unit_and_machine);
        if (render_has_column(fields, columns, "machine") && !str_eq(c->options.output, "json")) {
                r = fleet_list_machines(c->client, &view->machines, reterr);
                if (r < 0)
                        return r;
        }
        return wants_details(columns) ? get_details(c, states, reterr) : 0;
}

int cmd_list_units(Context *c) {
        _cleanup_(list_view_done) ListView view = { .full = c->options.full };
        _cleanup_(state_list_done) StateList states = { 0 };
        _cleanup_error_ Error e = ERROR_INIT;
        RenderColumns columns;
        int r;

        r = list_prepare(c, fields, &columns);
        if (r != 0)
                return r;
        if (gather(c, &columns, &view, &states, &e) < 0)
                return list_units_failed(c, &e);

        return list_print(c,
                          &(const RenderList){
                                  .fields = fields,
                                  .view = &view,
                                  .rows = (const void *const *) states.items,
                                  .n_rows = states.n,
                          },
                          &columns);
}
