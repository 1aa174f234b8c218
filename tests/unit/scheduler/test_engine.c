#include "scheduler/engine.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/lib/store_contract.h"
#include "tests/lib/suite.h"

#define CONTENT "[Service]\nExecStart=/bin/true\n"

typedef struct Fixture {
        sd_event *event;
        Store *store;
        Registry *registry;
        Engine *engine;
        char *directory, *path;
        uint64_t agent_ttl_usec, lease_ttl_usec;
} Fixture;

static Fixture fixture(void) {
        Fixture f = { .agent_ttl_usec = 300 * USEC_PER_MSEC, .lease_ttl_usec = 60 * USEC_PER_SEC };

        log_set_level(LOG_LEVEL_ERROR);
        ck_assert_int_ge(sd_event_new(&f.event), 0);
        ck_assert_int_eq(fs_temp_directory("engine", &f.directory), 0);
        f.path = str_printf("%s/store.db", f.directory);
        ck_assert_int_eq(store_sqlite_open(f.event, &(StoreSqliteOptions){ .path = f.path },
                                           &f.store, NULL),
                         0);
        ck_assert_int_eq(registry_new(f.store, &(RegistryOptions){ .prefix = "/f/" }, &f.registry),
                         0);
        return f;
}

static bool eligible(const Machine *m, const char *unit _unused_, const UnitFile *file,
                     char **ret_reason, void *userdata _unused_) {
        ck_assert_ptr_nonnull(file);
        if (!metadata_get(&m->metadata, "undriven"))
                return true;
        *ret_reason = str_dup("the engine does not answer");
        return false;
}

static Engine *engine_of(Fixture *f, const char *machine) {
        Engine *e = NULL;
        EngineOptions options = {
                .event = f->event,
                .registry = f->registry,
                .machine_id = machine,
                .version = "1.0",
                .lease_ttl_usec = f->lease_ttl_usec,
                .agent_ttl_usec = f->agent_ttl_usec,
                .eligible_fn = eligible,
        };

        ck_assert_int_eq(engine_new(&options, &e, NULL), 0);
        return e;
}

static void start(Fixture *f) {
        f->engine = engine_of(f, "m1");
}

static void fixture_done(Fixture *f) {
        engine_free(f->engine);
        registry_free(f->registry);
        store_free(f->store);
        sd_event_unref(f->event);
        (void) fs_remove_tree(f->directory);
        mem_free(f->directory);
        mem_free(f->path);
}

static const char *get(Fixture *f, const char *key) {
        return store_do_get(f->event, f->store, key);
}

static bool is_there(Fixture *f, const char *key) {
        return strcmp(get(f, key), "(none)") != 0;
}

/* Turns the loop until the key is there, or is not. */
static void until(Fixture *f, const char *key, bool there) {
        uint64_t deadline = clock_boottime_usec() + 10 * USEC_PER_SEC;

        while (is_there(f, key) != there) {
                ck_assert_msg(clock_boottime_usec() < deadline, "%s %s", key,
                              there ? "does not come" : "does not go");
                ck_assert_int_ge(sd_event_run(f->event, 20 * USEC_PER_MSEC), 0);
        }
}

/* Turns the loop until the value has these words. */
static void until_says(Fixture *f, const char *key, const char *words) {
        uint64_t deadline = clock_boottime_usec() + 10 * USEC_PER_SEC;

        while (!strstr(get(f, key), words)) {
                ck_assert_msg(clock_boottime_usec() < deadline, "%s does not say '%s'", key, words);
                ck_assert_int_ge(sd_event_run(f->event, 20 * USEC_PER_MSEC), 0);
        }
}

static void pass_time(Fixture *f, uint64_t usec) {
        uint64_t deadline = clock_boottime_usec() + usec;

        while (clock_boottime_usec() < deadline)
                ck_assert_int_ge(sd_event_run(f->event, 5 * USEC_PER_MSEC), 0);
}

static void ignore(int r, int64_t revision _unused_, const Error *error _unused_, void *userdata) {
        ck_assert_int_eq(r, 0);
        *(bool *) userdata = true;
}

static void machine(Fixture *f, const char *id, const char *metadata, int64_t lease) {
        _cleanup_(registry_call_freep) RegistryCall *call = NULL;
        _cleanup_(machine_freep) Machine *m = machine_new(id);
        bool done = false;

        ck_assert_int_eq(metadata_parse(metadata, &m->metadata, NULL), 0);
        ck_assert_int_eq(registry_machine_put(f->registry, m, lease, ignore, &done, &call, NULL),
                         0);
        suite_wait(f->event, &done);
}

