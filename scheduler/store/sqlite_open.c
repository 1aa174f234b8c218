#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "scheduler/store/sqlite_db.h"

/* Opening: whose file is it, is anybody else in it, is it whole. A file that fails is left as it is. */

#define APPLICATION_ID 0x666c6f74 /* "flot" */
#define FORMAT_VERSION 1
#define KEEP_REVISIONS_DEFAULT 10000

/* A file up to this size is checked at each start; a bigger one only after an unclean end. */
#define CHECK_ALWAYS_BYTES ((off_t) (4 * MIB))

#define QUOTE(x) QUOTE_(x)
#define QUOTE_(x) #x

static const char SCHEMA[] =
        "CREATE TABLE change(id INTEGER PRIMARY KEY, key BLOB NOT NULL, deleted INTEGER NOT NULL,"
        " create_revision INTEGER NOT NULL, version INTEGER NOT NULL, lease INTEGER NOT NULL,"
        " value BLOB NOT NULL);"
        "CREATE INDEX change_by_key ON change(key);"
        "CREATE TABLE live(key BLOB PRIMARY KEY, id INTEGER NOT NULL, lease INTEGER NOT NULL)"
        " WITHOUT ROWID;"
        "CREATE INDEX live_by_lease ON live(lease) WHERE lease != 0;"
        "CREATE TABLE lease(id INTEGER PRIMARY KEY, ttl_usec INTEGER NOT NULL);"
        "CREATE TABLE counters(id INTEGER PRIMARY KEY CHECK(id = 0), revision INTEGER NOT NULL,"
        " compacted INTEGER NOT NULL, swept INTEGER NOT NULL, history_bytes INTEGER NOT NULL,"
        " last_lease INTEGER NOT NULL);"
        "INSERT INTO counters VALUES(0, 1, 0, 0, 0, 0);"
        "PRAGMA application_id=" QUOTE(APPLICATION_ID) ";"
                                                       "PRAGMA user_version=" QUOTE(
                                                               FORMAT_VERSION) ";";

static const char *const SQL[STMT_COUNT] = {
        [STMT_BEGIN] = "BEGIN",
        [STMT_COMMIT] = "COMMIT",
        [STMT_ROLLBACK] = "ROLLBACK",
        [STMT_LIVE_GET] = "SELECT c.id, c.create_revision, c.version, c.lease, length(c.value),"
                          " c.value FROM live l JOIN change c ON c.id = l.id WHERE l.key = ?",
        [STMT_LIVE_SET] = "INSERT OR REPLACE INTO live(key, id, lease) VALUES(?, ?, ?)",
        [STMT_LIVE_REMOVE] = "DELETE FROM live WHERE key = ?",
        [STMT_LIVE_KEYS] = "SELECT key FROM live WHERE key >= ? AND key < ? LIMIT 256",
        [STMT_LIVE_LEASED] = "SELECT key FROM live WHERE lease = ? AND lease != 0 LIMIT 256",
        [STMT_LIVE_LASTING] = "SELECT 1 FROM live WHERE key >= ? AND key < ? AND lease = 0 LIMIT 1",
        [STMT_RANGE_NOW] = "SELECT l.key, c.id, c.deleted, c.create_revision, c.version, c.lease,"
                           " c.value FROM live l JOIN change c ON c.id = l.id"
                           " WHERE l.key >= ? AND l.key < ? ORDER BY l.key",
        [STMT_RANGE_NOW_KEYS] =
                "SELECT l.key, c.id, c.deleted, c.create_revision, c.version, c.lease, x''"
                " FROM live l JOIN change c ON c.id = l.id"
                " WHERE l.key >= ? AND l.key < ? ORDER BY l.key",
        [STMT_RANGE_AT] = "SELECT key, max(id), deleted, create_revision, version, lease, value"
                          " FROM change WHERE key >= ? AND key < ? AND id <= ?"
                          " GROUP BY key ORDER BY key",
        [STMT_RANGE_AT_KEYS] = "SELECT key, max(id), deleted, create_revision, version, lease, x''"
                               " FROM change WHERE key >= ? AND key < ? AND id <= ?"
                               " GROUP BY key ORDER BY key",
        [STMT_CHANGE_ADD] = "INSERT INTO change VALUES(?, ?, ?, ?, ?, ?, ?)",
        [STMT_CHANGES_AFTER] = "SELECT key, id, deleted, create_revision, version, lease, value"
                               " FROM change WHERE id > ? ORDER BY id",
        [STMT_SWEEP_NEXT] = "SELECT id, key, deleted, length(value) FROM change WHERE id > ?"
                            " ORDER BY id LIMIT 1",
        [STMT_SWEEP_SIZE] = "SELECT count(*), total(length(key) + length(value)) FROM change"
                            " WHERE key = ? AND id < ?",
        [STMT_SWEEP_DELETE] = "DELETE FROM change WHERE key = ? AND id < ?",
        [STMT_SWEEP_DELETE_ONE] = "DELETE FROM change WHERE id = ?",
        [STMT_LEASE_ADD] = "INSERT INTO lease VALUES(?, ?)",
        [STMT_LEASE_REMOVE] = "DELETE FROM lease WHERE id = ?",
        [STMT_LEASE_LIST] = "SELECT id, ttl_usec FROM lease ORDER BY id",
        [STMT_COUNTERS_GET] = "SELECT revision, compacted, swept, history_bytes, last_lease"
                              " FROM counters WHERE id = 0",
        [STMT_COUNTERS_SET] = "UPDATE counters SET revision = ?, compacted = ?, swept = ?,"
                              " history_bytes = ?, last_lease = ? WHERE id = 0",
};

