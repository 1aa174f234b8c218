/* Presence and Publish on a real store: what is there under which lease. */
#include "agent/presence.h"

#include "agent/publish.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/lib/store_contract.h"
#include "tests/lib/suite.h"

#define PREFIX "/t/"

typedef struct Fixture {
        sd_event *event;
        char *directory;
        Store *store;
        Registry *registry;
        Presence *presence;
        Publish *publish;
        int64_t lease;
        unsigned n_changes;
        bool lost, left;
} Fixture;

static void on_lease(int64_t lease, void *userdata) {
        Fixture *f = userdata;

        f->lease = lease;
        f->n_changes++;
        publish_set_lease(f->publish, lease);
}

static void on_lease_lost(void *userdata) {
        Fixture *f = userdata;

        f->lost = true;
        presence_lease_lost(f->presence);
}

static void on_left(int r, void *userdata) {
        Fixture *f = userdata;

        ck_assert_int_eq(r, 0);
        f->left = true;
}

static void fixture_init(Fixture *f, uint64_t ttl_usec) {
        _cleanup_free_ char *path = NULL;
        const RegistryOptions registry = { .prefix = PREFIX };
        StoreSqliteOptions store = { 0 };
        PresenceOptions presence = { .ttl_usec = ttl_usec,
                                     .lease_changed = on_lease,
                                     .userdata = f };
        PublishOptions publish = { .machine_id = "m1", .lease_lost = on_lease_lost, .userdata = f };

        *f = (Fixture){ 0 };
        log_set_level(LOG_LEVEL_ERROR);
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        ck_assert_int_eq(fs_temp_directory("presence-", &f->directory), 0);
        path = str_printf("%s/db", f->directory);
        store.path = path;
        ck_assert_int_eq(store_sqlite_open(f->event, &store, &f->store, NULL), 0);
        ck_assert_int_eq(registry_new(f->store, &registry, &f->registry), 0);
        presence.event = publish.event = f->event;
        presence.registry = publish.registry = f->registry;
        ck_assert_int_eq(presence_new(&presence, &f->presence), 0);
        ck_assert_int_eq(publish_new(&publish, &f->publish), 0);
}

