/* The agent between a schedule that the test writes and a driver that the test plays. */
#include "agent/agent.h"

#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/lib/spy_driver.h"
#include "tests/lib/store_contract.h"
#include "tests/lib/suite.h"

#define PREFIX "/t/"
#define TEXT_A "[Service]\nExecStart=/bin/a\n"
#define TEXT_B "[Service]\nExecStart=/bin/b\n"

static char hash_a[SHA1_HEX_SIZE], hash_b[SHA1_HEX_SIZE];

typedef struct Fixture {
        sd_event *event;
        char *directory;
        Store *store;
        Registry *registry;
        Publish *publish;
        Agent *agent;
        unsigned n_idle;
        bool stopped;
} Fixture;

static void on_lease_lost(void *userdata _unused_) {
}

static void on_drivers_changed(const Strv *available _unused_, void *userdata _unused_) {
}

static void on_idle(void *userdata) {
        Fixture *f = userdata;

        f->n_idle++;
}

static void on_stopped(void *userdata) {
        Fixture *f = userdata;

        f->stopped = true;
}

static void put(Fixture *f, const char *key, const char *value) {
        _cleanup_free_ char *full = str_printf(PREFIX "%s", key);

        ck_assert_int_eq(store_do_put(f->event, f->store, full, value, 0).r, 0);
}

static void put_content(Fixture *f, const char *text, char hash[SHA1_HEX_SIZE]) {
        _cleanup_free_ char *key = NULL;

        sha1_hex(text, strlen(text), hash);
        key = str_printf("content/%s", hash);
        put(f, key, text);
}

static void fixture_init(Fixture *f) {
        _cleanup_error_ Error error = ERROR_INIT;
        _cleanup_free_ char *path = NULL;
        const RegistryOptions registry = { .prefix = PREFIX };
        StoreSqliteOptions store = { 0 };

        *f = (Fixture){ 0 };
        log_set_level(LOG_LEVEL_ERROR);
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        ck_assert_int_eq(fs_temp_directory("agent-", &f->directory), 0);
        path = str_printf("%s/db", f->directory);
        store.path = path;
        ck_assert_msg(store_sqlite_open(f->event, &store, &f->store, &error) == 0, "%s",
                      error_text(&error));
        ck_assert_int_eq(registry_new(f->store, &registry, &f->registry), 0);
        put_content(f, TEXT_A, hash_a);
        put_content(f, TEXT_B, hash_b);
}

/* The agent comes to life, and what it finds is as spy_driver_setup() said. */
static void fixture_up(Fixture *f, const SpySetup *setup) {
        static const DriverType *const drivers[] = { &spy_driver_type, NULL };
        _cleanup_error_ Error error = ERROR_INIT;
        const PublishOptions publish = { .event = f->event,
                                         .registry = f->registry,
                                         .machine_id = "m1",
                                         .lease_lost = on_lease_lost };
        AgentOptions agent = { .event = f->event,
                               .registry = f->registry,
                               .machine_id = "m1",
                               .driver = "auto",
                               .drivers = drivers,
                               .drivers_changed = on_drivers_changed,
                               .idle = on_idle,
                               .userdata = f };

        spy_driver_setup(setup ? setup : &(SpySetup){ 0 });
        ck_assert_int_eq(publish_new(&publish, &f->publish), 0);
        publish_set_lease(f->publish, store_do_grant(f->event, f->store, 60 * USEC_PER_SEC).lease);
        agent.publish = f->publish;
        ck_assert_msg(agent_new(&agent, &f->agent, &error) == 0, "%s", error_text(&error));
}

static void fixture_down(Fixture *f) {
        f->agent = agent_free(f->agent);
        f->publish = publish_free(f->publish);
}

