#include "scheduler/core/core.h"

#include <stdio.h>

#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

/* What scenarios cannot say: marking, borrowed strings, memory that runs out. Semantics: tests/scenario. */

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static Requirements *requirements(const char *conflict, const char *peer) {
        Requirements *q = mem_new(Requirements);

        if (conflict)
                ck_assert_int_eq(strv_push(&q->conflicts, conflict), 0);
        if (peer)
                ck_assert_int_eq(strv_push(&q->machine_of, peer), 0);
        return q;
}

static void plan_is(Core *c, size_t steps, size_t reasons) {
        _cleanup_(core_plan_freep) CorePlan *p = NULL;

        ck_assert_int_eq(core_plan(c, &p), 0);
        ck_assert_uint_eq(p->n_steps, steps);
        ck_assert_uint_eq(p->n_reasons, reasons);
}

START_TEST(the_same_again_is_no_work) {
        _cleanup_(requirements_freep) Requirements *q = requirements(NULL, NULL);
        _cleanup_(machine_freep) Machine *m = machine_new("m1");
        _cleanup_(core_freep) Core *c = NULL;

        ck_assert_int_eq(core_new(NULL, NULL, &c), 0);
        ck_assert_int_eq(core_machine_set(c, m), 0);
        ck_assert_int_eq(core_unit_set(c, "a.service", HASH_A, DESIRED_LAUNCHED, 3, q), 0);
        plan_is(c, 1, 0);
        ck_assert_int_eq(core_placement_set(c, "a.service", "m1", HASH_A, DESIRED_LAUNCHED, 3), 0);
        ck_assert_int_eq(core_machine_set(c, m), 0);
        ck_assert_int_eq(core_unit_set(c, "a.service", HASH_A, DESIRED_LAUNCHED, 3, q), 0);
        plan_is(c, 0, 0);
        ck_assert_int_eq(core_unit_remove(c, "none.service"), 0);
        ck_assert_int_eq(core_machine_remove(c, "none"), 0);
        ck_assert_int_eq(core_placement_remove(c, "a.service", "none"), 0);
        plan_is(c, 0, 0);
}
END_TEST

START_TEST(a_generation_is_passed_on) {
        _cleanup_(requirements_freep) Requirements *q = requirements(NULL, NULL);
        _cleanup_(machine_freep) Machine *m = machine_new("m1");
        _cleanup_(core_plan_freep) CorePlan *p = NULL;
        _cleanup_(core_freep) Core *c = NULL;

        ck_assert_int_eq(core_new(NULL, NULL, &c), 0);
        ck_assert_int_eq(core_machine_set(c, m), 0);
        ck_assert_int_eq(core_unit_set(c, "a.service", HASH_A, DESIRED_LAUNCHED, 1, q), 0);
        plan_is(c, 1, 0);
        ck_assert_int_eq(core_unit_set(c, "a.service", HASH_B, DESIRED_LOADED, 2, q), 0);
        ck_assert_int_eq(core_plan(c, &p), 0);
        ck_assert_uint_eq(p->n_steps, 1);
        ck_assert_int_eq(p->steps[0].type, CORE_PUT);
        ck_assert_str_eq(p->steps[0].unit, "a.service");
        ck_assert_str_eq(p->steps[0].machine, "m1");
        ck_assert_str_eq(p->steps[0].hash, HASH_B);
        ck_assert_int_eq(p->steps[0].desired, DESIRED_LOADED);
        ck_assert_uint_eq(p->steps[0].generation, 2);
}
END_TEST

START_TEST(many_machines_in_any_order) {
        _cleanup_(core_freep) Core *c = NULL;
        char id[32], name[32];

        ck_assert_int_eq(core_new(NULL, NULL, &c), 0);
        for (unsigned i = 0; i < 200; i++) { /* across the words of bit sets, coming and going */
                _cleanup_(machine_freep) Machine *m = NULL;
                _cleanup_(requirements_freep) Requirements *q = requirements("u*", NULL);

                (void) snprintf(id, sizeof(id), "m%03u", i * 77 % 200);
                m = machine_new(id);
                ck_assert_int_eq(core_machine_set(c, m), 0);
                (void) snprintf(name, sizeof(name), "u%03u.service", i);
                ck_assert_int_eq(core_unit_set(c, name, HASH_A, DESIRED_LAUNCHED, 0, q), 0);
                plan_is(c, 1, 0);
        }
        for (unsigned i = 0; i < 199; i++) {
                (void) snprintf(id, sizeof(id), "m%03u", i * 31 % 200);
                ck_assert_int_eq(core_machine_remove(c, id), 0);
                plan_is(c, 1,
                        i + 1); /* nowhere to go; the reasons of those before count machines */
        }
}
END_TEST

/* A bit of everything; stops where memory does. */
static int feed(Core *c, Machine *const machines[2], const Requirements *const q[3]) {
        static const char *const names[] = { "a.service", "b.service", "c.service", "a.service" };
        int r = 0;

        for (int round = 0; r >= 0 && round < 3; round++) {
                _cleanup_(core_plan_freep) CorePlan *p = NULL;

                for (int i = 0; r >= 0 && i < 2; i++)
                        r = core_machine_set(c, machines[i]);
                for (int i = 0; r >= 0 && i < 3; i++)
                        r = core_unit_set(c, names[i + (round == 1)], round == 1 ? HASH_A : HASH_B,
                                          DESIRED_LAUNCHED, 0, q[i]);
                if (r >= 0)
                        r = core_plan(c, &p);
                if (r >= 0 && round == 1)
                        r = core_machine_remove(c, machines[0]->id);
                if (r >= 0 && round == 1)
                        r = core_unit_remove(c, names[0]);
        }
        return r;
}

START_TEST(memory_may_run_out_anywhere) {
        Machine *machines[] = { machine_new("m1"), machine_new("m2") };
        Requirements *q[] = { requirements("b.service", NULL), requirements(NULL, NULL),
                              requirements(NULL, "b.service") };
        const Requirements *const fed[] = { q[0], q[1], q[2] };
        int r = -ENOMEM;

        for (uint64_t n = 1; r == -ENOMEM; n++) {
                Core *c = NULL;

                alloc_fail_after(n);
                r = core_new(NULL, NULL, &c);
                if (r >= 0)
                        r = feed(c, machines, fed);
                alloc_fail_after(0);
                core_free(c);
                ck_assert_uint_lt(n, 10000);
        }
        ck_assert_int_eq(r, 0);
        for (int i = 0; i < 3; i++)
                requirements_free(q[i]);
        machine_free(machines[0]);
        machine_free(machines[1]);
}
END_TEST

TEST_MAIN("core", the_same_again_is_no_work, a_generation_is_passed_on, many_machines_in_any_order,
          memory_may_run_out_anywhere);
