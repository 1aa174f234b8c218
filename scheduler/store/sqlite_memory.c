#include <sqlite3.h>

#include "lib/base/alloc.h"
#include "scheduler/store/sqlite_db.h"

/* sqlite asks for the size of what it got, so it stands before each block. It needs 8-byte alignment only. */
#define HEADER sizeof(uint64_t)

static void *memory_malloc(int size) {
        char *p = mem_alloc((size_t) size + HEADER);

        if (!p)
                return NULL;

        *(uint64_t *) (void *) p = (uint64_t) size;
        return p + HEADER;
}

static void memory_free(void *p) {
        if (p)
                mem_free((char *) p - HEADER);
}

static int memory_size(void *p) {
        return p ? (int) *(uint64_t *) (void *) ((char *) p - HEADER) : 0;
}

static void *memory_realloc(void *p, int size) {
        char *q = mem_realloc((char *) p - HEADER, (size_t) size + HEADER);

        if (!q)
                return NULL;

        *(uint64_t *) (void *) q = (uint64_t) size;
        return q + HEADER;
}

static int memory_roundup(int size) {
        return (size + 7) & ~7;
}

static int memory_init(void *userdata _unused_) {
        return SQLITE_OK;
}

static void memory_shutdown(void *userdata _unused_) {
}

void sqlite_memory_init(void) {
        static const sqlite3_mem_methods methods = {
                .xMalloc = memory_malloc,
                .xFree = memory_free,
                .xRealloc = memory_realloc,
                .xSize = memory_size,
                .xRoundup = memory_roundup,
                .xInit = memory_init,
                .xShutdown = memory_shutdown,
        };

        /* SQLITE_MISUSE when sqlite is in use already: then this was done before. */
        (void) sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
        (void) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        (void) sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}