static void fixture_done(Fixture *f) {
        fixture_down(f);
        f->registry = registry_free(f->registry);
        f->store = store_free(f->store);
        f->event = sd_event_unref(f->event);
        ck_assert_int_eq(fs_remove_tree(f->directory), 0);
        f->directory = mem_free(f->directory);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static void place(Fixture *f, const char *unit, const char *hash, const char *desired,
                  unsigned generation) {
        _cleanup_free_ char *key = str_printf("schedule/m1/%s", unit);
        _cleanup_free_ char *value = str_printf(
                "{\"desired\":\"%s\",\"generation\":%u,\"hash\":\"%s\"}", desired, generation,
                hash);

        put(f, key, value);
}

static void displace(Fixture *f, const char *unit) {
        _cleanup_free_ char *key = str_printf(PREFIX "schedule/m1/%s", unit);

        ck_assert_int_eq(store_do_delete(f->event, f->store, STORE_DELETE, key).r, 0);
}

static void register_unit(Fixture *f, const char *unit) {
        _cleanup_free_ char *key = str_printf("unit/%s", unit);
        _cleanup_free_ char *value = str_printf(
                "{\"desired\":\"launched\",\"generation\":0,\"hash\":\"%s\"}", hash_a);

        put(f, key, value);
}

/* Lets everything come to rest, and compares what the driver was asked for meanwhile. */
static void expect(Fixture *f, const char *format, const char *h1, const char *h2) {
        _cleanup_free_ char *asked = NULL, *expected = str_printf("%s", format);
        char *mark;

        suite_settle(f->event);
        asked = spy_driver_take(spy_driver_get());
        if (h1 && (mark = strstr(expected, "AAAA")))
                memcpy(mark, h1, 4);
        if (h2 && (mark = strstr(expected, "BBBB")))
                memcpy(mark, h2, 4);
        ck_assert_str_eq(asked, expected);
}

static const UnitState *state(const Fixture *f, const char *unit) {
        const UnitState *s = publish_get(f->publish, unit);

        ck_assert_msg(s, "%s has no state", unit);
        return s;
}

static bool was_idle(void *userdata) {
        const Fixture *f = userdata;

        return f->n_idle > 0;
}

START_TEST(test_life) {
        _cleanup_fixture_ Fixture f;

        fixture_init(&f);
        fixture_up(&f, NULL);
        expect(&f, "", NULL, NULL);
        suite_wait_for(f.event, was_idle, &f);

        place(&f, "a.service", hash_a, "loaded", 0);
        expect(&f, "load a.service AAAA 0|", hash_a, NULL);
        ck_assert_int_eq(state(&f, "a.service")->target, DESIRED_LOADED);
        ck_assert_str_eq(state(&f, "a.service")->load, "loaded");
        ck_assert_str_eq(state(&f, "a.service")->driver, "fake");
        ck_assert_str_eq(state(&f, "a.service")->hash, hash_a);

        place(&f, "a.service", hash_a, "launched", 0);
        expect(&f, "start a.service|", NULL, NULL);
        ck_assert_int_eq(state(&f, "a.service")->target, DESIRED_LAUNCHED);
        ck_assert_str_eq(state(&f, "a.service")->active, "active");

        place(&f, "a.service", hash_a, "launched", 1);
        expect(&f, "load a.service AAAA 1|restart a.service|", hash_a, NULL);

        place(&f, "a.service", hash_b, "launched", 1);
        expect(&f, "unload a.service|load a.service BBBB 1|start a.service|", NULL, hash_b);
        ck_assert_str_eq(state(&f, "a.service")->hash, hash_b);

        place(&f, "a.service", hash_b, "loaded", 1);
        expect(&f, "stop a.service|", NULL, NULL);
        ck_assert_int_eq(state(&f, "a.service")->target, DESIRED_LOADED);

        displace(&f, "a.service");
        expect(&f, "unload a.service|", NULL, NULL);
        ck_assert_ptr_null(publish_get(f.publish, "a.service"));
        ck_assert(!agent_has_unit(f.agent, "a.service"));
}
END_TEST

START_TEST(test_what_ended_is_not_started_again) {
        _cleanup_fixture_ Fixture f;

        fixture_init(&f);
        fixture_up(&f, NULL);
        place(&f, "a.service", hash_a, "launched", 0);
        expect(&f, "load a.service AAAA 0|start a.service|", hash_a, NULL);
        spy_driver_tell(spy_driver_get(), "a.service", "failed", "failed");
        expect(&f, "", NULL, NULL);
        ck_assert_str_eq(state(&f, "a.service")->active, "failed");
        ck_assert_int_eq(state(&f, "a.service")->target, DESIRED_LAUNCHED);
}
END_TEST

START_TEST(test_a_failing_unit_delays_no_other) {
        _cleanup_fixture_ Fixture f;

        fixture_init(&f);
        fixture_up(&f, NULL);
        suite_settle(f.event);
        spy_driver_fail(spy_driver_get(), "load", "a.service", -EIO, 1);
        place(&f, "a.service", hash_a, "launched", 0);
        place(&f, "b.service", hash_b, "launched", 0);
        expect(&f, "load a.service AAAA 0|load b.service BBBB 0|start b.service|", hash_a, hash_b);
        ck_assert_str_eq(state(&f, "a.service")->load, "error");
        ck_assert_str_eq(state(&f, "a.service")->message, "load failed as the test wants");
        ck_assert_str_eq(state(&f, "b.service")->active, "active");

        /* Tried again by itself, after a while; and at once when the order changes. */
        place(&f, "a.service", hash_a, "launched", 1);
        expect(&f, "load a.service AAAA 1|start a.service|", hash_a, NULL);
        ck_assert_str_eq(state(&f, "a.service")->load, "loaded");
        ck_assert_ptr_null(state(&f, "a.service")->message);
}
END_TEST

static bool has_started(void *userdata) {
        const UnitState *s = publish_get(((Fixture *) userdata)->publish, "a.service");

        return s && str_eq(s->active, "active");
}

START_TEST(test_failed_loads_are_tried_again) {
        _cleanup_fixture_ Fixture f;

        fixture_init(&f);
        fixture_up(&f, NULL);
        suite_settle(f.event);
        spy_driver_fail(spy_driver_get(), "load", "a.service", -EIO, 1);
        place(&f, "a.service", hash_a, "launched", 0);
        suite_wait_for(f.event, has_started, &f);
}
END_TEST

START_TEST(test_failed_start_is_not_repeated) {
        _cleanup_fixture_ Fixture f;

        fixture_init(&f);
        fixture_up(&f, NULL);
        suite_settle(f.event);
        spy_driver_fail(spy_driver_get(), "start", "a.service", -EIO, 1);
        place(&f, "a.service", hash_a, "launched", 0);
        expect(&f, "load a.service AAAA 0|start a.service|", hash_a, NULL);
        place(&f, "b.service", hash_b, "loaded", 0);
        expect(&f, "load b.service BBBB 0|", NULL, hash_b);
}
END_TEST

START_TEST(test_missing_content) {
        _cleanup_fixture_ Fixture f;

        fixture_init(&f);
        fixture_up(&f, NULL);
        place(&f, "a.service", "0123456789012345678901234567890123456789", "launched", 0);
        expect(&f, "", NULL, NULL);
        ck_assert_str_eq(state(&f, "a.service")->load, "not-found");
        place(&f, "a.service", hash_a, "launched", 0);
        expect(&f, "load a.service AAAA 0|start a.service|", hash_a, NULL);

        /* What runs is not taken down for content that is not there. */
        place(&f, "a.service", "0123456789012345678901234567890123456789", "launched", 0);
        expect(&f, "", NULL, NULL);
        ck_assert_str_eq(state(&f, "a.service")->active, "active");
        ck_assert_ptr_nonnull(state(&f, "a.service")->message);
}
END_TEST

START_TEST(test_a_long_start_can_be_ended) {
        _cleanup_fixture_ Fixture f;
        SpyDriver *spy;

        fixture_init(&f);
        fixture_up(&f, &(SpySetup){ .manual = true });
        spy = spy_driver_get();
        place(&f, "a.service", hash_a, "launched", 0);
        expect(&f, "load a.service AAAA 0|", hash_a, NULL);
        spy_driver_finish(spy, "a.service", 0);
        expect(&f, "start a.service|", NULL, NULL);
        ck_assert_int_eq(state(&f, "a.service")->target, DESIRED_LAUNCHED);
        displace(&f, "a.service");
        expect(&f, "unload a.service|", NULL, NULL);

        /* Placed again while it is being unloaded: that is waited for. */
        place(&f, "a.service", hash_b, "launched", 0);
        expect(&f, "", NULL, NULL);
        spy_driver_finish(spy, "a.service", 0);
        expect(&f, "load a.service BBBB 0|", NULL, hash_b);
}
END_TEST

START_TEST(test_takes_up_what_runs) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *found = NULL;

        fixture_init(&f);
        found = str_printf("a.service %s 0 active b.service %s 0 active c.service %s 3 inactive "
                           "gone.service %s 0 active",
                           hash_a, hash_a, hash_a, hash_a);
        place(&f, "a.service", hash_a, "launched", 0);
        place(&f, "b.service", hash_b, "launched", 0);
        place(&f, "c.service", hash_a, "launched", 3);
        fixture_up(&f, &(SpySetup){ .found = found });
        expect(&f,
               "unload gone.service|load a.service AAAA 0|load c.service BBBB 3|unload b.service|"
               "start c.service|load b.service 7961 0|start b.service|",
               hash_a, hash_a);
        ck_assert_int_eq(strncmp(hash_b, "7961", 4), 0);
}
END_TEST

