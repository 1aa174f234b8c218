#include "scheduler/registry.h"

#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/lib/store_contract.h"
#include "tests/lib/suite.h"

#define PREFIX "/fleet/"

typedef struct Fixture {
        sd_event *event;
        Store *store;
        Registry *registry;
        char *directory;
        Buf malformed; /* keys */
} Fixture;

static void on_malformed(const char *key, const Error *error, void *userdata) {
        Fixture *f = userdata;

        ck_assert_str_ne(error_text(error), "");
        (void) buf_printf(&f->malformed, "%s ", key);
}

static Fixture fixture(void) {
        Fixture f = { 0 };
        char *path;

        ck_assert_int_ge(sd_event_new(&f.event), 0);
        ck_assert_int_eq(fs_temp_directory("registry", &f.directory), 0);
        path = str_printf("%s/store.db", f.directory);
        ck_assert_int_eq(store_sqlite_open(f.event, &(StoreSqliteOptions){ .path = path }, &f.store,
                                           NULL),
                         0);
        mem_free(path);
        return f;
}

/* The registry keeps a pointer to f. */
static void start(Fixture *f) {
        ck_assert_int_eq(registry_new(f->store, &(RegistryOptions){ PREFIX, on_malformed, f },
                                      &f->registry),
                         0);
}

static void fixture_done(Fixture *f) {
        registry_free(f->registry);
        store_free(f->store);
        sd_event_unref(f->event);
        (void) fs_remove_tree(f->directory);
        mem_free(f->directory);
        buf_done(&f->malformed);
}

/* ---- calls that wait ---- */

typedef struct Answer {
        bool done;
        int r;
        int64_t revision;
        RegistrySnapshot *snapshot;
        char text[256];
} Answer;

static void on_write(int r, int64_t revision, const Error *error, void *userdata) {
        Answer *a = userdata;

        ck_assert((r < 0) == (error != NULL));
        *a = (Answer){ .done = true, .r = r, .revision = revision };
}

#define WRITE(f, function, ...)                                                                    \
        ({                                                                                         \
                _cleanup_(registry_call_freep) RegistryCall *_call = NULL;                         \
                Answer _answer = { 0 };                                                            \
                _answer.r = function((f)->registry, __VA_ARGS__, on_write, &_answer, &_call,       \
                                     NULL);                                                        \
                ck_assert(!_answer.done);                                                          \
                if (_answer.r >= 0)                                                                \
                        suite_wait((f)->event, &_answer.done);                                     \
                _answer;                                                                           \
        })

static void on_read(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        Answer *a = userdata;

        ck_assert((r < 0) == (error != NULL));
        ck_assert((r < 0) == (snapshot == NULL));
        *a = (Answer){ .done = true, .r = r, .snapshot = snapshot };
}

static RegistrySnapshot *read_all(Fixture *f, unsigned mask, const char *unit) {
        _cleanup_(registry_call_freep) RegistryCall *call = NULL;
        Answer a = { 0 };

        ck_assert_int_eq(registry_read(f->registry, mask, unit, on_read, &a, &call, NULL), 0);
        ck_assert(!a.done);
        suite_wait(f->event, &a.done);
        ck_assert_int_eq(a.r, 0);
        return a.snapshot;
}

static RegistryUnit unit_of(const char *name, const char *content, DesiredState desired,
                            int64_t revision) {
        RegistryUnit u = { .desired = desired, .revision = revision };

        u.name = (char *) (uintptr_t) name;
        sha1_hex(content, strlen(content), u.hash);
        return u;
}

static int64_t put_unit(Fixture *f, const char *name, const char *content, DesiredState desired,
                        int64_t revision) {
        RegistryUnit u = unit_of(name, content, desired, revision);
        Answer a = WRITE(f, registry_unit_put, &u, content);

        ck_assert_int_eq(a.r, 0);
        return a.revision;
}

static void put_raw(Fixture *f, const char *key, const char *value) {
        ck_assert_int_eq(store_do_put(f->event, f->store, key, value, 0).r, 0);
}

static const char *raw(Fixture *f, const char *key) {
        return store_do_get(f->event, f->store, key);
}

static void put_machine(Fixture *f, const char *id, const char *key, const char *value,
                        int64_t lease) {
        _cleanup_(machine_freep) Machine *m = machine_new(id);

        if (key)
                ck_assert_int_eq(metadata_set(&m->metadata, key, value), 0);
        ck_assert_int_eq(WRITE(f, registry_machine_put, m, lease).r, 0);
}

#define CONTENT "[Service]\nExecStart=/bin/true\n"

/* ---- units ---- */

