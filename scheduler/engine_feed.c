#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "scheduler/engine_internal.h"
#include "specs/requirements.h"

/*
 * From the registry into the core. A unit is fed once its content was read and understood; contents are
 * fetched once per hash. What cannot be read is left alone: the core learns nothing of it, and so decides
 * nothing about it.
 */

/* ---- the view ---- */

static void *unit_free(void *unit) {
        EngineUnit *u = unit;

        for (size_t i = 0; i < u->n_places; i++)
                mem_free(u->places[i].machine);
        mem_free(u->places);
        mem_free(u->name);
        return mem_free(u);
}

static void *content_free(void *content) {
        EngineContent *c = content;

        registry_call_free(c->fetching);
        list_remove(&c->wanted);
        unit_file_free(c->file);
        mem_free(c->broken);
        return mem_free(c);
}

static void *free_memory(void *p) {
        return mem_free(p);
}

static bool eligible(const Machine *m, const char *unit, const char *hash, const char **ret_reason,
                     void *userdata) {
        Engine *e = userdata;
        const EngineContent *c = engine_content(e, hash);
        char *reason = NULL;

        if (!e->options.eligible_fn || !c || !c->file ||
            e->options.eligible_fn(m, unit, c->file, &reason, e->options.userdata))
                return true;

        mem_free(e->ineligible);
        e->ineligible = reason;
        *ret_reason = reason ? reason : "no driver for it";
        return false;
}

int engine_view_new(Engine *e) {
        engine_view_drop(e);
        e->units = map_new(unit_free);
        e->contents = map_new(content_free);
        e->machines = map_new(free_memory);
        e->silent = map_new(free_memory);
        e->reasons = map_new(free_memory);
        e->sayings = map_new(free_memory);
        if (!e->sayings || !e->units || !e->contents || !e->machines || !e->silent || !e->reasons)
                return -ENOMEM;
        return core_new(eligible, e, &e->core);
}

void engine_view_drop(Engine *e) {
        e->core = core_free(e->core);
        e->units = map_free(e->units);
        e->contents = map_free(e->contents);
        e->machines = map_free(e->machines);
        e->silent = map_free(e->silent);
        e->reasons = map_free(e->reasons);
        e->sayings = map_free(e->sayings);
        list_init(&e->fetch_queue);
        e->n_fetching = e->n_waiting = 0;
        e->loading = e->fed = e->listed = false;
        e->confirm = 0;
        e->empty = false;
        strv_done(&e->garbage);
}

EngineContent *engine_content(Engine *e, const char *hash) {
        return map_get(e->contents, hash);
}

static EngineContent *content_get(Engine *e, const char *hash) {
        EngineContent *c = engine_content(e, hash);

        if (c)
                return c;

        c = mem_new(EngineContent);
        if (!c)
                return NULL;
        c->engine = e;
        memcpy(c->hash, hash, SHA1_HEX_SIZE);
        if (map_put(e->contents, hash, c) >= 0)
                return c;
        return mem_free(c);
}

/* A reference went. */
static int content_release(Engine *e, EngineContent *c) {
        char hash[SHA1_HEX_SIZE];

        if (!c || c->units + c->places > 0)
                return 0;

        memcpy(hash, c->hash, sizeof(hash));
        if (c->fetching)
                e->n_fetching--;
        (void) map_remove(e->contents, hash);
        return engine_collect_note(e, hash);
}

static EngineUnit *unit_get(Engine *e, const char *name) {
        EngineUnit *u = map_get(e->units, name);

        if (u)
                return u;

        u = mem_new(EngineUnit);
        if (!u)
                return NULL;
        u->name = str_dup(name);
        if (u->name && map_put(e->units, name, u) >= 0)
                return u;
        return unit_free(u);
}

static void set_state(Engine *e, EngineUnit *u, EngineUnitState state) {
        e->n_waiting -= u->state == ENGINE_UNIT_WAITING;
        e->n_waiting += state == ENGINE_UNIT_WAITING;
        u->state = state;
}

/* ---- units whose content is known ---- */

