#include "scheduler/store/store_sqlite.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "scheduler/store/store_sqlite_internal.h"

/* ---- calls: their life ---- */

int sqlite_call_new(SqliteStore *s, SqliteCallType type, void *userdata, SqliteCall **ret,
                    Error *reterr) {
        SqliteCall *c;

        if (s->n_calls >= STORE_SQLITE_CALLS_MAX)
                return error_set(reterr, -ENOBUFS, "more than %d calls wait for the store",
                                 STORE_SQLITE_CALLS_MAX);

        c = mem_new(SqliteCall);
        if (!c)
                return error_set(reterr, -ENOMEM, "asking the store: out of memory");

        *c = (SqliteCall){
                .call.backend = &store_sqlite_backend,
                .store = s,
                .type = type,
                .userdata = userdata,
        };
        list_append(&s->queue, &c->queue);
        s->n_calls++;
        (void) event_defer_trigger(s->calls_source);
        *ret = c;
        return 0;
}

static SqliteCall *call_destroy(SqliteCall *c) {
        list_remove(&c->queue);
        mem_free(c->memory);
        return mem_free(c);
}

/* From here on it is only the handle that its owner frees. */
static void call_detach(SqliteCall *c) {
        list_remove(&c->queue);
        if (c->store)
                c->store->n_calls--;
        c->store = NULL;
        if (c->orphaned)
                (void) call_destroy(c);
}

static StoreCall *call_free(StoreCall *call) {
        SqliteCall *c = CONTAINER_OF(call, SqliteCall, call);

        if (!c->store) {
                (void) call_destroy(c);
                return NULL;
        }

        c->orphaned = true;
        if (c->type == SQLITE_CALL_READ) /* nothing to do for nobody */
                call_detach(c);
        return NULL;
}

void sqlite_call_answer(SqliteCall *c, const Error *error) {
        SqliteCall now = *c;
        bool told = !c->orphaned;

        call_detach(c); /* the callback may free it */
        if (!told)
                return;

        if (now.type == SQLITE_CALL_TXN)
                now.txn_fn(now.r, now.revision, now.r < 0 ? error : NULL, now.userdata);
        else
                now.lease_fn(now.r, now.lease, now.ttl_usec, now.r < 0 ? error : NULL,
                             now.userdata);
}

void sqlite_store_enter(SqliteStore *s) {
        s->busy++;
}

/* ---- reading ---- */

typedef struct Reading {
        SqliteArena arena;
        SqliteKvs *kvs; /* one per range */
        StoreRangeResult *results;
        size_t n;
} Reading;

static void reading_done(Reading *reading) {
        for (size_t i = 0; reading->kvs && i < reading->n; i++)
                mem_free(reading->kvs[i].items);
        mem_free(reading->kvs);
        mem_free(reading->results);
        sqlite_arena_done(&reading->arena);
}

static int read_ranges(SqliteStore *s, const SqliteCall *c, Reading *reading, Error *reterr) {
        const SqliteCounters *counters = &s->db.counters;
        int r;

        if (c->revision < counters->compacted)
                return error_set(reterr, -ESTALE, "revision %lld has been compacted",
                                 (long long) c->revision);
        if (c->revision > counters->revision)
                return error_set(reterr, -EINVAL, "revision %lld is yet to come",
                                 (long long) c->revision);

        reading->n = c->n_ranges;
        reading->kvs = mem_new_array(SqliteKvs, c->n_ranges);
        reading->results = mem_new_array(StoreRangeResult, c->n_ranges);
        if (!reading->kvs || !reading->results)
                return error_set(reterr, -ENOMEM, "reading from the store: out of memory");

        for (size_t i = 0; i < c->n_ranges; i++) {
                SqliteKvs *kvs = &reading->kvs[i];

                r = sqlite_range(&s->db, &c->ranges[i], c->revision, &reading->arena, kvs, reterr);
                if (r < 0)
                        return r;
                reading->results[i] = (StoreRangeResult){ .kvs = kvs->items, .n = kvs->n };
        }
        return 0;
}

static void run_read(SqliteStore *s, SqliteCall *c) {
        _cleanup_(reading_done) Reading reading = { 0 };
        _cleanup_error_ Error error = ERROR_INIT;
        StoreReadFn fn = c->read_fn;
        void *userdata = c->userdata;
        int64_t revision;
        int r;

        if (c->revision == 0)
                c->revision = s->db.counters.revision;
        revision = c->revision;
        r = read_ranges(s, c, &reading, &error);
        call_detach(c);
        if (r < 0)
                fn(r, NULL, 0, revision, &error, userdata);
        else
                fn(0, reading.results, reading.n, revision, NULL, userdata);
}

/* ---- transactions ---- */

