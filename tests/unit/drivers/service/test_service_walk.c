/*
 * Random walks: whatever happens in whatever order, the service machine keeps to its table of moves
 * (service_set_state asserts it), always has something to wait for while it is on its way, ends its
 * jobs, and leaks nothing (in the sanitizer build).
 */
#include <signal.h>
#include <stdlib.h>

#include "drivers/service/service_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/service_rig.h"
#include "tests/lib/suite.h"

#define SEEDS 60
#define STEPS 3000

static uint64_t random_next(uint64_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

static bool chance(uint64_t *state, unsigned percent) {
        return random_next(state) % 100 < percent;
}

static const char *one_of(uint64_t *state, const char *const *list, size_t n) {
        return list[random_next(state) % n];
}
#define ONE_OF(state, ...)                                                                         \
        one_of((state), (const char *const[]){ __VA_ARGS__ },                                      \
               ELEMENTSOF(((const char *const[]){ __VA_ARGS__ })))

/* Up to two lines of a kind, some ignored, some that cannot be run. */
static void random_lines(Buf *b, const char *key, uint64_t *state) {
        for (uint64_t n = random_next(state) % 3; n > 0; n--)
                ck_assert_int_eq(buf_printf(b, "%s=%s%s\n", key, chance(state, 30) ? "-" : "",
                                            chance(state, 5) ? "/cannot-run" : "/x"),
                                 0);
}

static void random_unit(Buf *b, uint64_t *state) {
        const char *type = ONE_OF(state, "simple", "exec", "oneshot", "notify", "idle", "dbus");
        bool oneshot = str_eq(type, "oneshot");
        const char *restart = oneshot ? ONE_OF(state, "no", "on-failure", "on-abnormal")
                                      : ONE_OF(state, "no", "always", "always", "on-failure",
                                               "on-success", "on-abort", "on-watchdog");
        const char *mode = ONE_OF(state, "control-group", "control-group", "process", "none");

        ck_assert_int_eq(buf_printf(b,
                                    "[Unit]\nStartLimitBurst=%llu\n[Service]\nType=%s\n"
                                    "BusName=a.b\nExecStart=%s/m\nRestart=%s\nKillMode=%s\n"
                                    "RemainAfterExit=%s\nSendSIGKILL=%s\nSendSIGHUP=%s\n"
                                    "TimeoutStartFailureMode=%s\nTimeoutStopFailureMode=%s\n",
                                    (unsigned long long) (random_next(state) % 8), type,
                                    chance(state, 20) ? "-" : "", restart, mode,
                                    ONE_OF(state, "yes", "no", "no"), ONE_OF(state, "yes", "no"),
                                    ONE_OF(state, "yes", "no"),
                                    ONE_OF(state, "terminate", "abort", "kill"),
                                    ONE_OF(state, "terminate", "abort", "kill")),
                         0);
        if (oneshot)
                random_lines(b, "ExecStart", state);
        random_lines(b, "ExecCondition", state);
        random_lines(b, "ExecStartPre", state);
        random_lines(b, "ExecStartPost", state);
        random_lines(b, "ExecReload", state);
        random_lines(b, "ExecStop", state);
        random_lines(b, "ExecStopPost", state);
        if (chance(state, 30))
                ck_assert_int_eq(buf_append_str(b, "RuntimeMaxSec=100\nWatchdogSec=60\n"), 0);
        if (chance(state, 30))
                ck_assert_int_eq(buf_append_str(b, "RestartPreventExitStatus=1 TERM\n"), 0);
        if (chance(state, 30) && !oneshot)
                ck_assert_int_eq(buf_append_str(b, "RestartForceExitStatus=2 KILL\n"), 0);
}

static void random_exit(ServiceRig *rig, uint64_t *state) {
        ServiceTarget target = chance(state, 50) ? SERVICE_MAIN : SERVICE_CONTROL;
        static const int signals[] = { SIGTERM, SIGKILL, SIGSEGV, SIGHUP };
        ServiceExit e = { .signaled = chance(state, 30) };

        e.status = e.signaled ? signals[random_next(state) % ELEMENTSOF(signals)]
                              : (int) (random_next(state) % 3);
        e.core_dumped = e.status == SIGSEGV && e.signaled;
        e.oom_killed = chance(state, 5);
        e.clean = chance(state, 5);
        e.message = chance(state, 20) ? "words" : NULL;
        service_rig_exit(rig, target, &e);
}

static void random_event(ServiceRig *rig, uint64_t *state) {
        static const char *const events[] = { "start",        "start",        "stop",  "restart",
                                              "reload",       "main-started", "ready", "timer",
                                              "main-started", "ping",         "ready" };

        if (chance(state, 45))
                random_exit(rig, state);
        else if (chance(state, 30))
                service_rig_advance(rig, random_next(state) % (100 * USEC_PER_SEC));
        else if (chance(state, 3))
                service_reset_failed(rig->service);
        else
                ck_assert_int_eq(service_rig_event(rig, one_of(state, events, ELEMENTSOF(events))),
                                 0);
}

/* Somebody must still have something to tell, unless it is down or up for good. */
static void check_is_not_stuck(const ServiceRig *rig) {
        const Service *s = rig->service;
        ServiceState state = service_state(s);
        bool rests = service_state_is_down(state) || state == SERVICE_EXITED;
        bool runs = s->main != SERVICE_MAIN_NONE || s->control;

        ck_assert_msg(rests || runs || rig->timer_usec != USEC_INFINITY, "stuck in %s",
                      service_state_to_string(state));
        if (service_state_is_down(state)) {
                ck_assert(!runs);
                ck_assert(!service_job_pending(s));
                ck_assert_uint_eq(rig->timer_usec, USEC_INFINITY);
                ck_assert(state == SERVICE_DEAD || service_result(s) != SERVICE_SUCCESS);
                ck_assert(state == SERVICE_DEAD || service_message(s));
        }
        if (state == SERVICE_RUNNING) {
                ck_assert(service_has_main(s));
                ck_assert_int_eq(service_result(s), SERVICE_SUCCESS);
                ck_assert(!service_job_pending(s));
        }
        if (state == SERVICE_EXITED)
                ck_assert(!service_has_main(s) && !service_job_pending(s));
        ck_assert_uint_ge(rig->timer_usec, rig->now_usec);
}

/* Left alone, what was asked to stop comes to rest: nothing more is told but the ends of what is killed. */
static void check_stop_ends(ServiceRig *rig) {
        (void) service_stop(rig->service);
        for (int i = 0; i < 50 && !service_state_is_down(service_state(rig->service)); i++)
                service_rig_advance(rig, 200 * USEC_PER_SEC);

        ck_assert_msg(service_state_is_down(service_state(rig->service)), "stop hangs in %s",
                      service_state_to_string(service_state(rig->service)));
}

START_TEST(random_walks_stay_on_the_paths) {
        uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t) (_i + 1);
        _cleanup_(buf_done) Buf unit = BUF_INIT;
        _cleanup_error_ Error why = ERROR_INIT;
        ServiceRig rig;
        int r;

        random_unit(&unit, &state);
        r = service_rig_init(&rig, unit.data, unit.size, &why);
        ck_assert_msg(r == 0, "%s", error_text(&why));
        rig.traces = false;
        if (chance(&state, 20))
                ck_assert_int_eq(service_rig_event(&rig, "adopt running"), 0);

        for (int i = 0; i < STEPS; i++) {
                random_event(&rig, &state);
                check_is_not_stuck(&rig);
        }
        check_stop_ends(&rig);
        service_rig_done(&rig);
}
END_TEST

