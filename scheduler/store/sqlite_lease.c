#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/event/event.h"
#include "scheduler/store/store_sqlite_internal.h"

/*
 * Leases live in the file, their timers in the process. A renewal only arms the timer anew and writes
 * nothing. After a start each lease has its time again, but LEFT_LEASE_MAX_USEC at most.
 */

/* A lease whose keys could not be deleted (the disk is full) is tried again after this. */
#define EXPIRE_AGAIN_USEC (1 * USEC_PER_SEC)

SqliteLease *sqlite_lease_find(SqliteStore *s, int64_t id) {
        for (ListLink *l = s->leases.next; l != &s->leases; l = l->next) {
                SqliteLease *lease = CONTAINER_OF(l, SqliteLease, leases);

                if (lease->id == id)
                        return lease;
        }
        return NULL;
}

static void lease_free(SqliteLease *lease) {
        list_remove(&lease->leases);
        lease->store->n_leases--;
        lease->timer = event_drop(lease->timer);
        mem_free(lease);
}

void sqlite_leases_done(SqliteStore *s) {
        while (!list_is_empty(&s->leases))
                lease_free(CONTAINER_OF(s->leases.next, SqliteLease, leases));
}

static void on_expired(void *userdata) {
        SqliteLease *lease = userdata;
        SqliteCall *c;

        if (lease->expiring)
                return;
        if (sqlite_call_new(lease->store, SQLITE_CALL_EXPIRE, NULL, &c, NULL) < 0) {
                (void) event_timer_arm(lease->timer, EXPIRE_AGAIN_USEC);
                return;
        }

        c->orphaned = true;
        c->lease = lease->id;
        lease->expiring = true;
}

static int lease_new(SqliteStore *s, int64_t id, uint64_t ttl_usec, SqliteLease **ret) {
        SqliteLease *lease;
        int r;

        lease = mem_new(SqliteLease);
        if (!lease)
                return -ENOMEM;

        *lease = (SqliteLease){ .store = s, .id = id, .ttl_usec = ttl_usec };
        list_append(&s->leases, &lease->leases);
        s->n_leases++;
        r = event_timer_new(s->event, "store-lease", on_expired, lease, &lease->timer);
        if (r >= 0)
                r = event_timer_arm(lease->timer, ttl_usec);
        if (r < 0) {
                lease_free(lease);
                return r;
        }

        *ret = lease;
        return 0;
}

/* Of a process that is no more: its successor has that long to take over what it finds. */
#define LEFT_LEASE_MAX_USEC (30 * USEC_PER_SEC)

int sqlite_leases_load(SqliteStore *s, Error *reterr) {
        _cleanup_stmt_ sqlite3_stmt *list = sqlite_db_use(&s->db, STMT_LEASE_LIST);
        SqliteLease *lease;
        int r;

        while ((r = sqlite3_step(list)) == SQLITE_ROW) {
                r = lease_new(s, sqlite3_column_int64(list, 0),
                              MIN((uint64_t) sqlite3_column_int64(list, 1), LEFT_LEASE_MAX_USEC),
                              &lease);
                if (r < 0)
                        return error_set(reterr, r, "opening the store: out of memory");
        }
        return r == SQLITE_DONE ? 0 : sqlite_db_failed(&s->db, "opening the store", reterr);
}

static int write_grant(SqliteDb *db, int64_t id, uint64_t ttl_usec, Error *reterr) {
        sqlite3_stmt *add;
        int r;

        r = sqlite_db_begin(db, false, reterr);
        if (r < 0)
                return r;

        add = sqlite_db_use(db, STMT_LEASE_ADD);
        db->counters.last_lease = id;
        if (sqlite3_bind_int64(add, 1, id) != SQLITE_OK ||
            sqlite3_bind_int64(add, 2, (int64_t) ttl_usec) != SQLITE_OK)
                r = sqlite_db_failed(db, "writing to", reterr);
        else
                r = sqlite_db_run(db, add, "writing to", reterr);
        if (r < 0) {
                sqlite_db_rollback(db);
                return r;
        }
        return sqlite_db_commit(db, reterr);
}

static int grant(SqliteStore *s, SqliteCall *c, Error *reterr) {
        SqliteLease *lease;
        int r;

        if (s->n_leases >= STORE_SQLITE_LEASES_MAX)
                return error_set(reterr, -E2BIG, "more than %d leases", STORE_SQLITE_LEASES_MAX);

        r = lease_new(s, s->db.counters.last_lease + 1, c->ttl_usec, &lease);
        if (r < 0)
                return error_set(reterr, r, "granting a lease: out of memory");

        r = write_grant(&s->db, lease->id, lease->ttl_usec, reterr);
        if (r < 0) {
                lease_free(lease);
                return r;
        }

        c->lease = lease->id;
        return 0;
}

static int renew(SqliteLease *lease, SqliteCall *c, Error *reterr) {
        int r;

        r = event_timer_arm(lease->timer, lease->ttl_usec);
        if (r < 0)
                return error_set(reterr, r, "renewing lease %" PRIi64 ": no timer", lease->id);

        c->ttl_usec = lease->ttl_usec;
        return 0;
}

/* Its keys go, as one revision, and with them the lease. */
static int write_end(SqliteStore *s, int64_t id, Error *reterr) {
        SqliteDb *db = &s->db;
        sqlite3_stmt *remove;
        SqliteWriter w;
        int r;

        r = sqlite_db_begin(db, false, reterr);
        if (r < 0)
                return r;

        w = sqlite_writer(db);
        r = sqlite_write_unlease(&w, id, reterr);
        if (r >= 0) {
                sqlite_writer_finish(&w);
                remove = sqlite_db_use(db, STMT_LEASE_REMOVE);
                r = sqlite3_bind_int64(remove, 1, id) == SQLITE_OK
                            ? sqlite_db_run(db, remove, "writing to", reterr)
                            : sqlite_db_failed(db, "writing to", reterr);
        }
        if (r >= 0)
                r = sqlite_sweep(db, 2 * w.n, reterr);
        if (r < 0) {
                sqlite_db_rollback(db);
                return r;
        }
        return sqlite_db_commit(db, reterr);
}

static int end(SqliteStore *s, SqliteLease *lease, Error *reterr) {
        int r;

        r = write_end(s, lease->id, reterr);
        if (r < 0) {
                lease->expiring = false;
                if (!event_timer_is_armed(lease->timer))
                        (void) event_timer_arm(lease->timer, EXPIRE_AGAIN_USEC);
                return r;
        }

        lease_free(lease);
        return 0;
}

static int run(SqliteStore *s, SqliteCall *c, Error *reterr) {
        SqliteLease *lease;

        if (c->type == SQLITE_CALL_GRANT)
                return grant(s, c, reterr);

        lease = sqlite_lease_find(s, c->lease);
        if (!lease)
                return error_set(reterr, -ENOKEY, "there is no lease %" PRIi64, c->lease);

        return c->type == SQLITE_CALL_RENEW ? renew(lease, c, reterr) : end(s, lease, reterr);
}

void sqlite_lease_run(SqliteCall *c) {
        _cleanup_error_ Error error = ERROR_INIT;

        c->r = run(c->store, c, &error);
        sqlite_call_answer(c, &error);
}
