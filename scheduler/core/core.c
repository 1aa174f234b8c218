#include "scheduler/core/core.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"
#include "specs/unit_name.h"

/* Units: what is fed about them, and whom that may matter to. */

static void *unit_free(void *unit) {
        CoreUnit *u = unit;

        if (!u)
                return NULL;
        list_remove(&u->pending);
        mem_free(u->name);
        strv_done(&u->machine_of);
        mem_free(u->holds.items);
        mem_free(u->matches.items);
        mem_free(u->places.items);
        mem_free(u->before.items);
        mem_free(u->why);
        mem_free(u->reason);
        return mem_free(u);
}

int core_new(CoreEligibleFn eligible, void *userdata, Core **ret) {
        _cleanup_(core_freep) Core *c = mem_new(Core);

        if (!c)
                return -ENOMEM;

        c->eligible = eligible;
        c->userdata = userdata;
        list_init(&c->pending);
        c->machines = map_new(core_machine_free);
        c->units = map_new(unit_free);
        c->classes = map_new(core_class_free);
        c->prefixes = map_new(core_prefix_free);
        c->followers = map_new(core_units_free);
        for (int i = 0; i < CORE_PATTERN_KINDS; i++) {
                c->patterns[i] = map_new(core_pattern_free);
                if (!c->patterns[i])
                        return -ENOMEM;
        }
        if (!c->machines || !c->units || !c->classes || !c->prefixes || !c->followers)
                return -ENOMEM;

        *ret = TAKE_PTR(c);
        return 0;
}

Core *core_free(Core *c) {
        if (!c)
                return NULL;

        map_free(c->units);
        map_free(c->machines);
        map_free(c->classes);
        map_free(c->prefixes);
        map_free(c->followers);
        for (int i = 0; i < CORE_PATTERN_KINDS; i++)
                map_free(c->patterns[i]);
        for (size_t i = 0; i < c->n_buckets; i++)
                core_bits_done(&c->buckets[i].bits);
        mem_free(c->buckets);
        mem_free(c->prefix_lengths);
        mem_free(c->globals.items);
        mem_free(c->order);
        mem_free(c->dirty.items);
        mem_free(c->touched.items);
        core_bits_done(&c->mask);
        core_bits_done(&c->peers);
        return mem_free(c);
}

int core_mark(Core *c, CoreUnit *u) {
        int r;

        if (u->dirty)
                return 0;

        r = core_units_add(&c->dirty, u);
        if (r >= 0)
                u->dirty = true;
        return r;
}

void core_mark_all(Core *c) {
        const char *name;
        CoreUnit *u;

        MAP_FOREACH (name, u, c->units)
                (void) core_mark(c, u); /* out of memory: the next full pass has it */
}

