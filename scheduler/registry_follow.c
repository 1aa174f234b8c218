#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "scheduler/registry_changes.h"
#include "scheduler/registry_internal.h"

/*
 * Following: a reading of everything at one revision, then watches from there on. Whatever goes wrong,
 * it starts over with a reading.
 */

#define RETRY_MIN_USEC (50 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (5 * USEC_PER_SEC)

/* One per folder; machines take two. */
#define FOLLOW_WATCHES_MAX 8

struct RegistryFollow {
        Registry *registry;
        ListLink follows;
        unsigned mask;
        char *machine; /* NULL = all */
        const RegistryFollowHandler *handler;
        void *userdata;
        sd_event_source *retry;
        Backoff backoff;
        StoreCall *reading;
        StoreWatch *watches[FOLLOW_WATCHES_MAX];
        char *prefixes[FOLLOW_WATCHES_MAX];
        size_t n;      /* prefixes */
        Map *machines; /* as they registered */
        Map *metadata; /* as it was patched */
};

static void *free_metadata(void *m) {
        metadata_done(m);
        return mem_free(m);
}

static void *free_machine(void *m) {
        return machine_free(m);
}

/* ---- from keys to changes ---- */

/* Says the machine anew, if it is there. */
static int machine_changed(RegistryFollow *f, RegistryChanges *changes, const char *id) {
        const Machine *m = map_get(f->machines, id);

        return m ? registry_changes_add_machine(changes, m, map_get(f->metadata, id)) : 0;
}

static int take_metadata(RegistryFollow *f, RegistryChanges *changes, const RegistryKey *key,
                         const StoreKv *kv, Error *reterr) {
        Metadata *m;
        int r;

        m = mem_new(Metadata);
        if (!m)
                return -ENOMEM;

        r = registry_metadata_parse(kv, m, reterr);
        if (r >= 0)
                r = map_put(f->metadata, key->machine, m);
        if (r < 0) {
                (void) free_metadata(m);
                return r;
        }
        return changes ? machine_changed(f, changes, key->machine) : 0;
}

/* changes NULL: the machines are told when all metadata is known. */
static int take_machine(RegistryFollow *f, RegistryChanges *changes, const RegistryKey *key,
                        const StoreKv *kv, Error *reterr) {
        Machine *m = NULL;
        int r;

        r = registry_machine_parse(key->machine, kv, &m, reterr);
        if (r < 0)
                return r;

        r = map_put(f->machines, key->machine, m);
        if (r < 0) {
                (void) machine_free(m);
                return r;
        }
        return changes ? machine_changed(f, changes, key->machine) : 0;
}

static int take_deletion(RegistryFollow *f, RegistryChanges *changes, const RegistryKey *key) {
        if (key->kind == REGISTRY_MACHINE && key->metadata) {
                (void) map_remove(f->metadata, key->machine);
                return machine_changed(f, changes, key->machine);
        }
        if (key->kind == REGISTRY_MACHINE)
                (void) map_remove(f->machines, key->machine);
        return registry_changes_delete(changes, key);
}

static int take_document(RegistryFollow *f, RegistryChanges *changes, bool snapshot,
                         const StoreKv *kv) {
        _cleanup_error_ Error error = ERROR_INIT;
        RegistryKey key;
        int r;

        r = registry_key_parse(kv->key + strlen(f->registry->prefix), &key);
        if (r < 0) {
                (void) error_set(&error, r, "no such key is known");
                registry_malformed(f->registry, kv, &error);
                return 0;
        }

        if (key.kind != REGISTRY_MACHINE)
                r = registry_changes_add(changes, &key, kv, &error);
        else if (key.metadata)
                r = take_metadata(f, snapshot ? NULL : changes, &key, kv, &error);
        else
                r = take_machine(f, snapshot ? NULL : changes, &key, kv, &error);
        if (r != -EINVAL)
                return r;

        registry_malformed(f->registry, kv, &error);
        if (f->handler->malformed && !key.metadata)
                f->handler->malformed(f, key.kind, key.unit[0] ? key.unit : NULL,
                                      key.machine[0] ? key.machine : NULL, f->userdata);
        return 0;
}

static int take_event(RegistryFollow *f, RegistryChanges *changes, const StoreEvent *e) {
        RegistryKey key;

        if (!e->deleted)
                return take_document(f, changes, false, &e->kv);
        if (registry_key_parse(e->kv.key + strlen(f->registry->prefix), &key) < 0)
                return 0;
        return take_deletion(f, changes, &key);
}

static int take_snapshot(RegistryFollow *f, RegistryChanges *changes,
                         const StoreRangeResult *results, size_t n) {
        _cleanup_(strv_done) Strv ids = STRV_INIT;
        int r;

        map_clear(f->machines);
        map_clear(f->metadata);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < results[i].n; j++) {
                        r = take_document(f, changes, true, &results[i].kvs[j]);
                        if (r < 0)
                                return r;
                }

        r = map_keys_sorted(f->machines, &ids);
        for (size_t i = 0; r >= 0 && i < ids.n; i++)
                r = machine_changed(f, changes, ids.items[i]);
        return r;
}

/* ---- reading, watching, starting over ---- */

static void drop_watches(RegistryFollow *f) {
        f->reading = store_call_free(f->reading);
        for (size_t i = 0; i < ELEMENTSOF(f->watches); i++)
                f->watches[i] = store_watch_free(f->watches[i]);
}

static void start_over(RegistryFollow *f) {
        drop_watches(f);
        (void) event_timer_arm(f->retry, backoff_next(&f->backoff));
}

