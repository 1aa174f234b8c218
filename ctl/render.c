#include "ctl/render.h"

#include <ctype.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define TAB_WIDTH 8
#define MACHINE_SHORT 8

int render_columns(const RenderField *fields, const char *text, RenderColumns *ret, Error *reterr) {
        RenderColumns columns = { 0 };

        if (str_empty(text))
                return error_set(reterr, -EINVAL, "Must define output format");

        for (const char *p = text;;) {
                size_t size = strcspn(p, ","), i = 0;

                while (fields[i].name &&
                       (strlen(fields[i].name) != size || memcmp(fields[i].name, p, size) != 0))
                        i++;
                if (!fields[i].name)
                        return error_set(reterr, -EINVAL, "Invalid key in output format: \"%.*s\"",
                                         (int) size, p);
                if (columns.n == RENDER_FIELDS_MAX)
                        return error_set(reterr, -E2BIG, "more than %d fields", RENDER_FIELDS_MAX);
                columns.items[columns.n++] = i;
                if (!p[size])
                        break;
                p += size + 1;
        }
        *ret = columns;
        return 0;
}

bool render_has_column(const RenderField *fields, const RenderColumns *columns, const char *name) {
        for (size_t i = 0; i < columns->n; i++)
                if (str_eq(fields[columns->items[i]].name, name))
                        return true;
        return false;
}

/* ---- text ------------------------------------------------------------------------------------- */

static size_t characters(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char) *s & 0xc0) != 0x80;
        return n;
}

/* Appends rows of n_columns cells (row after row), aligned with tabs. 0 or -ENOMEM. */
static int render_table(const Strv *cells, size_t n_columns, Buf *out) {
        _cleanup_free_ size_t *widths = mem_new_array(size_t, n_columns);
        int r = 0;

        if (!widths)
                return -ENOMEM;
        for (size_t i = 0; i < cells->n; i++) {
                size_t width = characters(cells->items[i]) + 1;

                width = (width + TAB_WIDTH - 1) / TAB_WIDTH * TAB_WIDTH;
                widths[i % n_columns] = MAX(widths[i % n_columns], width);
        }
        for (size_t i = 0; i < cells->n && r == 0; i++) {
                size_t column = i % n_columns, n = characters(cells->items[i]);

                r = buf_append_str(out, cells->items[i]);
                if (r == 0 && column + 1 == n_columns)
                        r = buf_append_char(out, '\n');
                for (; r == 0 && column + 1 < n_columns && n < widths[column];
                     n = n / TAB_WIDTH * TAB_WIDTH + TAB_WIDTH)
                        r = buf_append_char(out, '\t');
        }
        return r;
}

static int upper_cased(const char *name, Strv *cells) {
        _cleanup_free_ char *copy = str_dup(name);

        if (!copy)
                return -ENOMEM;
        for (char *c = copy; *c; c++)
                *c = (char) toupper((unsigned char) *c);
        return strv_push(cells, copy);
}

/* One cell; what would break the table (or the terminal) becomes a space. */
static int add_cell(const RenderList *list, const RenderField *field, const void *row, Buf *cell,
                    Strv *cells) {
        int r;

        buf_clear(cell);
        r = field->text(row, list->view, cell);
        if (r < 0)
                return r;
        for (size_t i = 0; i < cell->size; i++)
                if ((unsigned char) cell->data[i] < ' ' || cell->data[i] == 0x7f)
                        cell->data[i] = ' ';
        return strv_push(cells, buf_str(cell));
}

static int fill_cells(const RenderList *list, const RenderColumns *columns, bool legend, Buf *cell,
                      Strv *cells) {
        int r;

        for (size_t i = 0; i < columns->n && legend; i++) {
                r = upper_cased(list->fields[columns->items[i]].name, cells);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < list->n_rows; i++) {
                for (size_t j = 0; j < columns->n; j++) {
                        r = add_cell(list, list->fields + columns->items[j], list->rows[i], cell,
                                     cells);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int render_text(const RenderList *list, const RenderColumns *columns, bool legend,
                       Buf *out) {
        _cleanup_(strv_done) Strv cells = STRV_INIT;
        _cleanup_(buf_done) Buf cell = BUF_INIT;
        int r;

        r = fill_cells(list, columns, legend, &cell, &cells);
        return r < 0 ? r : render_table(&cells, columns->n, out);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static json_t *json_cell(const RenderList *list, const RenderField *field, const void *row) {
        _cleanup_(buf_done) Buf cell = BUF_INIT;

        if (field->json)
                return field->json(row, list->view);
        if (field->text(row, list->view, &cell) < 0)
                return NULL;
        if (cell.size == 0 || str_eq(buf_str(&cell), "-"))
                return json_null();
        return json_string(buf_str(&cell));
}

static int add_object(const RenderList *list, const RenderColumns *columns, const void *row,
                      json_t *array) {
        json_t *object = json_object();

        /* A failed _new setter has dropped its value, and passes NULL on. */
        for (size_t i = 0; object && i < columns->n; i++) {
                const RenderField *field = list->fields + columns->items[i];

                if (json_object_set_new(object, field->name, json_cell(list, field, row)) < 0) {
                        json_decref(object);
                        return -ENOMEM;
                }
        }
        return json_array_append_new(array, object) < 0 ? -ENOMEM : 0;
}

static int render_json(const RenderList *list, const RenderColumns *columns, Buf *out) {
        _cleanup_json_ json_t *array = json_array();
        _cleanup_free_ char *text = NULL;
        int r;

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < list->n_rows; i++) {
                r = add_object(list, columns, list->rows[i], array);
                if (r < 0)
                        return r;
        }
        text = json_dumps(array, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        if (!text)
                return -ENOMEM;
        return buf_printf(out, "%s\n", text);
}

int render_list(const RenderList *list, const RenderColumns *columns, const Options *options,
                Buf *out, Error *reterr) {
        int r;

        if (str_eq(options->output, "text"))
                r = render_text(list, columns, !options->no_legend, out);
        else if (str_eq(options->output, "json"))
                r = render_json(list, columns, out);
        else
                return error_set(reterr, -EINVAL,
                                 "Invalid output format: \"%s\" is none of text, json",
                                 options->output);
        return r < 0 ? error_fill(reterr, r) : 0;
}

int render_machine(const char *id, const char *ip, bool full, Buf *out) {
        int r;

        if (str_empty(id))
                return buf_append_char(out, '-');
        r = full ? buf_append_str(out, id) : buf_printf(out, "%.*s...", MACHINE_SHORT, id);
        if (r == 0 && !str_empty(ip))
                r = buf_printf(out, "/%s", ip);
        return r;
}