START_TEST(unit_is_stored_as_documented) {
        Fixture f = fixture();
        RegistrySnapshot *s;
        int64_t revision;
        char key[80];

        start(&f);
        revision = put_unit(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        s = read_all(&f, REGISTRY_UNIT | REGISTRY_CONTENT, NULL);
        ck_assert_uint_eq(s->n_units, 1);
        ck_assert_str_eq(s->units[0].name, "a.service");
        ck_assert_int_eq(s->units[0].desired, DESIRED_LAUNCHED);
        ck_assert_int_eq(s->units[0].revision, revision);
        ck_assert_int_eq(s->revision, revision);
        ck_assert_str_eq(map_get(s->contents, s->units[0].hash), CONTENT);
        (void) snprintf(key, sizeof(key), "%scontent/%s", PREFIX, s->units[0].hash);
        ck_assert_str_eq(raw(&f, key), CONTENT);
        ck_assert_ptr_nonnull(strstr(raw(&f, PREFIX "unit/a.service"), "\"desired\":\"launched\""));
        registry_snapshot_free(s);
        fixture_done(&f);
}
END_TEST

START_TEST(unit_changes_compare_revisions) {
        Fixture f = fixture();
        RegistryUnit u = unit_of("a.service", CONTENT, DESIRED_INACTIVE, 0);
        int64_t first, second;

        start(&f);
        first = put_unit(&f, "a.service", CONTENT, DESIRED_LOADED, 0);
        ck_assert_int_eq(WRITE(&f, registry_unit_put, &u, CONTENT).r, REGISTRY_CONFLICT);
        ck_assert_int_eq(WRITE(&f, registry_unit_set, &u).r, -EINVAL);
        u.revision = first;
        u.generation = 7;
        second = WRITE(&f, registry_unit_set, &u).revision;
        ck_assert_int_gt(second, first);
        ck_assert_int_eq(WRITE(&f, registry_unit_set, &u).r, REGISTRY_CONFLICT);
        ck_assert_ptr_nonnull(strstr(raw(&f, PREFIX "unit/a.service"), "\"generation\":7"));
        ck_assert_int_eq(WRITE(&f, registry_unit_delete, "a.service", first).r, REGISTRY_CONFLICT);
        ck_assert_int_eq(WRITE(&f, registry_unit_delete, "a.service", second).r, 0);
        ck_assert_str_eq(raw(&f, PREFIX "unit/a.service"), "(none)");
        fixture_done(&f);
}
END_TEST

START_TEST(content_must_have_its_hash) {
        Fixture f = fixture();
        RegistryUnit u = unit_of("a.service", "other", DESIRED_INACTIVE, 0);

        start(&f);
        ck_assert_int_eq(WRITE(&f, registry_unit_put, &u, CONTENT).r, -EINVAL);
        fixture_done(&f);
}
END_TEST

static void on_content(int r, const char *text, const Error *error _unused_, void *userdata) {
        Answer *a = userdata;

        a->done = true;
        a->r = r;
        ck_assert((r < 0) == (text == NULL));
        (void) snprintf(a->text, sizeof(a->text), "%s", text ? text : "");
}

START_TEST(content_by_hash) {
        Fixture f = fixture();
        RegistryUnit u = unit_of("a.service", CONTENT, DESIRED_INACTIVE, 0);
        RegistryCall *call = NULL;
        Answer a = { 0 };

        start(&f);
        (void) put_unit(&f, "a.service", CONTENT, DESIRED_LOADED, 0);
        ck_assert_int_eq(registry_content_get(f.registry, u.hash, on_content, &a, &call, NULL), 0);
        suite_wait(f.event, &a.done);
        ck_assert_str_eq(a.text, CONTENT);
        registry_call_free(call);
        a = (Answer){ 0 };
        ck_assert_int_eq(registry_content_get(f.registry, "0000", on_content, &a, &call, NULL), 0);
        suite_wait(f.event, &a.done);
        ck_assert_int_eq(a.r, -ENOENT);
        registry_call_free(call);
        fixture_done(&f);
}
END_TEST

/* ---- reading ---- */

static void put_state(Fixture *f, const char *unit, const char *machine, int64_t lease) {
        _cleanup_(unit_state_freep) UnitState *s = unit_state_new(unit, machine);
        UnitState *states[] = { s };

        ck_assert_int_eq(str_replace(&s->active, "active"), 0);
        ck_assert_int_eq(WRITE(f, registry_states_put, machine, states, 1, NULL, 0, lease).r, 0);
}

#define WANTED "{\"desired\":\"launched\",\"hash\":\"0123456789012345678901234567890123456789\"}"

static const Machine *machine_of(const RegistrySnapshot *s, const char *id) {
        for (size_t i = 0; i < s->n_machines; i++)
                if (str_eq(s->machines[i]->id, id))
                        return s->machines[i];
        return NULL;
}

START_TEST(snapshot_is_sorted_and_searchable) {
        static const unsigned all = REGISTRY_UNIT | REGISTRY_PLACEMENT | REGISTRY_STATE |
                                    REGISTRY_MACHINE | REGISTRY_REASON;
        Fixture f = fixture();
        RegistrySnapshot *s;

        start(&f);
        put_machine(&f, "m2", "disk", "ssd", 0);
        put_machine(&f, "m1", NULL, NULL, 0);
        put_raw(&f, PREFIX "schedule/m2/a.service", WANTED);
        put_raw(&f, PREFIX "schedule/m1/b.service", WANTED);
        put_raw(&f, PREFIX "schedule/m1/a.service", WANTED);
        put_raw(&f, PREFIX "reason/c.service", "{\"text\":\"no machines in the cluster\"}");
        put_state(&f, "a-b.service", "m1", 0);
        put_state(&f, "a.service", "m2", 0);
        put_state(&f, "a.service", "m1", 0);
        s = read_all(&f, all, NULL);
        ck_assert_uint_eq(s->n_placements, 3);
        ck_assert_str_eq(s->placements[0].unit, "a.service");
        ck_assert_str_eq(s->placements[0].machine, "m1");
        ck_assert_str_eq(registry_snapshot_placement(s, "a.service")->machine, "m1");
        ck_assert_str_eq(registry_snapshot_placement(s, "b.service")->machine, "m1");
        ck_assert_ptr_null(registry_snapshot_placement(s, "c.service"));
        ck_assert_uint_eq(s->n_states, 3);
        ck_assert_ptr_nonnull(registry_snapshot_state(s, "a.service", "m1"));
        ck_assert_ptr_nonnull(registry_snapshot_state(s, "a.service", "m2"));
        ck_assert_ptr_nonnull(registry_snapshot_state(s, "a-b.service", "m1"));
        ck_assert_ptr_null(registry_snapshot_state(s, "a-b.service", "m2"));
        ck_assert_str_eq(machine_of(s, "m2")->id, "m2");
        ck_assert_ptr_null(machine_of(s, "m3"));
        ck_assert_str_eq(registry_snapshot_reason(s, "c.service"), "no machines in the cluster");
        ck_assert_ptr_null(registry_snapshot_reason(s, "a.service"));
        ck_assert_ptr_null(registry_snapshot_unit(s, "a.service"));
        registry_snapshot_free(s);
        fixture_done(&f);
}
END_TEST

START_TEST(one_unit_is_read_by_points) {
        static const unsigned all = REGISTRY_UNIT | REGISTRY_CONTENT | REGISTRY_PLACEMENT |
                                    REGISTRY_STATE | REGISTRY_MACHINE | REGISTRY_REASON;
        Fixture f = fixture();
        RegistrySnapshot *s;
        char id[16];

        start(&f);
        (void) put_unit(&f, "a.service", CONTENT, DESIRED_LAUNCHED, 0);
        (void) put_unit(&f, "b.service", CONTENT "#", DESIRED_LAUNCHED, 0);
        for (int i = 0; i < 300; i++) { /* more than one page of keys */
                (void) snprintf(id, sizeof(id), "m%03d", i);
                put_machine(&f, id, NULL, NULL, 0);
        }
        put_raw(&f, PREFIX "schedule/m287/a.service", WANTED);
        put_raw(&f, PREFIX "schedule/m003/b.service", WANTED);
        put_raw(&f, PREFIX "schedule/lost/a.service", WANTED);
        put_state(&f, "a.service", "lost", 0);
        put_raw(&f, PREFIX "reason/b.service", "{\"text\":\"x\"}");
        s = read_all(&f, all, "a.service");
        ck_assert_uint_eq(s->n_units, 1);
        ck_assert_uint_eq(map_count(s->contents), 1);
        ck_assert_uint_eq(s->n_placements, 2);
        ck_assert_str_eq(s->placements[0].machine, "lost");
        ck_assert_str_eq(s->placements[1].machine, "m287");
        ck_assert_uint_eq(s->n_states, 1);
        ck_assert_uint_eq(s->n_machines, 300);
        ck_assert_uint_eq(s->n_reasons, 0);
        registry_snapshot_free(s);

        s = read_all(&f, REGISTRY_UNIT | REGISTRY_PLACEMENT, "b.service");
        ck_assert_uint_eq(s->n_placements, 1);
        ck_assert_uint_eq(s->n_machines, 0);
        registry_snapshot_free(s);
        s = read_all(&f, all, "none.service");
        ck_assert_uint_eq(s->n_units + s->n_placements + s->n_states, 0);
        registry_snapshot_free(s);
        fixture_done(&f);
}
END_TEST

START_TEST(malformed_documents_are_skipped_and_reported_once) {
        static const char *const keys[][2] = {
                { "unit/json.service", "{" },
                { "unit/array.service", "[]" },
                { "unit/hash.service", "{\"desired\":\"launched\",\"hash\":\"x\"}" },
                { "unit/state.service",
                  "{\"desired\":\"bogus\",\"hash\":\"0123456789012345678901234567890123456789\"}" },
                { "unit/a/b", WANTED },
                { "schedule/m1/x.service", "7" },
                { "schedule/short", WANTED },
                { "machine/m9", "{\"id\":\"m8\"}" },
                { "state/a.service/m1", "{}" },
                { "reason/a.service", "\"text\"" },
        };
        static const unsigned all = REGISTRY_UNIT | REGISTRY_PLACEMENT | REGISTRY_STATE |
                                    REGISTRY_MACHINE | REGISTRY_REASON;
        Fixture f = fixture();
        size_t reported;
        char key[80];

        start(&f);
        (void) put_unit(&f, "good.service", CONTENT, DESIRED_LAUNCHED, 0);
        put_raw(&f, PREFIX "unit/newer.service",
                "{\"desired\":\"loaded\",\"hash\":\"0123456789012345678901234567890123456789\","
                "\"colour\":\"red\"}");
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                (void) snprintf(key, sizeof(key), "%s%s", PREFIX, keys[i][0]);
                put_raw(&f, key, keys[i][1]);
        }
        for (int i = 0; i < 2; i++) {
                RegistrySnapshot *s = read_all(&f, all, NULL);

                ck_assert_uint_eq(s->n_units, 2);
                ck_assert_uint_eq(s->n_placements + s->n_states + s->n_machines + s->n_reasons, 0);
                registry_snapshot_free(s);
        }
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const char *at = strstr(buf_str(&f.malformed), keys[i][0]);

                ck_assert_msg(at, "%s was not reported", keys[i][0]);
                ck_assert_ptr_null(strstr(at + 1, keys[i][0]));
        }
        reported = f.malformed.size;
        put_raw(&f, PREFIX "unit/json.service", "{{"); /* again, but it is another document */
        registry_snapshot_free(read_all(&f, all, NULL));
        ck_assert_uint_gt(f.malformed.size, reported);
        fixture_done(&f);
}
END_TEST