/* 0, STORE_COMPARE_FAILED, -ENOKEY (nothing was done); any other failure ends the whole group. */
static int run_txn(SqliteStore *s, const StoreTxn *txn, SqliteWriter *w, Error *reterr) {
        int r;

        for (size_t i = 0; i < txn->n_compares; i++) {
                r = sqlite_compare(&s->db, &txn->compares[i], reterr);
                if (r < 0)
                        return r;
                if (r == 0)
                        return STORE_COMPARE_FAILED;
        }

        for (size_t i = 0; i < txn->n_ops; i++)
                if (txn->ops[i].lease != 0 && !sqlite_lease_find(s, txn->ops[i].lease))
                        return -ENOKEY;

        for (size_t i = 0; i < txn->n_ops; i++) {
                r = sqlite_write(w, &txn->ops[i], reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int run_group(SqliteStore *s, SqliteCall *const *group, size_t n, Error *reterr) {
        int64_t changes = 0;
        int r;

        for (size_t i = 0; i < n; i++) {
                SqliteWriter w = sqlite_writer(&s->db);

                r = run_txn(s, &group[i]->txn, &w, reterr);
                if (r < 0 && r != -ENOKEY)
                        return r;

                group[i]->r = r;
                sqlite_writer_finish(&w);
                group[i]->revision = s->db.counters.revision;
                changes += w.n;
        }
        return changes > 0 ? sqlite_sweep(&s->db, 2 * changes + 64, reterr) : 0;
}

/* 1 = something in it must survive a power failure. */
static int group_lasts(SqliteStore *s, SqliteCall *const *group, size_t n, Error *reterr) {
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < group[i]->txn.n_ops; j++) {
                        int r = sqlite_op_lasts(&s->db, &group[i]->txn.ops[j], reterr);

                        if (r != 0)
                                return r;
                }
        return 0;
}

static int commit_group(SqliteStore *s, SqliteCall *const *group, size_t n, Error *reterr) {
        int r;

        r = group_lasts(s, group, n, reterr);
        if (r < 0)
                return r;

        r = sqlite_db_begin(&s->db, r > 0, reterr);
        if (r < 0)
                return r;

        r = run_group(s, group, n, reterr);
        if (r < 0) {
                sqlite_db_rollback(&s->db);
                return r;
        }
        return sqlite_db_commit(&s->db, reterr);
}

/* Tells the answers of what is in `answered`; a callback may free any of them, or the store. */
static void tell_answers(SqliteStore *s, const Error *group_error) {
        while (!s->dead && !list_is_empty(&s->answered)) {
                SqliteCall *c = CONTAINER_OF(s->answered.next, SqliteCall, queue);
                _cleanup_error_ Error error = ERROR_INIT;

                if (c->r == -ENOKEY && !group_error)
                        (void) error_set(&error, -ENOKEY,
                                         "a key was put under a lease that does not exist");
                sqlite_call_answer(c, group_error ? group_error : &error);
        }
}

static void run_txns(SqliteStore *s) {
        _cleanup_error_ Error error = ERROR_INIT;
        SqliteCall *group[STORE_SQLITE_GROUP_MAX] = { 0 };
        size_t n = 0;
        int r;

        for (ListLink *l = s->queue.next; l != &s->queue && n < ELEMENTSOF(group); l = l->next) {
                SqliteCall *c = CONTAINER_OF(l, SqliteCall, queue);

                if (c->type != SQLITE_CALL_TXN)
                        break;
                group[n++] = c;
        }

        r = commit_group(s, group, n, &error);
        for (size_t i = 0; i < n; i++) {
                list_remove(&group[i]->queue);
                list_append(&s->answered, &group[i]->queue);
                if (r < 0)
                        group[i]->r = r;
        }
        tell_answers(s, r < 0 ? &error : NULL);
}

/* ---- the loop ---- */

/* Does what stands first in the queue; one short transaction at most. */
static void run_next(SqliteStore *s) {
        SqliteCall *c = CONTAINER_OF(s->queue.next, SqliteCall, queue);

        switch (c->type) {
        case SQLITE_CALL_READ:
                run_read(s, c);
                break;
        case SQLITE_CALL_TXN:
                run_txns(s);
                break;
        case SQLITE_CALL_GRANT:
        case SQLITE_CALL_RENEW:
        case SQLITE_CALL_REVOKE:
        case SQLITE_CALL_EXPIRE:
                sqlite_lease_run(c);
                break;
        }
}

static void on_calls(void *userdata) {
        SqliteStore *s = userdata;
        int64_t before = s->db.counters.revision;

        if (list_is_empty(&s->queue))
                return;

        sqlite_store_enter(s);
        run_next(s);
        if (!s->dead) {
                if (!list_is_empty(&s->queue))
                        (void) event_defer_trigger(s->calls_source);
                if (s->db.counters.revision != before && !list_is_empty(&s->watches))
                        (void) event_defer_trigger(s->watches_source);
        }
        sqlite_store_leave(s);
}

static void on_contact(void *userdata) {
        SqliteStore *s = userdata;

        if (s->contact_fn) /* a file is always there; what fails, fails call by call */
                s->contact_fn(true, NULL, s->contact_userdata);
}

/* ---- the backend's table ---- */

static int copy_ranges(SqliteCall *c, const StoreRange *ranges, size_t n) {
        size_t bytes = n * sizeof(StoreRange);
        char *strings;

        for (size_t i = 0; i < n; i++)
                bytes += strlen(ranges[i].key) + 1;
        c->memory = mem_alloc(bytes);
        if (!c->memory)
                return -ENOMEM;

        c->ranges = c->memory;
        c->n_ranges = n;
        strings = (char *) (c->ranges + n);
        for (size_t i = 0; i < n; i++) {
                c->ranges[i] = ranges[i];
                c->ranges[i].key = strings;
                strings = stpcpy(strings, ranges[i].key) + 1;
        }
        return 0;
}

static int backend_read(void *b, const StoreRange *ranges, size_t n, int64_t revision,
                        StoreReadFn fn, void *userdata, StoreCall **ret, Error *reterr) {
        SqliteCall *c;
        int r;

        r = sqlite_call_new(b, SQLITE_CALL_READ, userdata, &c, reterr);
        if (r < 0)
                return r;

        r = copy_ranges(c, ranges, n);
        if (r < 0) {
                (void) call_free(&c->call);
                return error_set(reterr, r, "reading from the store: out of memory");
        }

        c->read_fn = fn;
        c->revision = revision;
        *ret = &c->call;
        return 0;
}

static size_t txn_bytes(const StoreTxn *txn) {
        size_t bytes = txn->n_compares * sizeof(StoreCompare) + txn->n_ops * sizeof(StoreOp);

        for (size_t i = 0; i < txn->n_compares; i++) {
                const StoreCompare *c = &txn->compares[i];

                bytes += strlen(c->key) + 1;
                if (c->target == STORE_COMPARE_VALUE)
                        bytes += strlen(c->value) + 1;
        }
        for (size_t i = 0; i < txn->n_ops; i++) {
                const StoreOp *op = &txn->ops[i];

                bytes += strlen(op->key) + 1 + (op->type == STORE_PUT ? op->value_size : 0);
        }
        return bytes;
}

static const char *put_bytes(char **at, const void *data, size_t size) {
        char *p = *at;

        if (size > 0)
                memcpy(p, data, size);
        *at = p + size;
        return p;
}

static int copy_txn(SqliteCall *c, const StoreTxn *txn) {
        StoreCompare *compares;
        StoreOp *ops;
        char *at;

        c->memory = mem_alloc(txn_bytes(txn));
        if (!c->memory)
                return -ENOMEM;

        compares = c->memory;
        ops = (StoreOp *) (compares + txn->n_compares);
        at = (char *) (ops + txn->n_ops);
        for (size_t i = 0; i < txn->n_compares; i++) {
                compares[i] = txn->compares[i];
                compares[i].key = put_bytes(&at, compares[i].key, strlen(compares[i].key) + 1);
                if (compares[i].target == STORE_COMPARE_VALUE)
                        compares[i].value = put_bytes(&at, compares[i].value,
                                                      strlen(compares[i].value) + 1);
        }
        for (size_t i = 0; i < txn->n_ops; i++) {
                bool put = txn->ops[i].type == STORE_PUT;

                ops[i] = txn->ops[i];
                ops[i].key = put_bytes(&at, ops[i].key, strlen(ops[i].key) + 1);
                ops[i].value_size = put ? ops[i].value_size : 0;
                ops[i].value = put_bytes(&at, ops[i].value, ops[i].value_size);
                ops[i].lease = put ? ops[i].lease : 0;
        }
        c->txn = (StoreTxn){ compares, txn->n_compares, ops, txn->n_ops };
        return 0;
}

static int backend_txn(void *b, const StoreTxn *txn, StoreTxnFn fn, void *userdata, StoreCall **ret,
                       Error *reterr) {
        SqliteCall *c;
        int r;

        r = sqlite_call_new(b, SQLITE_CALL_TXN, userdata, &c, reterr);
        if (r < 0)
                return r;

        r = copy_txn(c, txn);
        if (r < 0) {
                c->orphaned = true;
                call_detach(c);
                return error_set(reterr, r, "writing to the store: out of memory");
        }

        c->txn_fn = fn;
        *ret = &c->call;
        return 0;
}

static int lease_call(SqliteStore *s, SqliteCallType type, const SqliteLease *lease,
                      StoreLeaseFn fn, void *userdata, StoreCall **ret, Error *reterr) {
        SqliteCall *c;
        int r;

        r = sqlite_call_new(s, type, userdata, &c, reterr);
        if (r < 0)
                return r;

        c->lease_fn = fn;
        c->lease = lease->id;
        c->ttl_usec = lease->ttl_usec;
        *ret = &c->call;
        return 0;
}

static int backend_grant(void *b, uint64_t ttl_usec, StoreLeaseFn fn, void *userdata,
                         StoreCall **ret, Error *reterr) {
        return lease_call(b, SQLITE_CALL_GRANT, &(SqliteLease){ .ttl_usec = ttl_usec }, fn,
                          userdata, ret, reterr);
}

static int backend_renew(void *b, int64_t lease, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                         Error *reterr) {
        return lease_call(b, SQLITE_CALL_RENEW, &(SqliteLease){ .id = lease }, fn, userdata, ret,
                          reterr);
}

static int backend_revoke(void *b, int64_t lease, StoreLeaseFn fn, void *userdata, StoreCall **ret,
                          Error *reterr) {
        return lease_call(b, SQLITE_CALL_REVOKE, &(SqliteLease){ .id = lease }, fn, userdata, ret,
                          reterr);
}

static void backend_on_contact(void *b, StoreContactFn fn, void *userdata) {
        SqliteStore *s = b;

        s->contact_fn = fn;
        s->contact_userdata = userdata;
        if (fn)
                (void) event_defer_trigger(s->contact_source);
}

/* What was asked is done, even if nobody waits for the answer any more. */
static void flush_txns(SqliteStore *s) {
        LIST_FOREACH (SqliteCall, c, &s->queue, queue) {
                if (c->type == SQLITE_CALL_TXN)
                        (void) commit_group(s, &c, 1, NULL);
        }
}

static void detach_all(ListLink *calls) {
        while (!list_is_empty(calls))
                call_detach(CONTAINER_OF(calls->next, SqliteCall, queue));
}

static void *store_destroy(SqliteStore *s) {
        sqlite_db_done(&s->db);
        s->calls_source = event_drop(s->calls_source);
        s->watches_source = event_drop(s->watches_source);
        s->contact_source = event_drop(s->contact_source);
        (void) sd_event_unref(s->event);
        return mem_free(s);
}

void sqlite_store_leave(SqliteStore *s) {
        if (--s->busy == 0 && s->dead)
                (void) store_destroy(s);
}

static void *backend_free(void *b) {
        SqliteStore *s = b;

        if (s->db.statements[STMT_COUNT - 1])
                flush_txns(s);
        detach_all(&s->queue);
        detach_all(&s->answered);
        sqlite_watches_detach(s);
        sqlite_leases_done(s);
        s->contact_fn = NULL;
        s->dead = true;
        return s->busy == 0 ? store_destroy(s) : NULL;
}

const StoreBackend store_sqlite_backend = {
        .name = "sqlite",
        .read = backend_read,
        .txn = backend_txn,
        .call_free = call_free,
        .watch = sqlite_watch_new,
        .watch_free = sqlite_watch_free,
        .lease_grant = backend_grant,
        .lease_renew = backend_renew,
        .lease_revoke = backend_revoke,
        .on_contact = backend_on_contact,
        .free = backend_free,
};

static int new_sources(SqliteStore *s) {
        int r;

        r = event_defer_new(s->event, "store-calls", on_calls, s, &s->calls_source);
        if (r < 0)
                return r;

        r = event_defer_new(s->event, "store-watches", sqlite_watches_run, s, &s->watches_source);
        if (r < 0)
                return r;

        return event_defer_new(s->event, "store-contact", on_contact, s, &s->contact_source);
}

static void backend_freep(SqliteStore **s) {
        if (*s)
                (void) backend_free(*s);
}

int store_sqlite_open(sd_event *event, const StoreSqliteOptions *options, Store **ret,
                      Error *reterr) {
        _cleanup_(backend_freep) SqliteStore *s = NULL;
        int r;

        assert(event && options && options->path && ret);
        s = mem_new(SqliteStore);
        if (!s)
                return error_set(reterr, -ENOMEM, "opening the store: out of memory");

        list_init(&s->queue);
        list_init(&s->answered);
        list_init(&s->watches);
        list_init(&s->leases);
        s->event = sd_event_ref(event);

        r = sqlite_db_open(&s->db, options->path, options->keep_revisions, reterr);
        if (r < 0)
                return r;

        r = new_sources(s);
        if (r < 0)
                return error_fill(reterr, r);

        r = sqlite_leases_load(s, reterr);
        if (r < 0)
                return r;

        r = store_new(&store_sqlite_backend, s, ret);
        if (r < 0)
                return error_fill(reterr, r);

        (void) TAKE_PTR(s);
        return 0;
}
