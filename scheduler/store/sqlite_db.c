#include "scheduler/store/sqlite_db.h"

#include <inttypes.h>

#include "lib/base/alloc.h"

/* Running statements and transactions; sqlite_open.c opens the file and has the SQL. */

static int code_to_errno(int code, int system_errno) {
        if (system_errno == ENOSPC || system_errno == EDQUOT)
                return -ENOSPC;

        switch (code & 0xff) {
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return -EUCLEAN;
        case SQLITE_READONLY:
                return -EROFS;
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return -EACCES;
        case SQLITE_TOOBIG:
                return -EFBIG;
        default:
                return system_errno > 0 ? -system_errno : -EIO;
        }
}

int sqlite_db_failed(SqliteDb *db, const char *what, Error *reterr) {
        int code = sqlite3_extended_errcode(db->handle);
        int r = code_to_errno(code,
                              (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN
                                      ? sqlite3_system_errno(db->handle)
                                      : 0);

        if (r == -ENOSPC)
                return error_set(reterr, r, "%s '%s': no space left on its file system", what,
                                 db->path);
        return error_set(reterr, r, "%s '%s': %s", what, db->path, sqlite3_errmsg(db->handle));
}

sqlite3_stmt *sqlite_db_use(SqliteDb *db, SqliteStatement which) {
        sqlite3_stmt *s = db->statements[which];

        (void) sqlite3_reset(s); /* repeats the error of the run before, which was handled there */
        (void) sqlite3_clear_bindings(s);
        return s;
}

int sqlite_bind_key(sqlite3_stmt *s, int at, const char *key) {
        return sqlite3_bind_blob(s, at, key, (int) strlen(key), SQLITE_STATIC);
}

int sqlite_bind_range(sqlite3_stmt *s, const char *key, bool prefix, char end[SQLITE_END_BYTES]) {
        size_t n = strlen(key), size = n + 1; /* nothing lies between a key and itself with a NUL */
        int r;

        memcpy(end, key, n + 1);
        if (prefix) {
                while (n > 0 && (unsigned char) end[n - 1] == 0xff)
                        n--;
                if (n > 0)
                        end[n - 1]++;
                else /* above every key: none is longer */
                        memset(end, 0xff, n = SQLITE_END_BYTES);
                size = n;
        }

        r = sqlite_bind_key(s, 1, key);
        return r != SQLITE_OK ? r : sqlite3_bind_blob(s, 2, end, (int) size, SQLITE_STATIC);
}

int sqlite_db_run(SqliteDb *db, sqlite3_stmt *s, const char *what, Error *reterr) {
        int r = 0;

        if (sqlite3_step(s) != SQLITE_DONE)
                r = sqlite_db_failed(db, what, reterr);
        (void) sqlite3_reset(s);
        return r;
}

static int set_synced(SqliteDb *db, bool synced, Error *reterr) {
        const char *sql = synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";

        if (db->synced == synced)
                return 0;

        if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
                return sqlite_db_failed(db, "writing to", reterr);

        db->synced = synced;
        return 0;
}

int sqlite_db_begin(SqliteDb *db, bool synced, Error *reterr) {
        int r;

        r = set_synced(db, synced, reterr);
        if (r < 0)
                return r;

        db->saved = db->counters;
        return sqlite_db_run(db, sqlite_db_use(db, STMT_BEGIN), "writing to", reterr);
}

static int write_counters(SqliteDb *db, Error *reterr) {
        sqlite3_stmt *s = sqlite_db_use(db, STMT_COUNTERS_SET);
        const SqliteCounters *c = &db->counters;

        if (memcmp(c, &db->saved, sizeof(*c)) == 0)
                return 0;

        if (sqlite3_bind_int64(s, 1, c->revision) != SQLITE_OK ||
            sqlite3_bind_int64(s, 2, c->compacted) != SQLITE_OK ||
            sqlite3_bind_int64(s, 3, c->swept) != SQLITE_OK ||
            sqlite3_bind_int64(s, 4, c->history_bytes) != SQLITE_OK ||
            sqlite3_bind_int64(s, 5, c->last_lease) != SQLITE_OK)
                return sqlite_db_failed(db, "writing to", reterr);

        return sqlite_db_run(db, s, "writing to", reterr);
}

int sqlite_db_commit(SqliteDb *db, Error *reterr) {
        int r;

        r = write_counters(db, reterr);
        if (r >= 0)
                r = sqlite_db_run(db, sqlite_db_use(db, STMT_COMMIT), "writing to", reterr);
        if (r < 0)
                sqlite_db_rollback(db);
        return r;
}

void sqlite_db_rollback(SqliteDb *db) {
        db->counters = db->saved;
        /* A full disk may have rolled it back already (sqlite3_get_autocommit(3)). */
        if (!sqlite3_get_autocommit(db->handle))
                (void) sqlite_db_run(db, sqlite_db_use(db, STMT_ROLLBACK), "rolling back", NULL);
}
