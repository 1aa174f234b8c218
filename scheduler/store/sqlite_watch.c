#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "scheduler/store/store_sqlite_internal.h"

/*
 * Watches read from the file what is new to them, in the turn of the loop after the change: events of
 * all the turn's transactions come in one call.
 */

/* Rows that one call of a watch looks at before others have their turn. */
#define ROWS_PER_TURN 4096

typedef struct SqliteWatch {
        StoreWatch watch;
        SqliteStore *store; /* NULL when the store is gone */
        ListLink watches;
        const StoreWatchHandler *handler;
        void *userdata;
        int64_t position; /* revision up to which it was told everything */
        uint64_t turn;    /* in which it was served last */
        bool lost;
        char prefix[];
} SqliteWatch;

int sqlite_watch_new(void *b, const char *prefix, int64_t after_revision,
                     const StoreWatchHandler *handler, void *userdata, StoreWatch **ret,
                     Error *reterr) {
        SqliteStore *s = b;
        size_t size = strlen(prefix) + 1;
        SqliteWatch *w;

        if (s->n_watches >= STORE_SQLITE_WATCHES_MAX)
                return error_set(reterr, -ENOBUFS, "more than %d watches on the store",
                                 STORE_SQLITE_WATCHES_MAX);

        w = mem_zalloc(sizeof(*w) + size);
        if (!w)
                return error_set(reterr, -ENOMEM, "watching the store: out of memory");

        w->watch.backend = &store_sqlite_backend;
        w->store = s;
        w->handler = handler;
        w->userdata = userdata;
        w->position = after_revision;
        memcpy(w->prefix, prefix, size);
        list_append(&s->watches, &w->watches);
        s->n_watches++;
        (void) event_defer_trigger(s->watches_source);
        *ret = &w->watch;
        return 0;
}

static void detach(SqliteWatch *w) {
        list_remove(&w->watches);
        if (w->store)
                w->store->n_watches--;
        w->store = NULL;
}

StoreWatch *sqlite_watch_free(StoreWatch *watch) {
        SqliteWatch *w = CONTAINER_OF(watch, SqliteWatch, watch);

        detach(w);
        mem_free(w);
        return NULL;
}

void sqlite_watches_detach(SqliteStore *s) {
        while (!list_is_empty(&s->watches))
                detach(CONTAINER_OF(s->watches.next, SqliteWatch, watches));
}

static void lose(SqliteWatch *w, int r, const Error *error) {
        w->lost = true;
        w->handler->lost(&w->watch, r, error, w->userdata);
}

static void events_done(SqliteEvents *events) {
        mem_free(events->items);
}

/* The callbacks may free the watch, others, and the store. */
static void serve(SqliteWatch *w) {
        _cleanup_(sqlite_arena_done) SqliteArena arena = { 0 };
        _cleanup_(events_done) SqliteEvents events = { 0 };
        _cleanup_error_ Error error = ERROR_INIT;
        SqliteDb *db = &w->store->db;
        int r;

        if (w->position < db->counters.compacted) {
                (void) error_set(&error, -ESTALE, "the changes after revision %lld are compacted",
                                 (long long) w->position);
                lose(w, -ESTALE, &error);
                return;
        }

        r = sqlite_changes(db, w->prefix, w->position, ROWS_PER_TURN, &arena, &events, &error);
        if (r < 0) {
                lose(w, r, &error);
                return;
        }

        w->position = events.revision;
        if (w->position < db->counters.revision)
                (void) event_defer_trigger(w->store->watches_source);
        if (events.n > 0)
                w->handler->changed(&w->watch, events.items, events.n, events.revision,
                                    w->userdata);
}

/* One that has something to be told and was not served in this turn. */
static SqliteWatch *next_due(SqliteStore *s) {
        for (ListLink *l = s->watches.next; l != &s->watches; l = l->next) {
                SqliteWatch *w = CONTAINER_OF(l, SqliteWatch, watches);

                if (!w->lost && w->turn != s->watch_turn &&
                    (w->position < s->db.counters.revision ||
                     w->position < s->db.counters.compacted))
                        return w;
        }
        return NULL;
}

void sqlite_watches_run(void *userdata) {
        SqliteStore *s = userdata;
        SqliteWatch *w;

        sqlite_store_enter(s);
        s->watch_turn++;
        while (!s->dead && (w = next_due(s))) {
                w->turn = s->watch_turn;
                serve(w);
        }
        sqlite_store_leave(s);
}
