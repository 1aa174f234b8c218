/*
 * What the files of the SQLite backend share: the queue of calls (store_sqlite.c), the watches
 * (sqlite_watch.c) and the leases (sqlite_lease.c). For them only.
 *
 * Calls wait in a queue and are done in the next turn of the loop; neighbouring transactions share
 * one commit, and so one sync.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/list.h"
#include "scheduler/store/sqlite_db.h"
#include "scheduler/store/store_sqlite.h"

#define STORE_SQLITE_CALLS_MAX 65536
#define STORE_SQLITE_WATCHES_MAX 256
#define STORE_SQLITE_LEASES_MAX 4096

/* Transactions that share a commit, at most. */
#define STORE_SQLITE_GROUP_MAX 64

typedef enum SqliteCallType {
        SQLITE_CALL_READ,
        SQLITE_CALL_TXN,
        SQLITE_CALL_GRANT,
        SQLITE_CALL_RENEW,
        SQLITE_CALL_REVOKE,
        SQLITE_CALL_EXPIRE, /* our own: nobody waits for its answer */
} SqliteCallType;

typedef struct SqliteStore SqliteStore;

typedef struct SqliteCall {
        StoreCall call;
        SqliteStore *store; /* NULL once it is answered or the store is gone */
        ListLink queue;
        SqliteCallType type;
        bool orphaned; /* nobody wants the answer: it goes when it is done */
        union {
                StoreReadFn read_fn;
                StoreTxnFn txn_fn;
                StoreLeaseFn lease_fn;
        };
        void *userdata;

        StoreRange *ranges;
        size_t n_ranges;
        int64_t revision; /* to read at; of the answer */
        StoreTxn txn;
        int64_t lease;
        uint64_t ttl_usec;
        void *memory; /* holds the copies of ranges or txn */
        int r;        /* of the answer */
} SqliteCall;

typedef struct SqliteLease {
        SqliteStore *store;
        ListLink leases;
        int64_t id;
        uint64_t ttl_usec;
        sd_event_source *timer;
        bool expiring; /* an EXPIRE call is in the queue */
} SqliteLease;

struct SqliteStore {
        SqliteDb db;
        sd_event *event;
        sd_event_source *calls_source, *watches_source, *contact_source;
        ListLink queue;    /* calls that wait */
        ListLink answered; /* done, and told one after the other */
        ListLink watches;
        ListLink leases;
        size_t n_calls, n_watches, n_leases;
        uint64_t watch_turn;
        StoreContactFn contact_fn;
        void *contact_userdata;
        unsigned busy; /* handlers of ours that run now */
        bool dead;     /* freed by one of their callbacks */
};

extern const StoreBackend store_sqlite_backend;

/* Handlers stand between these two, so that a callback may free the store. */
void sqlite_store_enter(SqliteStore *s);
void sqlite_store_leave(SqliteStore *s); /* touch nothing behind it */

/* A new call at the end of the queue; the caller fills it in. NULL with words if there is no room. */
int sqlite_call_new(SqliteStore *s, SqliteCallType type, void *userdata, SqliteCall **ret,
                    Error *reterr);
/* Takes it out of what is waiting and tells the answer. May free the store. */
void sqlite_call_answer(SqliteCall *c, const Error *error);

/* Does and answers a lease call. */
void sqlite_lease_run(SqliteCall *c);
SqliteLease *sqlite_lease_find(SqliteStore *s, int64_t id); /* NULL = there is none */
/* From the file, each with its full time. */
int sqlite_leases_load(SqliteStore *s, Error *reterr);
void sqlite_leases_done(SqliteStore *s);

int sqlite_watch_new(void *b, const char *prefix, int64_t after_revision,
                     const StoreWatchHandler *handler, void *userdata, StoreWatch **ret,
                     Error *reterr);
StoreWatch *sqlite_watch_free(StoreWatch *w);
void sqlite_watches_run(void *userdata);
void sqlite_watches_detach(SqliteStore *s);
