/*
 * Store: keys with values, revisions, transactions, watches and leases, as etcd v3 has them.
 *
 * Nothing above this interface knows whether it is etcd or the embedded SQLite file; every backend
 * passes tests/lib/store_contract. All answers come from the loop, in the order in which the calls
 * were made where one backend connection orders them, never from inside the call. Freeing a
 * StoreCall cancels the answer, not what was asked.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/error.h"

typedef struct Store Store;
typedef struct StoreCall StoreCall;
typedef struct StoreWatch StoreWatch;

/* Limits every backend keeps; beyond them -E2BIG or -EFBIG with words. */
#define STORE_KEY_MAX 1024
#define STORE_VALUE_MAX (1536 * KIB - 4 * KIB) /* etcd's default request limit less its frame */
#define STORE_TXN_OPS_MAX 128                  /* etcd's --max-txn-ops */
#define STORE_TXN_BYTES_MAX (1536 * KIB - 2 * KIB)
#define STORE_LEASE_TTL_MAX_USEC (366 * 24 * USEC_PER_HOUR)

/* A transaction whose compares did not hold: nothing was changed. */
#define STORE_COMPARE_FAILED 1

typedef struct StoreKv {
        const char *key;
        const char *value; /* NUL-terminated behind value_size bytes */
        size_t value_size;
        int64_t create_revision;
        int64_t mod_revision; /* in a DELETE event: of the deletion */
        int64_t version;      /* changes since creation; 0 in a DELETE event */
        int64_t lease;        /* 0 = none */
} StoreKv;

/* A key (prefix false) or all keys that begin with `key` (prefix true; "" = all). */
typedef struct StoreRange {
        const char *key;
        bool prefix;
        bool keys_only; /* values are "" */
} StoreRange;

typedef struct StoreRangeResult {
        const StoreKv *kvs; /* in byte order of the keys */
        size_t n;
} StoreRangeResult;

/*
 * All ranges of the call at one revision, which is given. On failure (r < 0) results is NULL; -ESTALE =
 * that revision is compacted. Borrowed for the time of the callback.
 */
typedef void (*StoreReadFn)(int r, const StoreRangeResult *results, size_t n, int64_t revision,
                            const Error *error, void *userdata);

/* revision 0 = now. `ranges` are copied. The caller owns *ret (may free it in the callback). */
int store_read(Store *s, const StoreRange *ranges, size_t n, int64_t revision, StoreReadFn fn,
               void *userdata, StoreCall **ret, Error *reterr);

typedef enum StoreCompareTarget {
        STORE_COMPARE_CREATE_REVISION, /* 0 = the key does not exist */
        STORE_COMPARE_MOD_REVISION,
        STORE_COMPARE_VALUE,
        STORE_COMPARE_LEASE,
} StoreCompareTarget;

typedef enum StoreCompareOp {
        STORE_EQUAL,
        STORE_NOT_EQUAL,
        STORE_GREATER,
        STORE_LESS,
} StoreCompareOp;

typedef struct StoreCompare {
        const char *key;
        StoreCompareTarget target;
        StoreCompareOp op;
        int64_t number;    /* revision or lease */
        const char *value; /* for VALUE: a string */
} StoreCompare;

typedef enum StoreOpType {
        STORE_PUT,
        STORE_DELETE, /* one key; no error if it is not there */
        STORE_DELETE_PREFIX,
} StoreOpType;

typedef struct StoreOp {
        StoreOpType type;
        const char *key;
        const char *value; /* for PUT */
        size_t value_size;
        int64_t lease; /* for PUT; 0 = none. An unknown lease fails the whole transaction with -ENOKEY */
} StoreOp;

typedef struct StoreTxn {
        const StoreCompare *compares;
        size_t n_compares;
        const StoreOp *ops; /* done if all compares hold; no key twice */
        size_t n_ops;
} StoreTxn;

/* r: 0 = done at `revision`; STORE_COMPARE_FAILED (revision = the store's); < 0 = failed: it may or may not have been done if -ETIMEDOUT or -ECONNRESET. */
typedef void (*StoreTxnFn)(int r, int64_t revision, const Error *error, void *userdata);

