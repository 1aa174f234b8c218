#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/registry_internal.h"

/*
 * Reading. All of a kind: one call with a prefix each. One unit: its own keys and the machines first, then, at
 * the same revision, its content and the one placement key each machine could have; as many pages of
 * STORE_TXN_OPS_MAX keys as that takes.
 */

typedef struct Reading {
        RegistrySnapshot *snapshot;
        size_t units_capacity, placements_capacity, states_capacity, machines_capacity,
                reasons_capacity;
        Map *metadata; /* machine -> Metadata */
        unsigned mask;
        char *unit;    /* NULL = all */
        Strv machines; /* one unit: where it may be placed */
        size_t at;     /* of these: asked so far */
        bool detailed; /* one unit: the first step is done */
} Reading;

static void reading_free(void *state) {
        Reading *reading = state;

        if (!reading)
                return;
        registry_snapshot_free(reading->snapshot);
        map_free(reading->metadata);
        mem_free(reading->unit);
        strv_done(&reading->machines);
        mem_free(reading);
}

static void *free_metadata(void *m) {
        metadata_done(m);
        return mem_free(m);
}

static void *free_string(void *s) {
        return mem_free(s);
}

static Reading *reading_new(unsigned mask, const char *unit) {
        Reading *reading = mem_new(Reading);

        if (!reading)
                return NULL;

        reading->mask = mask & REGISTRY_CONTENT ? mask | REGISTRY_UNIT : mask;
        reading->snapshot = mem_new(RegistrySnapshot);
        reading->metadata = map_new(free_metadata);
        reading->unit = str_dup(unit);
        if (reading->snapshot && mask & REGISTRY_CONTENT)
                reading->snapshot->contents = map_new(free_string);
        if (reading->snapshot && reading->metadata && (reading->unit || !unit) &&
            (reading->snapshot->contents || !(mask & REGISTRY_CONTENT)))
                return reading;
        reading_free(reading);
        return NULL;
}

/* ---- one document each ---- */

static int add_unit(Reading *reading, const RegistryKey *key, const StoreKv *kv, Error *reterr) {
        RegistrySnapshot *s = reading->snapshot;
        int r;

        if (mem_grow(&s->units, &reading->units_capacity, s->n_units + 1, sizeof(RegistryUnit)) < 0)
                return -ENOMEM;
        r = registry_unit_parse(key->unit, kv, &s->units[s->n_units], reterr);
        if (r >= 0)
                s->n_units++;
        return r;
}

static int add_placement(Reading *reading, const RegistryKey *key, const StoreKv *kv,
                         Error *reterr) {
        RegistrySnapshot *s = reading->snapshot;
        int r;

        if (mem_grow(&s->placements, &reading->placements_capacity, s->n_placements + 1,
                     sizeof(RegistryPlacement)) < 0)
                return -ENOMEM;
        r = registry_placement_parse(key->unit, key->machine, kv, &s->placements[s->n_placements],
                                     reterr);
        if (r >= 0)
                s->n_placements++;
        return r;
}

static int add_state(Reading *reading, const RegistryKey *key, const StoreKv *kv, Error *reterr) {
        RegistrySnapshot *s = reading->snapshot;
        UnitState *state = NULL;
        int r;

        if (reading->unit && strv_push(&reading->machines, key->machine) < 0)
                return -ENOMEM;
        if (!(reading->mask & REGISTRY_STATE))
                return 0;

        if (mem_grow(&s->states, &reading->states_capacity, s->n_states + 1, sizeof(UnitState *)) <
            0)
                return -ENOMEM;
        r = registry_state_parse(kv, &state, reterr);
        if (r < 0)
                return r;
        s->states[s->n_states++] = state;
        if (strcmp(state->unit, key->unit) == 0 && strcmp(state->machine, key->machine) == 0)
                return 0;

        (void) unit_state_free(state);
        s->n_states--;
        return error_set(reterr, -EINVAL, "the document is of another unit or machine");
}