/* Words for a file that we will not use. */
static int refuse(SqliteDb *db, const char *why, Error *reterr) {
        return error_set(
                reterr, -EUCLEAN,
                "the store '%s' cannot be used: %s; it was left as it is: move it (and its "
                "-wal file) aside to start with an empty store, or put a copy of it back",
                db->path, why);
}

static int open_failed(SqliteDb *db, Error *reterr) {
        int r = sqlite_db_failed(db, "opening", NULL);

        if (r == -EUCLEAN)
                return refuse(db, sqlite3_errmsg(db->handle), reterr);
        if (r == -EBUSY)
                return error_set(reterr, r,
                                 "the store '%s' is in use by another process (is a fleetd running "
                                 "with this state directory?)",
                                 db->path);
        return sqlite_db_failed(db, "opening the store", reterr);
}

static int exec(SqliteDb *db, const char *sql, Error *reterr) {
        if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
                return open_failed(db, reterr);
        return 0;
}

/* First column of the first row as a number. */
static int query_number(SqliteDb *db, const char *sql, int64_t *ret, Error *reterr) {
        sqlite3_stmt *s = NULL;
        int r = 0;

        if (sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL) != SQLITE_OK ||
            sqlite3_step(s) != SQLITE_ROW)
                r = open_failed(db, reterr);
        else
                *ret = sqlite3_column_int64(s, 0);

        (void) sqlite3_finalize(s);
        return r;
}

/* Does the file, as far as it can be seen without reading its values, hang together? */
static int check_whole(SqliteDb *db, Error *reterr) {
        sqlite3_stmt *s = NULL;
        int r = 0;

        if (sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &s, NULL) != SQLITE_OK ||
            sqlite3_step(s) != SQLITE_ROW)
                r = open_failed(db, reterr);
        else if (strcmp((const char *) sqlite3_column_text(s, 0), "ok") != 0)
                r = refuse(db, (const char *) sqlite3_column_text(s, 0), reterr);

        (void) sqlite3_finalize(s);
        return r;
}

/* sqlite would make it readable by all; the -wal file gets the same mode. */
static int create_file(const char *path, Error *reterr) {
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd >= 0) {
                (void) close(fd);
                return 0;
        }
        if (errno == EEXIST)
                return 0;
        return error_set(reterr, -errno, "creating the store '%s': %s", path, strerror(errno));
}

static int create_tables(SqliteDb *db, Error *reterr) {
        int r;

        r = exec(db, "BEGIN EXCLUSIVE", reterr);
        if (r < 0)
                return r;

        r = exec(db, SCHEMA, reterr);
        if (r < 0)
                return r;

        return exec(db, "COMMIT", reterr);
}

/* The first reading access takes the lock (sqlite3 "PRAGMA locking_mode"). */
static int check_ours(SqliteDb *db, Error *reterr) {
        int64_t id, version, pages;
        int r;

        r = query_number(db, "PRAGMA application_id", &id, reterr);
        if (r < 0)
                return r;
        r = query_number(db, "PRAGMA page_count", &pages, reterr);
        if (r < 0)
                return r;
        if (pages == 0)
                return create_tables(db, reterr);

        r = query_number(db, "PRAGMA user_version", &version, reterr);
        if (r < 0)
                return r;
        if (id != APPLICATION_ID)
                return refuse(db, "it is a database of another program", reterr);
        if (version != FORMAT_VERSION)
                return refuse(db, "another version of fleetd has written it, in another format",
                              reterr);
        return 0;
}

static bool ended_uncleanly(const char *path) {
        char *wal = str_printf("%s-wal", path);
        struct stat st;
        bool r;

        r = !wal || (stat(wal, &st) == 0 && st.st_size > 0);
        mem_free(wal);
        return r;
}

