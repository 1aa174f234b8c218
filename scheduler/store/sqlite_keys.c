#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "scheduler/store/sqlite_db.h"

/* Writing: puts and deletions as changes of one revision, compares, and sweeping old changes away. */

/* What a change takes in the file beyond key and value, about. */
#define CHANGE_BYTES 64

/* The newest change of a key that exists; id 0 = it does not. */
typedef struct Live {
        int64_t id;
        int64_t create_revision;
        int64_t version;
        int64_t lease;
        int64_t bytes;
} Live;

static int live_get(SqliteDb *db, const char *key, size_t key_size, Live *ret, Error *reterr) {
        _cleanup_stmt_ sqlite3_stmt *s = sqlite_db_use(db, STMT_LIVE_GET);
        int r;

        *ret = (Live){ 0 };
        if (sqlite3_bind_blob(s, 1, key, (int) key_size, SQLITE_STATIC) != SQLITE_OK)
                return sqlite_db_failed(db, "reading", reterr);

        r = sqlite3_step(s);
        if (r == SQLITE_DONE)
                return 0;
        if (r != SQLITE_ROW)
                return sqlite_db_failed(db, "reading", reterr);

        *ret = (Live){
                .id = sqlite3_column_int64(s, 0),
                .create_revision = sqlite3_column_int64(s, 1),
                .version = sqlite3_column_int64(s, 2),
                .lease = sqlite3_column_int64(s, 3),
                .bytes = sqlite3_column_int64(s, 4) + (int64_t) key_size + CHANGE_BYTES,
        };
        return 0;
}