static int add_metadata(Reading *reading, const RegistryKey *key, const StoreKv *kv,
                        Error *reterr) {
        Metadata *m = mem_new(Metadata);
        int r;

        if (!m)
                return -ENOMEM;

        r = registry_metadata_parse(kv, m, reterr);
        if (r >= 0)
                r = map_put(reading->metadata, key->machine, m);
        if (r < 0)
                (void) free_metadata(m);
        return r;
}

static int add_machine(Reading *reading, const RegistryKey *key, const StoreKv *kv, Error *reterr) {
        RegistrySnapshot *s = reading->snapshot;
        int r;

        if (key->metadata)
                return add_metadata(reading, key, kv, reterr);
        if (reading->unit && strv_push(&reading->machines, key->machine) < 0)
                return -ENOMEM;
        if (!(reading->mask & REGISTRY_MACHINE))
                return 0;

        if (mem_grow(&s->machines, &reading->machines_capacity, s->n_machines + 1,
                     sizeof(Machine *)) < 0)
                return -ENOMEM;
        r = registry_machine_parse(key->machine, kv, &s->machines[s->n_machines], reterr);
        if (r >= 0)
                s->n_machines++;
        return r;
}

static int add_reason(Reading *reading, const RegistryKey *key, const StoreKv *kv, Error *reterr) {
        RegistrySnapshot *s = reading->snapshot;
        int r;

        if (mem_grow(&s->reasons, &reading->reasons_capacity, s->n_reasons + 1,
                     sizeof(RegistryReason)) < 0)
                return -ENOMEM;
        r = registry_reason_parse(key->unit, kv, &s->reasons[s->n_reasons], reterr);
        if (r >= 0)
                s->n_reasons++;
        return r;
}

static int add_content(Reading *reading, const RegistryKey *key, const StoreKv *kv) {
        char *text = mem_dup(kv->value, kv->value_size);
        int r;

        if (!text)
                return -ENOMEM;
        r = map_put(reading->snapshot->contents, key->unit, text);
        if (r < 0)
                mem_free(text);
        return r;
}

static int add(Reading *reading, const RegistryKey *key, const StoreKv *kv, Error *reterr) {
        switch (key->kind) {
        case REGISTRY_UNIT:
                return add_unit(reading, key, kv, reterr);
        case REGISTRY_CONTENT:
                return add_content(reading, key, kv);
        case REGISTRY_PLACEMENT:
                return add_placement(reading, key, kv, reterr);
        case REGISTRY_STATE:
                return add_state(reading, key, kv, reterr);
        case REGISTRY_MACHINE:
                return add_machine(reading, key, kv, reterr);
        case REGISTRY_REASON:
                return add_reason(reading, key, kv, reterr);
        case REGISTRY_LEADER:
                return 0;
        }
        return 0;
}

static int add_results(Registry *registry, Reading *reading, const StoreRangeResult *results,
                       size_t n) {
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < results[i].n; j++) {
                        const StoreKv *kv = &results[i].kvs[j];
                        _cleanup_error_ Error error = ERROR_INIT;
                        RegistryKey key;
                        int r;

                        r = registry_key_parse(kv->key + strlen(registry->prefix), &key);
                        if (r >= 0)
                                r = add(reading, &key, kv, &error);
                        else
                                (void) error_set(&error, r, "no such key is known");
                        if (r == -ENOMEM)
                                return r;
                        if (r < 0)
                                registry_malformed(registry, kv, &error);
                }
        return 0;
}

/* ---- the end: order, metadata, and only the contents that are referred to ---- */

static int order_placements(const void *a, const void *b) {
        const RegistryPlacement *x = a, *y = b;
        int order = strcmp(x->unit, y->unit);

        return order != 0 ? order : strcmp(x->machine, y->machine);
}

