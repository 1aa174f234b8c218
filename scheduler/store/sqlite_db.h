/*
 * The SQLite file of the embedded store: opening it with all its checks, its prepared statements, and
 * the multi-version keys in it. Knows nothing of the loop.
 *
 * Tables: `change` has one row per changed key and revision; its id is revision << SQLITE_SUB_BITS
 * plus the number of the change within the revision, so that the order of ids is the order of
 * changes. `live` points from each key that exists to its newest change. `lease` holds the leases,
 * `counters` (one row) what SqliteCounters says.
 *
 * Durability: WAL with synchronous=FULL, so that a commit is synced before it is answered (0.13 ms
 * on an SSD that tells the truth). Keys under a lease are ephemeral: they vanish anyway when their
 * owner does, and so a transaction that touches only such keys commits with synchronous=NORMAL. It
 * can be lost by a power failure, never torn or reordered, and costs no sync.
 */
#pragma once

#include <sqlite3.h>

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "scheduler/store/store.h"

#define SQLITE_SUB_BITS 20
#define SQLITE_CHANGES_MAX ((int64_t) 1 << SQLITE_SUB_BITS) /* in one revision */

/* History beyond this goes, even if keep_revisions would keep it. */
#define SQLITE_HISTORY_BYTES_MAX ((int64_t) (64 * MIB))

/* Largest answer to one read. */
#define SQLITE_READ_BYTES_MAX (512 * MIB)

typedef enum SqliteStatement {
        STMT_BEGIN,
        STMT_COMMIT,
        STMT_ROLLBACK,
        STMT_LIVE_GET,
        STMT_LIVE_SET,
        STMT_LIVE_REMOVE,
        STMT_LIVE_KEYS,
        STMT_LIVE_LEASED,
        STMT_LIVE_LASTING,
        STMT_RANGE_NOW,
        STMT_RANGE_NOW_KEYS,
        STMT_RANGE_AT,
        STMT_RANGE_AT_KEYS,
        STMT_CHANGE_ADD,
        STMT_CHANGES_AFTER,
        STMT_SWEEP_NEXT,
        STMT_SWEEP_SIZE,
        STMT_SWEEP_DELETE,
        STMT_SWEEP_DELETE_ONE,
        STMT_LEASE_ADD,
        STMT_LEASE_REMOVE,
        STMT_LEASE_LIST,
        STMT_COUNTERS_GET,
        STMT_COUNTERS_SET,
        STMT_COUNT,
} SqliteStatement;

typedef struct SqliteCounters {
        int64_t revision;      /* the newest; an empty store is at 1 */
        int64_t compacted;     /* reads at, and watches after, an older revision are refused */
        int64_t swept;         /* id up to which superseded changes are removed */
        int64_t history_bytes; /* of changes that are not live */
        int64_t last_lease;
} SqliteCounters;

typedef struct SqliteDb {
        sqlite3 *handle;
        char *path;
        sqlite3_stmt *statements[STMT_COUNT];
        SqliteCounters counters, saved; /* saved: as they were when the transaction began */
        int64_t keep_revisions;
        bool synced; /* as synchronous is set now */
} SqliteDb;

/* *db must be zeroed; call sqlite_db_done() in any case. Errors as store_sqlite_open(). */
int sqlite_db_open(SqliteDb *db, const char *path, uint64_t keep_revisions, Error *reterr);
void sqlite_db_done(SqliteDb *db); /* a clean close: nothing but the one file is left */

/* The statement, reset and without bindings. Reset it after use: an open cursor holds up checkpoints. */
sqlite3_stmt *sqlite_db_use(SqliteDb *db, SqliteStatement which);
static inline void sqlite_stmt_resetp(sqlite3_stmt **s) {
        if (*s)
                (void) sqlite3_reset(*s);
}
#define _cleanup_stmt_ _cleanup_(sqlite_stmt_resetp)

/* Keys are blobs, so that they sort by their bytes. */
int sqlite_bind_key(sqlite3_stmt *s, int at, const char *key);

/*
 * Parameters 1 and 2 become the first key and the one behind the last: of all that begin with key, or of
 * this one. `end` holds the second for as long as the statement is in use.
 */
#define SQLITE_END_BYTES (STORE_KEY_MAX + 1)
int sqlite_bind_range(sqlite3_stmt *s, const char *key, bool prefix, char end[SQLITE_END_BYTES]);

/* SQLite's last error as negative errno, with words: "<what>: …". */
int sqlite_db_failed(SqliteDb *db, const char *what, Error *reterr);
int sqlite_db_run(SqliteDb *db, sqlite3_stmt *s, const char *what, Error *reterr); /* no rows */

/* synced: on disk when commit returns. A failed commit is rolled back. */
int sqlite_db_begin(SqliteDb *db, bool synced, Error *reterr);
int sqlite_db_commit(SqliteDb *db, Error *reterr);
void sqlite_db_rollback(SqliteDb *db);

/* ---- keys ---- */

/* One revision in the making: its changes are numbered here. */
typedef struct SqliteWriter {
        SqliteDb *db;
        int64_t revision;
        int64_t n;
} SqliteWriter;

static inline SqliteWriter sqlite_writer(SqliteDb *db) {
        return (SqliteWriter){ .db = db, .revision = db->counters.revision + 1 };
}
int sqlite_write(SqliteWriter *w, const StoreOp *op, Error *reterr);
int sqlite_write_unlease(SqliteWriter *w, int64_t lease,
                         Error *reterr);    /* deletes what carries it */
void sqlite_writer_finish(SqliteWriter *w); /* the revision counts, if anything changed */

/* 1 = holds, 0 = does not. */
int sqlite_compare(SqliteDb *db, const StoreCompare *c, Error *reterr);

/* 1 = the operation touches a key that has no lease, before or after; 0 = it does not. */
int sqlite_op_lasts(SqliteDb *db, const StoreOp *op, Error *reterr);

/* Removes what nobody can ask for any more, at most n changes' worth. */
int sqlite_sweep(SqliteDb *db, int64_t n, Error *reterr);

/* ---- results ---- */

/* Strings whose addresses hold until the arena is done. */
typedef struct SqliteArena {
        struct SqliteChunk *chunks;
        size_t bytes;
} SqliteArena;
void sqlite_arena_done(SqliteArena *a);

/* Appends to *kvs (n, capacity) what the range holds at `revision`. */
typedef struct SqliteKvs {
        StoreKv *items;
        size_t n, capacity;
} SqliteKvs;
int sqlite_range(SqliteDb *db, const StoreRange *range, int64_t revision, SqliteArena *arena,
                 SqliteKvs *kvs, Error *reterr);

typedef struct SqliteEvents {
        StoreEvent *items;
        size_t n, capacity;
        int64_t revision; /* up to which all changes were looked at */
} SqliteEvents;

/* Changes of whole revisions after `after`, of keys below prefix; stops after about `limit` rows. */
int sqlite_changes(SqliteDb *db, const char *prefix, int64_t after, size_t limit,
                   SqliteArena *arena, SqliteEvents *ret, Error *reterr);

/* sqlite's heap becomes lib/base/alloc.h's; only the first call of a process does anything. */
void sqlite_memory_init(void);
