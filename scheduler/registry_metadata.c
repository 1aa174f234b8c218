#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/registry_internal.h"

/*
 * metadata/<machine>: what was patched onto it. A change reads, lays the patch over what is there and
 * writes if nobody was faster; else it does so again.
 */

typedef struct Patching {
        struct PatchItem {
                char *machine;
                Metadata patch;
        } * items;
        size_t n;
        unsigned tries;
} Patching;

static void patching_free(void *state) {
        Patching *p = state;

        if (!p)
                return;
        for (size_t i = 0; p->items && i < p->n; i++) {
                mem_free(p->items[i].machine);
                metadata_done(&p->items[i].patch);
        }
        mem_free(p->items);
        mem_free(p);
}

/* The patches of one machine that is named twice become one: each key may stand only once in a transaction. */
static struct PatchItem *item_of(Patching *p, const char *machine) {
        for (size_t i = 0; i < p->n; i++)
                if (strcmp(p->items[i].machine, machine) == 0)
                        return &p->items[i];

        p->items[p->n].machine = str_dup(machine);
        return p->items[p->n].machine ? &p->items[p->n++] : NULL;
}

/* As a stored patch "" stays: it hides what the machine is configured with. */
static int lay_over(Metadata *m, const Metadata *patch) {
        for (size_t i = 0; i < patch->n; i++)
                if (metadata_set(m, patch->items[i].key, patch->items[i].value) < 0)
                        return -ENOMEM;
        return 0;
}

static Patching *patching_new(const RegistryMetadataPatch *patches, size_t n) {
        Patching *p = mem_new(Patching);

        if (!p)
                return NULL;

        p->items = mem_new_array(struct PatchItem, n);
        for (size_t i = 0; p->items && i < n; i++) {
                struct PatchItem *item = item_of(p, patches[i].machine);

                if (!item || lay_over(&item->patch, patches[i].patch) < 0) {
                        patching_free(p);
                        return NULL;
                }
        }
        if (p->items)
                return p;
        patching_free(p);
        return NULL;
}

static void answer(RegistryCall *c, int r, int64_t revision, const Error *error) {
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryTelling t;

        if (r < 0 && !error) {
                (void) error_fill(&own, r);
                error = &own;
        }
        if (registry_call_end(c, &t))
                t.call.write_fn(r, revision, error, t.call.userdata);
        registry_call_told(&t);
}

static int start(RegistryCall *c, Error *reterr);

static void on_written(int r, int64_t revision, const Error *error, void *userdata) {
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryCall *c = userdata;
        Patching *p = c->state;

        if (r != STORE_COMPARE_FAILED) {
                answer(c, r, revision, error);
                return;
        }
        if (++p->tries >= REGISTRY_METADATA_TRIES) {
                answer(c, REGISTRY_CONFLICT, revision, NULL);
                return;
        }

        r = start(c, &own);
        if (r < 0)
                answer(c, r, revision, &own);
}

static int write_item(Registry *registry, RegistryTxn *t, const struct PatchItem *item,
                      const StoreRangeResult *old) {
        _cleanup_(metadata_done) Metadata m = { 0 };
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (old->n > 0) {
                r = registry_metadata_parse(&old->kvs[0], &m, &error);
                if (r == -EINVAL)
                        registry_malformed(registry, &old->kvs[0], &error); /* it is replaced */
                else if (r < 0)
                        return r;
        }

        if (lay_over(&m, &item->patch) < 0 ||
            registry_txn_compare(t, registry_key(registry, "metadata/", item->machine, NULL),
                                 STORE_COMPARE_MOD_REVISION, STORE_EQUAL,
                                 old->n > 0 ? old->kvs[0].mod_revision : 0) < 0)
                return -ENOMEM;
        return registry_txn_put(t, registry_key(registry, "metadata/", item->machine, NULL),
                                registry_metadata_format(&m), 0);
}

static void on_read(int r, const StoreRangeResult *results, size_t n, int64_t revision,
                    const Error *error, void *userdata) {
        _cleanup_(registry_txn_done) RegistryTxn t = { 0 };
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryCall *c = userdata;
        Patching *p = c->state;

        if (r < 0) {
                answer(c, r, revision, error);
                return;
        }

        assert(n == p->n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = write_item(c->registry, &t, &p->items[i], &results[i]);
        c->store_call = store_call_free(c->store_call);
        if (r >= 0)
                r = registry_txn_submit(&t, c->registry->store, on_written, c, &c->store_call,
                                        &own);
        if (r < 0)
                answer(c, r, revision, own.code ? &own : NULL);
}

static int start(RegistryCall *c, Error *reterr) {
        _cleanup_(strv_done) Strv keys = STRV_INIT;
        StoreRange ranges[STORE_TXN_OPS_MAX];
        Patching *p = c->state;

        for (size_t i = 0; i < p->n; i++) {
                char *key = registry_key(c->registry, "metadata/", p->items[i].machine, NULL);

                if (!key || strv_take(&keys, key) < 0) {
                        mem_free(key);
                        return error_fill(reterr, -ENOMEM);
                }
                ranges[i] = (StoreRange){ .key = key };
        }
        c->store_call = store_call_free(c->store_call);
        return store_read(c->registry->store, ranges, p->n, 0, on_read, c, &c->store_call, reterr);
}

int registry_metadata_patch(Registry *registry, const RegistryMetadataPatch *patches, size_t n,
                            RegistryWriteFn fn, void *userdata, RegistryCall **ret, Error *reterr) {
        RegistryCall *c;
        Patching *p;
        int r;

        if (n == 0) /* nothing to change, but an answer is due */
                return registry_batch_run(registry, registry_batch_new(), fn, userdata, ret,
                                          reterr);

        p = patching_new(patches, n);
        c = registry_call_new(registry, true, p, patching_free, userdata);
        if (!c || !p)
                return registry_call_fail(c, -ENOMEM, reterr);
        if (p->n > STORE_TXN_OPS_MAX)
                return registry_call_fail(
                        c,
                        error_set(reterr, -E2BIG,
                                  "metadata of %zu machines in one change; %d are possible", p->n,
                                  STORE_TXN_OPS_MAX),
                        reterr);

        c->write_fn = fn;
        r = start(c, reterr);
        if (r < 0)
                return registry_call_fail(c, r, reterr);

        *ret = c;
        return 0;
}
