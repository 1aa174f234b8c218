#include "ctl/list.h"

#include "lib/base/str.h"

#define HASH_SHORT 7

void list_view_done(ListView *v) {
        machine_list_done(&v->machines);
        map_free(v->reasons);
        *v = (ListView){ 0 };
}

const char *list_view_ip(const ListView *v, const char *machine) {
        const Machine *m = machine_list_find(&v->machines, machine);

        return m ? m->public_ip : NULL;
}

int list_prepare(Context *c, const RenderField *fields, RenderColumns *ret) {
        _cleanup_error_ Error e = ERROR_INIT;

        if (render_columns(fields, c->options.fields, ret, &e) < 0) {
                err_line(&c->output, "%s", error_text(&e));
                return 1;
        }
        if (!str_eq(c->options.output, "text") && !str_eq(c->options.output, "json")) {
                err_line(&c->output, "Invalid output format: \"%s\" is none of text, json",
                         c->options.output);
                return 1;
        }
        return context_connect(c);
}

int list_print(Context *c, const RenderList *list, const RenderColumns *columns) {
        _cleanup_error_ Error e = ERROR_INIT;
        _cleanup_(buf_done) Buf out = BUF_INIT;

        if (render_list(list, columns, &c->options, &out, &e) < 0) {
                err_line(&c->output, "%s", error_text(&e));
                return 1;
        }
        out_data(&c->output, buf_str(&out), out.size);
        return 0;
}

int list_units_failed(Context *c, const Error *e) {
        err_line(&c->output, "Error retrieving list of units from repository: %s", error_text(e));
        return 1;
}

int list_cell_or_dash(const char *s, Buf *cell) {
        return buf_append_str(cell, str_or(s, "-"));
}

int list_cell_hash(const char *hash, bool full, Buf *cell) {
        if (str_empty(hash))
                return buf_append_char(cell, '-');
        return buf_append(cell, hash, full ? strlen(hash) : MIN(strlen(hash), (size_t) HASH_SHORT));
}
