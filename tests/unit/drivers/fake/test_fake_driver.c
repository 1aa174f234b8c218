#include "drivers/fake/fake_driver.h"

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

#define UNIT "web.service"
#define HASH "0123456789012345678901234567890123456789"

typedef struct World {
        sd_event *event;
        char *directory;
        Driver *driver;
        bool available;
        unsigned n_available, n_gone;
        char *sub; /* the last state that was told */
        unsigned n_done;
        int done;      /* of the last operation */
        bool canceled; /* one was overtaken */
        char *words;
        bool adopted;
        size_t n_found;
        int adopt_result;
        unsigned n_lines, n_ends;
        char *last_line;
} World;

static void on_state(const char *unit, const UnitState *state, void *userdata) {
        World *w = userdata;

        ck_assert_str_eq(unit, UNIT);
        if (!state)
                w->n_gone++;
        ck_assert_int_eq(str_replace(&w->sub, state ? state->sub : NULL), 0);
}

static void on_available(Driver *d _unused_, bool available, const Error *why_not, void *userdata) {
        World *w = userdata;

        ck_assert(available == !why_not);
        w->available = available;
        w->n_available++;
}

static void on_done(const char *unit, int r, const Error *error, void *userdata) {
        World *w = userdata;

        ck_assert_str_eq(unit, UNIT);
        ck_assert((r < 0) == (error != NULL));
        w->done = r;
        w->canceled |= r == -ECANCELED;
        w->n_done++;
        ck_assert_int_eq(str_replace(&w->words, error ? error_text(error) : NULL), 0);
}

static void on_adopt(Driver *d _unused_, int r, const DriverFound *found, size_t n,
                     const Error *error _unused_, void *userdata) {
        World *w = userdata;

        w->adopted = true;
        w->adopt_result = r;
        w->n_found = n;
        if (n > 0) {
                ck_assert_str_eq(found[0].unit, UNIT);
                ck_assert_str_eq(found[0].hash, HASH);
                ck_assert_uint_eq(found[0].generation, 4);
                ck_assert_str_eq(found[0].state->active, "active");
        }
}

static void on_line(const DriverLogLine *line, void *userdata) {
        World *w = userdata;

        w->n_lines++;
        ck_assert_int_eq(str_replace(&w->last_line, line->text), 0);
}

static void on_end(int r, const Error *error _unused_, void *userdata) {
        World *w = userdata;

        ck_assert_int_eq(r, 0);
        w->n_ends++;
}

static void new_driver(World *w) {
        DriverOptions o = { .event = w->event,
                            .machine_id = "box",
                            .state_directory = w->directory,
                            .state_fn = on_state,
                            .available_fn = on_available,
                            .userdata = w };

        ck_assert_int_eq(fake_driver_type.new(&o, &w->driver, NULL), 0);
        suite_settle(w->event);
        ck_assert(w->available);
}

static World world_new(void) {
        World w = { 0 };

        ck_assert_int_ge(sd_event_new(&w.event), 0);
        ck_assert_int_eq(fs_temp_directory("fake-driver", &w.directory), 0);
        return w;
}

static void world_done(World *w) {
        (void) fake_driver_type.free(w->driver);
        (void) sd_event_unref(w->event);
        ck_assert_int_eq(fs_remove_tree(w->directory), 0);
        mem_free(w->directory);
        mem_free(w->sub);
        mem_free(w->words);
        mem_free(w->last_line);
}
#define _cleanup_world_ _cleanup_(world_done)

static int load_hash(World *w, const char *more, const char *hash, Error *why) {
        _cleanup_free_ char *text = str_printf("[Service]\n%s\n", more);
        UnitFile *file = NULL;
        int r;

        ck_assert_int_eq(unit_file_parse(text, strlen(text), &file, NULL), 0);
        r = fake_driver_type.load(
                w->driver,
                &(DriverUnit){ .name = UNIT, .hash = hash, .generation = 4, .file = file }, on_done,
                w, why);
        (void) unit_file_free(file);
        return r;
}

/* Waits until the operation just begun is through; its result. */
static int wait_done(World *w, unsigned before) {
        while (w->n_done == before)
                ck_assert_int_gt(sd_event_run(w->event, 20 * USEC_PER_SEC), 0);
        suite_settle(w->event);
        return w->done;
}