/* ---- machines, metadata, states ---- */

static void patch(Fixture *f, const char *machine, const char *key, const char *value) {
        _cleanup_(metadata_done) Metadata m = { 0 };
        RegistryMetadataPatch p = { machine, &m };

        ck_assert_int_eq(metadata_set(&m, key, value), 0);
        ck_assert_int_eq(WRITE(f, registry_metadata_patch, &p, 1).r, 0);
}

static char *metadata_of(Fixture *f, const char *id) {
        RegistrySnapshot *s = read_all(f, REGISTRY_MACHINE, NULL);
        char *text = metadata_format(&machine_of(s, id)->metadata);

        registry_snapshot_free(s);
        return text;
}

START_TEST(metadata_is_laid_over) {
        Fixture f = fixture();
        char *text;

        start(&f);
        patch(&f, "m1", "later", "yes"); /* a machine that is yet to come */
        put_machine(&f, "m1", "disk", "hdd", 0);
        text = metadata_of(&f, "m1");
        ck_assert_str_eq(text, "disk=hdd,later=yes");
        mem_free(text);
        patch(&f, "m1", "disk", "ssd");
        patch(&f, "m1", "later", "");
        text = metadata_of(&f, "m1");
        ck_assert_str_eq(text, "disk=ssd");
        mem_free(text);
        patch(&f, "m1", "disk", "");
        put_machine(&f, "m1", "disk", "hdd", 0); /* the machine registers again: still hidden */
        text = metadata_of(&f, "m1");
        ck_assert_str_eq(text, "");
        mem_free(text);
        ck_assert_int_eq(WRITE(&f, registry_metadata_patch, NULL, 0).r, 0);
        fixture_done(&f);
}
END_TEST