/* Touch f no more behind it: the handler may free it. */
static void tell(RegistryFollow *f, bool snapshot, RegistryChanges *changes, int64_t revision) {
        const RegistryChange *list = registry_changes_list(changes);

        if (!list) {
                start_over(f);
                return;
        }
        if (snapshot || changes->n > 0)
                f->handler->changed(f, snapshot, list, changes->n, revision, f->userdata);
}

static void on_changed(StoreWatch *w _unused_, const StoreEvent *events, size_t n, int64_t revision,
                       void *userdata) {
        _cleanup_(registry_changes_done) RegistryChanges changes = { 0 };
        RegistryFollow *f = userdata;

        for (size_t i = 0; i < n; i++)
                if (take_event(f, &changes, &events[i]) < 0) {
                        start_over(f);
                        return;
                }
        tell(f, false, &changes, revision);
}

static void on_lost(StoreWatch *w _unused_, int r _unused_, const Error *error _unused_,
                    void *userdata) {
        start_over(userdata);
}

static const StoreWatchHandler watch_handler = { .changed = on_changed, .lost = on_lost };

static int watch_all(RegistryFollow *f, int64_t revision) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n; i++)
                r = store_watch(f->registry->store, f->prefixes[i], revision, &watch_handler, f,
                                &f->watches[i], NULL);
        return r;
}

static void on_read(int r, const StoreRangeResult *results, size_t n, int64_t revision,
                    const Error *error _unused_, void *userdata) {
        _cleanup_(registry_changes_done) RegistryChanges changes = { 0 };
        RegistryFollow *f = userdata;

        f->reading = store_call_free(f->reading);
        if (r >= 0)
                r = take_snapshot(f, &changes, results, n);
        if (r >= 0)
                r = watch_all(f, revision);
        if (r < 0) {
                start_over(f);
                return;
        }

        backoff_reset(&f->backoff);
        tell(f, true, &changes, revision);
}

static int start(RegistryFollow *f, Error *reterr) {
        StoreRange ranges[FOLLOW_WATCHES_MAX];

        for (size_t i = 0; i < f->n; i++)
                ranges[i] = (StoreRange){ .key = f->prefixes[i], .prefix = true };
        return store_read(f->registry->store, ranges, f->n, 0, on_read, f, &f->reading, reterr);
}

static void on_retry(void *userdata) {
        RegistryFollow *f = userdata;

        drop_watches(f);
        if (start(f, NULL) < 0)
                start_over(f);
}

/* ---- life ---- */

static int add_prefix(RegistryFollow *f, const char *folder, const char *machine) {
        char *key = registry_key(f->registry, folder, machine ? machine : "", machine ? "" : NULL);

        if (!key)
                return -ENOMEM;
        f->prefixes[f->n++] = key;
        return 0;
}

static int make_prefixes(RegistryFollow *f) {
        static const struct {
                RegistryKind kind;
                const char *folder;
        } folders[] = {
                { REGISTRY_UNIT, "unit/" },        { REGISTRY_PLACEMENT, "schedule/" },
                { REGISTRY_STATE, "state/" },      { REGISTRY_MACHINE, "machine/" },
                { REGISTRY_MACHINE, "metadata/" }, { REGISTRY_REASON, "reason/" },
                { REGISTRY_LEADER, "leader" },
        };

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                bool narrow = f->machine && folders[i].kind == REGISTRY_PLACEMENT;

                if (f->mask & folders[i].kind &&
                    add_prefix(f, folders[i].folder, narrow ? f->machine : NULL) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int follow_init(RegistryFollow *f, sd_event *event, const char *machine) {
        int r;

        f->machines = map_new(free_machine);
        f->metadata = map_new(free_metadata);
        if (machine)
                f->machine = str_dup(machine);
        if (!f->machines || !f->metadata || (machine && !f->machine))
                return -ENOMEM;

        r = make_prefixes(f);
        if (r < 0)
                return r;
        return event_timer_new(event, "registry-follow-retry", on_retry, f, &f->retry);
}

int registry_follow(Registry *registry, sd_event *event, unsigned mask, const char *machine,
                    const RegistryFollowHandler *handler, void *userdata, RegistryFollow **ret,
                    Error *reterr) {
        _cleanup_(registry_follow_freep) RegistryFollow *f = NULL;
        int r;

        assert(mask != 0 && !(mask & REGISTRY_CONTENT) && handler && handler->changed);
        f = mem_new(RegistryFollow);
        if (!f)
                return error_fill(reterr, -ENOMEM);

        *f = (RegistryFollow){
                .registry = registry,
                .mask = mask,
                .handler = handler,
                .userdata = userdata,
                .backoff = BACKOFF_INIT(RETRY_MIN_USEC, RETRY_MAX_USEC, (uint64_t) (uintptr_t) f),
        };
        list_append(&registry->follows, &f->follows);
        r = follow_init(f, event, machine);
        if (r >= 0)
                r = start(f, reterr);
        if (r < 0)
                return error_fill(reterr, r);

        *ret = TAKE_PTR(f);
        return 0;
}

static void detach(RegistryFollow *f) {
        drop_watches(f);
        f->retry = event_drop(f->retry);
        list_remove(&f->follows);
        f->registry = NULL;
}

RegistryFollow *registry_follow_free(RegistryFollow *f) {
        if (!f)
                return NULL;

        detach(f);
        for (size_t i = 0; i < f->n; i++)
                mem_free(f->prefixes[i]);
        map_free(f->machines);
        map_free(f->metadata);
        mem_free(f->machine);
        return mem_free(f);
}

void registry_follows_free(Registry *r) {
        while (!list_is_empty(&r->follows))
                detach(CONTAINER_OF(r->follows.next, RegistryFollow, follows));
}