/* `txn` is copied. A transaction that changes nothing makes no new revision. The caller owns *ret. */
int store_txn(Store *s, const StoreTxn *txn, StoreTxnFn fn, void *userdata, StoreCall **ret,
              Error *reterr);

StoreCall *store_call_free(StoreCall *c); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(StoreCall, store_call_free);

typedef struct StoreEvent {
        bool deleted;
        StoreKv kv;
} StoreEvent;

typedef struct StoreWatchHandler {
        /* Changes of one or more whole revisions, in order. Borrowed for the time of the callback. */
        void (*changed)(StoreWatch *w, const StoreEvent *events, size_t n, int64_t revision,
                        void *userdata);
        /*
         * The watch cannot go on from where it was (-ESTALE: compacted): it is dead; read anew, then watch
         * from there. A mere loss of contact is not reported here: the watch resumes by itself.
         */
        void (*lost)(StoreWatch *w, int r, const Error *error, void *userdata);
} StoreWatchHandler;

/* Changes after `after_revision` below `prefix`. The caller owns *ret. `handler` must outlive the watch. */
int store_watch(Store *s, const char *prefix, int64_t after_revision,
                const StoreWatchHandler *handler, void *userdata, StoreWatch **ret, Error *reterr);
StoreWatch *store_watch_free(StoreWatch *w); /* no more calls; accepts NULL, returns NULL */
DEFINE_CLEANUP(StoreWatch, store_watch_free);

/*
 * Leases. When one expires or is revoked, the keys that carry it are deleted, as one change.
 * r: 0, -ENOKEY (no such lease: it has expired), or another failure. ttl_usec: what the store granted.
 */
typedef void (*StoreLeaseFn)(int r, int64_t lease, uint64_t ttl_usec, const Error *error,
                             void *userdata);
int store_lease_grant(Store *s, uint64_t ttl_usec, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                      Error *reterr);
int store_lease_renew(Store *s, int64_t lease, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                      Error *reterr);
int store_lease_revoke(Store *s, int64_t lease, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                       Error *reterr);

/*
 * Contact: whether the store answers. Called on each change; the first call tells the first answer.
 * One handler; NULL switches it off.
 */
typedef void (*StoreContactFn)(bool in_contact, const Error *why_not, void *userdata);
void store_on_contact(Store *s, StoreContactFn fn, void *userdata);

Store *store_free(Store *s); /* cancels everything; accepts NULL, returns NULL */
DEFINE_CLEANUP(Store, store_free);

/* What a backend fills in; see store_sqlite.h, store_etcd.h. Each member is the function of that name. */
typedef struct StoreBackend {
        const char *name; /* sqlite, etcd, memory */
        int (*read)(void *b, const StoreRange *ranges, size_t n, int64_t revision, StoreReadFn fn,
                    void *userdata, StoreCall **ret, Error *reterr);
        int (*txn)(void *b, const StoreTxn *txn, StoreTxnFn fn, void *userdata, StoreCall **ret,
                   Error *reterr);
        StoreCall *(*call_free)(StoreCall *c);
        int (*watch)(void *b, const char *prefix, int64_t after_revision,
                     const StoreWatchHandler *handler, void *userdata, StoreWatch **ret,
                     Error *reterr);
        StoreWatch *(*watch_free)(StoreWatch *w);
        int (*lease_grant)(void *b, uint64_t ttl_usec, StoreLeaseFn fn, void *userdata,
                           StoreCall **ret, Error *reterr);
        int (*lease_renew)(void *b, int64_t lease, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                           Error *reterr);
        int (*lease_revoke)(void *b, int64_t lease, StoreLeaseFn fn, void *userdata,
                            StoreCall **ret, Error *reterr);
        void (*on_contact)(void *b, StoreContactFn fn, void *userdata);
        void *(*free)(void *b);
} StoreBackend;

/* Every StoreCall and StoreWatch of a backend begins with its StoreBackend pointer, so that freeing finds it. */
struct StoreCall {
        const StoreBackend *backend;
};
struct StoreWatch {
        const StoreBackend *backend;
};

/* Takes b on success. For backends only. */
int store_new(const StoreBackend *backend, void *b, Store **ret);
