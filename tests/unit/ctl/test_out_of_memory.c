/*
 * What is pure in ctl/ with the n-th allocation failing, for every n: it says -ENOMEM, leaves nothing
 * behind (the sanitizer build sees that), and works once memory is there.
 */
#include "ctl/command.h"
#include "ctl/endpoint.h"
#include "ctl/journal_text.h"
#include "ctl/render.h"
#include "ctl/status_text.h"
#include "ctl/watched_unit.h"
#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

enum { ALLOCATIONS_MAX = 2000 };

#define STATE                                                                                      \
        "{\"unit\":\"u.service\",\"machine\":\"m1\",\"load\":\"loaded\",\"active\":\"failed\","    \
        "\"sub\":\"failed\",\"result\":\"exit-code\",\"message\":\"ended\",\"target\":"            \
        "\"launched\",\"since\":500,\"exitCode\":1,\"mainID\":\"x\",\"driver\":\"d\"}"
#define STATUS                                                                                     \
        "{\"unit\":\"u.service\",\"hash\":\"aaaa\",\"desiredState\":\"launched\","                 \
        "\"machineID\":\"m1\",\"reason\":\"r\",\"description\":\"d\",\"states\":[" STATE "]}"

static int command_line(void) {
        char *const args[] = { (char *) "journal",  (char *) "--lines=3", (char *) "-f",
                               (char *) "--output", (char *) "cat",       (char *) "u" };
        Context c = { 0 };
        const Command *command;
        int r;

        r = command_parse(&c, args, ELEMENTSOF(args), &command, NULL);
        context_done(&c);
        return r;
}

static int usage(void) {
        Buf b = BUF_INIT;
        int r = command_usage(NULL, &b);

        for (const Command *c = command_table(); c->name && r == 0; c++)
                r = command_usage(c, &b);
        if (r == 0)
                r = command_unknown("strt", &b);
        if (r == 0)
                r = command_completion(&b);
        buf_done(&b);
        return r;
}

static int endpoint(void) {
        Options o = { .driver = "API", .endpoint = "unix:///x,unix:///y", .tunnel = "" };
        char *warning = NULL;
        Endpoint e;
        int r;

        r = endpoint_parse(&o, &e, &warning, NULL);
        if (r < 0)
                return r;
        mem_free(warning);
        endpoint_done(&e);
        return 0;
}

static int cell(const void *row, const void *view, Buf *b) {
        (void) view;
        return render_machine(row, "10.0.0.1", false, b);
}

static json_t *count(const void *row, const void *view) {
        (void) view;
        return json_integer((json_int_t) strlen(row));
}

static int list_as(const char *output) {
        static const RenderField fields[] = { { "machine", cell, NULL },
                                              { "size", cell, count },
                                              { 0 } };
        const void *rows[] = { "0123456789", "abcdefghij", "-" };
        RenderColumns columns = { .items = { 0, 1 }, .n = 2 };
        Options o = { .output = output };
        Buf b = BUF_INIT;
        int r;

        r = render_list(&(const RenderList){ .fields = fields, .rows = rows, .n_rows = 3 },
                        &columns, &o, &b, NULL);
        buf_done(&b);
        return r;
}

static int table(void) {
        return list_as("text");
}

static int json(void) {
        return list_as("json");
}

static int journal(void) {
        JournalLine line = { .text = "a\033b" };
        JournalSource source = { "u.service", "m1", true };
        Buf b = BUF_INIT;
        int r = 0;

        for (JournalFormat f = JOURNAL_SHORT; f <= JOURNAL_JSON && r == 0; f++)
                r = journal_line_render(&line, &source, f, &b);
        buf_done(&b);
        return r;
}

static int status(void) {
        _cleanup_json_ json_t *j = NULL, *k = NULL;
        _cleanup_(unit_state_freep) UnitState *s = NULL;
        _cleanup_(buf_done) Buf b = BUF_INIT;
        int r;

        r = json_parse(STATUS, strlen(STATUS), &j, NULL);
        if (r == 0)
                r = json_parse(STATE, strlen(STATE), &k, NULL);
        if (r == 0)
                r = unit_state_from_json(k, &s, NULL);
        if (r < 0)
                return r;
        return status_text_render(&(const StatusText){ .status = j, .state = s, .colour = true },
                                  &b, NULL);
}

static int watching(void) {
        static const char event[] = "{\"kind\":\"state\",\"machine\":\"m1\",\"doc\":" STATE "}";
        _cleanup_json_ json_t *j = NULL, *k = NULL;
        _cleanup_(watched_unit_done) WatchedUnit w = { 0 };
        _cleanup_free_ char *why = NULL;
        int r;

        r = watched_unit_init(&w, "u.service");
        if (r == 0)
                r = json_parse(STATUS, strlen(STATUS), &j, NULL);
        if (r == 0)
                r = json_parse(event, strlen(event), &k, NULL);
        if (r == 0)
                r = watched_unit_apply_status(&w, j, false, NULL);
        if (r == 0)
                r = watched_unit_apply_event(&w, k, NULL);
        if (r < 0)
                return r;
        why = watched_unit_explain(watched_unit_state(&w));
        return why ? 0 : -ENOMEM;
}

static const struct {
        const char *name;
        int (*fn)(void);
} cases[] = {
        { "command_line", command_line },
        { "usage", usage },
        { "endpoint", endpoint },
        { "table", table },
        { "json", json },
        { "journal", journal },
        { "status", status },
        { "watching", watching },
};

START_TEST(test_each_allocation_fails) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int r = -ENOMEM;
                uint64_t n;

                for (n = 1; r < 0 && n < ALLOCATIONS_MAX; n++) {
                        alloc_fail_after(n);
                        r = cases[i].fn();
                        alloc_fail_after(0);
                        ck_assert_msg(r == 0 || r == -ENOMEM, "%s: %d at %llu", cases[i].name, r,
                                      (unsigned long long) n);
                }
                ck_assert_msg(r == 0 && n > 2, "%s", cases[i].name);
        }
}
END_TEST

TEST_MAIN("out_of_memory", test_each_allocation_fails);
