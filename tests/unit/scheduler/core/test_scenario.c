#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "scheduler/core/core.h"
#include "tests/lib/suite.h"

/*
 * Runs tests/scenario/<name>.txt. A line is a comment (#), a fact, or what a plan said (>):
 *
 *   machine ID [k=v,k=v]      is registered, with that metadata; "-docker" at the end: without a driver
 *   lost ID                   is registered no more
 *   unit NAME STATE [HASH]    is wanted so; indented lines behind it are its [X-Fleet] section
 *   destroy NAME
 *   placed NAME ID            the registry says so, without the core having decided it
 *   plan                      and then, with '>', what it decides
 *
 * GOLDEN_UPDATE=1 writes what the plans say into the files: look at the difference. Each scenario is
 * run again with the facts between two plans in other orders: the plans must be the same.
 */

#define SCENARIOS "tests/scenario"
#define SHUFFLES 6

typedef struct Run {
        Core *core;
        Buf out; /* the scenario as it should be */
        uint64_t random;
        bool shuffle;
        Strv facts; /* since the last plan; "unit" with its section */
} Run;

static bool eligible(const Machine *m, const char *unit _unused_, const char *hash _unused_,
                     const char **ret_reason, void *userdata _unused_) {
        if (!strv_contains(&m->drivers, "none"))
                return true;
        *ret_reason = "there is no driver";
        return false;
}

static void machine(Core *core, const char *id, const char *metadata, bool driver) {
        _cleanup_(machine_freep) Machine *m = machine_new(id);

        ck_assert_int_eq(metadata_parse(metadata, &m->metadata, NULL), 0);
        if (!driver)
                ck_assert_int_eq(strv_push(&m->drivers, "none"), 0);
        ck_assert_int_eq(core_machine_set(core, m), 0);
}

static void unit(Core *core, const char *name, const char *state, const char *hash,
                 const char *section) {
        _cleanup_(requirements_freep) Requirements *q = NULL;
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        _cleanup_free_ char *text = str_printf("[X-Fleet]\n%s", section);
        char full[SHA1_HEX_SIZE];
        DesiredState desired;

        ck_assert_int_eq(unit_file_parse(text, strlen(text), &file, NULL), 0);
        ck_assert_int_eq(requirements_parse(name, file, &q, NULL, NULL), 0);
        ck_assert_msg(desired_state_from_string(state, &desired) == 0, "state '%s'", state);
        text = mem_free(text);
        text = str_printf("%s%s", hash, section);
        sha1_hex(text, strlen(text), full);
        ck_assert_int_eq(core_unit_set(core, name, full, desired, 0, q), 0);
}

static void do_fact(Core *core, const char *fact) {
        _cleanup_(strv_done) Strv lines = STRV_INIT, words = STRV_INIT;
        const char *rest = strchr(fact, '\n'), *a, *b;

        ck_assert_int_eq(strv_split(&lines, fact, "\n"), 0);
        ck_assert_int_eq(strv_split(&words, lines.items[0], " "), 0);
        a = words.n > 2 ? words.items[2] : "";
        b = words.n > 3 ? words.items[3] : "";
        if (str_eq(words.items[0], "machine"))
                machine(core, words.items[1], a[0] == '-' ? "" : a, a[0] != '-' && b[0] != '-');
        else if (str_eq(words.items[0], "lost"))
                ck_assert_int_eq(core_machine_remove(core, words.items[1]), 0);
        else if (str_eq(words.items[0], "unit"))
                unit(core, words.items[1], a, b, rest ? rest + 1 : "");
        else if (str_eq(words.items[0], "destroy"))
                ck_assert_int_eq(core_unit_remove(core, words.items[1]), 0);
        else if (str_eq(words.items[0], "placed"))
                ck_assert_int_eq(core_placement_set(core, words.items[1], a,
                                                    "0123456789012345678901234567890123456789",
                                                    DESIRED_LAUNCHED, 0),
                                 0);
        else
                ck_abort_msg("no such fact: %s", fact);
}

static uint64_t next_random(Run *run) {
        run->random = run->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return run->random >> 33;
}

static void do_facts(Run *run) {
        for (size_t i = run->facts.n; run->shuffle && i > 1; i--) {
                size_t k = next_random(run) % i;
                char *t = run->facts.items[i - 1];

                run->facts.items[i - 1] = run->facts.items[k];
                run->facts.items[k] = t;
        }
        for (size_t i = 0; i < run->facts.n; i++)
                do_fact(run->core, run->facts.items[i]);
        strv_done(&run->facts);
}

