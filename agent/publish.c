#include "agent/publish.h"

#include "lib/base/alloc.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/event/event.h"

#define PUBLISH_RETRY_MIN_USEC (100 * USEC_PER_MSEC)
#define PUBLISH_RETRY_MAX_USEC (10 * USEC_PER_SEC)

typedef struct PublishEntry {
        char *unit;
        UnitState *state; /* NULL = its document is to be removed */
        ListLink
                dirty; /* in the list of that name: differs from what was last asked to be written */
        ListLink in_flight; /* in the list of that name: part of the write under way */
} PublishEntry;

struct Publish {
        Registry *registry;
        char *machine_id;
        void (*lease_lost)(void *userdata);
        void *userdata;

        Map *entries; /* unit -> PublishEntry */
        ListLink dirty, in_flight;
        size_t n_dirty;
        int64_t lease;
        RegistryCall *call; /* the one write under way */
        sd_event_source *flush, *retry;
        Backoff backoff;
};

static void *publish_entry_free(void *p) {
        PublishEntry *e = p;

        if (!e)
                return NULL;
        list_remove(&e->dirty);
        list_remove(&e->in_flight);
        e->state = unit_state_free(e->state);
        mem_free(e->unit);
        return mem_free(e);
}

static bool is_listed(const ListLink *link) {
        return link->next != NULL;
}

static void set_dirty(Publish *p, PublishEntry *e) {
        if (is_listed(&e->dirty))
                return;
        list_append(&p->dirty, &e->dirty);
        p->n_dirty++;
}

static void trigger(Publish *p) {
        if (p->call || p->lease == 0 || event_timer_is_armed(p->retry))
                return;
        (void) event_defer_trigger(p->flush);
}

/* The write under way has ended: what of it must be done again, what is over? */
static void settle_entries(Publish *p, bool done) {
        LIST_FOREACH (PublishEntry, e, &p->in_flight, in_flight) {
                list_remove(&e->in_flight);
                if (!done)
                        set_dirty(p, e);
                else if (!e->state && !is_listed(&e->dirty))
                        map_remove(p->entries, e->unit);
        }
}

static void on_written(int r, int64_t revision _unused_, const Error *error, void *userdata) {
        Publish *p = userdata;

        p->call = registry_call_free(p->call);
        settle_entries(p, r == 0);
        if (r == -ENOKEY) {
                p->lease = 0;
                p->lease_lost(p->userdata);
                return;
        }
        if (r != 0) {
                uint64_t delay_usec = backoff_next(&p->backoff);

                log_warning("cannot write unit states, trying again in %" PRIu64 " ms: %s",
                            delay_usec / USEC_PER_MSEC, error_text(error));
                (void) event_timer_arm(p->retry, delay_usec);
                return;
        }
        backoff_reset(&p->backoff);
        if (p->n_dirty > 0)
                trigger(p);
}

static int write_entries(Publish *p, UnitState **states, const char **removed, Error *reterr) {
        size_t n_states = 0, n_removed = 0;
        int r;

        LIST_FOREACH (PublishEntry, e, &p->dirty, dirty) {
                if (e->state)
                        states[n_states++] = e->state;
                else
                        removed[n_removed++] = e->unit;
        }

        r = registry_states_put(p->registry, p->machine_id, states, n_states, removed, n_removed,
                                p->lease, on_written, p, &p->call, reterr);
        if (r < 0)
                return r;
        LIST_FOREACH (PublishEntry, e, &p->dirty, dirty) {
                list_remove(&e->dirty);
                list_append(&p->in_flight, &e->in_flight);
        }
        p->n_dirty = 0;
        return 0;
}

static void on_flush(void *userdata) {
        Publish *p = userdata;
        _cleanup_free_ UnitState **states = NULL;
        _cleanup_free_ const char **removed = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        int r = -ENOMEM;

        if (p->call || p->lease == 0 || p->n_dirty == 0)
                return;
        states = mem_new_array(UnitState *, p->n_dirty);
        removed = mem_new_array(const char *, p->n_dirty);
        if (states && removed)
                r = write_entries(p, states, removed, &error);
        if (r >= 0)
                return;
        log_warning("cannot write unit states, trying again: %s",
                    error_text(error_fill(&error, r) < 0 ? &error : NULL));
        (void) event_timer_arm(p->retry, backoff_next(&p->backoff));
}

