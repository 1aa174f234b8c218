/*
 * The contract of scheduler/store/store.h as a test suite. A backend's test program makes the suite with
 * a factory and runs it; each test gets an empty store.
 */
#pragma once

#include <check.h>

#include "scheduler/store/store.h"
#include "tests/lib/suite.h"

typedef struct StoreFactory {
        const char *name;
        /* An empty store that keeps about that many revisions (0 = many). Fails the test itself if it cannot. */
        Store *(*open)(sd_event *event, uint64_t keep_revisions);
        void (*clean)(void);         /* after each test */
        uint64_t lease_ttl_min_usec; /* the shortest lease it can grant */
} StoreFactory;

/* The factory must outlive the suite. */
Suite *store_contract_suite(const StoreFactory *factory);

/* ---- for other tests on a store, too: calls that run the loop until the answer is there ---- */

typedef struct StoreAnswer {
        bool done;
        int r;
        int64_t revision;
        int64_t lease;
        uint64_t ttl_usec;
        char error[256];
        /* read: of the first ranges, "key=value key=value" each */
        char ranges[4][1024];
        size_t n; /* keys in all ranges */
} StoreAnswer;

StoreAnswer store_do_txn(sd_event *event, Store *s, const StoreTxn *txn);
StoreAnswer store_do_put(sd_event *event, Store *s, const char *key, const char *value,
                         int64_t lease);
StoreAnswer store_do_delete(sd_event *event, Store *s, StoreOpType type, const char *key);
StoreAnswer store_do_read(sd_event *event, Store *s, const StoreRange *ranges, size_t n,
                          int64_t revision);
/* The value, or "(none)"; in a static buffer. */
const char *store_do_get(sd_event *event, Store *s, const char *key);
StoreAnswer store_do_grant(sd_event *event, Store *s, uint64_t ttl_usec);
StoreAnswer store_do_revoke(sd_event *event, Store *s, int64_t lease);
StoreAnswer store_do_renew(sd_event *event, Store *s, int64_t lease);
