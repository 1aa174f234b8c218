#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/registry_internal.h"

/* The leader key: created if it is not there; read to know who holds it; our own of old is replaced. */

/* Create, read, delete our own, create again; and somebody may come between. */
#define STEPS_MAX 8

typedef struct Acquiring {
        char *machine;
        char *version; /* NULL: to release it */
        int64_t lease;
        unsigned steps;
} Acquiring;

static void acquiring_free(void *state) {
        Acquiring *a = state;

        if (!a)
                return;
        mem_free(a->machine);
        mem_free(a->version);
        mem_free(a);
}

static Acquiring *acquiring_new(const char *machine, const char *version, int64_t lease) {
        Acquiring *a = mem_new(Acquiring);

        if (!a)
                return NULL;

        *a = (Acquiring){
                .machine = str_dup(machine),
                .version = str_dup(version),
                .lease = lease,
        };
        if (a->machine && (a->version || !version))
                return a;
        acquiring_free(a);
        return NULL;
}

static void answer(RegistryCall *c, int r, const char *holder, int64_t create_revision,
                   const Error *error) {
        _cleanup_(registry_call_told) RegistryTelling t;
        _cleanup_error_ Error own = ERROR_INIT;
        bool releasing = !((Acquiring *) c->state)->version;

        if (r < 0 && !error) {
                (void) error_fill(&own, r);
                error = &own;
        }
        if (!registry_call_end(c, &t))
                return;
        if (releasing)
                t.call.write_fn(r, create_revision, error, t.call.userdata);
        else
                t.call.leader_fn(r, holder, create_revision, error, t.call.userdata);
}

static int submit(RegistryCall *c, const RegistryTxn *t, StoreTxnFn fn, Error *reterr) {
        c->store_call = store_call_free(c->store_call);
        return registry_txn_submit(t, c->registry->store, fn, c, &c->store_call, reterr);
}

static int read_holder(RegistryCall *c, Error *reterr);

static void on_created(int r, int64_t revision, const Error *error, void *userdata) {
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryCall *c = userdata;
        Acquiring *a = c->state;

        if (r == STORE_COMPARE_FAILED)
                r = read_holder(c, &own);
        else if (r >= 0) {
                answer(c, 0, a->machine, revision, NULL);
                return;
        }
        if (r < 0)
                answer(c, r, NULL, 0, own.code ? &own : error);
}

static int create(RegistryCall *c, Error *reterr) {
        _cleanup_(registry_txn_done) RegistryTxn t = { 0 };
        Acquiring *a = c->state;

        if (++a->steps > STEPS_MAX)
                return error_set(reterr, -EAGAIN, "the leader key changes too often");
        if (registry_txn_compare(&t, registry_key(c->registry, "leader", "", NULL),
                                 STORE_COMPARE_CREATE_REVISION, STORE_EQUAL, 0) < 0 ||
            registry_txn_put(&t, registry_key(c->registry, "leader", "", NULL),
                             registry_leader_format(a->machine, a->version), a->lease) < 0)
                return error_fill(reterr, -ENOMEM);
        return submit(c, &t, on_created, reterr);
}

static void on_deleted(int r, int64_t revision, const Error *error, void *userdata) {
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryCall *c = userdata;
        Acquiring *a = c->state;

        if (r >= 0 && !a->version) { /* released, or somebody else's meanwhile */
                answer(c, 0, NULL, revision, NULL);
                return;
        }
        if (r >= 0)
                r = create(c, &own);
        if (r < 0)
                answer(c, r, NULL, 0, own.code ? &own : error);
}

/* Only if it is still the one we saw. */
static int delete_own(RegistryCall *c, int64_t create_revision, Error *reterr) {
        _cleanup_(registry_txn_done) RegistryTxn t = { 0 };

        if (registry_txn_compare(&t, registry_key(c->registry, "leader", "", NULL),
                                 STORE_COMPARE_CREATE_REVISION, STORE_EQUAL, create_revision) < 0 ||
            registry_txn_delete(&t, registry_key(c->registry, "leader", "", NULL)) < 0)
                return error_fill(reterr, -ENOMEM);
        return submit(c, &t, on_deleted, reterr);
}

static void on_holder(int r, const StoreRangeResult *results, size_t n _unused_, int64_t revision,
                      const Error *error, void *userdata) {
        _cleanup_error_ Error own = ERROR_INIT;
        _cleanup_free_ char *holder = NULL;
        RegistryCall *c = userdata;
        Acquiring *a = c->state;
        const StoreKv *kv = r >= 0 && results[0].n > 0 ? &results[0].kvs[0] : NULL;

        if (r < 0) {
                answer(c, r, NULL, 0, error);
                return;
        }
        if (!kv && !a->version) {
                answer(c, 0, NULL, revision, NULL);
                return;
        }

        if (kv)
                r = registry_leader_parse(kv, &holder, &own);
        if (r == -EINVAL)
                registry_malformed(c->registry, kv, &own);
        if (!kv)
                r = create(c, &own);
        else if (r >= 0 && strcmp(holder, a->machine) == 0)
                r = delete_own(c, kv->create_revision, &own);
        else if (r >= 0) {
                answer(c, 0, a->version ? holder : NULL,
                       a->version ? kv->create_revision : revision, NULL);
                return;
        }
        if (r < 0)
                answer(c, r, NULL, 0, own.code ? &own : NULL);
}

static int read_holder(RegistryCall *c, Error *reterr) {
        _cleanup_free_ char *key = registry_key(c->registry, "leader", "", NULL);

        if (!key)
                return error_fill(reterr, -ENOMEM);
        c->store_call = store_call_free(c->store_call);
        return store_read(c->registry->store, &(StoreRange){ .key = key }, 1, 0, on_holder, c,
                          &c->store_call, reterr);
}

int registry_leader_acquire(Registry *registry, const char *machine, const char *version,
                            int64_t lease, RegistryLeaderFn fn, void *userdata, RegistryCall **ret,
                            Error *reterr) {
        Acquiring *a = acquiring_new(machine, version, lease);
        RegistryCall *c;
        int r;

        c = registry_call_new(registry, true, a, acquiring_free, userdata);
        if (!c || !a)
                return registry_call_fail(c, -ENOMEM, reterr);

        c->leader_fn = fn;
        r = create(c, reterr);
        if (r < 0)
                return registry_call_fail(c, r, reterr);

        *ret = c;
        return 0;
}

int registry_leader_release(Registry *registry, const char *machine, RegistryWriteFn fn,
                            void *userdata, RegistryCall **ret, Error *reterr) {
        Acquiring *a = acquiring_new(machine, NULL, 0);
        RegistryCall *c;
        int r;

        c = registry_call_new(registry, true, a, acquiring_free, userdata);
        if (!c || !a)
                return registry_call_fail(c, -ENOMEM, reterr);

        c->write_fn = fn;
        r = read_holder(c, reterr);
        if (r < 0)
                return registry_call_fail(c, r, reterr);

        *ret = c;
        return 0;
}