START_TEST(test_adopted_unit_is_not_restarted) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *found = NULL;

        fixture_init(&f);
        found = str_printf("a.service %s 0 active", hash_a);
        place(&f, "a.service", hash_a, "launched", 0);
        fixture_up(&f, &(SpySetup){ .found = found });
        expect(&f, "load a.service AAAA 0|", hash_a, NULL);
        ck_assert_int_eq(state(&f, "a.service")->target, DESIRED_LAUNCHED);
        ck_assert_str_eq(state(&f, "a.service")->active, "active");
}
END_TEST

START_TEST(test_nothing_is_loaded_before_the_driver_has_spoken) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *found = NULL;

        fixture_init(&f);
        found = str_printf("a.service %s 0 active", hash_a);
        place(&f, "a.service", hash_a, "launched", 0);
        fixture_up(&f, &(SpySetup){ .unavailable = true, .found = found });
        expect(&f, "", NULL, NULL);
        ck_assert_str_eq(state(&f, "a.service")->load, "error");
        ck_assert_uint_gt(strlen(state(&f, "a.service")->message), 0);
        spy_driver_set_available(spy_driver_get(), true);
        expect(&f, "load a.service AAAA 0|", hash_a, NULL);
        ck_assert_str_eq(state(&f, "a.service")->load, "loaded");

        /* Away for a while: nothing is concluded from that. */
        spy_driver_set_available(spy_driver_get(), false);
        expect(&f, "", NULL, NULL);
        spy_driver_set_available(spy_driver_get(), true);
        expect(&f, "", NULL, NULL);
}
END_TEST