START_TEST(two_patches_at_once_both_count) {
        Fixture f = fixture();
        _cleanup_(metadata_done) Metadata a = { 0 }, b = { 0 };
        RegistryMetadataPatch pa = { "m1", &a }, pb = { "m1", &b }, both[] = { pa, pb };
        RegistryCall *calls[2];
        Answer answers[2] = { 0 };
        char *text;

        start(&f);
        put_machine(&f, "m1", NULL, NULL, 0);
        ck_assert_int_eq(metadata_set(&a, "a", "1"), 0);
        ck_assert_int_eq(metadata_set(&b, "b", "1"), 0);
        ck_assert_int_eq(registry_metadata_patch(f.registry, &pa, 1, on_write, &answers[0],
                                                 &calls[0], NULL),
                         0);
        ck_assert_int_eq(registry_metadata_patch(f.registry, &pb, 1, on_write, &answers[1],
                                                 &calls[1], NULL),
                         0);
        suite_wait(f.event, &answers[0].done);
        suite_wait(f.event, &answers[1].done);
        ck_assert_int_eq(answers[0].r, 0);
        ck_assert_int_eq(answers[1].r, 0);
        text = metadata_of(&f, "m1");
        ck_assert_str_eq(text, "a=1,b=1");
        mem_free(text);
        ck_assert_int_eq(metadata_set(&b, "a", "2"), 0);
        both[0] = pa;
        both[1] = pb;
        ck_assert_int_eq(WRITE(&f, registry_metadata_patch, both, 2).r, 0);
        text = metadata_of(&f, "m1");
        ck_assert_str_eq(text, "a=2,b=1");
        mem_free(text);
        registry_call_free(calls[0]);
        registry_call_free(calls[1]);
        fixture_done(&f);
}
END_TEST

