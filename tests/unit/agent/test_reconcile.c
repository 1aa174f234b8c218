#include "agent/reconcile.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "tests/lib/suite.h"

#define A "aaaa"
#define B "bbbb"

#define WANT(h, g, d)                                                                              \
        { .trust = RECONCILE_KNOWN, .placed = true, .hash = (h), .generation = (g), .desired = (d) }
#define WANT_NOTHING                                                                               \
        { .trust = RECONCILE_KNOWN }
#define HAVE_NOTHING                                                                               \
        { .adopted = true, .hash = "" }
#define LOADED(h, g, t, a)                                                                         \
        {                                                                                          \
                .adopted = true, .loaded = true, .hash = (h), .loaded_generation = (g),            \
                .generation = (g), .target = (t), .active = (a)                                    \
        }
#define FOUND(h, g, a)                                                                             \
        { .adopted = true, .found = true, .hash = (h), .generation = (g), .active = (a) }

typedef struct Case {
        const char *name;
        ReconcileWanted wanted;
        ReconcileHave have;
        const char *steps;
} Case;

static const Case cases[] = {
        /* nothing to do */
        { "nothing wanted, nothing there", WANT_NOTHING, HAVE_NOTHING, "" },
        { "loaded as wanted", WANT(A, 1, DESIRED_LOADED), LOADED(A, 1, DESIRED_LOADED, false), "" },
        { "launched as wanted", WANT(A, 1, DESIRED_LAUNCHED), LOADED(A, 1, DESIRED_LAUNCHED, true),
          "" },
        { "launched and ended: Restart= decides", WANT(A, 1, DESIRED_LAUNCHED),
          LOADED(A, 1, DESIRED_LAUNCHED, false), "" },

        /* coming */
        { "load", WANT(A, 1, DESIRED_LOADED), HAVE_NOTHING, "load" },
        { "load and start", WANT(A, 1, DESIRED_LAUNCHED), HAVE_NOTHING, "load start" },
        { "start what is loaded", WANT(A, 1, DESIRED_LAUNCHED), LOADED(A, 1, DESIRED_LOADED, false),
          "start" },
        { "placed but desired inactive", WANT(A, 1, DESIRED_INACTIVE), HAVE_NOTHING, "" },
        { "before any listing, a placement counts",
          { .trust = RECONCILE_UNKNOWN, .placed = true, .hash = A, .desired = DESIRED_LAUNCHED },
          HAVE_NOTHING,
          "load start" },

        /* going */
        { "not scheduled", WANT_NOTHING, LOADED(A, 1, DESIRED_LAUNCHED, true), "unload" },
        { "desired inactive", WANT(A, 1, DESIRED_INACTIVE), LOADED(A, 1, DESIRED_LAUNCHED, true),
          "unload" },
        { "stop", WANT(A, 1, DESIRED_LOADED), LOADED(A, 1, DESIRED_LAUNCHED, true), "stop" },
        { "stop what failed", WANT(A, 1, DESIRED_LOADED), LOADED(A, 1, DESIRED_LAUNCHED, false),
          "stop" },
        { "stop what was started by others", WANT(A, 1, DESIRED_LOADED),
          LOADED(A, 1, DESIRED_LOADED, true), "stop" },

        /* changing */
        { "other content, launched", WANT(B, 1, DESIRED_LAUNCHED),
          LOADED(A, 1, DESIRED_LAUNCHED, true), "unload load start" },
        { "other content, loaded", WANT(B, 1, DESIRED_LOADED), LOADED(A, 1, DESIRED_LAUNCHED, true),
          "unload load" },
        { "restart", WANT(A, 2, DESIRED_LAUNCHED), LOADED(A, 1, DESIRED_LAUNCHED, true),
          "load restart" },
        { "restart of what failed", WANT(A, 2, DESIRED_LAUNCHED),
          LOADED(A, 1, DESIRED_LAUNCHED, false), "load restart" },
        { "generation of what is only loaded", WANT(A, 2, DESIRED_LOADED),
          LOADED(A, 1, DESIRED_LOADED, false), "load" },
        { "other content and generation: once is enough", WANT(B, 2, DESIRED_LAUNCHED),
          LOADED(A, 1, DESIRED_LAUNCHED, true), "unload load start" },
        { "told of the generation, not yet restarted",
          WANT(A, 2, DESIRED_LAUNCHED),
          { .adopted = true,
            .loaded = true,
            .hash = A,
            .loaded_generation = 2,
            .generation = 1,
            .target = DESIRED_LAUNCHED,
            .active = true },
          "restart" },

        /* taking up */
        { "found running: taken up without a restart", WANT(A, 1, DESIRED_LAUNCHED),
          FOUND(A, 1, true), "load" },
        { "found ended: started", WANT(A, 1, DESIRED_LAUNCHED), FOUND(A, 1, false), "load start" },
        { "found running, wanted loaded", WANT(A, 1, DESIRED_LOADED), FOUND(A, 1, true),
          "load stop" },
        { "found running with older generation", WANT(A, 2, DESIRED_LAUNCHED), FOUND(A, 1, true),
          "load restart" },
        { "found with other content", WANT(B, 1, DESIRED_LAUNCHED), FOUND(A, 1, true),
          "unload load start" },
        { "found, not scheduled", WANT_NOTHING, FOUND(A, 1, true), "unload" },
        { "found, no listing yet", { .trust = RECONCILE_UNKNOWN }, FOUND(A, 1, true), "" },
        { "loaded, no listing any more",
          { .trust = RECONCILE_UNKNOWN },
          LOADED(A, 1, DESIRED_LAUNCHED, true),
          "" },
        { "held: the registry was found empty",
          { .trust = RECONCILE_KNOWN, .held = true },
          FOUND(A, 1, true),
          "" },
        { "inactive is an order even without a listing",
          { .trust = RECONCILE_UNKNOWN, .placed = true, .hash = A, .desired = DESIRED_INACTIVE },
          LOADED(A, 1, DESIRED_LAUNCHED, true),
          "unload" },

        /* not adopted yet */
        { "driver has not said what is there", WANT(A, 1, DESIRED_LAUNCHED), { .hash = "" }, "" },
};

