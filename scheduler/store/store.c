#include "scheduler/store/store.h"

#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

/*
 * What all backends have in common: the limits, checked here once, and the way to the backend.
 */

struct Store {
        const StoreBackend *backend;
        void *b;
};

/* What a put costs in a request beyond its key and value; generous. */
#define OP_FRAME_BYTES ((size_t) 32)

int store_new(const StoreBackend *backend, void *b, Store **ret) {
        Store *s;

        s = mem_new(Store);
        if (!s)
                return -ENOMEM;

        *s = (Store){ .backend = backend, .b = b };
        *ret = s;
        return 0;
}

Store *store_free(Store *s) {
        if (!s)
                return NULL;

        (void) s->backend->free(s->b);
        return mem_free(s);
}

static int check_key(const char *key, Error *reterr) {
        size_t size = strnlen(key, STORE_KEY_MAX + 1);

        if (size == 0)
                return error_set(reterr, -EINVAL, "a key must not be empty");
        if (size > STORE_KEY_MAX)
                return error_set(reterr, -E2BIG, "key '%.60s…' is longer than %d bytes", key,
                                 STORE_KEY_MAX);
        return 0;
}

int store_read(Store *s, const StoreRange *ranges, size_t n, int64_t revision, StoreReadFn fn,
               void *userdata, StoreCall **ret, Error *reterr) {
        int r;

        assert(s && fn && ret);
        if (n == 0 || n > STORE_TXN_OPS_MAX)
                return error_set(reterr, -E2BIG, "%zu ranges in one read; 1 to %d are possible", n,
                                 STORE_TXN_OPS_MAX);
        if (revision < 0)
                return error_set(reterr, -EINVAL, "a revision is not negative");

        for (size_t i = 0; i < n; i++) {
                if (ranges[i].prefix && ranges[i].key[0] == '\0')
                        continue;
                r = check_key(ranges[i].key, reterr);
                if (r < 0)
                        return r;
        }
        return s->backend->read(s->b, ranges, n, revision, fn, userdata, ret, reterr);
}

/* Do both touch one key? */
static bool ops_overlap(const StoreOp *a, const StoreOp *b) {
        if (a->type == STORE_DELETE_PREFIX && str_after_prefix(b->key, a->key))
                return true;
        if (b->type == STORE_DELETE_PREFIX && str_after_prefix(a->key, b->key))
                return true;
        return strcmp(a->key, b->key) == 0;
}

static int check_op(const StoreOp *op, Error *reterr) {
        if (op->type == STORE_PUT && op->value_size > STORE_VALUE_MAX)
                return error_set(reterr, -EFBIG,
                                 "the value of '%s' has %zu bytes; %zu are possible", op->key,
                                 op->value_size, STORE_VALUE_MAX);
        if (op->type == STORE_PUT && op->lease < 0)
                return error_set(reterr, -EINVAL, "lease %" PRIi64 " of '%s' is negative",
                                 op->lease, op->key);
        return check_key(op->key, reterr);
}

static int check_ops(const StoreTxn *txn, Error *reterr) {
        size_t bytes = 0;
        int r;

        for (size_t i = 0; i < txn->n_ops; i++) {
                const StoreOp *op = &txn->ops[i];

                r = check_op(op, reterr);
                if (r < 0)
                        return r;

                bytes += OP_FRAME_BYTES + strlen(op->key);
                if (op->type == STORE_PUT)
                        bytes += op->value_size;
                for (size_t j = 0; j < i; j++)
                        if (ops_overlap(&txn->ops[j], op))
                                return error_set(reterr, -EINVAL,
                                                 "key '%s' twice in one transaction", op->key);
        }
        if (bytes > STORE_TXN_BYTES_MAX)
                return error_set(reterr, -EFBIG, "a transaction of %zu bytes; %zu are possible",
                                 bytes, STORE_TXN_BYTES_MAX);
        return 0;
}

int store_txn(Store *s, const StoreTxn *txn, StoreTxnFn fn, void *userdata, StoreCall **ret,
              Error *reterr) {
        int r;

        assert(s && txn && fn && ret);
        if (txn->n_ops > STORE_TXN_OPS_MAX || txn->n_compares > STORE_TXN_OPS_MAX)
                return error_set(reterr, -E2BIG,
                                 "%zu operations and %zu compares in one transaction; %d of each "
                                 "are possible",
                                 txn->n_ops, txn->n_compares, STORE_TXN_OPS_MAX);

        for (size_t i = 0; i < txn->n_compares; i++) {
                r = check_key(txn->compares[i].key, reterr);
                if (r < 0)
                        return r;
                if (txn->compares[i].target == STORE_COMPARE_VALUE)
                        assert(txn->compares[i].value);
        }

        r = check_ops(txn, reterr);
        if (r < 0)
                return r;

        return s->backend->txn(s->b, txn, fn, userdata, ret, reterr);
}

StoreCall *store_call_free(StoreCall *c) {
        return c ? c->backend->call_free(c) : NULL;
}

int store_watch(Store *s, const char *prefix, int64_t after_revision,
                const StoreWatchHandler *handler, void *userdata, StoreWatch **ret, Error *reterr) {
        int r;

        assert(s && handler && handler->changed && handler->lost && ret);
        if (prefix[0] != '\0') {
                r = check_key(prefix, reterr);
                if (r < 0)
                        return r;
        }
        if (after_revision < 0)
                return error_set(reterr, -EINVAL, "a revision is not negative");

        return s->backend->watch(s->b, prefix, after_revision, handler, userdata, ret, reterr);
}

StoreWatch *store_watch_free(StoreWatch *w) {
        return w ? w->backend->watch_free(w) : NULL;
}

int store_lease_grant(Store *s, uint64_t ttl_usec, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                      Error *reterr) {
        assert(s && fn && ret);
        if (ttl_usec == 0 || ttl_usec > STORE_LEASE_TTL_MAX_USEC)
                return error_set(reterr, -EINVAL,
                                 "a lease of %" PRIu64 " µs; more than 0 and at most a year "
                                 "is possible",
                                 ttl_usec);

        return s->backend->lease_grant(s->b, ttl_usec, fn, userdata, ret, reterr);
}

int store_lease_renew(Store *s, int64_t lease, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                      Error *reterr) {
        assert(s && fn && ret);
        return s->backend->lease_renew(s->b, lease, fn, userdata, ret, reterr);
}

int store_lease_revoke(Store *s, int64_t lease, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                       Error *reterr) {
        assert(s && fn && ret);
        return s->backend->lease_revoke(s->b, lease, fn, userdata, ret, reterr);
}

void store_on_contact(Store *s, StoreContactFn fn, void *userdata) {
        s->backend->on_contact(s->b, fn, userdata);
}