START_TEST(machine_takes_its_states_along) {
        Fixture f = fixture();
        RegistrySnapshot *s;
        char unit[32];

        start(&f);
        put_machine(&f, "m1", NULL, NULL, 0);
        put_machine(&f, "m2", NULL, NULL, 0);
        for (int i = 0; i < 200; i++) {
                (void) snprintf(unit, sizeof(unit), "u%d.service", i);
                put_state(&f, unit, "m1", 0);
        }
        put_state(&f, "u1.service", "m2", 0);
        ck_assert_int_eq(WRITE(&f, registry_machine_remove, "m1").r, 0);
        s = read_all(&f, REGISTRY_MACHINE | REGISTRY_STATE, NULL);
        ck_assert_uint_eq(s->n_machines, 1);
        ck_assert_uint_eq(s->n_states, 1);
        ck_assert_str_eq(s->states[0]->machine, "m2");
        registry_snapshot_free(s);
        fixture_done(&f);
}
END_TEST

START_TEST(states_in_many_transactions) {
        enum { N = 300 };
        Fixture f = fixture();
        UnitState *states[N];
        const char *removed[N / 2];
        RegistrySnapshot *s;
        int64_t lease;

        start(&f);
        lease = store_do_grant(f.event, f.store, 60 * USEC_PER_SEC).lease;
        for (int i = 0; i < N; i++) {
                char unit[32];

                (void) snprintf(unit, sizeof(unit), "u%03d.service", i);
                states[i] = unit_state_new(unit, "m1");
                if (i < N / 2)
                        removed[i] = states[i]->unit;
        }
        ck_assert_int_eq(WRITE(&f, registry_states_put, "m1", states, N, NULL, 0, lease).r, 0);
        ck_assert_int_eq(WRITE(&f, registry_states_put, "m1", NULL, 0, removed, N / 2, lease).r, 0);
        s = read_all(&f, REGISTRY_STATE, NULL);
        ck_assert_uint_eq(s->n_states, N - N / 2);
        registry_snapshot_free(s);
        ck_assert_int_eq(store_do_revoke(f.event, f.store, lease).r, 0);
        s = read_all(&f, REGISTRY_STATE, NULL);
        ck_assert_uint_eq(s->n_states, 0);
        registry_snapshot_free(s);
        ck_assert_int_eq(WRITE(&f, registry_states_put, "m1", states, 1, NULL, 0, lease).r,
                         -ENOKEY);
        ck_assert_int_eq(WRITE(&f, registry_states_put, "m1", NULL, 0, NULL, 0, lease).r, 0);
        for (int i = 0; i < N; i++)
                unit_state_free(states[i]);
        fixture_done(&f);
}
END_TEST

/* ---- the leader ---- */

static void on_leader(int r, const char *holder, int64_t create_revision, const Error *error,
                      void *userdata) {
        Answer *a = userdata;

        ck_assert((r < 0) == (error != NULL));
        *a = (Answer){ .done = true, .r = r, .revision = create_revision };
        (void) snprintf(a->text, sizeof(a->text), "%s", holder ? holder : "");
}

static Answer acquire(Fixture *f, const char *machine, int64_t lease) {
        RegistryCall *call = NULL;
        Answer a = { 0 };

        ck_assert_int_eq(registry_leader_acquire(f->registry, machine, "1.0", lease, on_leader, &a,
                                                 &call, NULL),
                         0);
        ck_assert(!a.done);
        suite_wait(f->event, &a.done);
        registry_call_free(call);
        return a;
}

START_TEST(leader_key_has_one_holder) {
        Fixture f = fixture();
        int64_t lease;
        Answer a, b;

        start(&f);
        lease = store_do_grant(f.event, f.store, 60 * USEC_PER_SEC).lease;
        a = acquire(&f, "m1", lease);
        ck_assert_str_eq(a.text, "m1");
        b = acquire(&f, "m2", lease);
        ck_assert_str_eq(b.text, "m1");
        ck_assert_int_eq(b.revision, a.revision);

        b = acquire(&f, "m1",
                    lease); /* as after a crash: taken over at once, older plans are fenced */
        ck_assert_str_eq(b.text, "m1");
        ck_assert_int_gt(b.revision, a.revision);

        ck_assert_int_eq(WRITE(&f, registry_leader_release, "m2").r, 0);
        ck_assert_str_eq(acquire(&f, "m3", lease).text, "m1");
        ck_assert_int_eq(WRITE(&f, registry_leader_release, "m1").r, 0);
        ck_assert_str_eq(acquire(&f, "m3", lease).text, "m3");
        ck_assert_int_eq(store_do_revoke(f.event, f.store, lease).r, 0);
        ck_assert_int_eq(WRITE(&f, registry_leader_release, "m3").r, 0);
        ck_assert_int_eq(acquire(&f, "m3", lease).r, -ENOKEY);
        fixture_done(&f);
}
END_TEST