static void unit_put(Fixture *f, const char *name, const char *content, DesiredState desired,
                     int64_t revision) {
        _cleanup_(registry_call_freep) RegistryCall *call = NULL;
        RegistryUnit u = { .desired = desired, .revision = revision };
        bool done = false;

        u.name = (char *) (uintptr_t) name;
        sha1_hex(content, strlen(content), u.hash);
        ck_assert_int_eq(registry_unit_put(f->registry, &u, content, ignore, &done, &call, NULL),
                         0);
        suite_wait(f->event, &done);
}

static void put(Fixture *f, const char *key, const char *value) {
        ck_assert_int_eq(store_do_put(f->event, f->store, key, value, 0).r, 0);
}

static void drop(Fixture *f, const char *key) {
        ck_assert_int_eq(store_do_delete(f->event, f->store, STORE_DELETE, key).r, 0);
}

#define HASH "0123456789012345678901234567890123456789"
#define PLACED "{\"desired\":\"launched\",\"hash\":\"" HASH "\"}"

START_TEST(a_unit_is_placed_and_taken_away) {
        Fixture f = fixture();
        EngineMetrics metrics;
        char key[80], hash[SHA1_HEX_SIZE];

        start(&f);
        machine(&f, "m1", "", 0);
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/a.service", true);
        ck_assert_ptr_nonnull(strstr(get(&f, "/f/schedule/m1/a.service"), "launched"));
        engine_metrics(f.engine, &metrics);
        ck_assert(metrics.leads);
        ck_assert_uint_gt(metrics.leader_since_usec, 0);
        ck_assert_uint_eq(metrics.tasks_placed, 1);

        drop(&f, "/f/unit/a.service");
        until(&f, "/f/schedule/m1/a.service", false);
        sha1_hex(CONTENT, strlen(CONTENT), hash);
        (void) snprintf(key, sizeof(key), "/f/content/%s", hash);
        until(&f, key, false); /* nobody needs it any more */
        fixture_done(&f);
}
END_TEST

START_TEST(many_units_share_few_passes) {
        enum { N = 200 };
        Fixture f = fixture();
        RegistryCall *calls[N];
        bool done[N] = { 0 };
        EngineMetrics metrics;
        RegistryUnit u = { .desired = DESIRED_LAUNCHED };
        char names[N][32];

        start(&f);
        machine(&f, "m1", "", 0);
        sha1_hex(CONTENT, strlen(CONTENT), u.hash);
        for (int i = 0; i < N; i++) {
                (void) snprintf(names[i], sizeof(names[i]), "u%03d.service", i);
                u.name = names[i];
                ck_assert_int_eq(registry_unit_put(f.registry, &u, CONTENT, ignore, &done[i],
                                                   &calls[i], NULL),
                                 0);
        }
        until(&f, "/f/schedule/m1/u199.service", true);
        engine_metrics(f.engine, &metrics);
        ck_assert_uint_le(metrics.passes, 40);
        for (int i = 0; i < N; i++)
                registry_call_free(calls[i]);
        fixture_done(&f);
}
END_TEST

START_TEST(placing_is_quick) {
        Fixture f = fixture();
        uint64_t since;

        start(&f);
        machine(&f, "m1", "", 0);
        unit_put(&f, "first.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/first.service", true);
        since = clock_boottime_usec();
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/a.service", true);
        since = clock_boottime_usec() - since;
        ck_assert_msg(since < USEC_PER_SEC, "%" PRIu64 " us", since);
        (void) printf("placed after %" PRIu64 " us\n", since);
        fixture_done(&f);
}
END_TEST

START_TEST(reasons_come_and_go) {
        Fixture f = fixture();

        put(&f, "/f/reason/old.service", "{\"text\":\"of a leader before us\"}");
        start(&f);
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        until_says(&f, "/f/reason/a.service", "no machines in the cluster");
        until(&f, "/f/reason/old.service", false);
        machine(&f, "m1", "undriven=yes", 0);
        until_says(&f, "/f/reason/a.service", "the engine does not answer");
        machine(&f, "m1", "", 0);
        until(&f, "/f/schedule/m1/a.service", true);
        until(&f, "/f/reason/a.service", false);
        fixture_done(&f);
}
END_TEST

START_TEST(the_next_process_leads_at_once) {
        Fixture f = fixture();
        EngineMetrics metrics;

        start(&f);
        machine(&f, "m1", "", 0);
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/a.service", true);

        f.engine = engine_free(f.engine); /* as killed: the key stays */
        ck_assert(is_there(&f, "/f/leader"));
        start(&f);
        unit_put(&f, "b.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/b.service", true);
        engine_metrics(f.engine, &metrics);
        ck_assert_uint_eq(metrics.tasks_placed, 1); /* a.service was left alone */
        fixture_done(&f);
}
END_TEST

