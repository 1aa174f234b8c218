#include "tests/lib/store_contract.h"

#include <stdio.h>
#include <stdlib.h>

/* The calls of a store, each waited for. */

static void on_txn(int r, int64_t revision, const Error *error, void *userdata) {
        StoreAnswer *a = userdata;

        a->done = true;
        a->r = r;
        a->revision = revision;
        ck_assert((r < 0) == (error != NULL));
        if (error)
                (void) snprintf(a->error, sizeof(a->error), "%s", error_text(error));
}

StoreAnswer store_do_txn(sd_event *event, Store *s, const StoreTxn *txn) {
        _cleanup_(store_call_freep) StoreCall *call = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        StoreAnswer a = { 0 };

        a.r = store_txn(s, txn, on_txn, &a, &call, &error);
        if (a.r < 0) {
                (void) snprintf(a.error, sizeof(a.error), "%s", error_text(&error));
                return a;
        }
        ck_assert(!a.done); /* never from inside the call */
        suite_wait(event, &a.done);
        return a;
}

StoreAnswer store_do_put(sd_event *event, Store *s, const char *key, const char *value,
                         int64_t lease) {
        StoreOp op = { STORE_PUT, key, value, strlen(value), lease };

        return store_do_txn(event, s, &(StoreTxn){ .ops = &op, .n_ops = 1 });
}

StoreAnswer store_do_delete(sd_event *event, Store *s, StoreOpType type, const char *key) {
        StoreOp op = { .type = type, .key = key };

        return store_do_txn(event, s, &(StoreTxn){ .ops = &op, .n_ops = 1 });
}

static void append_kv(char *text, size_t size, const StoreKv *kv) {
        size_t n = strlen(text);

        if (n + 1 < size)
                (void) snprintf(text + n, size - n, "%s%s=%s", n > 0 ? " " : "", kv->key,
                                kv->value);
}

static void on_read(int r, const StoreRangeResult *results, size_t n, int64_t revision,
                    const Error *error, void *userdata) {
        StoreAnswer *a = userdata;

        a->done = true;
        a->r = r;
        a->revision = revision;
        ck_assert((r < 0) == (error != NULL));
        ck_assert((r < 0) == (results == NULL));
        if (error)
                (void) snprintf(a->error, sizeof(a->error), "%s", error_text(error));
        for (size_t i = 0; i < n; i++) {
                a->n += results[i].n;
                for (size_t j = 0; i < ELEMENTSOF(a->ranges) && j < results[i].n; j++)
                        append_kv(a->ranges[i], sizeof(a->ranges[i]), &results[i].kvs[j]);
        }
}

StoreAnswer store_do_read(sd_event *event, Store *s, const StoreRange *ranges, size_t n,
                          int64_t revision) {
        _cleanup_(store_call_freep) StoreCall *call = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        StoreAnswer a = { 0 };

        a.r = store_read(s, ranges, n, revision, on_read, &a, &call, &error);
        if (a.r < 0) {
                (void) snprintf(a.error, sizeof(a.error), "%s", error_text(&error));
                return a;
        }
        ck_assert(!a.done);
        suite_wait(event, &a.done);
        return a;
}

const char *store_do_get(sd_event *event, Store *s, const char *key) {
        static char value[1024];
        StoreAnswer a = store_do_read(event, s, &(StoreRange){ .key = key }, 1, 0);

        ck_assert_int_eq(a.r, 0);
        (void) snprintf(value, sizeof(value), "%s",
                        a.n == 0 ? "(none)" : a.ranges[0] + strlen(key) + 1);
        return value;
}

static void on_lease(int r, int64_t lease, uint64_t ttl_usec, const Error *error, void *userdata) {
        StoreAnswer *a = userdata;

        a->done = true;
        a->r = r;
        a->lease = lease;
        a->ttl_usec = ttl_usec;
        ck_assert((r < 0) == (error != NULL));
        if (error)
                (void) snprintf(a->error, sizeof(a->error), "%s", error_text(error));
}

StoreAnswer store_do_grant(sd_event *event, Store *s, uint64_t ttl_usec) {
        _cleanup_(store_call_freep) StoreCall *call = NULL;
        StoreAnswer a = { 0 };

        a.r = store_lease_grant(s, ttl_usec, on_lease, &a, &call, NULL);
        if (a.r >= 0)
                suite_wait(event, &a.done);
        return a;
}

StoreAnswer store_do_revoke(sd_event *event, Store *s, int64_t lease) {
        _cleanup_(store_call_freep) StoreCall *call = NULL;
        StoreAnswer a = { 0 };

        a.r = store_lease_revoke(s, lease, on_lease, &a, &call, NULL);
        if (a.r >= 0)
                suite_wait(event, &a.done);
        return a;
}

StoreAnswer store_do_renew(sd_event *event, Store *s, int64_t lease) {
        _cleanup_(store_call_freep) StoreCall *call = NULL;
        StoreAnswer a = { 0 };

        a.r = store_lease_renew(s, lease, on_lease, &a, &call, NULL);
        if (a.r >= 0)
                suite_wait(event, &a.done);
        return a;
}