static RegistryPlacement placement_of(const char *unit, const char *machine) {
        RegistryPlacement p = { .desired = DESIRED_LAUNCHED };

        p.unit = (char *) (uintptr_t) unit;
        p.machine = (char *) (uintptr_t) machine;
        memset(p.hash, 'a', SHA1_HEX_SIZE - 1);
        return p;
}

START_TEST(plans_are_fenced) {
        Fixture f = fixture();
        RegistryPlacement put = placement_of("a.service", "m1"), old;
        RegistryReason reasons[] = { { (char *) (uintptr_t) "b.service",
                                       (char *) (uintptr_t) "no machines in the cluster" } };
        RegistryPlan plan = { .put = &put, .n_put = 1, .reasons = reasons, .n_reasons = 1 };
        int64_t first, second;
        Answer a;

        start(&f);
        first = acquire(&f, "m1", 0).revision;
        ck_assert_int_eq(WRITE(&f, registry_plan_apply, &plan, first).r, 0);
        ck_assert_ptr_nonnull(strstr(raw(&f, PREFIX "schedule/m1/a.service"), "launched"));
        ck_assert_ptr_nonnull(strstr(raw(&f, PREFIX "reason/b.service"), "no machines"));

        second = acquire(&f, "m1", 0).revision;
        ck_assert_int_eq(WRITE(&f, registry_plan_apply, &plan, first).r, REGISTRY_CONFLICT);
        old = put;
        put = placement_of("a.service", "m2");
        reasons[0].text = NULL;
        plan = (RegistryPlan){ &put, 1, &old, 1, reasons, 1 };
        a = WRITE(&f, registry_plan_apply, &plan, second);
        ck_assert_int_eq(a.r, 0);
        ck_assert_str_eq(raw(&f, PREFIX "schedule/m1/a.service"), "(none)");
        ck_assert_str_ne(raw(&f, PREFIX "schedule/m2/a.service"), "(none)");
        ck_assert_str_eq(raw(&f, PREFIX "reason/b.service"), "(none)");
        ck_assert_int_eq(WRITE(&f, registry_plan_apply, &(RegistryPlan){ 0 }, second).r, 0);
        fixture_done(&f);
}
END_TEST

START_TEST(a_move_is_one_transaction) {
        enum { N = 100 };
        Fixture f = fixture();
        RegistryPlacement put[N], removed[N];
        RegistrySnapshot *s;
        int64_t leader;
        char names[N][32];

        start(&f);
        leader = acquire(&f, "m1", 0).revision;
        for (int i = 0; i < N; i++) {
                (void) snprintf(names[i], sizeof(names[i]), "u%02d.service", i);
                removed[i] = placement_of(names[i], "m1");
                put[i] = placement_of(names[i], "m2");
        }
        ck_assert_int_eq(WRITE(&f, registry_plan_apply,
                               (&(RegistryPlan){ .put = removed, .n_put = N }), leader)
                                 .r,
                         0);
        ck_assert_int_eq(WRITE(&f, registry_plan_apply,
                               (&(RegistryPlan){ put, N, removed, N, NULL, 0 }), leader)
                                 .r,
                         0);
        s = read_all(&f, REGISTRY_PLACEMENT, NULL);
        ck_assert_uint_eq(s->n_placements, N);
        for (int64_t at = leader + 1; at <= s->revision;
             at++) { /* at no moment in two places, or none */
                StoreAnswer a = store_do_read(
                        f.event, f.store,
                        &(StoreRange){ .key = PREFIX "schedule/", .prefix = true }, 1, at);

                ck_assert_uint_eq(a.n, N);
        }
        registry_snapshot_free(s);
        fixture_done(&f);
}
END_TEST