static int add_change(SqliteWriter *w, const StoreOp *op, size_t key_size, const Live *new) {
        sqlite3_stmt *s = sqlite_db_use(w->db, STMT_CHANGE_ADD);
        const void *value = op->value_size > 0 ? op->value : "";

        if (sqlite3_bind_int64(s, 1, new->id) != SQLITE_OK ||
            sqlite3_bind_blob(s, 2, op->key, (int) key_size, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_bind_int(s, 3, op->type != STORE_PUT) != SQLITE_OK ||
            sqlite3_bind_int64(s, 4, new->create_revision) != SQLITE_OK ||
            sqlite3_bind_int64(s, 5, new->version) != SQLITE_OK ||
            sqlite3_bind_int64(s, 6, new->lease) != SQLITE_OK ||
            sqlite3_bind_blob(s, 7, value, (int) op->value_size, SQLITE_STATIC) != SQLITE_OK)
                return -EIO;
        return sqlite3_step(s) == SQLITE_DONE ? 0 : -EIO;
}

static int set_live(SqliteDb *db, const char *key, size_t key_size, int64_t id, int64_t lease) {
        sqlite3_stmt *s = sqlite_db_use(db, id > 0 ? STMT_LIVE_SET : STMT_LIVE_REMOVE);

        if (sqlite3_bind_blob(s, 1, key, (int) key_size, SQLITE_STATIC) != SQLITE_OK)
                return -EIO;
        if (id > 0 && (sqlite3_bind_int64(s, 2, id) != SQLITE_OK ||
                       sqlite3_bind_int64(s, 3, lease) != SQLITE_OK))
                return -EIO;
        return sqlite3_step(s) == SQLITE_DONE ? 0 : -EIO;
}

static int next_id(SqliteWriter *w, int64_t *ret, Error *reterr) {
        if (w->n >= SQLITE_CHANGES_MAX)
                return error_set(reterr, -E2BIG,
                                 "more than %" PRIi64 " keys change in one transaction",
                                 SQLITE_CHANGES_MAX);

        *ret = (w->revision << SQLITE_SUB_BITS) | w->n;
        return 0;
}

static int write_put(SqliteWriter *w, const StoreOp *op, Error *reterr) {
        size_t key_size = strlen(op->key);
        Live old, new;
        int r;

        r = live_get(w->db, op->key, key_size, &old, reterr);
        if (r < 0)
                return r;

        new = (Live){
                .create_revision = old.id > 0 ? old.create_revision : w->revision,
                .version = old.version + 1,
                .lease = op->lease,
        };
        r = next_id(w, &new.id, reterr);
        if (r < 0)
                return r;

        if (add_change(w, op, key_size, &new) < 0 ||
            set_live(w->db, op->key, key_size, new.id, new.lease) < 0)
                return sqlite_db_failed(w->db, "writing to", reterr);

        w->db->counters.history_bytes += old.bytes;
        w->n++;
        return 0;
}

static int write_delete(SqliteWriter *w, const char *key, Error *reterr) {
        const StoreOp op = { .type = STORE_DELETE, .key = key };
        size_t key_size = strlen(key);
        Live old, new = { 0 };
        int r;

        r = live_get(w->db, key, key_size, &old, reterr);
        if (r < 0 || old.id == 0)
                return r;

        r = next_id(w, &new.id, reterr);
        if (r < 0)
                return r;

        if (add_change(w, &op, key_size, &new) < 0 || set_live(w->db, key, key_size, 0, 0) < 0)
                return sqlite_db_failed(w->db, "writing to", reterr);

        w->db->counters.history_bytes += old.bytes + (int64_t) key_size + CHANGE_BYTES;
        w->n++;
        return 0;
}

/* The keys that the statement (bound) gives, a few at a time, until there are none: deletes them. */
static int delete_selected(SqliteWriter *w, sqlite3_stmt *s, Error *reterr) {
        for (;;) {
                _cleanup_(strv_done) Strv keys = STRV_INIT;
                int r;

                while ((r = sqlite3_step(s)) == SQLITE_ROW)
                        if (strv_push_n(&keys, sqlite3_column_blob(s, 0),
                                        (size_t) sqlite3_column_bytes(s, 0)) < 0)
                                return error_set(reterr, -ENOMEM, "deleting keys: out of memory");
                if (r != SQLITE_DONE)
                        return sqlite_db_failed(w->db, "reading", reterr);

                (void) sqlite3_reset(s);
                if (keys.n == 0)
                        return 0;
                for (size_t i = 0; i < keys.n; i++) {
                        r = write_delete(w, keys.items[i], reterr);
                        if (r < 0)
                                return r;
                }
        }
}

static int write_delete_prefix(SqliteWriter *w, const char *prefix, Error *reterr) {
        _cleanup_stmt_ sqlite3_stmt *s = sqlite_db_use(w->db, STMT_LIVE_KEYS);
        char end[SQLITE_END_BYTES];

        if (sqlite_bind_range(s, prefix, true, end) != SQLITE_OK)
                return sqlite_db_failed(w->db, "reading", reterr);

        return delete_selected(w, s, reterr);
}

int sqlite_write(SqliteWriter *w, const StoreOp *op, Error *reterr) {
        switch (op->type) {
        case STORE_PUT:
                return write_put(w, op, reterr);
        case STORE_DELETE:
                return write_delete(w, op->key, reterr);
        case STORE_DELETE_PREFIX:
                return write_delete_prefix(w, op->key, reterr);
        }
        return error_set(reterr, -EINVAL, "unknown operation %d", (int) op->type);
}

int sqlite_write_unlease(SqliteWriter *w, int64_t lease, Error *reterr) {
        _cleanup_stmt_ sqlite3_stmt *s = sqlite_db_use(w->db, STMT_LIVE_LEASED);

        if (sqlite3_bind_int64(s, 1, lease) != SQLITE_OK)
                return sqlite_db_failed(w->db, "reading", reterr);

        return delete_selected(w, s, reterr);
}

void sqlite_writer_finish(SqliteWriter *w) {
        if (w->n > 0)
                w->db->counters.revision = w->revision;
}

static bool holds(StoreCompareOp op, int order) {
        switch (op) {
        case STORE_EQUAL:
                return order == 0;
        case STORE_NOT_EQUAL:
                return order != 0;
        case STORE_GREATER:
                return order > 0;
        case STORE_LESS:
                return order < 0;
        }
        return false;
}

static int order_of(int64_t a, int64_t b) {
        return a < b ? -1 : a > b;
}

/* As etcd: a compare of the value of a key that does not exist never holds. */
static int compare_value(sqlite3_stmt *s, bool exists, const StoreCompare *c) {
        size_t a = exists ? (size_t) sqlite3_column_bytes(s, 5) : 0, b = strlen(c->value);
        int order = 0;

        if (!exists)
                return 0;
        if (a > 0 && b > 0)
                order = memcmp(sqlite3_column_blob(s, 5), c->value, MIN(a, b));
        if (order == 0)
                order = order_of((int64_t) a, (int64_t) b);
        return holds(c->op, order);
}

int sqlite_compare(SqliteDb *db, const StoreCompare *c, Error *reterr) {
        _cleanup_stmt_ sqlite3_stmt *s = sqlite_db_use(db, STMT_LIVE_GET);
        bool exists;
        int r;

        if (sqlite_bind_key(s, 1, c->key) != SQLITE_OK)
                return sqlite_db_failed(db, "reading", reterr);

        r = sqlite3_step(s);
        if (r != SQLITE_ROW && r != SQLITE_DONE)
                return sqlite_db_failed(db, "reading", reterr);

        exists = r == SQLITE_ROW;
        switch (c->target) {
        case STORE_COMPARE_CREATE_REVISION:
                return holds(c->op, order_of(exists ? sqlite3_column_int64(s, 1) : 0, c->number));
        case STORE_COMPARE_MOD_REVISION:
                return holds(c->op,
                             order_of(exists ? sqlite3_column_int64(s, 0) >> SQLITE_SUB_BITS : 0,
                                      c->number));
        case STORE_COMPARE_LEASE:
                return holds(c->op, order_of(exists ? sqlite3_column_int64(s, 3) : 0, c->number));
        case STORE_COMPARE_VALUE:
                return compare_value(s, exists, c);
        }
        return error_set(reterr, -EINVAL, "unknown compare target %d", (int) c->target);
}

static int prefix_lasts(SqliteDb *db, const char *prefix, Error *reterr) {
        _cleanup_stmt_ sqlite3_stmt *s = sqlite_db_use(db, STMT_LIVE_LASTING);
        char end[SQLITE_END_BYTES];
        int r;

        if (sqlite_bind_range(s, prefix, true, end) != SQLITE_OK)
                return sqlite_db_failed(db, "reading", reterr);

        r = sqlite3_step(s);
        if (r != SQLITE_ROW && r != SQLITE_DONE)
                return sqlite_db_failed(db, "reading", reterr);
        return r == SQLITE_ROW;
}

int sqlite_op_lasts(SqliteDb *db, const StoreOp *op, Error *reterr) {
        Live old;
        int r;

        if (op->type == STORE_PUT && op->lease == 0)
                return 1;
        if (op->type == STORE_DELETE_PREFIX)
                return prefix_lasts(db, op->key, reterr);

        r = live_get(db, op->key, strlen(op->key), &old, reterr);
        if (r < 0)
                return r;
        return old.id > 0 && old.lease == 0;
}

/* Removes what this change has superseded, and the change itself if it says "deleted". */
static int sweep_change(SqliteDb *db, sqlite3_stmt *next, Error *reterr) {
        int64_t id = sqlite3_column_int64(next, 0);
        int key_size = sqlite3_column_bytes(next, 1);
        const void *key = sqlite3_column_blob(next, 1);
        _cleanup_stmt_ sqlite3_stmt *size = sqlite_db_use(db, STMT_SWEEP_SIZE);
        sqlite3_stmt *s;
        int64_t n;
        int r;

        if (sqlite3_bind_blob(size, 1, key, key_size, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_bind_int64(size, 2, id) != SQLITE_OK || sqlite3_step(size) != SQLITE_ROW)
                return sqlite_db_failed(db, "sweeping", reterr);

        n = sqlite3_column_int64(size, 0);
        db->counters.history_bytes -= n * CHANGE_BYTES + sqlite3_column_int64(size, 1);
        if (n > 0) {
                s = sqlite_db_use(db, STMT_SWEEP_DELETE);
                if (sqlite3_bind_blob(s, 1, key, key_size, SQLITE_STATIC) != SQLITE_OK ||
                    sqlite3_bind_int64(s, 2, id) != SQLITE_OK)
                        return sqlite_db_failed(db, "sweeping", reterr);
                r = sqlite_db_run(db, s, "sweeping", reterr);
                if (r < 0)
                        return r;
        }
        if (!sqlite3_column_int(next, 2))
                return 0;

        db->counters.history_bytes -= key_size + CHANGE_BYTES;
        s = sqlite_db_use(db, STMT_SWEEP_DELETE_ONE);
        if (sqlite3_bind_int64(s, 1, id) != SQLITE_OK)
                return sqlite_db_failed(db, "sweeping", reterr);
        return sqlite_db_run(db, s, "sweeping", reterr);
}

int sqlite_sweep(SqliteDb *db, int64_t n, Error *reterr) {
        SqliteCounters *c = &db->counters;

        for (; n > 0; n--) {
                _cleanup_stmt_ sqlite3_stmt *next = sqlite_db_use(db, STMT_SWEEP_NEXT);
                int64_t id, revision;
                int r;

                if (sqlite3_bind_int64(next, 1, c->swept) != SQLITE_OK)
                        return sqlite_db_failed(db, "sweeping", reterr);

                r = sqlite3_step(next);
                if (r == SQLITE_DONE)
                        return 0;
                if (r != SQLITE_ROW)
                        return sqlite_db_failed(db, "sweeping", reterr);

                id = sqlite3_column_int64(next, 0);
                revision = id >> SQLITE_SUB_BITS;
                if (revision >= c->revision || (revision > c->revision - db->keep_revisions &&
                                                c->history_bytes <= SQLITE_HISTORY_BYTES_MAX))
                        return 0;

                r = sweep_change(db, next, reterr);
                if (r < 0)
                        return r;
                c->compacted = MAX(c->compacted, revision);
                c->swept = id;
        }
        return 0;
}
