#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/base/str.h"
#include "scheduler/registry_internal.h"

/* What api and agents write: units, machines, metadata, states. */

static void batch_freep(RegistryBatch **b) {
        registry_batch_free(*b);
}

/* A batch of one transaction. */
static RegistryBatch *batch_of_one(RegistryTxn **ret) {
        RegistryBatch *b = registry_batch_new();

        *ret = b ? registry_batch_add(b) : NULL;
        if (*ret)
                return b;
        registry_batch_free(b);
        return NULL;
}

/* ---- units ---- */

static int unit_txn(Registry *r, RegistryTxn *t, const RegistryUnit *unit, int64_t expected) {
        if (registry_txn_compare(t, registry_key(r, "unit/", unit->name, NULL),
                                 STORE_COMPARE_MOD_REVISION, STORE_EQUAL, expected) < 0)
                return -ENOMEM;
        return registry_txn_put(t, registry_key(r, "unit/", unit->name, NULL),
                                registry_unit_format(unit), 0);
}

/*
 * The content is put each time, even if it is there: that changes its revision, and so the leader, who
 * removes contents that nobody refers to, cannot remove one that somebody has just begun to refer to.
 */
int registry_unit_put(Registry *r, const RegistryUnit *unit, const char *content,
                      RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr) {
        _cleanup_(batch_freep) RegistryBatch *b = NULL;
        char hash[SHA1_HEX_SIZE];
        RegistryTxn *t;

        sha1_hex(content, strlen(content), hash);
        if (strcmp(hash, unit->hash) != 0)
                return error_set(reterr, -EINVAL, "the content of '%s' has the hash %s, not %s",
                                 unit->name, hash, unit->hash);

        b = batch_of_one(&t);
        if (!b || unit_txn(r, t, unit, unit->revision) < 0 ||
            registry_txn_put(t, registry_key(r, "content/", hash, NULL), str_dup(content), 0) < 0)
                return error_fill(reterr, -ENOMEM);

        return registry_batch_run(r, TAKE_PTR(b), fn, userdata, ret, reterr);
}

int registry_unit_set(Registry *r, const RegistryUnit *unit, RegistryWriteFn fn, void *userdata,
                      RegistryCall **ret, Error *reterr) {
        _cleanup_(batch_freep) RegistryBatch *b = NULL;
        RegistryTxn *t;

        if (unit->revision == 0)
                return error_set(reterr, -EINVAL, "unit '%s' is to be changed, but was never read",
                                 unit->name);

        b = batch_of_one(&t);
        if (!b || unit_txn(r, t, unit, unit->revision) < 0)
                return error_fill(reterr, -ENOMEM);

        return registry_batch_run(r, TAKE_PTR(b), fn, userdata, ret, reterr);
}

int registry_unit_delete(Registry *r, const char *name, int64_t expected_revision,
                         RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr) {
        _cleanup_(batch_freep) RegistryBatch *b = NULL;
        RegistryTxn *t;

        b = batch_of_one(&t);
        if (!b ||
            registry_txn_compare(t, registry_key(r, "unit/", name, NULL),
                                 STORE_COMPARE_MOD_REVISION, STORE_EQUAL, expected_revision) < 0 ||
            registry_txn_delete(t, registry_key(r, "unit/", name, NULL)) < 0)
                return error_fill(reterr, -ENOMEM);

        return registry_batch_run(r, TAKE_PTR(b), fn, userdata, ret, reterr);
}

/* ---- machines ---- */

int registry_machine_put(Registry *r, const Machine *m, int64_t lease, RegistryWriteFn fn,
                         void *userdata, RegistryCall **ret, Error *reterr) {
        _cleanup_(batch_freep) RegistryBatch *b = NULL;
        _cleanup_json_ json_t *j = NULL;
        RegistryTxn *t;

        b = batch_of_one(&t);
        if (!b || machine_to_json(m, &j) < 0 ||
            registry_txn_put(t, registry_key(r, "machine/", m->id, NULL), json_format(j), lease) <
                    0)
                return error_fill(reterr, -ENOMEM);

        return registry_batch_run(r, TAKE_PTR(b), fn, userdata, ret, reterr);
}