START_TEST(garbage_is_collected_but_nothing_else) {
        Fixture f = fixture();
        RegistryUnit old = unit_of("a.service", CONTENT, DESIRED_INACTIVE, 0),
                     busy = unit_of("b.service", CONTENT "#", DESIRED_INACTIVE, 0);
        const char *hashes[] = { busy.hash, old.hash };
        int64_t seen, leader;
        char key[80];

        start(&f);
        leader = acquire(&f, "m1", 0).revision;
        (void) put_unit(&f, "a.service", CONTENT, DESIRED_INACTIVE, 0);
        seen = put_unit(&f, "b.service", CONTENT "#", DESIRED_INACTIVE, 0);
        (void) put_unit(&f, "c.service", CONTENT "#", DESIRED_INACTIVE, 0); /* behind our back */
        ck_assert_int_eq(WRITE(&f, registry_collect, hashes, 2, seen, leader + 1).r, 0);
        (void) snprintf(key, sizeof(key), PREFIX "content/%s", old.hash);
        ck_assert_str_eq(raw(&f, key), CONTENT); /* we did not lead */
        ck_assert_int_eq(WRITE(&f, registry_collect, hashes, 2, seen, leader).r, 0);
        ck_assert_str_eq(raw(&f, key), "(none)");
        (void) snprintf(key, sizeof(key), PREFIX "content/%s", busy.hash);
        ck_assert_str_eq(raw(&f, key), CONTENT "#");
        fixture_done(&f);
}
END_TEST

/* ---- following ---- */

typedef struct Following {
        Buf text;
        size_t calls, malformed;
        RegistryFollow *free_me;
        bool called;
} Following;

static void on_changed(RegistryFollow *follow, bool snapshot, const RegistryChange *changes,
                       size_t n, int64_t revision, void *userdata) {
        Following *f = userdata;

        ck_assert_int_gt(revision, 0);
        (void) buf_append_str(&f->text, snapshot ? "S:" : "C:");
        for (size_t i = 0; i < n; i++) {
                const RegistryChange *c = &changes[i];
                _cleanup_free_ char *metadata = c->machine_doc
                                                        ? metadata_format(&c->machine_doc->metadata)
                                                        : NULL;

                (void) buf_printf(&f->text, " %s%s%s%s%s%s%s", c->deleted ? "-" : "",
                                  c->unit ? c->unit : "", c->unit && c->machine ? "@" : "",
                                  c->machine ? c->machine : "", metadata ? "(" : "",
                                  metadata ? metadata : "", metadata ? ")" : "");
        }
        (void) buf_append_str(&f->text, "; ");
        f->calls++;
        f->called = true;
        if (f->free_me) {
                ck_assert_ptr_eq(follow, f->free_me);
                f->free_me = registry_follow_free(follow);
        }
}

static void on_malformed_change(RegistryFollow *follow _unused_, RegistryKind kind,
                                const char *unit, const char *machine _unused_, void *userdata) {
        Following *f = userdata;

        ck_assert_int_eq(kind, REGISTRY_UNIT);
        ck_assert_str_eq(unit, "bad.service");
        f->malformed++;
}

static const RegistryFollowHandler follow_handler = { .changed = on_changed,
                                                      .malformed = on_malformed_change };

static RegistryFollow *follow(Fixture *f, unsigned mask, const char *machine, Following *to) {
        RegistryFollow *follow = NULL;

        to->called = false;
        ck_assert_int_eq(registry_follow(f->registry, f->event, mask, machine, &follow_handler, to,
                                         &follow, NULL),
                         0);
        suite_wait(f->event, &to->called);
        return follow;
}

static const char *next(Fixture *f, Following *to) {
        to->called = false;
        buf_clear(&to->text);
        suite_wait(f->event, &to->called);
        return buf_str(&to->text);
}

START_TEST(follow_tells_all_then_changes) {
        Fixture f = fixture();
        Following units = { 0 };
        RegistryFollow *w;
        int64_t revision;

        start(&f);
        (void) put_unit(&f, "a.service", CONTENT, DESIRED_INACTIVE, 0);
        put_raw(&f, PREFIX "unit/bad.service", "?");
        w = follow(&f, REGISTRY_UNIT, NULL, &units);
        ck_assert_str_eq(buf_str(&units.text), "S: a.service; ");
        ck_assert_uint_eq(units.malformed, 1);
        revision = put_unit(&f, "b.service", CONTENT, DESIRED_INACTIVE, 0);
        suite_settle(f.event);
        ck_assert_str_eq(buf_str(&units.text), "S: a.service; C: b.service; ");
        (void) WRITE(&f, registry_unit_delete, "b.service", revision);
        suite_settle(f.event);
        ck_assert_ptr_nonnull(strstr(buf_str(&units.text), "C: -b.service; "));
        registry_follow_free(w);
        (void) put_unit(&f, "c.service", CONTENT, DESIRED_INACTIVE, 0);
        suite_settle(f.event);
        ck_assert_uint_eq(units.calls, 3);
        buf_done(&units.text);
        fixture_done(&f);
}
END_TEST