static bool a_is_there(void *userdata) {
        return agent_has_unit(((Fixture *) userdata)->agent, "a.service");
}

START_TEST(test_adoption_is_asked_for_again) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *found = NULL;

        fixture_init(&f);
        found = str_printf("a.service %s 0 active", hash_a);
        place(&f, "a.service", hash_a, "launched", 0);
        fixture_up(&f, &(SpySetup){ .adopt_fails = 1, .found = found });
        suite_wait_for(f.event, a_is_there, &f);
        expect(&f, "load a.service AAAA 0|", hash_a, NULL);
}
END_TEST

/* LAB-9: an empty registry is no order to stop everything. */
START_TEST(test_empty_registry_stops_nothing) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *found = NULL;

        fixture_init(&f);
        found = str_printf("a.service %s 0 active b.service %s 0 active", hash_a, hash_a);
        fixture_up(&f, &(SpySetup){ .found = found });
        expect(&f, "", NULL, NULL);
        ck_assert_str_eq(state(&f, "a.service")->active, "active");
        ck_assert_ptr_nonnull(strstr(state(&f, "a.service")->message, "registry was found empty"));

        /* Other units come: the kept ones stay. One that is placed again is taken up; one is let go by name. */
        register_unit(&f, "a.service");
        place(&f, "a.service", hash_a, "launched", 0);
        expect(&f, "load a.service AAAA 0|", hash_a, NULL);
        ck_assert_ptr_null(state(&f, "a.service")->message);
        ck_assert(!agent_release(f.agent, "a.service"));
        ck_assert(agent_release(f.agent, "b.service"));
        expect(&f, "unload b.service|", NULL, NULL);
}
END_TEST

