#include "ctl/render.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static int name_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return buf_append_str(cell, ((const char *const *) row)[0]);
}

static int value_text(const void *row, const void *view, Buf *cell) {
        (void) view;
        return buf_append_str(cell, ((const char *const *) row)[1]);
}

static json_t *value_json(const void *row, const void *view) {
        (void) view;
        return json_integer((json_int_t) strlen(((const char *const *) row)[1]));
}

static const RenderField fields[] = {
        { "name", name_text, NULL },
        { "value", value_text, NULL },
        { "size", value_text, value_json },
        { 0 },
};

static const char *const rows[][2] = {
        { "a.service", "active" },
        { "seven77", "eight888" },
        { "längér@1.service", "-" },
        { "tab\there", "" },
};

/* Renders the rows with those fields. */
static char *render(const char *columns_text, const char *output, bool no_legend, size_t n) {
        const void *pointers[ELEMENTSOF(rows)];
        Options o = { .output = output, .no_legend = no_legend };
        RenderColumns columns;
        Buf out = BUF_INIT;
        char *text;

        for (size_t i = 0; i < n; i++)
                pointers[i] = rows[i];
        ck_assert_int_eq(render_columns(fields, columns_text, &columns, NULL), 0);
        ck_assert_int_eq(
                render_list(&(const RenderList){ .fields = fields, .rows = pointers, .n_rows = n },
                            &columns, &o, &out, NULL),
                0);
        text = buf_steal(&out);
        buf_done(&out);
        return text;
}

START_TEST(test_tables) {
        static const struct {
                const char *columns;
                bool no_legend;
                size_t n;
                const char *text;
        } cases[] = {
                { "name,value", false, 1, "NAME\t\tVALUE\na.service\tactive\n" },
                { "value,name", false, 1, "VALUE\tNAME\nactive\ta.service\n" },
                /* one longer than a tab stop: the next one */
                { "value,name", false, 2,
                  "VALUE\t\tNAME\nactive\t\ta.service\neight888\tseven77\n" },
                { "name,value", false, 3,
                  "NAME\t\t\tVALUE\na.service\t\tactive\nseven77\t\t\teight888\n"
                  "längér@1.service\t-\n" },
                { "name", false, 2, "NAME\na.service\nseven77\n" },
                { "name,value", false, 0, "NAME\tVALUE\n" },
                { "name,value", true, 0, "" },
                { "name,value", true, 1, "a.service\tactive\n" },
                { "value,name", true, 4,
                  "active\t\ta.service\neight888\tseven77\n-\t\tlängér@1.service\n\t\ttab here\n" },
                { "name,name,name", true, 1, "a.service\ta.service\ta.service\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *text = render(cases[i].columns, "text", cases[i].no_legend, cases[i].n);

                ck_assert_str_eq(text, cases[i].text);
                mem_free(text);
        }
}
END_TEST

START_TEST(test_json) {
        char *text = render("name,value,size", "json", true, 3);
        json_t *got, *wanted;

        wanted = json_pack("[{s:s,s:s,s:i},{s:s,s:s,s:i},{s:s,s:n,s:i}]", "name", "a.service",
                           "value", "active", "size", 6, "name", "seven77", "value", "eight888",
                           "size", 8, "name", "längér@1.service", "value", "size", 1);
        ck_assert_int_eq(json_parse(text, strlen(text), &got, NULL), 0);
        ck_assert(json_equal(got, wanted));
        json_decref(got);
        json_decref(wanted);
        mem_free(text);

        text = render("name", "json", false, 0);
        ck_assert_str_eq(text, "[]\n");
        mem_free(text);
}
END_TEST

START_TEST(test_bad_columns) {
        static const struct {
                const char *text, *error;
        } cases[] = {
                { "", "Must define output format" },
                { "nope", "Invalid key in output format: \"nope\"" },
                { "name,", "Invalid key in output format: \"\"" },
                { "name, value", "Invalid key in output format: \" value\"" },
                { "nam", "Invalid key in output format: \"nam\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                RenderColumns columns;

                ck_assert_int_eq(render_columns(fields, cases[i].text, &columns, &e), -EINVAL);
                ck_assert_str_eq(error_text(&e), cases[i].error);
        }
}
END_TEST

START_TEST(test_too_many_columns) {
        _cleanup_error_ Error e = ERROR_INIT;
        RenderColumns columns;
        Buf b = BUF_INIT;

        for (size_t i = 0; i < RENDER_FIELDS_MAX; i++)
                ck_assert_int_eq(buf_append_str(&b, i ? ",name" : "name"), 0);
        ck_assert_int_eq(render_columns(fields, buf_str(&b), &columns, &e), 0);
        ck_assert_uint_eq(columns.n, RENDER_FIELDS_MAX);
        ck_assert(render_has_column(fields, &columns, "name"));
        ck_assert(!render_has_column(fields, &columns, "size"));
        ck_assert_int_eq(buf_append_str(&b, ",name"), 0);
        ck_assert_int_eq(render_columns(fields, buf_str(&b), &columns, &e), -E2BIG);
        buf_done(&b);
}
END_TEST

START_TEST(test_bad_output) {
        _cleanup_error_ Error e = ERROR_INIT;
        RenderColumns columns = { .n = 1 };
        Options o = { .output = "yaml" };
        Buf out = BUF_INIT;

        ck_assert_int_eq(render_list(&(const RenderList){ .fields = fields }, &columns, &o, &out,
                                     &e),
                         -EINVAL);
        ck_assert_str_eq(error_text(&e), "Invalid output format: \"yaml\" is none of text, json");
}
END_TEST

START_TEST(test_machines) {
        static const struct {
                const char *id, *ip;
                bool full;
                const char *text;
        } cases[] = {
                { "0123456789abcdef", "10.0.0.1", false, "01234567.../10.0.0.1" },
                { "0123456789abcdef", "10.0.0.1", true, "0123456789abcdef/10.0.0.1" },
                { "0123456789abcdef", NULL, false, "01234567..." },
                { "0123456789abcdef", "", true, "0123456789abcdef" },
                { "0123", NULL, false, "0123..." },
                { "", "10.0.0.1", false, "-" },
                { NULL, NULL, true, "-" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Buf b = BUF_INIT;

                ck_assert_int_eq(render_machine(cases[i].id, cases[i].ip, cases[i].full, &b), 0);
                ck_assert_str_eq(buf_str(&b), cases[i].text);
                buf_done(&b);
        }
}
END_TEST

TEST_MAIN("render", test_tables, test_json, test_bad_columns, test_too_many_columns,
          test_bad_output, test_machines);
