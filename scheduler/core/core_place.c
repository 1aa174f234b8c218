#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"

/* Placing and unplacing in the core's own picture, and marking whom that may matter to. */

CorePlace *core_place_find(const CoreUnit *u, const CoreMachine *m) {
        for (size_t i = 0; i < u->places.n; i++)
                if (u->places.items[i].machine == m)
                        return &u->places.items[i];
        return NULL;
}

int core_touch(Core *c, CoreUnit *u) {
        int r;

        if (u->touched)
                return 0;

        r = core_units_add(&c->touched, u);
        if (r < 0)
                return r;
        r = mem_grow(&u->before.items, &u->before.capacity, u->places.n, sizeof(CorePlace));
        if (r < 0) {
                c->touched.n--;
                return r;
        }

        u->before.n = u->places.n;
        for (size_t i = 0; i < u->places.n; i++)
                u->before.items[i] = u->places.items[i];
        u->touched = true;
        return 0;
}

/* Those that wait for a place may gain from another's leaving; and what they wait for may change with its coming. */
static int mark_if_waiting(Core *c, const CoreUnits *list) {
        for (size_t i = 0; i < list->n; i++) {
                CoreUnit *u = list->items[i];
                int r = u->global || u->pending.next ? core_mark(c, u) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int core_mark_neighbours(Core *c, const CoreUnit *u) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < u->holds.n; i++)
                r = mark_if_waiting(c, &u->holds.items[i].pattern->matched);
        for (size_t i = 0; r >= 0 && i < u->matches.n; i++)
                r = mark_if_waiting(c, &u->matches.items[i].pattern->holders);
        return r;
}

/* Whom a unit that has come replaces must look whether it can stay. */
static int mark_replaced(Core *c, const CoreUnit *u) {
        for (size_t i = 0; i < u->holds.n; i++) {
                const CorePattern *p = u->holds.items[i].pattern;

                for (size_t k = 0; p->kind == CORE_REPLACE && k < p->matched.n; k++) {
                        int r = p->matched.items[k] != u && p->matched.items[k]->places.n > 0
                                        ? core_mark(c, p->matched.items[k])
                                        : 0;

                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

int core_place(Core *c, CoreUnit *u, CoreMachine *m) {
        int r;

        r = mem_grow(&u->places.items, &u->places.capacity, u->places.n + 1, sizeof(CorePlace));
        if (r >= 0)
                r = core_machine_add_unit(c, m, u);
        if (r < 0)
                return r;

        u->places.items[u->places.n] = (CorePlace){
                .machine = m,
                .desired = u->desired,
                .generation = u->generation,
        };
        memcpy(u->places.items[u->places.n++].hash, u->hash, SHA1_HEX_SIZE);
        u->ran = true;
        list_remove(&u->pending);
        r = mark_replaced(c, u);
        if (r >= 0)
                r = core_mark_neighbours(c, u);
        return r < 0 ? r : core_mark_followers(c, u->name);
}

int core_unplace(Core *c, CoreUnit *u, CoreMachine *m, char *why) {
        CorePlace *p = core_place_find(u, m);
        int r;

        assert(p);
        mem_free(u->why);
        u->why = why;
        core_machine_drop_unit(c, m, u);
        *p = u->places.items[--u->places.n];
        r = core_mark_neighbours(c, u);
        return r < 0 ? r : core_mark_followers(c, u->name);
}