/* The core must not think that a unit which cannot be read is one that was destroyed. */
static int leave_alone(Engine *e, EngineUnit *u, const char *why) {
        int r;

        log_unit(LOG_LEVEL_ERROR, u->name, "engine: unit %s is left as it is: %s", u->name, why);
        set_state(e, u, ENGINE_UNIT_BROKEN);
        r = engine_say(e, u->name, why);
        for (size_t i = 0; r >= 0 && i < u->n_places; i++)
                r = core_placement_remove(e->core, u->name, u->places[i].machine);
        return r < 0 ? r : core_unit_remove(e->core, u->name);
}

static int feed(Engine *e, EngineUnit *u, const EngineContent *c) {
        _cleanup_(requirements_freep) Requirements *q = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (c->broken)
                return leave_alone(e, u, c->broken);

        r = requirements_parse(u->name, c->file, &q, NULL, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return leave_alone(e, u, error_text(&error));

        r = core_unit_set(e->core, u->name, u->hash, u->desired, u->generation, q);
        for (size_t i = 0; r >= 0 && u->state == ENGINE_UNIT_BROKEN && i < u->n_places; i++)
                r = core_placement_set(e->core, u->name, u->places[i].machine, u->places[i].hash,
                                       u->desired, u->generation);
        if (r >= 0 && u->state == ENGINE_UNIT_BROKEN)
                r = engine_say(e, u->name, "");
        set_state(e, u, ENGINE_UNIT_FED);
        return r;
}

static int feed_all_of(Engine *e, const EngineContent *c) {
        const char *name;
        EngineUnit *u;
        int r = 0;

        MAP_FOREACH (name, u, e->units)
                if (r >= 0 && u->state == ENGINE_UNIT_WAITING && strcmp(u->hash, c->hash) == 0)
                        r = feed(e, u, c);
        return r;
}

/* ---- fetching contents ---- */

static void fetch_more(Engine *e);

static int understand(EngineContent *c, int r, const char *text, const Error *error) {
        _cleanup_error_ Error own = ERROR_INIT;

        if (r >= 0) {
                r = unit_file_parse(text, strlen(text), &c->file, &own);
                error = &own;
        }
        if (r >= 0)
                return 0;

        c->broken = str_printf("its content %s cannot be read: %s", c->hash, error_text(error));
        return c->broken ? 0 : -ENOMEM;
}

static void on_content(int r, const char *text, const Error *error, void *userdata) {
        EngineContent *c = userdata;
        Engine *e = c->engine;

        c->fetching = registry_call_free(c->fetching);
        e->n_fetching--;
        if (r < 0 && r != -ENOENT) {
                engine_start_over(e, r, error);
                return;
        }

        r = understand(c, r, text, error);
        if (r >= 0)
                r = feed_all_of(e, c);
        if (r < 0) {
                engine_start_over(e, r, NULL);
                return;
        }
        fetch_more(e);
        engine_wake(e);
}

static void fetch_more(Engine *e) {
        while (e->n_fetching < ENGINE_FETCHES_MAX && !list_is_empty(&e->fetch_queue)) {
                EngineContent *c = CONTAINER_OF(e->fetch_queue.next, EngineContent, wanted);
                _cleanup_error_ Error error = ERROR_INIT;
                int r;

                list_remove(&c->wanted);
                r = registry_content_get(e->options.registry, c->hash, on_content, c, &c->fetching,
                                         &error);
                if (r < 0) {
                        engine_start_over(e, r, &error);
                        return;
                }
                e->n_fetching++;
        }
}

static void want(Engine *e, EngineContent *c) {
        if (!c->fetching && !c->wanted.next)
                list_append(&e->fetch_queue, &c->wanted);
}

/* ---- changes ---- */

static int unit_set(Engine *e, const RegistryUnit *doc) {
        EngineUnit *u = unit_get(e, doc->name);
        EngineContent *c = u ? content_get(e, doc->hash) : NULL, *old = NULL;
        int r;

        if (!c)
                return -ENOMEM;

        if (strcmp(u->hash, doc->hash) != 0) {
                old = u->hash[0] ? engine_content(e, u->hash) : NULL;
                if (old)
                        old->units--;
                c->units++;
                memcpy(u->hash, doc->hash, SHA1_HEX_SIZE);
        }
        u->desired = doc->desired;
        u->generation = doc->generation;
        r = content_release(e, old);
        if (r < 0)
                return r;

        if (c->file || c->broken)
                return feed(e, u, c);
        set_state(e, u, ENGINE_UNIT_WAITING);
        want(e, c);
        return 0;
}

static int unit_gone(Engine *e, const char *name) {
        EngineUnit *u = map_get(e->units, name);
        EngineContent *c;
        int r;

        if (!u || u->state == ENGINE_UNIT_GONE)
                return 0;

        /* Somebody deleted it: now it may go, even if it could not be read. */
        if (u->state == ENGINE_UNIT_BROKEN && engine_say(e, name, "") < 0)
                return -ENOMEM;
        for (size_t i = 0; u->state == ENGINE_UNIT_BROKEN && i < u->n_places; i++) {
                r = core_placement_set(e->core, name, u->places[i].machine, u->places[i].hash,
                                       u->desired, u->generation);
                if (r < 0)
                        return r;
        }

        c = u->hash[0] ? engine_content(e, u->hash) : NULL;
        if (c)
                c->units--;
        u->hash[0] = '\0';
        set_state(e, u, ENGINE_UNIT_GONE);
        r = core_unit_remove(e->core, name);
        if (u->n_places == 0)
                (void) map_remove(e->units, name);
        return r < 0 ? r : content_release(e, c);
}

static EnginePlace *find_place(EngineUnit *u, const char *machine) {
        for (size_t i = 0; i < u->n_places; i++)
                if (strcmp(u->places[i].machine, machine) == 0)
                        return &u->places[i];
        return NULL;
}

static int placement_set(Engine *e, const RegistryPlacement *doc) {
        EngineUnit *u = unit_get(e, doc->unit);
        EngineContent *c = u ? content_get(e, doc->hash) : NULL, *old = NULL;
        EnginePlace *p;

        if (!c ||
            mem_grow(&u->places, &u->places_capacity, u->n_places + 1, sizeof(EnginePlace)) < 0)
                return -ENOMEM;

        p = find_place(u, doc->machine);
        if (!p) {
                p = &u->places[u->n_places];
                *p = (EnginePlace){ .machine = str_dup(doc->machine) };
                if (!p->machine)
                        return -ENOMEM;
                u->n_places++;
        }
        c->places++;
        old = p->hash[0] ? engine_content(e, p->hash) : NULL;
        if (old)
                old->places--;
        memcpy(p->hash, doc->hash, SHA1_HEX_SIZE);
        if (old != c && content_release(e, old) < 0)
                return -ENOMEM;
        if (!map_get(e->machines, doc->machine) && engine_machine_absent(e, doc->machine) < 0)
                return -ENOMEM;
        if (u->state == ENGINE_UNIT_BROKEN)
                return 0;
        return core_placement_set(e->core, doc->unit, doc->machine, doc->hash, doc->desired,
                                  doc->generation);
}

static int placement_gone(Engine *e, const char *unit, const char *machine) {
        EngineUnit *u = map_get(e->units, unit);
        EnginePlace *p = u ? find_place(u, machine) : NULL;
        EngineContent *c;
        int r;

        if (!p)
                return 0;

        c = engine_content(e, p->hash);
        if (c)
                c->places--;
        mem_free(p->machine);
        *p = u->places[--u->n_places];
        if (u->n_places == 0 && u->state == ENGINE_UNIT_GONE)
                (void) map_remove(e->units, unit);
        r = core_placement_remove(e->core, unit, machine);
        return r < 0 ? r : content_release(e, c);
}

static int machine_set(Engine *e, const Machine *m) {
        char *id;
        int r;

        engine_machine_seen(e, m->id);
        if (!map_get(e->machines, m->id)) {
                id = str_dup(m->id);
                if (!id)
                        return -ENOMEM;
                r = map_put(e->machines, m->id, id);
                if (r < 0) {
                        mem_free(id);
                        return r;
                }
        }
        return core_machine_set(e->core, m);
}

static int machine_gone(Engine *e, const char *id) {
        int r;

        if (!map_remove(e->machines, id))
                return 0;
        r = engine_machine_absent(e, id);
        return r < 0 ? r : core_machine_doubt(e->core, id);
}

static int put_string(Map *m, const char *key, const char *value) {
        char *copy = str_dup(value);
        int r;

        if (!copy)
                return -ENOMEM;
        r = map_put(m, key, copy);
        if (r < 0)
                mem_free(copy);
        return r;
}

static int reason_set(Engine *e, const char *unit, const char *text) {
        if (text)
                return put_string(e->reasons, unit, text);
        (void) map_remove(e->reasons, unit);
        return 0;
}

int engine_say(Engine *e, const char *unit, const char *text) {
        return put_string(e->sayings, unit, text);
}

static int take(Engine *e, const RegistryChange *c, int64_t revision) {
        switch (c->kind) {
        case REGISTRY_UNIT:
                e->units_revision = revision;
                e->empty = false;
                return c->deleted ? unit_gone(e, c->unit) : unit_set(e, c->unit_doc);
        case REGISTRY_PLACEMENT:
                e->places_revision = revision;
                return c->deleted ? placement_gone(e, c->unit, c->machine)
                                  : placement_set(e, c->placement);
        case REGISTRY_MACHINE:
                return c->deleted ? machine_gone(e, c->machine) : machine_set(e, c->machine_doc);
        case REGISTRY_REASON:
                return reason_set(e, c->unit, c->reason);
        case REGISTRY_CONTENT:
        case REGISTRY_STATE:
        case REGISTRY_LEADER:
                break;
        }
        return 0;
}

static bool is_kind(const RegistryChange *c, int order) {
        RegistryKind first = REGISTRY_MACHINE, second = REGISTRY_UNIT;

        return order == 0   ? c->kind == first
               : order == 1 ? c->kind == second
                            : c->kind != first && c->kind != second;
}

/* Machines before units before placements: who is there decides what a placement means. */
static int take_all(Engine *e, bool snapshot, const RegistryChange *changes, size_t n,
                    int64_t revision) {
        size_t units = 0, places = 0;
        int r = 0;

        for (int order = 0; order < (snapshot ? 3 : 1); order++)
                for (size_t i = 0; r >= 0 && i < n; i++)
                        if (!snapshot || is_kind(&changes[i], order)) {
                                r = take(e, &changes[i], revision);
                                units += changes[i].kind == REGISTRY_UNIT;
                                places += changes[i].kind == REGISTRY_PLACEMENT;
                        }
        if (r < 0 || !snapshot)
                return r;

        e->units_revision = e->places_revision = revision;
        e->loading = e->first_pass = true;
        e->empty = units == 0 && places > 0;
        if (e->empty)
                log_error("engine: %zu placements, but not one unit: nothing is taken away for an "
                          "empty "
                          "list; any change of a unit ends this",
                          places);
        return 0;
}

static void on_changed(RegistryFollow *f _unused_, bool snapshot, const RegistryChange *changes,
                       size_t n, int64_t revision, void *userdata) {
        Engine *e = userdata;
        int r;

        if (snapshot && e->fed) { /* the watch was lost: a new view is safer than a patched one */
                engine_start_over(e, -ESTALE, NULL);
                return;
        }

        e->fed = true;
        r = take_all(e, snapshot, changes, n, revision);
        if (r < 0) {
                engine_start_over(e, r, NULL);
                return;
        }
        fetch_more(e);
        engine_wake(e);
}

/* It is there, but cannot be read. Comes before the changes of the same moment. */
static void on_malformed(RegistryFollow *f _unused_, RegistryKind kind, const char *unit,
                         const char *machine _unused_, void *userdata) {
        Engine *e = userdata;
        EngineUnit *u;

        if (kind != REGISTRY_UNIT || !unit || !e->core)
                return;
        u = unit_get(e, unit);
        if (u && u->state == ENGINE_UNIT_GONE)
                (void) leave_alone(e, u, "its document in the registry cannot be read");
}

const RegistryFollowHandler engine_follow_handler = { .changed = on_changed,
                                                      .malformed = on_malformed };