int core_mark_followers(Core *c, const char *target) {
        const CoreUnits *followers = map_get(c->followers, target);

        for (size_t i = 0; followers && i < followers->n; i++) {
                int r = core_mark(c, followers->items[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Creates it if it is not there; NULL = out of memory. */
static CoreUnit *need_unit(Core *c, const char *name) {
        CoreUnit *u = map_get(c->units, name);

        if (u)
                return u;

        u = mem_new(CoreUnit);
        if (!u)
                return NULL;
        u->name = str_dup(name);
        if (u->name && map_put(c->units, name, u) >= 0)
                return u;
        return unit_free(u);
}

/* ---- requirements ---- */

static int follow(Core *c, CoreUnit *u, const char *target) {
        CoreUnits *followers = map_get(c->followers, target);
        int r;

        if (!followers) {
                followers = mem_new(CoreUnits);
                if (!followers)
                        return -ENOMEM;
                r = map_put(c->followers, target, followers);
                if (r < 0) {
                        mem_free(followers);
                        return r;
                }
        }
        return core_units_add(followers, u);
}

static void drop_requirements(Core *c, CoreUnit *u) {
        for (size_t i = 0; i < u->machine_of.n; i++) {
                CoreUnits *followers = map_get(c->followers, u->machine_of.items[i]);

                if (!followers)
                        continue;
                core_units_remove(followers, u);
                if (followers->n == 0)
                        (void) map_remove(c->followers, u->machine_of.items[i]);
        }
        strv_done(&u->machine_of);
        core_patterns_release(c, u);
        core_class_unuse(c, u->class);
        u->class = NULL;
        if (u->global)
                core_units_remove(&c->globals, u);
        u->global = false;
}

static int take_requirements(Core *c, CoreUnit *u, const Requirements *q) {
        int r;

        r = core_class_use(c, q, &u->class);
        if (r >= 0)
                r = core_patterns_hold(c, u, CORE_CONFLICT, &q->conflicts);
        if (r >= 0)
                r = core_patterns_hold(c, u, CORE_REPLACE, &q->replaces);
        if (r >= 0)
                r = strv_copy(&q->machine_of, &u->machine_of);
        for (size_t i = 0; r >= 0 && i < u->machine_of.n; i++)
                r = follow(c, u, u->machine_of.items[i]);
        if (r < 0)
                return r;

        u->global = q->global;
        return u->global ? core_units_add(&c->globals, u) : 0;
}

/* Where it is placed, what it holds no longer counts meanwhile. */
static int change_requirements(Core *c, CoreUnit *u, const Requirements *q) {
        int r;

        r = core_mark_neighbours(c, u);
        if (r < 0)
                return r;

        for (size_t i = 0; i < u->places.n; i++)
                core_machine_drop_unit(c, u->places.items[i].machine, u);
        if (!u->known) {
                u->known = true;
                r = core_patterns_match(c, u);
                if (r < 0)
                        return r;
        }
        drop_requirements(c, u);
        r = take_requirements(c, u, q);
        for (size_t i = 0; r >= 0 && i < u->places.n; i++)
                r = core_machine_add_unit(c, u->places.items[i].machine, u);
        return r;
}

int core_unit_set(Core *c, const char *name, const char *hash, DesiredState desired,
                  uint64_t generation, const Requirements *q) {
        CoreUnit *u = need_unit(c, name);
        int r;

        if (!u)
                return -ENOMEM;
        if (u->known && strcmp(u->hash, hash) == 0 && u->desired == desired &&
            u->generation == generation)
                return 0;

        if (!u->known || strcmp(u->hash, hash) != 0) { /* a hash stands for its requirements */
                r = change_requirements(c, u, q);
                if (r < 0)
                        return r;
                (void) stpncpy(u->hash, hash, SHA1_HEX_SIZE - 1);
                u->template = unit_name_is_template(name);
        }

        u->desired = desired;
        u->generation = generation;
        if (desired == DESIRED_INACTIVE)
                u->ran = false;
        r = core_mark(c, u);
        return r < 0 ? r : core_mark_followers(c, name);
}

int core_unit_remove(Core *c, const char *name) {
        CoreUnit *u = map_get(c->units, name);
        int r;

        if (!u || !u->known)
                return 0;

        r = core_mark_neighbours(c, u);
        if (r < 0)
                return r;

        for (size_t i = 0; i < u->places.n; i++)
                core_machine_drop_unit(c, u->places.items[i].machine, u);
        drop_requirements(c, u);
        core_patterns_forget(c, u);
        u->known = false;
        u->ran = false;
        u->hash[0] = '\0';
        for (size_t i = 0; i < u->places.n; i++) {
                r = core_machine_add_unit(c, u->places.items[i].machine, u);
                if (r < 0)
                        return r;
        }

        r = core_mark(c, u);
        return r < 0 ? r : core_mark_followers(c, name);
}

/* ---- placements, as the registry has them ---- */

int core_placement_set(Core *c, const char *unit, const char *machine, const char *hash,
                       DesiredState desired, uint64_t generation) {
        CoreUnit *u = need_unit(c, unit);
        CoreMachine *m = u ? core_machine_get(c, machine) : NULL;
        CorePlace *p;
        int r;

        if (!m)
                return -ENOMEM;

        p = core_place_find(u, m);
        if (p && strcmp(p->hash, hash) == 0 && p->desired == desired && p->generation == generation)
                return 0;
        if (!p) {
                r = core_place(c, u, m);
                if (r < 0)
                        return r;
                p = core_place_find(u, m);
        }

        p->desired = desired;
        p->generation = generation;
        (void) stpncpy(p->hash, hash, SHA1_HEX_SIZE - 1);
        return core_mark(c, u);
}

int core_placement_remove(Core *c, const char *unit, const char *machine) {
        CoreUnit *u = map_get(c->units, unit);
        CoreMachine *m = map_get(c->machines, machine);
        int r;

        if (!u || !m || !core_place_find(u, m))
                return 0;

        r = core_unplace(c, u, m, NULL);
        return r < 0 ? r : core_mark(c, u);
}
