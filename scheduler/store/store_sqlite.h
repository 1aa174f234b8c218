/*
 * The embedded store: one SQLite file (WAL) with all revisions since the last compaction.
 *
 * One process at a time (it holds a lock). What carries no lease is on disk, synced, before the answer
 * to its transaction. A damaged file is refused with advice and left as it is.
 */
#pragma once

#include <systemd/sd-event.h>

#include "scheduler/store/store.h"

typedef struct StoreSqliteOptions {
        const char *path;        /* created if missing, mode 0600 */
        uint64_t keep_revisions; /* history for watches and old reads; 0 = 10000 */
} StoreSqliteOptions;

/* -EUCLEAN = the file is damaged or not ours; -EBUSY = another process has it open; -ENOSPC, … with words. */
int store_sqlite_open(sd_event *event, const StoreSqliteOptions *options, Store **ret,
                      Error *reterr);