/* The transaction with room for another operation. */
static RegistryTxn *batch_room(RegistryBatch *b) {
        if (b->n > 0 && b->txns[b->n - 1].n_ops < STORE_TXN_OPS_MAX)
                return &b->txns[b->n - 1];
        return registry_batch_add(b);
}

static int batch_delete(RegistryBatch *b, char *key) {
        RegistryTxn *t = batch_room(b);

        if (!t) {
                mem_free(key);
                return -ENOMEM;
        }
        return registry_txn_delete(t, key);
}

static void free_string(void *s) {
        mem_free(s);
}

static int removal(Registry *r, const char *machine, const StoreRangeResult *states,
                   RegistryBatch *b) {
        int q;

        /* The machine first: from then on nobody places anything there. */
        q = batch_delete(b, registry_key(r, "machine/", machine, NULL));
        for (size_t i = 0; q >= 0 && i < states->n; i++) {
                RegistryKey key;

                if (registry_key_parse(states->kvs[i].key + strlen(r->prefix), &key) >= 0 &&
                    strcmp(key.machine, machine) == 0)
                        q = batch_delete(b, str_dup(states->kvs[i].key));
        }
        return q;
}

static void on_states_to_remove(int r, const StoreRangeResult *results, size_t n _unused_,
                                int64_t revision, const Error *error, void *userdata) {
        _cleanup_(batch_freep) RegistryBatch *b = NULL;
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryCall *c = userdata;
        RegistryTelling t;

        if (r >= 0) {
                b = registry_batch_new();
                r = b ? removal(c->registry, c->state, &results[0], b) : -ENOMEM;
                if (r >= 0) {
                        registry_batch_continue(c, TAKE_PTR(b));
                        return;
                }
                (void) error_fill(&own, r);
                error = &own;
        }

        if (registry_call_end(c, &t))
                t.call.write_fn(r, revision, error, t.call.userdata);
        registry_call_told(&t);
}

int registry_machine_remove(Registry *registry, const char *machine, RegistryWriteFn fn,
                            void *userdata, RegistryCall **ret, Error *reterr) {
        _cleanup_free_ char *key = registry_key(registry, "state/", "", NULL);
        char *id = str_dup(machine);
        RegistryCall *c;
        int r;

        c = registry_call_new(registry, true, id, free_string, userdata);
        if (!c || !key || !id)
                return registry_call_fail(c, -ENOMEM, reterr);

        c->write_fn = fn;
        r = store_read(registry->store,
                       &(StoreRange){ .key = key, .prefix = true, .keys_only = true }, 1, 0,
                       on_states_to_remove, c, &c->store_call, reterr);
        if (r < 0)
                return registry_call_fail(c, r, reterr);

        *ret = c;
        return 0;
}

/* ---- states ---- */

static int put_state(Registry *r, RegistryBatch *b, const char *machine, const UnitState *state,
                     int64_t lease) {
        _cleanup_json_ json_t *j = NULL;
        RegistryTxn *t = batch_room(b);

        if (!t || unit_state_to_json(state, &j) < 0)
                return -ENOMEM;
        return registry_txn_put(t, registry_key(r, "state/", state->unit, machine), json_format(j),
                                lease);
}

int registry_states_put(Registry *r, const char *machine, UnitState *const *states, size_t n,
                        const char *const *removed, size_t n_removed, int64_t lease,
                        RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr) {
        _cleanup_(batch_freep) RegistryBatch *b = registry_batch_new();
        int q = b ? 0 : -ENOMEM;

        for (size_t i = 0; q >= 0 && i < n_removed; i++)
                q = batch_delete(b, registry_key(r, "state/", removed[i], machine));
        for (size_t i = 0; q >= 0 && i < n; i++)
                q = put_state(r, b, machine, states[i], lease);
        if (q < 0)
                return error_fill(reterr, q);

        return registry_batch_run(r, TAKE_PTR(b), fn, userdata, ret, reterr);
}