START_TEST(follow_placements_of_one_machine) {
        Fixture f = fixture();
        Following mine = { 0 };
        RegistryFollow *w;

        start(&f);
        put_raw(&f, PREFIX "schedule/m1/a.service", WANTED);
        put_raw(&f, PREFIX "schedule/m10/b.service", WANTED);
        w = follow(&f, REGISTRY_PLACEMENT, "m1", &mine);
        ck_assert_str_eq(buf_str(&mine.text), "S: a.service@m1; ");
        put_raw(&f, PREFIX "schedule/m10/c.service", WANTED);
        put_raw(&f, PREFIX "schedule/m1/c.service", WANTED);
        suite_settle(f.event);
        ck_assert_str_eq(buf_str(&mine.text), "S: a.service@m1; C: c.service@m1; ");
        registry_follow_free(w);
        buf_done(&mine.text);
        fixture_done(&f);
}
END_TEST

START_TEST(follow_machines_merges_metadata) {
        Fixture f = fixture();
        Following to = { 0 };
        RegistryFollow *w;
        int64_t lease;

        start(&f);
        patch(&f, "m1", "x", "1");
        put_machine(&f, "m1", "disk", "hdd", 0);
        w = follow(&f, REGISTRY_MACHINE | REGISTRY_LEADER, NULL, &to);
        ck_assert_str_eq(buf_str(&to.text), "S: m1(disk=hdd,x=1); ");
        patch(&f, "m1", "disk", "");
        suite_settle(f.event);
        ck_assert_ptr_nonnull(strstr(buf_str(&to.text), "C: m1(x=1); "));
        patch(&f, "m2", "y", "2"); /* is not there: nothing to tell */
        lease = store_do_grant(f.event, f.store, 60 * USEC_PER_SEC).lease;
        put_machine(&f, "m2", NULL, NULL, lease);
        suite_settle(f.event);
        ck_assert_ptr_nonnull(strstr(buf_str(&to.text), "C: m2(y=2); "));
        (void) acquire(&f, "m1", lease);
        (void) store_do_revoke(f.event, f.store, lease);
        suite_settle(f.event);
        ck_assert_ptr_nonnull(strstr(buf_str(&to.text), "C: m1; ")); /* leads */
        ck_assert_ptr_nonnull(strstr(buf_str(&to.text), "-m2; "));
        registry_follow_free(w);
        buf_done(&to.text);
        fixture_done(&f);
}
END_TEST

START_TEST(follow_may_be_freed_when_called) {
        Fixture f = fixture();
        Following to = { 0 };
        RegistryFollow *w = NULL;

        start(&f);
        put_raw(&f, PREFIX "schedule/m1/a.service", WANTED);
        ck_assert_int_eq(registry_follow(f.registry, f.event, REGISTRY_PLACEMENT, NULL,
                                         &follow_handler, &to, &w, NULL),
                         0);
        to.free_me = w;
        suite_wait(f.event, &to.called);
        ck_assert_ptr_null(to.free_me);

        w = follow(&f, REGISTRY_PLACEMENT, NULL, &to);
        to.free_me = w;
        put_raw(&f, PREFIX "schedule/m1/b.service", WANTED);
        ck_assert_str_eq(next(&f, &to), "C: b.service@m1; ");
        put_raw(&f, PREFIX "schedule/m1/c.service", WANTED);
        suite_settle(f.event);
        buf_done(&to.text);
        fixture_done(&f);
}
END_TEST

START_TEST(everything_outlives_the_registry) {
        Fixture f = fixture();
        RegistryCall *calls[2];
        RegistryFollow *w = NULL;
        Following to = { 0 };
        Answer a = { 0 };

        start(&f);
        ck_assert_int_eq(
                registry_read(f.registry, REGISTRY_UNIT, NULL, on_read, &a, &calls[0], NULL), 0);
        ck_assert_int_eq(registry_leader_acquire(f.registry, "m1", "1", 0, on_leader, &a, &calls[1],
                                                 NULL),
                         0);
        ck_assert_int_eq(registry_follow(f.registry, f.event, REGISTRY_UNIT, NULL, &follow_handler,
                                         &to, &w, NULL),
                         0);
        f.registry = registry_free(f.registry);
        suite_settle(f.event);
        ck_assert(!a.done);
        ck_assert_uint_eq(to.calls, 0);
        registry_call_free(calls[0]);
        registry_call_free(calls[1]);
        registry_follow_free(w);
        fixture_done(&f);
}
END_TEST

TEST_MAIN("registry", unit_is_stored_as_documented, unit_changes_compare_revisions,
          content_must_have_its_hash, content_by_hash, snapshot_is_sorted_and_searchable,
          one_unit_is_read_by_points, malformed_documents_are_skipped_and_reported_once,
          metadata_is_laid_over, two_patches_at_once_both_count, machine_takes_its_states_along,
          states_in_many_transactions, leader_key_has_one_holder, plans_are_fenced,
          a_move_is_one_transaction, garbage_is_collected_but_nothing_else,
          follow_tells_all_then_changes, follow_placements_of_one_machine,
          follow_machines_merges_metadata, follow_may_be_freed_when_called,
          everything_outlives_the_registry);