static int prepare(SqliteDb *db, Error *reterr) {
        for (int i = 0; i < STMT_COUNT; i++)
                if (sqlite3_prepare_v3(db->handle, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
                                       &db->statements[i], NULL) != SQLITE_OK) {
                        if (sqlite3_errcode(db->handle) == SQLITE_ERROR)
                                return refuse(db, sqlite3_errmsg(db->handle), reterr);
                        return open_failed(db, reterr);
                }
        return 0;
}

static int read_counters(SqliteDb *db, Error *reterr) {
        _cleanup_stmt_ sqlite3_stmt *s = sqlite_db_use(db, STMT_COUNTERS_GET);
        int64_t newest;
        int r;

        r = sqlite3_step(s);
        if (r == SQLITE_DONE)
                return refuse(db, "its counters are missing", reterr);
        if (r != SQLITE_ROW)
                return open_failed(db, reterr);

        db->counters = (SqliteCounters){
                .revision = sqlite3_column_int64(s, 0),
                .compacted = sqlite3_column_int64(s, 1),
                .swept = sqlite3_column_int64(s, 2),
                .history_bytes = sqlite3_column_int64(s, 3),
                .last_lease = sqlite3_column_int64(s, 4),
        };
        r = query_number(db, "SELECT coalesce(max(id), 0) FROM change", &newest, reterr);
        if (r < 0)
                return r;
        if (newest >> SQLITE_SUB_BITS > db->counters.revision)
                return refuse(db, "its counters are older than its changes", reterr);
        return 0;
}

static int open_handle(SqliteDb *db, Error *reterr) {
        int r;

        r = create_file(db->path, reterr);
        if (r < 0)
                return r;

        r = sqlite3_open_v2(db->path, &db->handle,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE |
                                    SQLITE_OPEN_EXRESCODE,
                            NULL);
        if (!db->handle)
                return error_set(reterr, -ENOMEM, "opening the store '%s': out of memory",
                                 db->path);
        if (r != SQLITE_OK)
                return open_failed(db, reterr);

        /* Until it has proved good, closing must not write into it. */
        (void) sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return exec(
                db,
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;"
                "PRAGMA cell_size_check=ON",
                reterr);
}

/* A cut within its last page is nothing that sqlite looks for. */
static int check_length(SqliteDb *db, off_t bytes, Error *reterr) {
        int64_t pages, page_bytes;
        int r;

        r = query_number(db, "PRAGMA page_count", &pages, reterr);
        if (r < 0)
                return r;
        r = query_number(db, "PRAGMA page_size", &page_bytes, reterr);
        if (r < 0)
                return r;
        if (bytes < pages * page_bytes)
                return refuse(db, "its end is missing", reterr);
        return 0;
}

static int check_file(SqliteDb *db, bool unclean, Error *reterr) {
        struct stat st;
        int r;

        if (stat(db->path, &st) < 0)
                return error_set(reterr, -errno, "opening the store '%s': %s", db->path,
                                 strerror(errno));
        if (!unclean) {
                r = check_length(db, st.st_size, reterr);
                if (r < 0)
                        return r;
        }
        if (unclean || st.st_size <= CHECK_ALWAYS_BYTES)
                return check_whole(db, reterr);
        return 0;
}

int sqlite_db_open(SqliteDb *db, const char *path, uint64_t keep_revisions, Error *reterr) {
        bool unclean = ended_uncleanly(path);
        int r;

        sqlite_memory_init();
        db->keep_revisions = (int64_t) (keep_revisions == 0
                                                ? KEEP_REVISIONS_DEFAULT
                                                : MIN(keep_revisions, (uint64_t) INT32_MAX));
        db->synced = true;
        db->path = str_dup(path);
        if (!db->path)
                return error_set(reterr, -ENOMEM, "opening the store '%s': out of memory", path);

        r = open_handle(db, reterr);
        if (r < 0)
                return r;

        r = check_ours(db, reterr);
        if (r < 0)
                return r;

        r = check_file(db, unclean, reterr);
        if (r < 0)
                return r;

        r = prepare(db, reterr);
        if (r < 0)
                return r;

        r = read_counters(db, reterr);
        if (r < 0)
                return r;

        r = exec(db,
                 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                 "PRAGMA journal_size_limit=8388608; PRAGMA wal_autocheckpoint=1000",
                 reterr);
        if (r < 0)
                return r;

        (void) sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        return 0;
}

void sqlite_db_done(SqliteDb *db) {
        for (int i = 0; i < STMT_COUNT; i++)
                (void) sqlite3_finalize(db->statements[i]);
        if (db->handle)
                (void) sqlite3_close(db->handle);
        mem_free(db->path);
        *db = (SqliteDb){ 0 };
}