/* Keys have '/' behind the name, which is not the smallest of bytes: "a-b/" comes before "a/". */
static int order_states(const void *a, const void *b) {
        const UnitState *x = *(UnitState *const *) a, *y = *(UnitState *const *) b;
        int order = strcmp(x->unit, y->unit);

        return order != 0 ? order : strcmp(x->machine, y->machine);
}

static int drop_garbage(RegistrySnapshot *s) {
        _cleanup_(map_freep) Map *used = map_new(NULL);
        const char *hash;
        char *text;

        if (!used)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_units; i++)
                if (map_put(used, s->units[i].hash, s) < 0)
                        return -ENOMEM;

        MAP_FOREACH (hash, text, s->contents) {
                (void) text;
                if (!map_get(used, hash))
                        (void) map_remove(s->contents, hash);
        }
        return 0;
}

static int complete(Reading *reading) {
        RegistrySnapshot *s = reading->snapshot;

        for (size_t i = 0; i < s->n_machines; i++) {
                const Metadata *patch = map_get(reading->metadata, s->machines[i]->id);

                if (patch && metadata_merge(&s->machines[i]->metadata, patch) < 0)
                        return -ENOMEM;
        }
        if (s->n_placements > 1)
                qsort(s->placements, s->n_placements, sizeof(RegistryPlacement), order_placements);
        if (s->n_states > 1)
                qsort(s->states, s->n_states, sizeof(UnitState *), order_states);
        return s->contents && !reading->unit ? drop_garbage(s) : 0;
}

/* ---- steps ---- */

static void read_answer(RegistryCall *c, int r, const Error *error) {
        _cleanup_(registry_call_told) RegistryTelling t;
        _cleanup_error_ Error own = ERROR_INIT;
        RegistrySnapshot *snapshot = NULL;
        Reading *reading = c->state;

        if (r >= 0)
                r = complete(reading);
        if (r < 0 && !error) {
                (void) error_fill(&own, r);
                error = &own;
        }
        if (r >= 0)
                snapshot = TAKE_PTR(reading->snapshot);
        if (registry_call_end(c, &t))
                t.call.read_fn(r, snapshot, error, t.call.userdata);
        else
                registry_snapshot_free(snapshot);
}

static void on_read(int r, const StoreRangeResult *results, size_t n, int64_t revision,
                    const Error *error, void *userdata);

typedef struct Ranges {
        StoreRange items[STORE_TXN_OPS_MAX];
        size_t n;
        Strv keys;
} Ranges;

static void ranges_done(Ranges *r) {
        strv_done(&r->keys);
}

/* Takes key. */
static int ranges_add(Ranges *r, char *key, bool prefix, bool keys_only) {
        if (!key)
                return -ENOMEM;
        if (strv_take(&r->keys, key) < 0) {
                mem_free(key);
                return -ENOMEM;
        }
        r->items[r->n++] = (StoreRange){ key, prefix, keys_only };
        return 0;
}

static int add_machine_ranges(const Registry *r, Ranges *ranges, bool keys_only) {
        int q;

        q = ranges_add(ranges, registry_key(r, "machine/", "", NULL), true, keys_only);
        if (q >= 0 && !keys_only)
                q = ranges_add(ranges, registry_key(r, "metadata/", "", NULL), true, false);
        return q;
}

/* Everything of the kinds wanted. */
static int ranges_of_all(const Registry *r, unsigned mask, Ranges *ranges) {
        static const struct {
                RegistryKind kind;
                const char *folder;
        } folders[] = {
                { REGISTRY_UNIT, "unit/" },          { REGISTRY_CONTENT, "content/" },
                { REGISTRY_PLACEMENT, "schedule/" }, { REGISTRY_STATE, "state/" },
                { REGISTRY_REASON, "reason/" },
        };
        int q = 0;

        for (size_t i = 0; q >= 0 && i < ELEMENTSOF(folders); i++)
                if (mask & folders[i].kind)
                        q = ranges_add(ranges, registry_key(r, folders[i].folder, "", NULL), true,
                                       false);
        if (q >= 0 && mask & REGISTRY_MACHINE)
                q = add_machine_ranges(r, ranges, false);
        return q;
}