static int load(World *w, const char *more) {
        unsigned before = w->n_done;

        ck_assert_int_eq(load_hash(w, more, HASH, NULL), 0);
        ck_assert_uint_eq(w->n_done, before); /* never from inside the call */
        return wait_done(w, before);
}

typedef int (*Operation)(Driver *d, const char *unit, DriverDoneFn fn, void *userdata,
                         Error *reterr);

static int operate(World *w, Operation op) {
        unsigned before = w->n_done;

        ck_assert_int_eq(op(w->driver, UNIT, on_done, w, NULL), 0);
        ck_assert_uint_eq(w->n_done, before);
        return wait_done(w, before);
}

static const UnitState *state(World *w) {
        return fake_driver_type.inspect(w->driver, UNIT);
}

START_TEST(a_unit_comes_and_goes) {
        _cleanup_world_ World w = world_new();

        new_driver(&w);
        ck_assert_ptr_null(state(&w));
        ck_assert_int_eq(load(&w, "ExecStartPre=/p\nExecStart=/m\nExecReload=/r"), 0);
        ck_assert_str_eq(state(&w)->sub, "dead");
        ck_assert_str_eq(state(&w)->load, "loaded");
        ck_assert_str_eq(state(&w)->hash, HASH);

        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);
        ck_assert_str_eq(w.sub, "running");
        ck_assert_str_eq(state(&w)->active, "active");
        ck_assert_str_eq(state(&w)->main_id, UNIT);
        ck_assert_uint_gt(state(&w)->since_usec, 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.reload), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.restart), 0);
        ck_assert_str_eq(w.sub, "running");
        ck_assert_int_eq(operate(&w, fake_driver_type.stop), 0);
        ck_assert_str_eq(w.sub, "dead");
        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.unload), 0);
        ck_assert_uint_eq(w.n_gone, 1);
        ck_assert_ptr_null(state(&w));
}
END_TEST

START_TEST(commands_do_what_their_names_say) {
        static const struct {
                const char *text, *sub;
                int r;
        } cases[] = {
                { "Type=oneshot\nExecStart=/bin/true", "dead", 0 },
                { "Type=oneshot\nExecStart=/bin/false", "failed", -EIO },
                { "Type=oneshot\nExecStart=/bin/sleep 1ms\nExecStart=/x", "dead", 0 },
                { "Type=oneshot\nExecStart=/bin/exit 7\nSuccessExitStatus=7", "dead", 0 },
                { "ExecStart=/bin/cannot-run", "failed", -EIO },
                { "ExecStartPre=/bin/false\nExecStart=/m", "failed", -EIO },
                { "ExecStartPre=-/bin/false\nExecStart=/m", "running", 0 },
                { "ExecStart=/never\nType=exec\nTimeoutStartSec=1ms", "failed", -ETIMEDOUT },
                { "ExecStart=/stubborn", "running", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_world_ World w = world_new();
                int r;

                new_driver(&w);
                ck_assert_int_eq(load(&w, cases[i].text), 0);
                r = operate(&w, fake_driver_type.start);
                ck_assert_msg(r == cases[i].r, "%s: %d", cases[i].text, r);
                ck_assert_msg(str_eq(w.sub, cases[i].sub), "%s: %s", cases[i].text, w.sub);
                ck_assert((r < 0) == (w.words != NULL));
        }
}
END_TEST

START_TEST(what_is_stubborn_is_killed) {
        _cleanup_world_ World w = world_new();

        new_driver(&w);
        ck_assert_int_eq(load(&w, "ExecStart=/stubborn\nTimeoutStopSec=1ms"), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.stop), 0);
        ck_assert_str_eq(state(&w)->result, "timeout");
        ck_assert_int_eq(state(&w)->exit_signal, 9);
        ck_assert_int_eq(state(&w)->exit_code, -1);
}
END_TEST

static bool has_restarted(void *userdata) {
        World *w = userdata;

        return state(w)->restarts == 1 && str_eq(state(w)->sub, "running");
}