int publish_new(const PublishOptions *options, Publish **ret) {
        _cleanup_(publish_freep) Publish *p = mem_new(Publish);
        int r;

        if (!p)
                return -ENOMEM;
        *p = (Publish){
                .registry = options->registry,
                .lease_lost = options->lease_lost,
                .userdata = options->userdata,
                .machine_id = str_dup(options->machine_id),
                .entries = map_new(publish_entry_free),
                .backoff = BACKOFF_INIT(PUBLISH_RETRY_MIN_USEC, PUBLISH_RETRY_MAX_USEC,
                                        (uint64_t) getpid()),
        };
        list_init(&p->dirty);
        list_init(&p->in_flight);
        if (!p->machine_id || !p->entries)
                return -ENOMEM;
        r = event_defer_new(options->event, "publish-flush", on_flush, p, &p->flush);
        if (r >= 0)
                r = event_timer_new(options->event, "publish-retry", on_flush, p, &p->retry);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

Publish *publish_free(Publish *p) {
        if (!p)
                return NULL;
        p->flush = event_drop(p->flush);
        p->retry = event_drop(p->retry);
        p->call = registry_call_free(p->call);
        p->entries = map_free(p->entries);
        p->machine_id = mem_free(p->machine_id);
        return mem_free(p);
}

static int entry_get(Publish *p, const char *unit, PublishEntry **ret) {
        PublishEntry *e = map_get(p->entries, unit);
        int r;

        if (!e) {
                e = mem_new(PublishEntry);
                if (!e)
                        return -ENOMEM;
                e->unit = str_dup(unit);
                r = e->unit ? map_put(p->entries, unit, e) : -ENOMEM;
                if (r < 0) {
                        publish_entry_free(e);
                        return r;
                }
        }
        *ret = e;
        return 0;
}

int publish_set(Publish *p, const UnitState *state) {
        _cleanup_(unit_state_freep) UnitState *copy = NULL;
        PublishEntry *e;
        int r;

        e = map_get(p->entries, state->unit);
        if (e && e->state && unit_state_equal(e->state, state))
                return 0;
        copy = unit_state_copy(state);
        if (!copy)
                return -ENOMEM;
        r = entry_get(p, state->unit, &e);
        if (r < 0)
                return r;

        unit_state_free(e->state);
        e->state = TAKE_PTR(copy);
        set_dirty(p, e);
        trigger(p);
        return 0;
}

int publish_remove(Publish *p, const char *unit) {
        PublishEntry *e = map_get(p->entries, unit);
        int r;

        if (e && !e->state)
                return 0;
        r = entry_get(p, unit, &e);
        if (r < 0)
                return r;
        e->state = unit_state_free(e->state);
        set_dirty(p, e);
        trigger(p);
        return 0;
}

const UnitState *publish_get(const Publish *p, const char *unit) {
        const PublishEntry *e = map_get(p->entries, unit);

        return e ? e->state : NULL;
}

void publish_set_lease(Publish *p, int64_t lease) {
        const char *unit;
        PublishEntry *e;

        if (lease == p->lease)
                return;
        p->lease = lease;
        if (lease == 0)
                return;
        MAP_FOREACH (unit, e, p->entries)
                set_dirty(p, e);
        event_timer_disarm(p->retry);
        backoff_reset(&p->backoff);
        trigger(p);
}

int publish_to_json(const Publish *p, json_t **ret) {
        _cleanup_json_ json_t *cache = json_object(), *pending = json_object();
        const char *unit;
        PublishEntry *e;
        int r;

        MAP_FOREACH (unit, e, p->entries) {
                json_t *doc = NULL;

                if (!e->state)
                        continue;
                r = unit_state_to_json(e->state, &doc);
                if (r < 0)
                        return r;
                if (json_object_set_new(is_listed(&e->dirty) || is_listed(&e->in_flight) ? pending
                                                                                         : cache,
                                        unit, doc) < 0)
                        return -ENOMEM;
        }
        *ret = json_pack("{s:O,s:O}", "Cache", cache, "ToPublish", pending);
        return *ret ? 0 : -ENOMEM;
}
