#include "lib/base/alloc.h"
#include "scheduler/registry_internal.h"

/* Transactions in the making, and several of them one after the other. */

void registry_txn_done(RegistryTxn *t) {
        t->compares = mem_free(t->compares);
        t->ops = mem_free(t->ops);
        strv_done(&t->strings);
        *t = (RegistryTxn){ 0 };
}

/* Takes s in any case. */
static int keep(RegistryTxn *t, char *s) {
        if (!s)
                return -ENOMEM;
        if (strv_take(&t->strings, s) < 0) {
                mem_free(s);
                return -ENOMEM;
        }
        return 0;
}

int registry_txn_compare(RegistryTxn *t, char *key, StoreCompareTarget target, StoreCompareOp op,
                         int64_t number) {
        if (keep(t, key) < 0 || mem_grow(&t->compares, &t->compares_capacity, t->n_compares + 1,
                                         sizeof(StoreCompare)) < 0)
                return -ENOMEM;

        t->compares[t->n_compares++] = (StoreCompare){ key, target, op, number, NULL };
        return 0;
}

static int add_op(RegistryTxn *t, const StoreOp *op) {
        if (mem_grow(&t->ops, &t->ops_capacity, t->n_ops + 1, sizeof(StoreOp)) < 0)
                return -ENOMEM;

        t->ops[t->n_ops++] = *op;
        return 0;
}

int registry_txn_put(RegistryTxn *t, char *key, char *value, int64_t lease) {
        int r;

        r = keep(t, key);
        if (keep(t, value) < 0 || r < 0)
                return -ENOMEM;
        return add_op(t, &(StoreOp){ STORE_PUT, key, value, strlen(value), lease });
}

int registry_txn_delete(RegistryTxn *t, char *key) {
        if (keep(t, key) < 0)
                return -ENOMEM;
        return add_op(t, &(StoreOp){ .type = STORE_DELETE, .key = key });
}

int registry_txn_submit(const RegistryTxn *t, Store *s, StoreTxnFn fn, void *userdata,
                        StoreCall **ret, Error *reterr) {
        const StoreTxn txn = { t->compares, t->n_compares, t->ops, t->n_ops };

        return store_txn(s, &txn, fn, userdata, ret, reterr);
}

/* ---- batches ---- */

RegistryBatch *registry_batch_new(void) {
        return mem_new(RegistryBatch);
}

void registry_batch_free(void *batch) {
        RegistryBatch *b = batch;

        if (!b)
                return;
        for (size_t i = 0; i < b->n; i++)
                registry_txn_done(&b->txns[i]);
        mem_free(b->txns);
        mem_free(b);
}

RegistryTxn *registry_batch_add(RegistryBatch *b) {
        if (mem_grow(&b->txns, &b->capacity, b->n + 1, sizeof(RegistryTxn)) < 0)
                return NULL;

        b->txns[b->n] = (RegistryTxn){ 0 };
        return &b->txns[b->n++];
}

static void batch_answer(RegistryCall *c, int r, int64_t revision, const Error *error) {
        _cleanup_(registry_call_told) RegistryTelling t;

        if (registry_call_end(c, &t))
                t.call.write_fn(r, revision, error, t.call.userdata);
}

static void on_txn(int r, int64_t revision, const Error *error, void *userdata);

/* The next transaction; an empty batch asks for an empty one, so that its answer comes from the loop. */
static int batch_step(RegistryCall *c, Error *reterr) {
        RegistryBatch *b = c->state;
        const RegistryTxn none = { 0 };

        c->store_call = store_call_free(c->store_call);
        return registry_txn_submit(b->at < b->n ? &b->txns[b->at] : &none, c->registry->store,
                                   on_txn, c, &c->store_call, reterr);
}

static void on_txn(int r, int64_t revision, const Error *error, void *userdata) {
        _cleanup_error_ Error own = ERROR_INIT;
        RegistryCall *c = userdata;
        RegistryBatch *b = c->state;

        if (r < 0 || (r == STORE_COMPARE_FAILED && !b->skip_conflicts)) {
                batch_answer(c, r < 0 ? r : REGISTRY_CONFLICT, revision, error);
                return;
        }

        if (++b->at >= b->n) {
                batch_answer(c, 0, revision, NULL);
                return;
        }

        r = batch_step(c, &own);
        if (r < 0)
                batch_answer(c, r, revision, &own);
}

int registry_batch_run(Registry *registry, RegistryBatch *b, RegistryWriteFn fn, void *userdata,
                       RegistryCall **ret, Error *reterr) {
        RegistryCall *c;
        int r;

        if (!b)
                return error_fill(reterr, -ENOMEM);

        c = registry_call_new(registry, true, b, registry_batch_free, userdata);
        if (!c)
                return error_fill(reterr, -ENOMEM);

        c->write_fn = fn;
        r = batch_step(c, reterr);
        if (r < 0)
                return registry_call_fail(c, r, reterr);

        *ret = c;
        return 0;
}

void registry_batch_continue(RegistryCall *c, RegistryBatch *b) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (c->state_free)
                c->state_free(c->state);
        c->state = b;
        c->state_free = registry_batch_free;
        r = batch_step(c, &error);
        if (r < 0)
                batch_answer(c, r, 0, &error);
}