static void do_plan(Run *run) {
        _cleanup_(core_plan_freep) CorePlan *plan = NULL, *again = NULL;

        do_facts(run);
        ck_assert_int_eq(core_plan(run->core, &plan), 0);
        for (size_t i = 0; i < plan->n_steps; i++) {
                const CoreStep *s = &plan->steps[i];

                (void) buf_printf(&run->out, "> %s %s %s", s->type == CORE_PUT ? "put" : "remove",
                                  s->unit, s->machine);
                (void) buf_printf(&run->out, s->type == CORE_PUT ? " %s\n" : ": %s\n",
                                  s->type == CORE_PUT ? desired_state_to_string(s->desired)
                                                      : s->why);
        }
        for (size_t i = 0; i < plan->n_reasons; i++)
                (void) buf_printf(&run->out, "> reason %s: %s\n", plan->reasons[i].unit,
                                  plan->reasons[i].text ? plan->reasons[i].text : "-");

        /* The plan counts as done: neither what confirms it nor a full pass has more to say. */
        for (size_t i = 0; i < plan->n_steps; i++) {
                const CoreStep *s = &plan->steps[i];

                if (s->type == CORE_PUT)
                        ck_assert_int_eq(core_placement_set(run->core, s->unit, s->machine, s->hash,
                                                            s->desired, s->generation),
                                         0);
                else
                        ck_assert_int_eq(core_placement_remove(run->core, s->unit, s->machine), 0);
        }
        core_mark_all(run->core);
        ck_assert_int_eq(core_plan(run->core, &again), 0);
        ck_assert_msg(again->n_steps == 0, "a second pass wants: %s to %s (%s)",
                      again->steps ? again->steps[0].unit : "",
                      again->steps ? again->steps[0].machine : "",
                      again->steps ? again->steps[0].why : "");
        ck_assert_uint_eq(again->n_reasons, 0);
}

static void do_line(Run *run, const char *line) {
        if (line[0] == '>')
                return;

        (void) buf_printf(&run->out, "%s\n", line);
        if (line[0] == '#' || line[0] == '\0')
                return;
        if (line[0] == ' ') {
                char **last = &run->facts.items[run->facts.n - 1];
                char *longer = str_printf("%s\n%s", *last, line + strspn(line, " "));

                mem_free(*last);
                *last = longer;
        } else if (str_eq(line, "plan"))
                do_plan(run);
        else
                ck_assert_int_eq(strv_push(&run->facts, line), 0);
}

/* What the file should say, run in this order. The caller owns it. */
static char *play(const char *text, uint64_t shuffle) {
        Run run = { .random = shuffle, .shuffle = shuffle > 0 };

        ck_assert_int_eq(core_new(eligible, NULL, &run.core), 0);
        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n");
                _cleanup_free_ char *copy = str_ndup(line, n);

                do_line(&run, copy);
                line += n + (line[n] == '\n');
        }
        core_free(run.core);
        strv_done(&run.facts);
        return buf_steal(&run.out);
}

static void check_file(const char *name) {
        _cleanup_free_ char *path = str_printf("%s/%s", SCENARIOS, name), *text = NULL, *is = NULL;

        ck_assert_int_eq(fs_read_file(path, MIB, &text, NULL), 0);
        is = play(text, 0);
        if (getenv("GOLDEN_UPDATE"))
                ck_assert_int_eq(fs_write_file(path, is, strlen(is), 0644), 0);
        else
                ck_assert_msg(str_eq(is, text), "%s says otherwise; it is now:\n%s", path, is);

        for (uint64_t seed = 1; seed <= SHUFFLES; seed++) {
                _cleanup_free_ char *other = play(text, seed);

                ck_assert_msg(str_eq(other, is),
                              "%s depends on the order of its facts; shuffled:\n%s", path, other);
        }
}

START_TEST(scenarios) {
        struct dirent **names;
        int n = scandir(SCENARIOS, &names, NULL, alphasort), run = 0;

        ck_assert_msg(n > 0, "no %s below the working directory", SCENARIOS);
        for (int i = 0; i < n; i++) {
                if (str_has_suffix(names[i]->d_name, ".txt")) {
                        check_file(names[i]->d_name);
                        run++;
                }
                free(names[i]);
        }
        free(names);
        ck_assert_int_ge(run, 10);
}
END_TEST

TEST_MAIN("scenario", scenarios);
