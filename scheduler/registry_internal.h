/*
 * What the registry's files share: calls in several steps and transactions in the making. For
 * registry_*.c only.
 */
#pragma once

#include "lib/base/list.h"
#include "scheduler/registry.h"
#include "scheduler/registry_doc.h"

struct Registry {
        Store *store;
        char *prefix; /* ends in '/' */
        RegistryOptions options;
        ListLink calls;
        ListLink follows;
        Map *malformed; /* keys that were reported, with the revision (a string) they were reported at */
};

/* The steps of a call: what belongs to one kind of call is in its state. */
struct RegistryCall {
        Registry *registry; /* NULL once it was answered, or the registry is gone */
        ListLink calls;
        StoreCall *store_call; /* the step under way */
        bool writes;           /* goes on to its end even if nobody waits any more */
        bool orphaned;
        void *state;
        void (*state_free)(void *state);
        void *userdata;
        union {
                RegistryReadFn read_fn;
                RegistryWriteFn write_fn;
                RegistryContentFn content_fn;
                RegistryContentListFn list_fn;
                RegistryLeaderFn leader_fn;
        };
};

/* Takes state, also on failure. NULL = out of memory. */
RegistryCall *registry_call_new(Registry *r, bool writes, void *state, void (*state_free)(void *),
                                void *userdata);

/* The call could not even start: frees it, fills the words. Returns r. */
int registry_call_fail(RegistryCall *c, int r, Error *reterr);

/*
 * The answer is there: the call's state is handed over for the time of telling it (free it with
 * registry_call_told()), and the call itself is only a handle any more. False: nobody wants to hear it.
 */
typedef struct RegistryTelling {
        RegistryCall call; /* as it was */
} RegistryTelling;
bool registry_call_end(RegistryCall *c, RegistryTelling *ret);
void registry_call_told(RegistryTelling *t);

/* "<prefix><folder><a>[/<b>]"; owned by the caller, NULL = out of memory. */
char *registry_key(const Registry *r, const char *folder, const char *a, const char *b);

/* Once per key and revision: tells the owner that this document cannot be read. */
void registry_malformed(Registry *r, const StoreKv *kv, const Error *error);

/* A transaction in the making. Keys and values that are given to it are taken, also on failure. */
typedef struct RegistryTxn {
        StoreCompare *compares;
        size_t n_compares, compares_capacity;
        StoreOp *ops;
        size_t n_ops, ops_capacity;
        Strv strings;
} RegistryTxn;

void registry_txn_done(RegistryTxn *t);
/* 0 or -ENOMEM; NULL for a key or value is out of memory, too. */
int registry_txn_compare(RegistryTxn *t, char *key, StoreCompareTarget target, StoreCompareOp op,
                         int64_t number);
int registry_txn_put(RegistryTxn *t, char *key, char *value, int64_t lease);
int registry_txn_delete(RegistryTxn *t, char *key);
int registry_txn_submit(const RegistryTxn *t, Store *s, StoreTxnFn fn, void *userdata,
                        StoreCall **ret, Error *reterr);

/* Transactions one after the other; the answer is that of the first that fails, or the last. */
typedef struct RegistryBatch {
        RegistryTxn *txns;
        size_t n, capacity;
        size_t at;
        bool skip_conflicts; /* goes on behind one whose compares do not hold */
} RegistryBatch;

RegistryBatch *registry_batch_new(void);
void registry_batch_free(void *b); /* accepts NULL */
RegistryTxn *registry_batch_add(
        RegistryBatch *b); /* a new, last one; borrowed until the next. NULL = out of memory */
/* Takes b, also on failure. */
int registry_batch_run(Registry *r, RegistryBatch *b, RegistryWriteFn fn, void *userdata,
                       RegistryCall **ret, Error *reterr);
/* The same for a call that has already begun; its state becomes b. */
void registry_batch_continue(RegistryCall *c, RegistryBatch *b);

/* They stay as handles that their owners free. */
void registry_follows_free(Registry *r);