static void set_true(void *userdata) {
        *(bool *) userdata = true;
}

START_TEST(who_resigns_makes_room) {
        Fixture f = fixture();
        EngineMetrics metrics;
        bool resigned = false;
        Engine *other;

        start(&f);
        until(&f, "/f/leader", true);
        other = engine_of(&f, "m2");
        pass_time(&f, 20 * USEC_PER_MSEC);
        engine_metrics(other, &metrics);
        ck_assert(!metrics.leads);
        engine_resign(f.engine, set_true, &resigned);
        suite_wait(f.event, &resigned);
        machine(&f, "m2", "", 0);
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m2/a.service", true);
        engine_metrics(other, &metrics);
        ck_assert(metrics.leads);
        engine_metrics(f.engine, &metrics);
        ck_assert(!metrics.leads);
        engine_free(other);
        fixture_done(&f);
}
END_TEST

START_TEST(a_deposed_leader_stops) {
        Fixture f = fixture();
        EngineMetrics metrics;

        start(&f);
        until(&f, "/f/leader", true);
        put(&f, "/f/leader",
            "{\"machine\":\"m2\",\"version\":\"1\"}"); /* the same create revision */
        drop(&f, "/f/leader");
        put(&f, "/f/leader", "{\"machine\":\"m2\",\"version\":\"1\"}");
        pass_time(&f, 20 * USEC_PER_MSEC);
        engine_metrics(f.engine, &metrics);
        if (metrics.leads) /* it was quicker and has the key again */
                ck_assert_ptr_nonnull(strstr(get(&f, "/f/leader"), "m1"));
        else {
                machine(&f, "m1", "", 0);
                unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
                pass_time(&f, 20 * USEC_PER_MSEC);
                ck_assert(!is_there(&f, "/f/schedule/m1/a.service"));
                drop(&f, "/f/leader");
                until(&f, "/f/schedule/m1/a.service", true);
        }
        fixture_done(&f);
}
END_TEST

START_TEST(a_lease_is_renewed) {
        Fixture f = fixture();
        EngineMetrics metrics;
        uint64_t since;

        f.lease_ttl_usec = 600 * USEC_PER_MSEC;
        start(&f);
        until(&f, "/f/leader", true);
        pass_time(&f, 20 * USEC_PER_MSEC);
        engine_metrics(f.engine, &metrics);
        since = metrics.leader_since_usec;
        pass_time(&f, 1200 * USEC_PER_MSEC);
        engine_metrics(f.engine, &metrics);
        ck_assert(metrics.leads);
        ck_assert_uint_eq(metrics.leader_since_usec, since);
        fixture_done(&f);
}
END_TEST

/* ---- what is not there is not gone ---- */

static int64_t lease_of(Fixture *f) {
        return store_do_grant(f->event, f->store, 60 * USEC_PER_SEC).lease;
}

START_TEST(machines_may_register_after_a_start) {
        Fixture f = fixture();
        uint64_t since;

        f.agent_ttl_usec = 400 * USEC_PER_MSEC;
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        put(&f, "/f/schedule/m2/a.service", PLACED);
        machine(&f, "m1", "", 0);
        since = clock_boottime_usec();
        start(&f);
        until(&f, "/f/schedule/m1/a.service", true);
        ck_assert_uint_ge(clock_boottime_usec() - since, f.agent_ttl_usec);
        ck_assert(!is_there(&f, "/f/schedule/m2/a.service"));
        fixture_done(&f);
}
END_TEST

START_TEST(a_machine_that_registers_keeps_its_units) {
        Fixture f = fixture();

        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        put(&f, "/f/schedule/m2/a.service", PLACED);
        machine(&f, "m1", "", 0);
        start(&f);
        pass_time(&f, 50 * USEC_PER_MSEC);
        machine(&f, "m2", "", 0);
        pass_time(&f, 2 * f.agent_ttl_usec);
        ck_assert(is_there(&f, "/f/schedule/m2/a.service"));
        ck_assert(!is_there(&f, "/f/schedule/m1/a.service"));
        fixture_done(&f);
}
END_TEST

START_TEST(one_lost_machine_is_believed) {
        Fixture f = fixture();
        EngineMetrics metrics;
        int64_t lease;

        start(&f);
        lease = lease_of(&f);
        machine(&f, "m1", "", lease);
        machine(&f, "m2", "", 0);
        machine(&f, "m3", "", 0);
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/a.service", true);
        pass_time(&f, f.agent_ttl_usec + 50 * USEC_PER_MSEC); /* contact was good for so long */
        ck_assert_int_eq(store_do_revoke(f.event, f.store, lease).r, 0);
        until(&f, "/f/schedule/m2/a.service", true);
        ck_assert(!is_there(&f, "/f/schedule/m1/a.service"));
        engine_metrics(f.engine, &metrics);
        ck_assert_uint_eq(metrics.failures_machine_away, 1);
        fixture_done(&f);
}
END_TEST

