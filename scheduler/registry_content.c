#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/registry_internal.h"

/* Contents: one by hash, all hashes, and removing those that nothing refers to. */

static void on_content(int r, const StoreRangeResult *results, size_t n _unused_,
                       int64_t revision _unused_, const Error *error, void *userdata) {
        _cleanup_(registry_call_told) RegistryTelling t;
        _cleanup_error_ Error own = ERROR_INIT;
        const char *text = NULL;

        if (r >= 0 && results[0].n == 0) {
                r = error_set(&own, -ENOENT, "there is no such content");
                error = &own;
        }
        if (r >= 0)
                text = results[0].kvs[0].value;
        if (registry_call_end(userdata, &t))
                t.call.content_fn(r, text, error, t.call.userdata);
}

int registry_content_get(Registry *registry, const char *hash, RegistryContentFn fn, void *userdata,
                         RegistryCall **ret, Error *reterr) {
        _cleanup_free_ char *key = registry_key(registry, "content/", hash, NULL);
        RegistryCall *c;
        int r;

        c = registry_call_new(registry, false, NULL, NULL, userdata);
        if (!c || !key)
                return registry_call_fail(c, -ENOMEM, reterr);

        c->content_fn = fn;
        r = store_read(registry->store, &(StoreRange){ .key = key }, 1, 0, on_content, c,
                       &c->store_call, reterr);
        if (r < 0)
                return registry_call_fail(c, r, reterr);

        *ret = c;
        return 0;
}

static void on_list(int r, const StoreRangeResult *results, size_t n _unused_,
                    int64_t revision _unused_, const Error *error, void *userdata) {
        _cleanup_(registry_call_told) RegistryTelling t;
        _cleanup_free_ const char **hashes = NULL;
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryCall *c = userdata;
        size_t skip = strlen(c->registry->prefix) + strlen("content/");
        size_t found = r >= 0 ? results[0].n : 0;

        if (found > 0) {
                hashes = mem_zalloc_array(found, sizeof(char *));
                if (!hashes) {
                        r = error_fill(&own, -ENOMEM);
                        error = &own;
                        found = 0;
                }
        }
        for (size_t i = 0; i < found; i++)
                hashes[i] = results[0].kvs[i].key + skip;
        if (registry_call_end(c, &t))
                t.call.list_fn(r, hashes, found, error, t.call.userdata);
}

int registry_content_list(Registry *registry, RegistryContentListFn fn, void *userdata,
                          RegistryCall **ret, Error *reterr) {
        _cleanup_free_ char *key = registry_key(registry, "content/", "", NULL);
        RegistryCall *c;
        int r;

        c = registry_call_new(registry, false, NULL, NULL, userdata);
        if (!c || !key)
                return registry_call_fail(c, -ENOMEM, reterr);

        c->list_fn = fn;
        r = store_read(registry->store,
                       &(StoreRange){ .key = key, .prefix = true, .keys_only = true }, 1, 0,
                       on_list, c, &c->store_call, reterr);
        if (r < 0)
                return registry_call_fail(c, r, reterr);

        *ret = c;
        return 0;
}

static int collect_one(Registry *r, RegistryBatch *b, const char *hash, int64_t seen_revision,
                       int64_t leader_revision) {
        RegistryTxn *t = registry_batch_add(b);

        if (!t ||
            registry_txn_compare(t, registry_key(r, "leader", "", NULL),
                                 STORE_COMPARE_CREATE_REVISION, STORE_EQUAL, leader_revision) < 0 ||
            registry_txn_compare(t, registry_key(r, "content/", hash, NULL),
                                 STORE_COMPARE_MOD_REVISION, STORE_LESS, seen_revision + 1) < 0)
                return -ENOMEM;
        return registry_txn_delete(t, registry_key(r, "content/", hash, NULL));
}

/* One transaction each: one that was put again meanwhile must not keep the others. */
int registry_collect(Registry *r, const char *const *hashes, size_t n, int64_t seen_revision,
                     int64_t leader_revision, RegistryWriteFn fn, void *userdata,
                     RegistryCall **ret, Error *reterr) {
        RegistryBatch *b = registry_batch_new();
        int q = b ? 0 : -ENOMEM;

        if (b)
                b->skip_conflicts = true;
        for (size_t i = 0; q >= 0 && i < n; i++)
                q = collect_one(r, b, hashes[i], seen_revision, leader_revision);
        if (q < 0) {
                registry_batch_free(b);
                return error_fill(reterr, q);
        }
        return registry_batch_run(r, b, fn, userdata, ret, reterr);
}
