/* The driver against an engine that errs, is silent, or breaks off, as no real one can be made to. */
#include "drivers/docker/docker_driver.h"

#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "tests/lib/fake_engine.h"
#include "tests/lib/suite.h"

#define RUN "[Service]\nExecStart=/usr/bin/docker run --name app busybox\n"

typedef struct Bench {
        sd_event *event;
        FakeEngine *engine;
        Driver *driver;
        bool available_told, available;
        size_t done;
        int last_r;
        Buf text; /* why not available, words of the last done, and states "active/sub " */
} Bench;

static void on_state(_unused_ const char *unit, const UnitState *s, void *userdata) {
        Bench *b = userdata;

        if (s)
                ck_assert_int_eq(buf_printf(&b->text, "<%s/%s %s %d %s>", s->active, s->sub,
                                            s->result, s->exit_code, str_or(s->message, "")),
                                 0);
}

static void on_available(_unused_ Driver *d, bool available, const Error *why, void *userdata) {
        Bench *b = userdata;

        b->available_told = true;
        b->available = available;
        if (why)
                ck_assert_int_eq(buf_append_str(&b->text, error_text(why)), 0);
}

static void on_done(_unused_ const char *unit, int r, const Error *error, void *userdata) {
        Bench *b = userdata;

        b->done++;
        b->last_r = r;
        if (error)
                ck_assert_int_eq(buf_append_str(&b->text, error_text(error)), 0);
}

static void bench_up(Bench *b, unsigned parallelism) {
        DriverOptions o = { .machine_id = "m",
                            .docker_parallelism = parallelism,
                            .state_fn = on_state,
                            .available_fn = on_available,
                            .userdata = b };

        o.event = b->event;
        o.docker_socket = fake_engine_address(b->engine);
        o.state_directory = fake_engine_directory(b->engine);
        ck_assert_int_eq(docker_driver_type.new(&o, &b->driver, NULL), 0);
        suite_wait(b->event, &b->available_told);
}

static Bench bench_new(void) {
        Bench b = { 0 };

        ck_assert_int_ge(sd_event_new(&b.event), 0);
        b.engine = fake_engine_new(b.event);
        return b;
}

static void bench_done(Bench *b) {
        docker_driver_type.free(b->driver);
        (void) fake_engine_free(b->engine);
        sd_event_unref(b->event);
        buf_done(&b->text);
}

static void load(Bench *b, const char *name, const char *text) {
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        DriverUnit unit = { .name = name, .hash = "h", .generation = 1 };

        ck_assert_int_eq(unit_file_parse(text, strlen(text), &file, NULL), 0);
        unit.file = file;
        ck_assert_int_eq(docker_driver_type.load(b->driver, &unit, on_done, b, NULL), 0);
        ck_assert_int_eq(docker_driver_type.start(b->driver, name, on_done, b, NULL), 0);
}

static bool two_done(void *userdata) {
        return ((Bench *) userdata)->done >= 2;
}

static void start_app(Bench *b, const char *text) {
        load(b, "app.service", text);
        suite_wait_for(b->event, two_done, b);
}

static bool is(const Bench *b, const char *active) {
        return str_eq(docker_driver_type.inspect(b->driver, "app.service")->active, active);
}

static bool is_failed(void *userdata) {
        return is(userdata, "failed");
}

static void expect_text(const Bench *b, const char *words) {
        ck_assert_msg(strstr(buf_str(&b->text), words), "'%s' is not in: %s", words,
                      buf_str(&b->text));
}

/* Answers that make an engine none: it is not available, and says why. */
static void refuse(const char *match, unsigned status, const char *body, const char *words) {
        _cleanup_(bench_done) Bench b = bench_new();

        fake_engine_rule(b.engine, match, status, body);
        bench_up(&b, 8);
        ck_assert(!b.available);
        expect_text(&b, words);
}

START_TEST(test_no_engine) {
        refuse("/version", 500, "", "it answered 500 to /version");
        refuse("/version", 200, "garbage", "does not tell its API version");
        refuse("/version", 200, "{\"ApiVersion\":\"1.24\"}", "its API 1.24 is older than 1.41");
        refuse("/containers/json", 500, "{}", "it answered 500 and no list");
        refuse("/containers/json", 200, "{\"not\":\"a list\"}", "no list");
}
END_TEST

START_TEST(test_newer_engine) {
        _cleanup_(bench_done) Bench b = bench_new();

        fake_engine_rule(b.engine, "/version", 200,
                         "{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}");
        bench_up(&b, 8);
        ck_assert(b.available);
        ck_assert_uint_gt(fake_engine_count(b.engine, "GET /v1.44/containers/json"), 0);
}
END_TEST

START_TEST(test_create_fails) {
        _cleanup_(bench_done) Bench b = bench_new();

        fake_engine_rule(b.engine, "/containers/create", 500, "{\"message\":\"no space left\"}");
        bench_up(&b, 8);
        start_app(&b, RUN);
        ck_assert_int_lt(b.last_r, 0);
        expect_text(&b, "failed/failed exit-code 125");
        expect_text(&b, "docker run: no space left");
}
END_TEST

START_TEST(test_garbage_answers) {
        _cleanup_(bench_done) Bench b = bench_new();

        fake_engine_rule(b.engine, "/containers/create", 201, "[]");
        bench_up(&b, 8);
        start_app(&b, RUN);
        expect_text(&b, "docker run: the engine named no container");
}
END_TEST