START_TEST(losing_most_machines_is_held) {
        Fixture f = fixture();
        int64_t lease;

        f.agent_ttl_usec = 100 * USEC_PER_MSEC;
        start(&f);
        lease = lease_of(&f);
        machine(&f, "m1", "", lease);
        machine(&f, "m2", "", lease);
        machine(&f, "m3", "", 0);
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/a.service", true);
        pass_time(&f, f.agent_ttl_usec + 50 * USEC_PER_MSEC);
        ck_assert_int_eq(store_do_revoke(f.event, f.store, lease).r, 0);
        pass_time(&f, 2 * f.agent_ttl_usec);
        ck_assert(is_there(&f, "/f/schedule/m1/a.service"));
        until(&f, "/f/schedule/m3/a.service", true); /* after a longer grace */
        fixture_done(&f);
}
END_TEST

START_TEST(an_empty_list_stops_nothing) {
        Fixture f = fixture();

        put(&f, "/f/schedule/m1/a.service", PLACED);
        machine(&f, "m1", "", 0);
        start(&f);
        pass_time(&f, 2 * f.agent_ttl_usec);
        ck_assert(is_there(&f, "/f/schedule/m1/a.service"));
        unit_put(&f, "b.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/a.service", false);
        fixture_done(&f);
}
END_TEST

START_TEST(what_cannot_be_read_is_left_alone) {
        Fixture f = fixture();

        machine(&f, "m1", "", 0);
        unit_put(&f, "good.service", CONTENT, DESIRED_LAUNCHED, 0);
        put(&f, "/f/unit/bad.service", "no JSON");
        put(&f, "/f/schedule/m1/bad.service", PLACED);
        put(&f, "/f/unit/lost.service", PLACED); /* there is no such content */
        put(&f, "/f/schedule/m1/lost.service", PLACED);
        put(&f, "/f/unit/nowhere.service", PLACED);
        start(&f);
        until(&f, "/f/schedule/m1/good.service", true);
        pass_time(&f, 2 * f.agent_ttl_usec);
        ck_assert(is_there(&f, "/f/schedule/m1/bad.service"));
        ck_assert(is_there(&f, "/f/schedule/m1/lost.service"));
        ck_assert(!is_there(&f, "/f/schedule/m1/nowhere.service"));
        until_says(&f, "/f/reason/nowhere.service", "cannot be read");

        /* A person deletes them: that is clear. */
        drop(&f, "/f/unit/bad.service");
        drop(&f, "/f/unit/lost.service");
        drop(&f, "/f/unit/nowhere.service");
        until(&f, "/f/schedule/m1/bad.service", false);
        until(&f, "/f/schedule/m1/lost.service", false);
        until(&f, "/f/reason/nowhere.service", false);
        ck_assert(is_there(&f, "/f/schedule/m1/good.service"));
        fixture_done(&f);
}
END_TEST

START_TEST(a_stray_placement_goes) {
        Fixture f = fixture();

        start(&f);
        machine(&f, "m1", "", 0);
        unit_put(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        until(&f, "/f/schedule/m1/a.service", true);
        put(&f, "/f/schedule/m1/stray.service", PLACED);
        until(&f, "/f/schedule/m1/stray.service", false);
        drop(&f, "/f/schedule/m1/a.service"); /* by hand: it comes back */
        until(&f, "/f/schedule/m1/a.service", true);
        fixture_done(&f);
}
END_TEST

START_TEST(unused_contents_of_the_past_go) {
        Fixture f = fixture();

        put(&f, "/f/content/" HASH, "[Service]\n");
        unit_put(&f, "a.service", CONTENT, DESIRED_INACTIVE, 0);
        start(&f);
        until(&f, "/f/content/" HASH, false);
        fixture_done(&f);
}
END_TEST

TEST_MAIN("engine", a_unit_is_placed_and_taken_away, many_units_share_few_passes, placing_is_quick,
          reasons_come_and_go, the_next_process_leads_at_once, who_resigns_makes_room,
          a_deposed_leader_stops, a_lease_is_renewed, machines_may_register_after_a_start,
          a_machine_that_registers_keeps_its_units, one_lost_machine_is_believed,
          losing_most_machines_is_held, an_empty_list_stops_nothing,
          what_cannot_be_read_is_left_alone, a_stray_placement_goes,
          unused_contents_of_the_past_go);