/* The same with memory that runs out now and then: words may be lost, never the way. */
START_TEST(random_walks_survive_without_memory) {
        uint64_t state = UINT64_C(0xd1342543de82ef95) * (uint64_t) (_i + 1);
        _cleanup_(buf_done) Buf unit = BUF_INIT;
        ServiceRig rig;

        random_unit(&unit, &state);
        ck_assert_int_eq(service_rig_init(&rig, unit.data, unit.size, NULL), 0);
        rig.traces = false;

        for (int i = 0; i < STEPS / 3; i++) {
                if (chance(&state, 30))
                        alloc_fail_after(1 + random_next(&state) % 10);
                random_event(&rig, &state);
                alloc_fail_after(0);
        }
        check_stop_ends(&rig);
        service_rig_done(&rig);
}
END_TEST

/* Nothing leads into a state but what the table says, and every state is reachable and left again. */
START_TEST(the_table_is_sound) {
        bool seen[_SERVICE_STATE_MAX] = { [SERVICE_DEAD] = true };

        for (int round = 0; round < _SERVICE_STATE_MAX; round++)
                for (int from = 0; from < _SERVICE_STATE_MAX; from++)
                        for (int to = 0; seen[from] && to < _SERVICE_STATE_MAX; to++)
                                seen[to] |= service_move_is_allowed(from, to);

        for (int s = 0; s < _SERVICE_STATE_MAX; s++) {
                ck_assert_msg(seen[s], "%s", service_state_to_string(s));
                ck_assert(!service_move_is_allowed(s, s));
                ck_assert_ptr_nonnull(service_state_active_string(s));
                ck_assert_msg(service_state_is_down(s) || service_move_is_allowed(s, SERVICE_DEAD),
                              "%s", service_state_to_string(s));
        }
        ck_assert(!service_move_is_allowed(SERVICE_DEAD, SERVICE_STOP));
        ck_assert(!service_move_is_allowed(SERVICE_STOP, SERVICE_RUNNING));
        ck_assert(!service_move_is_allowed(SERVICE_STOP_POST, SERVICE_STOP_SIGTERM));
        ck_assert(!service_move_is_allowed(SERVICE_FAILED, SERVICE_AUTO_RESTART));
}
END_TEST