static void fixture_done(Fixture *f) {
        f->presence = presence_free(f->presence);
        f->publish = publish_free(f->publish);
        f->registry = registry_free(f->registry);
        f->store = store_free(f->store);
        f->event = sd_event_unref(f->event);
        ck_assert_int_eq(fs_remove_tree(f->directory), 0);
        f->directory = mem_free(f->directory);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static void say(Fixture *f, const char *ip) {
        _cleanup_(machine_freep) Machine *m = machine_new("m1");

        ck_assert_int_eq(str_replace(&m->public_ip, ip), 0);
        ck_assert_int_eq(presence_set_machine(f->presence, m), 0);
}

static void tell(Fixture *f, const char *unit, const char *active) {
        _cleanup_(unit_state_freep) UnitState *s = unit_state_new(unit, "m1");

        ck_assert_int_eq(str_replace(&s->active, active), 0);
        ck_assert_int_eq(publish_set(f->publish, s), 0);
}

static const char *get(Fixture *f, const char *key) {
        _cleanup_free_ char *full = str_printf(PREFIX "%s", key);

        return store_do_get(f->event, f->store, full);
}

static void has(Fixture *f, const char *key, const char *text) {
        const char *value;

        suite_settle(f->event);
        value = get(f, key);
        ck_assert_msg(strstr(value, text), "%s is '%s'", key, value);
}

static int64_t revision(Fixture *f) {
        const StoreRange range = { .key = PREFIX, .prefix = true };

        suite_settle(f->event);
        return store_do_read(f->event, f->store, &range, 1, 0).revision;
}

START_TEST(test_registers) {
        _cleanup_fixture_ Fixture f;
        int64_t before;

        fixture_init(&f, 30 * USEC_PER_SEC);
        ck_assert_ptr_null(presence_machine(f.presence));
        say(&f, "10.0.0.1");
        has(&f, "machine/m1", "10.0.0.1");
        ck_assert_int_ne(f.lease, 0);
        ck_assert_str_eq(presence_machine(f.presence)->public_ip, "10.0.0.1");

        /* The same again is not written; what is new is, under the same lease. */
        before = revision(&f);
        say(&f, "10.0.0.1");
        ck_assert_int_eq(revision(&f), before);
        say(&f, "10.0.0.2");
        has(&f, "machine/m1", "10.0.0.2");
        ck_assert_uint_eq(f.n_changes, 1);
}
END_TEST

static bool registered_again(void *userdata) {
        Fixture *f = userdata;

        return f->n_changes >= 3 && f->lease != 0;
}

/* LAB-2: nothing waits for the old key to go. */
START_TEST(test_lost_lease_is_replaced_at_once) {
        _cleanup_fixture_ Fixture f;
        int64_t old;

        fixture_init(&f, 300 * USEC_PER_MSEC);
        say(&f, "10.0.0.1");
        tell(&f, "a.service", "active");
        has(&f, "state/a.service/m1", "active");
        old = f.lease;
        ck_assert_int_eq(store_do_revoke(f.event, f.store, old).r, 0);
        ck_assert_str_eq(get(&f, "machine/m1"), "(none)");
        suite_wait_for(f.event, registered_again, &f);
        ck_assert_int_ne(f.lease, old);
        has(&f, "machine/m1", "10.0.0.1");
        has(&f, "state/a.service/m1", "active");
}
END_TEST

START_TEST(test_lost_lease_is_seen_by_whoever_writes) {
        _cleanup_fixture_ Fixture f;
        int64_t old;

        fixture_init(&f, 1000 * USEC_PER_SEC);
        say(&f, "10.0.0.1");
        suite_settle(f.event);
        old = f.lease;
        ck_assert_int_eq(store_do_revoke(f.event, f.store, old).r, 0);
        tell(&f, "a.service", "active");
        suite_wait(f.event, &f.lost);
        has(&f, "state/a.service/m1", "active");
        ck_assert_int_ne(f.lease, old);
        has(&f, "machine/m1", "10.0.0.1");
}
END_TEST

START_TEST(test_another_ttl) {
        _cleanup_fixture_ Fixture f;
        int64_t old;

        fixture_init(&f, 30 * USEC_PER_SEC);
        say(&f, "10.0.0.1");
        suite_settle(f.event);
        old = f.lease;
        presence_set_ttl(f.presence, 30 * USEC_PER_SEC);
        suite_settle(f.event);
        ck_assert_int_eq(f.lease, old);
        presence_set_ttl(f.presence, 20 * USEC_PER_SEC);
        suite_settle(f.event);
        ck_assert_int_ne(f.lease, old);
        has(&f, "machine/m1", "10.0.0.1");

        /* The old lease carries nothing any more. */
        ck_assert_int_eq(store_do_revoke(f.event, f.store, old).r, 0);
        has(&f, "machine/m1", "10.0.0.1");
}
END_TEST

START_TEST(test_leaving) {
        _cleanup_fixture_ Fixture f;

        fixture_init(&f, 30 * USEC_PER_SEC);
        say(&f, "10.0.0.1");
        tell(&f, "a.service", "active");
        has(&f, "state/a.service/m1", "active");
        presence_leave(f.presence, on_left, &f);
        suite_wait(f.event, &f.left);
        ck_assert_str_eq(get(&f, "machine/m1"), "(none)");
        ck_assert_str_eq(get(&f, "state/a.service/m1"), "(none)");
        say(&f, "10.0.0.9");
        suite_settle(f.event);
        ck_assert_str_eq(get(&f, "machine/m1"), "(none)");
}
END_TEST

START_TEST(test_states_are_written_together_and_on_change_only) {
        _cleanup_fixture_ Fixture f;
        int64_t before;

        fixture_init(&f, 30 * USEC_PER_SEC);
        tell(&f, "a.service", "active");
        suite_settle(f.event);
        ck_assert_str_eq(get(&f, "state/a.service/m1"), "(none)"); /* no lease yet */
        say(&f, "10.0.0.1");
        has(&f, "state/a.service/m1", "active");

        before = revision(&f);
        for (int i = 0; i < 50; i++) {
                _cleanup_free_ char *unit = str_printf("u%d.service", i);

                tell(&f, unit, "activating");
                tell(&f, unit, "active");
        }
        tell(&f, "a.service", "active");
        ck_assert_int_eq(revision(&f), before + 1);
        has(&f, "state/u49.service/m1", "\"active\"");

        ck_assert_int_eq(publish_remove(f.publish, "a.service"), 0);
        tell(&f, "u1.service", "failed");
        ck_assert_int_eq(revision(&f), before + 2);
        ck_assert_str_eq(get(&f, "state/a.service/m1"), "(none)");
        ck_assert_ptr_null(publish_get(f.publish, "a.service"));
        has(&f, "state/u1.service/m1", "failed");

        /* Removed and there again within one turn. */
        ck_assert_int_eq(publish_remove(f.publish, "u1.service"), 0);
        tell(&f, "u1.service", "active");
        has(&f, "state/u1.service/m1", "\"active\"");
}
END_TEST

START_TEST(test_dump) {
        _cleanup_fixture_ Fixture f;
        _cleanup_json_ json_t *j = NULL;

        fixture_init(&f, 30 * USEC_PER_SEC);
        say(&f, "10.0.0.1");
        tell(&f, "a.service", "active");
        suite_settle(f.event);
        tell(&f, "b.service", "active");
        ck_assert_int_eq(publish_to_json(f.publish, &j), 0);
        ck_assert_ptr_nonnull(json_object_get(json_object_get(j, "Cache"), "a.service"));
        ck_assert_ptr_nonnull(json_object_get(json_object_get(j, "ToPublish"), "b.service"));
        ck_assert_uint_eq(json_object_size(json_object_get(j, "Cache")), 1);
}
END_TEST

TEST_MAIN("presence", test_registers, test_lost_lease_is_replaced_at_once,
          test_lost_lease_is_seen_by_whoever_writes, test_another_ttl, test_leaving,
          test_states_are_written_together_and_on_change_only, test_dump);