START_TEST(test_moved_away_is_unloaded) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *found = NULL;

        fixture_init(&f);
        found = str_printf("a.service %s 0 active", hash_a);
        register_unit(&f, "other.service");
        fixture_up(&f, &(SpySetup){ .found = found });
        expect(&f, "unload a.service|", NULL, NULL);
}
END_TEST

START_TEST(test_unreadable_entry_leaves_the_unit_alone) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *found = NULL;

        fixture_init(&f);
        found = str_printf("a.service %s 0 active", hash_a);
        register_unit(&f, "a.service");
        put(&f, "schedule/m1/a.service", "{nonsense");
        place(&f, "b.service", hash_b, "loaded", 0);
        fixture_up(&f, &(SpySetup){ .found = found });
        expect(&f, "load b.service BBBB 0|", NULL, hash_b);
        ck_assert_str_eq(state(&f, "a.service")->active, "active");
        place(&f, "a.service", hash_a, "launched", 0);
        expect(&f, "load a.service AAAA 0|", hash_a, NULL);
        put(&f, "schedule/m1/a.service", "{nonsense");
        expect(&f, "", NULL, NULL);
        displace(&f, "a.service");
        expect(&f, "unload a.service|", NULL, NULL);
}
END_TEST

START_TEST(test_stopping) {
        _cleanup_fixture_ Fixture f;

        fixture_init(&f);
        fixture_up(&f, NULL);
        place(&f, "a.service", hash_a, "launched", 0);
        place(&f, "b.service", hash_b, "loaded", 0);
        suite_settle(f.event);
        mem_free(spy_driver_take(spy_driver_get()));
        agent_stop(f.agent, on_stopped, &f);
        suite_wait(f.event, &f.stopped);
        expect(&f, "unload a.service|unload b.service|", NULL, NULL);

        /* Whatever the schedule says now. */
        place(&f, "c.service", hash_a, "launched", 0);
        expect(&f, "", NULL, NULL);
}
END_TEST

START_TEST(test_dump) {
        _cleanup_fixture_ Fixture f;
        _cleanup_json_ json_t *agent = NULL, *generator = NULL;
        _cleanup_free_ char *text = NULL, *subscribed = NULL;
        AgentMetrics m;

        fixture_init(&f);
        fixture_up(&f, NULL);
        place(&f, "a.service", hash_a, "launched", 0);
        place(&f, "b.service", hash_b, "loaded", 0);
        suite_settle(f.event);
        ck_assert_int_eq(agent_to_json(f.agent, &agent, &generator), 0);
        text = json_format(agent);
        subscribed = json_format(generator);
        ck_assert_str_eq(text, "{\"Cache\":{\"TargetStates\":{\"a.service\":\"launched\","
                               "\"b.service\":\"loaded\"}}}");
        ck_assert_str_eq(subscribed, "{\"Subscribed\":[\"a.service\",\"b.service\"]}");
        agent_metrics(f.agent, &m);
        ck_assert_uint_eq(m.units, 2);
        ck_assert_uint_eq(m.steps_done, 3);
        ck_assert_uint_eq(m.steps_failed, 0);
}
END_TEST

TEST_MAIN("agent", test_life, test_what_ended_is_not_started_again,
          test_a_failing_unit_delays_no_other, test_failed_loads_are_tried_again,
          test_failed_start_is_not_repeated, test_missing_content, test_a_long_start_can_be_ended,
          test_takes_up_what_runs, test_adopted_unit_is_not_restarted,
          test_nothing_is_loaded_before_the_driver_has_spoken, test_adoption_is_asked_for_again,
          test_empty_registry_stops_nothing, test_moved_away_is_unloaded,
          test_unreadable_entry_leaves_the_unit_alone, test_stopping, test_dump);