/* Table 2 of systemd.service(5), written down once more. */
START_TEST(restart_follows_the_manual) {
        static const struct {
                const char *restart;
                const char *restarts_on; /* of: clean, code, signal, timeout, watchdog */
        } rows[] = { { "no", "....." },          { "always", "xxxxx" },
                     { "on-success", "x...." },  { "on-failure", ".xxxx" },
                     { "on-abnormal", "..xxx" }, { "on-abort", "..x.." },
                     { "on-watchdog", "....x" } };
        static const char *const causes[] = { "exit main 0", "exit main 1", "exit main SEGV",
                                              "advance 20s", "advance 10s" };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t k = 0; k < ELEMENTSOF(causes); k++) {
                        _cleanup_free_ char *text = str_printf(
                                "[Service]\nExecStart=/m\nRestart=%s\n%s", rows[i].restart,
                                k == 3   ? "RuntimeMaxSec=20\n"
                                : k == 4 ? "WatchdogSec=10\n"
                                         : "");
                        ServiceRig rig;
                        bool restarts;

                        ck_assert_int_eq(service_rig_init(&rig, text, strlen(text), NULL), 0);
                        ck_assert_int_eq(service_rig_event(&rig, "start"), 0);
                        ck_assert_int_eq(service_rig_event(&rig, "main-started"), 0);
                        ck_assert_int_eq(service_rig_event(&rig, causes[k]), 0);
                        if (rig.main_runs)
                                ck_assert_int_eq(service_rig_event(&rig, "exit main TERM"), 0);
                        restarts = service_state(rig.service) == SERVICE_AUTO_RESTART;
                        ck_assert_msg(restarts == (rows[i].restarts_on[k] == 'x'), "Restart=%s, %s",
                                      rows[i].restart, causes[k]);
                        service_rig_done(&rig);
                }
}
END_TEST

START_TEST(forking_is_refused) {
        static const char text[] = "[Service]\nType=forking\nExecStart=/m\n";
        ServiceRig rig;

        ck_assert_int_eq(service_rig_init(&rig, text, strlen(text), NULL), -ENOTSUP);
        service_rig_done(&rig);
}
END_TEST

/* RuntimeRandomizedExtraSec= is between 0 and what is given, and the same for the same unit. */
START_TEST(runtime_extra_is_within_bounds) {
        static const char text[] = "[Service]\nExecStart=/m\nRuntimeMaxSec=100\n"
                                   "RuntimeRandomizedExtraSec=50\n";
        uint64_t at[2];

        for (int i = 0; i < 2; i++) {
                ServiceRig rig;

                ck_assert_int_eq(service_rig_init(&rig, text, strlen(text), NULL), 0);
                ck_assert_int_eq(service_rig_event(&rig, "start"), 0);
                ck_assert_int_eq(service_rig_event(&rig, "main-started"), 0);
                at[i] = rig.timer_usec - rig.now_usec;
                ck_assert_uint_ge(at[i], 100 * USEC_PER_SEC);
                ck_assert_uint_le(at[i], 150 * USEC_PER_SEC);
                service_rig_done(&rig);
        }
        ck_assert_uint_eq(at[0], at[1]);
}
END_TEST

START_TEST(getters_show_what_is) {
        static const char text[] = "[Service]\nExecStart=/m\n";
        ServiceRig rig;

        ck_assert_int_eq(service_rig_init(&rig, text, strlen(text), NULL), 0);
        ck_assert_ptr_null(service_main_exit(rig.service));
        ck_assert_str_eq(service_config(rig.service)->unit, "job@one.service");
        ck_assert_int_eq(service_rig_event(&rig, "start"), 0);
        ck_assert(service_has_main(rig.service));
        ck_assert_int_eq(service_rig_event(&rig, "exit main 125 no such image"), 0);
        ck_assert(!service_has_main(rig.service));
        ck_assert_int_eq(service_main_exit(rig.service)->status, 125);
        ck_assert_str_eq(service_main_exit(rig.service)->message, "no such image");
        ck_assert_int_eq(service_result(rig.service), SERVICE_FAILURE_EXIT_CODE);
        ck_assert_int_eq(service_rig_event(&rig, "bogus"), -EINVAL);
        service_rig_done(&rig);
}
END_TEST

int main(void) {
        Suite *s = suite_create("service walk");
        TCase *t = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(t, 60);
        tcase_add_loop_test(t, random_walks_stay_on_the_paths, 0, SEEDS);
        tcase_add_loop_test(t, random_walks_survive_without_memory, 0, SEEDS / 4);
        tcase_add_test(t, the_table_is_sound);
        tcase_add_test(t, restart_follows_the_manual);
        tcase_add_test(t, forking_is_refused);
        tcase_add_test(t, runtime_extra_is_within_bounds);
        tcase_add_test(t, getters_show_what_is);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