START_TEST(main_ends_by_itself) {
        _cleanup_world_ World w = world_new();

        new_driver(&w);
        ck_assert_int_eq(fake_driver_end_main(w.driver, UNIT, 1), -ESRCH);
        ck_assert_int_eq(load(&w, "ExecStart=/m\nRestart=on-failure\nRestartSec=1ms"), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);
        ck_assert_int_eq(fake_driver_end_main(w.driver, UNIT, 3), 0);
        suite_wait_for(w.event, has_restarted, &w);
        ck_assert_int_eq(state(&w)->exit_code, 3);
}
END_TEST

static bool is_dead(void *userdata) {
        World *w = userdata;

        return w->n_done == 3 && str_eq(w->sub, "dead");
}

START_TEST(the_later_operation_wins) {
        _cleanup_world_ World w = world_new();

        new_driver(&w);
        ck_assert_int_eq(load(&w, "ExecStart=/never"), 0);
        ck_assert_int_eq(fake_driver_type.start(w.driver, UNIT, on_done, &w, NULL), 0);
        suite_settle(w.event);
        ck_assert_uint_eq(w.n_done, 1);
        ck_assert_str_eq(w.sub, "start");
        ck_assert_int_eq(fake_driver_type.stop(w.driver, UNIT, on_done, &w, NULL), 0);
        ck_assert_uint_eq(w.n_done, 1);
        suite_wait_for(w.event, is_dead, &w);
        ck_assert(w.canceled);
        ck_assert_int_eq(w.done, 0);
}
END_TEST

START_TEST(what_is_not_there_is_said) {
        _cleanup_world_ World w = world_new();
        _cleanup_error_ Error why = ERROR_INIT;
        DriverLog *log = NULL;
        const Operation operations[] = { fake_driver_type.start, fake_driver_type.stop,
                                         fake_driver_type.restart, fake_driver_type.reload,
                                         fake_driver_type.unload };

        new_driver(&w);
        for (size_t i = 0; i < ELEMENTSOF(operations); i++) {
                ck_assert_int_eq(operations[i](w.driver, UNIT, on_done, &w, &why), -ESRCH);
                ck_assert_str_eq(error_text(&why), "'web.service' is not loaded");
        }
        ck_assert_int_eq(fake_driver_type.logs(w.driver, UNIT, &(DriverLogOptions){ 0 }, on_line,
                                               on_end, &w, &log, &why),
                         -ESRCH);

        ck_assert_int_eq(load_hash(&w, "ExecStrat=/m", HASH, &why), -EINVAL);
        ck_assert_int_eq(load_hash(&w, "Type=forking\nExecStart=/m", HASH, &why), -ENOTSUP);
        ck_assert_int_eq(load(&w, "ExecStart=/m"), 0);
        ck_assert_int_eq(load_hash(&w, "ExecStart=/n", "other", &why), -EEXIST);
        ck_assert_int_eq(fake_driver_type.reload(w.driver, UNIT, on_done, &w, &why), -ENOEXEC);
}
END_TEST

static void adopt(World *w) {
        w->adopted = false;
        ck_assert_int_eq(fake_driver_type.adopt(w->driver, on_adopt, w, NULL), 0);
        ck_assert(!w->adopted);
        suite_settle(w->event);
        ck_assert(w->adopted);
}

static void restart_daemon(World *w) {
        w->driver = fake_driver_type.free(w->driver);
        new_driver(w);
        adopt(w);
}

START_TEST(what_runs_is_found_again) {
        _cleanup_world_ World w = world_new();
        _cleanup_error_ Error why = ERROR_INIT;

        new_driver(&w);
        adopt(&w);
        ck_assert_uint_eq(w.n_found, 0);
        ck_assert_int_eq(load(&w, "ExecStart=/m"), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);

        restart_daemon(&w);
        ck_assert_int_eq(w.adopt_result, 0);
        ck_assert_uint_eq(w.n_found, 1);
        ck_assert_int_eq(load_hash(&w, "ExecStart=/n", "other", &why), -EEXIST);
        ck_assert_int_eq(load(&w, "ExecStart=/m"), 0);
        ck_assert_str_eq(state(&w)->sub, "running");
        ck_assert_int_eq(operate(&w, fake_driver_type.stop), 0);

        restart_daemon(&w);
        ck_assert_uint_eq(w.n_found, 0);
}
END_TEST

