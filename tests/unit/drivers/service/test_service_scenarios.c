/*
 * tests/data/service/ *.txt: units, what happens to them, and what the service machine does about it.
 *
 * A file holds scenarios: "## name", the unit's text, then "> event" lines, each followed by the trace
 * it must lead to (two spaces before). With SCENARIO_UPDATE=1 the files are rewritten with what happens;
 * then `git diff` is to be read.
 */
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/lib/service_rig.h"

#define DATA "tests/data/service/"

static const char *const files[] = { "adopt",   "conditions", "exec-lines", "jobs",
                                     "limits",  "oneshot",    "reload",     "restart",
                                     "signals", "timeouts",   "types" };

typedef struct Scenario {
        char *name;
        Buf unit;
        ServiceRig rig;
        bool runs; /* the unit was read, events may come */
        Buf *out;
} Scenario;

static void scenario_begin(Scenario *sc, const char *name, Buf *out) {
        *sc = (Scenario){ .name = str_dup(name), .out = out };
        ck_assert_int_eq(buf_printf(out, "%s\n", name), 0);
}

static void flush_trace(Scenario *sc) {
        ck_assert_int_eq(buf_append_str(sc->out, buf_str(&sc->rig.trace)), 0);
        buf_clear(&sc->rig.trace);
}

static void scenario_end(Scenario *sc) {
        if (sc->runs)
                service_rig_done(&sc->rig);
        buf_done(&sc->unit);
        sc->name = mem_free(sc->name);
        sc->runs = false;
}

static void scenario_event(Scenario *sc, const char *line) {
        if (!sc->runs) {
                _cleanup_error_ Error why = ERROR_INIT;
                int r;

                r = service_rig_init(&sc->rig, buf_str(&sc->unit), sc->unit.size, &why);
                ck_assert_msg(r == 0, "%s: %s", sc->name, error_text(&why));
                sc->runs = true;
        }

        ck_assert_int_eq(buf_printf(sc->out, "> %s\n", line), 0);
        ck_assert_msg(service_rig_event(&sc->rig, line) == 0, "%s: no such event: %s", sc->name,
                      line);
        flush_trace(sc);
}

/* Reads the file's text line by line and writes what it should say. */
static void play(char *text, Buf *out) {
        Scenario sc = { 0 };

        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';

                if (str_after_prefix(line, "## ")) {
                        scenario_end(&sc);
                        scenario_begin(&sc, line, out);
                } else if (str_after_prefix(line, "> ")) {
                        scenario_event(&sc, line + 2);
                } else if (str_after_prefix(line, "  ")) {
                        continue; /* what was expected */
                } else if (next || line[0] != '\0') {
                        if (sc.name && !sc.runs)
                                ck_assert_int_eq(buf_printf(&sc.unit, "%s\n", line), 0);
                        ck_assert_int_eq(buf_printf(out, "%s\n", line), 0);
                }
        }
        scenario_end(&sc);
}

/* The first scenario in which they differ, for the message. */
static const char *first_difference(const char *expected, const char *actual) {
        const char *at = actual;

        for (const char *e = expected, *a = actual; *a; e++, a++) {
                if (a == actual || a[-1] == '\n')
                        if (str_after_prefix(a, "## "))
                                at = a;
                if (*e != *a)
                        break;
        }
        return at;
}

START_TEST(scenarios_go_as_written) {
        _cleanup_free_ char *path = NULL, *text = NULL, *expected = NULL;
        _cleanup_(buf_done) Buf out = BUF_INIT;
        size_t size;

        path = str_printf(DATA "%s.txt", files[_i]);
        ck_assert_int_eq(fs_read_file(path, 1 * MIB, &text, &size), 0);
        expected = str_dup(text);
        play(text, &out);

        if (getenv("SCENARIO_UPDATE")) {
                ck_assert_int_eq(fs_write_file(path, out.data, out.size, 0644), 0);
                return;
        }
        ck_assert_msg(str_eq(expected, buf_str(&out)), "%s differs; what happens:\n%.1500s", path,
                      first_difference(expected, buf_str(&out)));
}
END_TEST

/* Each file is listed above, so that none is forgotten. */
START_TEST(every_file_is_played) {
        _cleanup_(globfree) glob_t found = { 0 };

        ck_assert_int_eq(glob(DATA "*.txt", 0, NULL, &found), 0);
        ck_assert_uint_eq(found.gl_pathc, ELEMENTSOF(files));
}
END_TEST

int main(void) {
        Suite *s = suite_create("service scenarios");
        TCase *t = tcase_create("scenarios");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(t, scenarios_go_as_written, 0, (int) ELEMENTSOF(files));
        tcase_add_test(t, every_file_is_played);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
