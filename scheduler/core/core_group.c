#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"

/*
 * MachineOf: units that have to be on one machine are placed as one. If no machine takes all of them, those
 * that others follow come first, and who cannot follow waits.
 */

/* Globals are where they are; what follows one hangs together with nobody for that. */
static bool is_member(const CoreUnit *u) {
        return u && core_unit_wanted(u) && !u->global;
}

static int visit(Core *c, CoreUnits *members, CoreUnit *u) {
        if (!is_member(u) || u->visited == c->walk)
                return 0;
        u->visited = c->walk;
        u->circular = false;
        return core_units_add(members, u);
}

static int collect(Core *c, CoreUnit *u, CoreUnits *members) {
        int r;

        c->walk++;
        r = visit(c, members, u);
        for (size_t i = 0; r >= 0 && i < members->n; i++) {
                CoreUnit *at = members->items[i];
                const CoreUnits *followers = map_get(c->followers, at->name);

                for (size_t k = 0; r >= 0 && k < at->machine_of.n; k++)
                        r = visit(c, members, map_get(c->units, at->machine_of.items[k]));
                for (size_t k = 0; r >= 0 && followers && k < followers->n; k++)
                        r = visit(c, members, followers->items[k]);
        }
        return r;
}

static int order(const void *a, const void *b) {
        const CoreUnit *x = *(CoreUnit *const *) a, *y = *(CoreUnit *const *) b;

        if (x->ran != y->ran)
                return x->ran ? -1 : 1;
        return strcmp(x->name, y->name);
}

/* All targets that are members are among the first n? */
static bool is_ready(Core *c, const CoreUnit *u, const CoreUnits *members, size_t n) {
        for (size_t i = 0; i < u->machine_of.n; i++) {
                const CoreUnit *target = map_get(c->units, u->machine_of.items[i]);
                bool before = !is_member(target);

                for (size_t k = 0; !before && k < n; k++)
                        before = members->items[k] == target;
                if (!before)
                        return false;
        }
        return true;
}

/* Targets before followers. What is left over goes round in a circle, or hangs on one: it is cut off. */
static void sort(Core *c, CoreUnits *members) {
        size_t done = 0;

        if (members->n > 1)
                qsort(members->items, members->n, sizeof(CoreUnit *), order);
        for (bool more = true; more;) {
                more = false;
                for (size_t i = done; i < members->n; i++) {
                        CoreUnit *u = members->items[i];

                        if (!is_ready(c, u, members, done))
                                continue;
                        memmove(&members->items[done + 1], &members->items[done],
                                (i - done) * sizeof(CoreUnit *));
                        members->items[done++] = u;
                        more = true;
                }
        }
        for (size_t i = done; i < members->n; i++)
                members->items[i]->circular = true;
        members->n = done;
}

static bool any_placed(const CoreUnits *members) {
        for (size_t i = 0; i < members->n; i++)
                if (members->items[i]->places.n > 0)
                        return true;
        return false;
}

static bool any_exclude(Core *c, const CoreUnits *members) {
        for (size_t i = 0; i < members->n; i++)
                for (size_t k = 0; k < i; k++)
                        if (core_units_exclude(c, members->items[i], members->items[k]))
                                return true;
        return false;
}

static int place(Core *c, CoreUnit *u, CoreMachine *m) {
        int r;

        r = core_touch(c, u);
        if (r >= 0)
                r = core_place(c, u, m);
        return r < 0 ? r
                     : core_mark(c,
                                 u); /* it may not be the one that this is about: its reason goes */
}

/* Peers that are no members (globals) must be where the set goes. False: one is nowhere. */
static bool mask_peers(Core *c, const CoreUnit *u) {
        for (size_t i = 0; i < u->machine_of.n; i++) {
                const CoreUnit *peer = map_get(c->units, u->machine_of.items[i]);

                if (is_member(peer))
                        continue;
                if (!peer || peer->places.n == 0)
                        return false;
                for (size_t k = 0; k < c->n_machines; k++)
                        if (!core_place_find(peer, c->order[k]))
                                core_bits_put(&c->mask, k, false);
        }
        return true;
}

/* 1 = all of them are placed. */
static int place_as_one(Core *c, const CoreUnits *members) {
        CoreMachine *m;
        int r;

        if (members->n == 0 || any_placed(members) || any_exclude(c, members))
                return 0;

        core_mask(c, members->items[0]);
        for (size_t i = 0; i < members->n; i++) {
                core_mask_and(c, members->items[i]);
                if (!mask_peers(c, members->items[i]))
                        return 0;
        }

        m = core_choose(c, members->items, members->n);
        for (size_t i = 0; m && i < members->n; i++) {
                r = place(c, members->items[i], m);
                if (r < 0)
                        return r;
        }
        return m != NULL;
}

/* Among those in c->peers; 1 = done. */
static int place_within(Core *c, CoreUnit *u) {
        CoreMachine *m;
        int r;

        core_mask(c, u);
        for (size_t w = 0; w < BITS_WORDS(c->n_machines); w++)
                c->mask.words[w] &= c->peers.words[w];
        m = core_choose(c, &u, 1);
        if (!m)
                return 0;
        r = place(c, u, m);
        return r < 0 ? r : 1;
}

/* The machines where others of the set are already. */
static void peers_of_set(Core *c, const CoreUnits *members) {
        for (size_t w = 0; w < BITS_WORDS(c->n_machines); w++)
                c->peers.words[w] = 0;
        for (size_t i = 0; i < members->n; i++)
                for (size_t k = 0; k < members->items[i]->places.n; k++) {
                        const CoreMachine *m = members->items[i]->places.items[k].machine;

                        if (m->document)
                                core_bits_put(&c->peers, m->index, true);
                }
}

static int place_alone(Core *c, CoreUnit *u, const CoreUnits *members) {
        CoreMachine *m;
        int r;

        if (u->machine_of.n > 0)
                return core_peers(c, u) ? place_within(c, u) : 0;

        if (members->n > 1) {
                peers_of_set(c, members);
                r = place_within(c, u);
                if (r != 0)
                        return r;
        }
        core_mask(c, u);
        m = core_choose(c, &u, 1);
        return m ? place(c, u, m) : 0;
}

static int place_members(Core *c, CoreUnit *u, CoreUnits *members) {
        int r;

        r = collect(c, u, members);
        if (r < 0)
                return r;

        sort(c, members);
        r = place_as_one(c, members);
        if (r != 0)
                return r;

        for (size_t i = 0; i < members->n; i++) {
                if (members->items[i]->places.n > 0)
                        continue;
                r = place_alone(c, members->items[i], members);
                if (r < 0)
                        return r;
        }
        return 0;
}

int core_group_place(Core *c, CoreUnit *u) {
        CoreUnits members = { 0 };
        int r;

        if (u->machine_of.n == 0 && !map_get(c->followers, u->name)) {
                members = (CoreUnits){ .items = &u, .n = 1 };
                r = place_alone(c, u, &members);
                return r < 0 ? r : 0;
        }

        r = place_members(c, u, &members);
        mem_free(members.items);
        return r < 0 ? r : 0;
}