START_TEST(what_nobody_loads_can_be_unloaded) {
        _cleanup_world_ World w = world_new();

        new_driver(&w);
        ck_assert_int_eq(load(&w, "ExecStart=/m"), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);
        restart_daemon(&w);
        ck_assert_uint_eq(w.n_found, 1);
        ck_assert_int_eq(operate(&w, fake_driver_type.unload), 0);
        restart_daemon(&w);
        ck_assert_uint_eq(w.n_found, 0);
}
END_TEST

START_TEST(the_engine_may_go_away) {
        _cleanup_world_ World w = world_new();

        new_driver(&w);
        fake_driver_set_available(w.driver, false);
        suite_settle(w.event);
        ck_assert(!w.available);
        ck_assert_uint_eq(w.n_available, 2);
        adopt(&w);
        ck_assert_int_eq(w.adopt_result, -ENOTCONN);
        fake_driver_set_available(w.driver, true);
        suite_settle(w.event);
        adopt(&w);
        ck_assert_int_eq(w.adopt_result, 0);
}
END_TEST

static DriverLog *read_logs(World *w, uint64_t lines, bool follow) {
        DriverLog *log = NULL;

        w->n_lines = w->n_ends = 0;
        ck_assert_int_eq(fake_driver_type.logs(w->driver, UNIT,
                                               &(DriverLogOptions){ .lines = lines,
                                                                    .follow = follow },
                                               on_line, on_end, w, &log, NULL),
                         0);
        ck_assert_uint_eq(w->n_lines, 0);
        suite_settle(w->event);
        return log;
}

START_TEST(output_can_be_read_and_followed) {
        _cleanup_world_ World w = world_new();
        DriverLog *log;

        new_driver(&w);
        ck_assert_int_eq(load(&w, "ExecStartPre=/p one two\nExecStart=/m\nExecStop=/s"), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);

        log = read_logs(&w, UINT64_MAX, false);
        ck_assert_uint_eq(w.n_lines, 2);
        ck_assert_uint_eq(w.n_ends, 1);
        ck_assert_str_eq(w.last_line, "ExecStart: /m");
        (void) fake_driver_type.log_free(log);

        log = read_logs(&w, 1, false);
        ck_assert_uint_eq(w.n_lines, 1);
        (void) fake_driver_type.log_free(log);

        log = read_logs(&w, 0, true);
        ck_assert_uint_eq(w.n_lines, 0);
        ck_assert_uint_eq(w.n_ends, 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.stop), 0);
        ck_assert_uint_eq(w.n_lines, 1);
        ck_assert_str_eq(w.last_line, "ExecStop: /s");
        ck_assert_int_eq(operate(&w, fake_driver_type.unload), 0);
        ck_assert_uint_eq(w.n_ends, 1);
        (void) fake_driver_type.log_free(log);
}
END_TEST

START_TEST(old_output_is_dropped) {
        _cleanup_world_ World w = world_new();
        DriverLog *log;

        new_driver(&w);
        ck_assert_int_eq(load(&w, "ExecStart=/m\nExecReload=/r"), 0);
        ck_assert_int_eq(operate(&w, fake_driver_type.start), 0);
        for (int i = 0; i < FAKE_LOG_LINES_MAX + 5; i++)
                ck_assert_int_eq(operate(&w, fake_driver_type.reload), 0);
        log = read_logs(&w, UINT64_MAX, true);
        ck_assert_uint_eq(w.n_lines, FAKE_LOG_LINES_MAX);

        /* A log may outlive its driver. */
        w.driver = fake_driver_type.free(w.driver);
        suite_settle(w.event);
        (void) fake_driver_type.log_free(log);
}
END_TEST

TEST_MAIN("fake driver", a_unit_comes_and_goes, commands_do_what_their_names_say,
          what_is_stubborn_is_killed, main_ends_by_itself, the_later_operation_wins,
          what_is_not_there_is_said, what_runs_is_found_again, what_nobody_loads_can_be_unloaded,
          the_engine_may_go_away, output_can_be_read_and_followed, old_output_is_dropped);