static char *steps_to_string(const ReconcileStep *steps, size_t n) {
        Buf b = BUF_INIT;

        for (size_t i = 0; i < n; i++) {
                ck_assert_ptr_nonnull(steps[i].why);
                ck_assert_int_eq(buf_printf(&b, "%s%s", i ? " " : "",
                                            reconcile_step_to_string(steps[i].type)),
                                 0);
        }
        return buf_steal(&b);
}

START_TEST(test_plans) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ReconcileStep steps[RECONCILE_STEPS_MAX];
                size_t n = reconcile_unit(&cases[i].wanted, &cases[i].have, steps);
                _cleanup_free_ char *text = steps_to_string(steps, n);

                ck_assert_msg(strcmp(text, cases[i].steps) == 0, "%s: '%s' instead of '%s'",
                              cases[i].name, text, cases[i].steps);
        }
}
END_TEST

/* Step by step, with the first step of each new plan, as the agent does it: it comes to rest. */
START_TEST(test_plans_converge) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ReconcileHave have = cases[i].have;
                ReconcileStep steps[RECONCILE_STEPS_MAX];
                size_t done = 0;

                while (reconcile_unit(&cases[i].wanted, &have, steps) > 0) {
                        reconcile_apply(&have, &cases[i].wanted, steps[0].type);
                        if (steps[0].type == RECONCILE_START || steps[0].type == RECONCILE_RESTART)
                                have.active = true;
                        ck_assert_msg(++done <= RECONCILE_STEPS_MAX, "%s: does not end",
                                      cases[i].name);
                }
        }
}
END_TEST

START_TEST(test_interrupting) {
        for (int running = RECONCILE_LOAD; running <= RECONCILE_UNLOAD; running++) {
                for (int next = RECONCILE_LOAD; next <= RECONCILE_UNLOAD; next++) {
                        bool starting = running == RECONCILE_START || running == RECONCILE_RESTART;
                        bool ending = next == RECONCILE_STOP || next == RECONCILE_UNLOAD;

                        ck_assert(reconcile_may_interrupt((ReconcileStepType) running,
                                                          (ReconcileStepType) next) ==
                                  (starting && ending));
                }
        }
}
END_TEST

TEST_MAIN("reconcile", test_plans, test_plans_converge, test_interrupting);