START_TEST(test_pull_fails_in_the_stream) {
        _cleanup_(bench_done) Bench b = bench_new();

        fake_engine_rule(b.engine, "/containers/create", 404,
                         "{\"message\":\"No such image: busybox:latest\"}");
        fake_engine_rule(b.engine, "/images/create", 200,
                         "{\"status\":\"Pulling\"}\r\n{\"error\":\"manifest unknown\"}\r\n");
        bench_up(&b, 8);
        start_app(&b, RUN);
        expect_text(&b, "failed/failed exit-code 125");
        expect_text(&b, "docker run: manifest unknown");
        ck_assert_uint_eq(
                fake_engine_count(b.engine, "/images/create?fromImage=busybox&tag=latest"), 1);
}
END_TEST

START_TEST(test_two_calls_in_the_path) {
        _cleanup_(bench_done) Bench b = bench_new();
        size_t before;

        bench_up(&b, 8);
        before = fake_engine_count(b.engine, "/");
        start_app(&b, RUN);
        ck_assert_int_eq(b.last_r, 0);
        suite_settle(b.event);
        ck_assert_uint_eq(fake_engine_count(b.engine, "/create?name=app"), 1);
        ck_assert_uint_eq(fake_engine_count(b.engine, "/c1/start"), 1);
        ck_assert_uint_le(fake_engine_count(b.engine, "/") - before, 3); /* and the wait */
}
END_TEST

START_TEST(test_inspect_fails) {
        _cleanup_(bench_done) Bench b = bench_new();

        bench_up(&b, 8);
        start_app(&b, RUN);
        fake_engine_rule(b.engine, "/c1/json", 500, "{}");
        fake_engine_event(b.engine, "no JSON at all");
        fake_engine_die(b.engine, 42);
        suite_wait_for(b.event, is_failed, &b);
        suite_settle(b.event);
        expect_text(&b, "failed/failed exit-code 42");
}
END_TEST

static bool asked_twice(void *userdata) {
        Bench *b = userdata;

        return b->available && fake_engine_count(b->engine, "GET /version") >= 2;
}

START_TEST(test_events_break_off) {
        _cleanup_(bench_done) Bench b = bench_new();

        bench_up(&b, 8);
        start_app(&b, RUN);
        fake_engine_rule(
                b.engine, "/containers/json", 200,
                "[{\"Id\":\"c1\",\"State\":\"running\",\"Created\":1,\"Names\":[\"/app\"],"
                "\"Labels\":{\"flotilla.unit\":\"app.service\",\"flotilla.hash\":\"h\"}}]");
        fake_engine_event(b.engine, NULL);
        suite_wait_for(b.event, asked_twice, &b);
        ck_assert(is(&b, "active"));
        fake_engine_die(b.engine, 3);
        suite_wait_for(b.event, is_failed, &b);
        suite_settle(b.event);
        expect_text(&b, "failed/failed exit-code 3");
}
END_TEST

/* The engine may tell of the signal after the end that it brought. */
static void die_before_kill(int code, const char *signal_number, const char *words) {
        _cleanup_(bench_done) Bench b = bench_new();
        _cleanup_free_ char *kill = str_printf(
                "{\"Type\":\"container\",\"Action\":\"kill\",\"Actor\":{\"ID\":\"c1\","
                "\"Attributes\":{\"signal\":\"%s\",\"flotilla.unit\":\"app.service\"}}}",
                str_or(signal_number, "0"));

        bench_up(&b, 8);
        start_app(&b, RUN);
        fake_engine_die(b.engine, code);
        suite_settle(b.event);
        if (signal_number) {
                ck_assert(is(&b, "active"));
                fake_engine_event(b.engine, kill);
        }
        suite_wait_for(b.event, is_failed, &b);
        suite_settle(b.event);
        expect_text(&b, words);
}

START_TEST(test_die_before_kill) {
        die_before_kill(
                137, "9",
                "failed/failed signal -1 ExecStart=/usr/bin/docker (line 2) was killed by SIGKILL");
        die_before_kill(137, NULL, "failed/failed exit-code 137");
        die_before_kill(139, NULL, "failed/failed exit-code 139");
}
END_TEST

static bool silent_creates(void *userdata) {
        return fake_engine_count(((Bench *) userdata)->engine, "/containers/create") >= 2;
}

static bool all_done(void *userdata) {
        Bench *b = userdata;

        fake_engine_answer_creates(b->engine);
        return b->done >= 20;
}

/* Ten units, two at a time; and a pull that never ends holds up nobody. */
START_TEST(test_parallelism) {
        _cleanup_(bench_done) Bench b = bench_new();

        fake_engine_rule(b.engine, "/images/create", FAKE_ENGINE_SILENCE, NULL);
        bench_up(&b, 2);
        load(&b, "slow.service",
             "[Service]\nExecStartPre=/usr/bin/docker pull x\nExecStart=/usr/bin/docker run x\n");
        suite_settle(b.event);
        fake_engine_rule(b.engine, "/containers/create", FAKE_ENGINE_SILENCE, NULL);
        for (unsigned i = 0; i < 10; i++) {
                _cleanup_free_ char *name = str_printf("u%u.service", i);

                load(&b, name, RUN);
        }
        suite_wait_for(b.event, silent_creates, &b);
        suite_settle(b.event);
        ck_assert_uint_eq(fake_engine_count(b.engine, "/containers/create"), 2);
        fake_engine_rule(b.engine, "/containers/create", 1, NULL);
        suite_wait_for(b.event, all_done, &b);
        ck_assert_uint_le(fake_engine_open_max(b.engine), 3); /* the pull, and two */
}
END_TEST

TEST_MAIN("docker_driver", test_no_engine, test_newer_engine, test_create_fails,
          test_garbage_answers, test_pull_fails_in_the_stream, test_two_calls_in_the_path,
          test_inspect_fails, test_events_break_off, test_die_before_kill, test_parallelism);