/* What has the unit in its key, and where it may be placed. */
static int ranges_of_unit(const Registry *r, const Reading *reading, Ranges *ranges) {
        const char *unit = reading->unit;
        unsigned mask = reading->mask;
        int q = 0;

        if (mask & REGISTRY_UNIT)
                q = ranges_add(ranges, registry_key(r, "unit/", unit, NULL), false, false);
        if (q >= 0 && mask & REGISTRY_REASON)
                q = ranges_add(ranges, registry_key(r, "reason/", unit, NULL), false, false);
        if (q >= 0 && mask & (REGISTRY_STATE | REGISTRY_PLACEMENT))
                q = ranges_add(ranges, registry_key(r, "state/", unit, ""), true,
                               !(mask & REGISTRY_STATE));
        if (q >= 0 && mask & (REGISTRY_MACHINE | REGISTRY_PLACEMENT))
                q = add_machine_ranges(r, ranges, !(mask & REGISTRY_MACHINE));
        return q;
}

/* The next page of what was found out from the first step. */
static int ranges_of_details(const Registry *r, Reading *reading, Ranges *ranges) {
        const RegistrySnapshot *s = reading->snapshot;
        int q = 0;

        if (!reading->detailed) {
                reading->detailed = true;
                strv_sort(&reading->machines);
                strv_uniq(&reading->machines);
                if (reading->mask & REGISTRY_CONTENT && s->n_units > 0)
                        q = ranges_add(ranges, registry_key(r, "content/", s->units[0].hash, NULL),
                                       false, false);
        }
        if (!(reading->mask & REGISTRY_PLACEMENT))
                return q;
        for (; q >= 0 && reading->at < reading->machines.n && ranges->n < STORE_TXN_OPS_MAX;
             reading->at++)
                q = ranges_add(ranges,
                               registry_key(r, "schedule/", reading->machines.items[reading->at],
                                            reading->unit),
                               false, false);
        return q;
}

static int read_step(RegistryCall *c, const Ranges *ranges, int64_t revision, Error *reterr) {
        c->store_call = store_call_free(c->store_call);
        return store_read(c->registry->store, ranges->items, ranges->n, revision, on_read, c,
                          &c->store_call, reterr);
}

static void on_read(int r, const StoreRangeResult *results, size_t n, int64_t revision,
                    const Error *error, void *userdata) {
        _cleanup_(ranges_done) Ranges ranges = { 0 };
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryCall *c = userdata;
        Reading *reading = c->state;

        if (r >= 0)
                r = add_results(c->registry, reading, results, n);
        if (r < 0) {
                read_answer(c, r, error);
                return;
        }

        reading->snapshot->revision = revision;
        if (reading->unit)
                r = ranges_of_details(c->registry, reading, &ranges);
        if (r >= 0 && ranges.n > 0) {
                r = read_step(c, &ranges, revision, &own);
                if (r >= 0)
                        return;
        }
        read_answer(c, r, own.code ? &own : NULL);
}

int registry_read(Registry *registry, unsigned mask, const char *unit, RegistryReadFn fn,
                  void *userdata, RegistryCall **ret, Error *reterr) {
        _cleanup_(ranges_done) Ranges ranges = { 0 };
        Reading *reading = reading_new(mask, unit);
        RegistryCall *c;
        int r;

        c = registry_call_new(registry, false, reading, reading_free, userdata);
        if (!c || !reading)
                return registry_call_fail(c, -ENOMEM, reterr);

        c->read_fn = fn;
        r = unit ? ranges_of_unit(registry, reading, &ranges)
                 : ranges_of_all(registry, reading->mask, &ranges);
        if (r >= 0)
                r = read_step(c, &ranges, 0, reterr);
        if (r < 0)
                return registry_call_fail(c, r, reterr);

        *ret = c;
        return 0;
}
