#include "ctl/command.h"
#include "ctl/list.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static int machine_text(const void *row, const void *view, Buf *cell) {
        return render_machine(((const Machine *) row)->id, NULL, ((const ListView *) view)->full,
                              cell);
}

static json_t *machine_json(const void *row, const void *view) {
        (void) view;
        return json_string(((const Machine *) row)->id);
}

static int ip_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return list_cell_or_dash(((const Machine *) row)->public_ip, cell);
}

static int metadata_text(const void *row, const void *view, Buf *cell) {
        _cleanup_free_ char *text = metadata_format(&((const Machine *) row)->metadata);

        (void) view;
        return text ? list_cell_or_dash(text, cell) : -ENOMEM;
}

static json_t *metadata_json(const void *row, const void *view) {
        json_t *j = NULL;

        (void) view;
        return metadata_to_json(&((const Machine *) row)->metadata, &j) < 0 ? NULL : j;
}

static const RenderField fields[] = {
        { "machine", machine_text, machine_json },
        { "ip", ip_text, NULL },
        { "metadata", metadata_text, metadata_json },
        { 0 },
};

int cmd_list_machines(Context *c) {
        _cleanup_(list_view_done) ListView view = { .full = c->options.full };
        _cleanup_error_ Error e = ERROR_INIT;
        RenderColumns columns;
        int r;

        r = list_prepare(c, fields, &columns);
        if (r != 0)
                return r;
        if (fleet_list_machines(c->client, &view.machines, &e) < 0) {
                err_line(&c->output,
                         "Error retrieving list of active machines from fleet API (%s)\n"
                         "Possible issues:\n"
                         "  etcd is unhealthy and/or lost quorum\n"
                         "  connection cannot be established to any etcd servers",
                         error_text(&e));
                return 1;
        }
        return list_print(c,
                          &(const RenderList){
                                  .fields = fields,
                                  .view = &view,
                                  .rows = (const void *const *) view.machines.items,
                                  .n_rows = view.machines.n,
                          },
                          &columns);
}
