#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/store/sqlite_db.h"

/* Reading: ranges at a revision and the changes after one, with strings in an arena. */

#define CHUNK_BYTES ((size_t) (16 * KIB))

typedef struct SqliteChunk {
        struct SqliteChunk *next;
        size_t used, size;
        char data[];
} SqliteChunk;

void sqlite_arena_done(SqliteArena *a) {
        while (a->chunks) {
                SqliteChunk *c = a->chunks;

                a->chunks = c->next;
                mem_free(c);
        }
        a->bytes = 0;
}

/* A copy with a NUL byte behind it, or NULL. */
static const char *arena_add(SqliteArena *a, const void *data, size_t size) {
        SqliteChunk *c = a->chunks;
        char *p;

        if (!c || c->size - c->used < size + 1) {
                size_t room = MAX(CHUNK_BYTES, size + 1);

                c = mem_alloc(sizeof(*c) + room);
                if (!c)
                        return NULL;
                *c = (SqliteChunk){ .next = a->chunks, .size = room };
                a->chunks = c;
        }

        p = c->data + c->used;
        if (size > 0)
                memcpy(p, data, size);
        p[size] = '\0';
        c->used += size + 1;
        a->bytes += size + 1;
        return p;
}

/* Columns: key, id, deleted, create_revision, version, lease, value. */
static int row_to_kv(sqlite3_stmt *s, SqliteArena *arena, StoreKv *ret) {
        StoreKv kv = {
                .value_size = (size_t) sqlite3_column_bytes(s, 6),
                .create_revision = sqlite3_column_int64(s, 3),
                .mod_revision = sqlite3_column_int64(s, 1) >> SQLITE_SUB_BITS,
                .version = sqlite3_column_int64(s, 4),
                .lease = sqlite3_column_int64(s, 5),
        };

        kv.key = arena_add(arena, sqlite3_column_blob(s, 0), (size_t) sqlite3_column_bytes(s, 0));
        kv.value = kv.value_size == 0 ? ""
                                      : arena_add(arena, sqlite3_column_blob(s, 6), kv.value_size);
        if (!kv.key || !kv.value)
                return -ENOMEM;

        *ret = kv;
        return 0;
}

static int take_rows(SqliteDb *db, sqlite3_stmt *s, SqliteArena *arena, SqliteKvs *kvs,
                     Error *reterr) {
        int r;

        while ((r = sqlite3_step(s)) == SQLITE_ROW) {
                if (sqlite3_column_int(s, 2))
                        continue;
                if (mem_grow(&kvs->items, &kvs->capacity, kvs->n + 1, sizeof(StoreKv)) < 0 ||
                    row_to_kv(s, arena, &kvs->items[kvs->n]) < 0)
                        return error_set(reterr, -ENOMEM, "reading '%s': out of memory", db->path);
                kvs->n++;
                if (arena->bytes > SQLITE_READ_BYTES_MAX)
                        return error_set(reterr, -EFBIG, "more than %zu bytes in one read",
                                         SQLITE_READ_BYTES_MAX);
        }
        return r == SQLITE_DONE ? 0 : sqlite_db_failed(db, "reading", reterr);
}

int sqlite_range(SqliteDb *db, const StoreRange *range, int64_t revision, SqliteArena *arena,
                 SqliteKvs *kvs, Error *reterr) {
        bool now = revision == db->counters.revision;
        SqliteStatement which = now ? (range->keys_only ? STMT_RANGE_NOW_KEYS : STMT_RANGE_NOW)
                                    : (range->keys_only ? STMT_RANGE_AT_KEYS : STMT_RANGE_AT);
        _cleanup_stmt_ sqlite3_stmt *s = sqlite_db_use(db, which);
        char end[SQLITE_END_BYTES];

        if (sqlite_bind_range(s, range->key, range->prefix, end) != SQLITE_OK)
                return sqlite_db_failed(db, "reading", reterr);
        if (!now && sqlite3_bind_int64(s, 3, ((revision + 1) << SQLITE_SUB_BITS) - 1) != SQLITE_OK)
                return sqlite_db_failed(db, "reading", reterr);

        return take_rows(db, s, arena, kvs, reterr);
}

static bool row_below(sqlite3_stmt *s, const char *prefix, size_t size) {
        return (size_t) sqlite3_column_bytes(s, 0) >= size &&
               memcmp(sqlite3_column_blob(s, 0), prefix, size) == 0;
}

static int add_event(sqlite3_stmt *s, SqliteArena *arena, SqliteEvents *events) {
        int r;

        r = mem_grow(&events->items, &events->capacity, events->n + 1, sizeof(StoreEvent));
        if (r < 0)
                return r;

        events->items[events->n] = (StoreEvent){ .deleted = sqlite3_column_int(s, 2) };
        r = row_to_kv(s, arena, &events->items[events->n].kv);
        if (r < 0)
                return r;

        events->n++;
        return 0;
}

int sqlite_changes(SqliteDb *db, const char *prefix, int64_t after, size_t limit,
                   SqliteArena *arena, SqliteEvents *ret, Error *reterr) {
        _cleanup_stmt_ sqlite3_stmt *s = sqlite_db_use(db, STMT_CHANGES_AFTER);
        size_t size = strlen(prefix), seen = 0;
        int r;

        ret->revision = after;
        if (sqlite3_bind_int64(s, 1, ((after + 1) << SQLITE_SUB_BITS) - 1) != SQLITE_OK)
                return sqlite_db_failed(db, "reading", reterr);

        while ((r = sqlite3_step(s)) == SQLITE_ROW) {
                int64_t revision = sqlite3_column_int64(s, 1) >> SQLITE_SUB_BITS;

                if (revision != ret->revision && (seen >= limit || arena->bytes >= 4 * MIB))
                        return 0;
                ret->revision = revision;
                seen++;
                if (row_below(s, prefix, size) && add_event(s, arena, ret) < 0)
                        return error_set(reterr, -ENOMEM, "reading '%s': out of memory", db->path);
        }
        if (r != SQLITE_DONE)
                return sqlite_db_failed(db, "reading", reterr);

        ret->revision = db->counters.revision;
        return 0;
}
