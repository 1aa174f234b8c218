#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"

/*
 * The pass: dirty units that may not be where they are leave, in reverse order of names, so that of two
 * that exclude each other the first by name stays; then those without a place get one, those that ran
 * before first. What that makes dirty is looked at in the next round, until nothing is.
 */

/* Rounds can only go on as long as units leave, and each leaves for good reason; this is for bugs. */
#define ROUNDS_MAX 64

static int by_order(const void *a, const void *b) {
        const CoreUnit *x = *(CoreUnit *const *) a, *y = *(CoreUnit *const *) b;

        if (x->ran != y->ran)
                return x->ran ? -1 : 1;
        if (x->global != y->global)
                return x->global ? -1 : 1;
        return strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b) {
        return strcmp((*(CoreUnit *const *) a)->name, (*(CoreUnit *const *) b)->name);
}

static int by_machine(const void *a, const void *b) {
        return strcmp(((const CorePlace *) a)->machine->id, ((const CorePlace *) b)->machine->id);
}

/* ---- leaving ---- */

static char *why_not(const CoreMachine *m, CoreCheck check, const char *other) {
        const char *id = m->id;

        switch (check) {
        case CHECK_AWAY:
                return str_printf("target Machine(%s) went away", id);
        case CHECK_ID:
                return str_printf("target Machine(%s) unable to run unit: agent ID \"%s\" does not "
                                  "match required \"%s\"",
                                  id, id, other);
        case CHECK_METADATA:
                return str_printf("target Machine(%s) unable to run unit: local Machine metadata "
                                  "insufficient",
                                  id);
        case CHECK_PEER:
                return str_printf(
                        "target Machine(%s) unable to run unit: required peer Unit(%s) is "
                        "not scheduled locally",
                        id, other);
        case CHECK_CONFLICT:
                return str_printf("target Machine(%s) unable to run unit: found conflict with "
                                  "locally-scheduled Unit([%s])",
                                  id, other);
        case CHECK_REPLACED:
                return str_printf("target Machine(%s) unable to run unit: replaced by "
                                  "locally-scheduled Unit([%s])",
                                  id, other);
        case CHECK_FITS:
        case CHECK_INELIGIBLE:
                break;
        }
        return NULL;
}

static int leave(Core *c, CoreUnit *u, CoreMachine *m, char *why) {
        int r;

        if (!why)
                return -ENOMEM;
        r = core_touch(c, u);
        if (r < 0) {
                mem_free(why);
                return r;
        }
        return core_unplace(c, u, m, why);
}

/* It was placed twice, by hand or in an older version: one stays, on a machine that answers, the first by id. */
static bool is_surplus(const CoreUnit *u, const CorePlace *p) {
        for (size_t i = 0; !u->global && i < u->places.n; i++) {
                const CoreMachine *other = u->places.items[i].machine;
                bool answers = p->machine->document, other_answers = other->document;

                if (answers != other_answers ? other_answers
                                             : strcmp(other->id, p->machine->id) < 0)
                        return true;
        }
        return false;
}

static int review_place(Core *c, CoreUnit *u, size_t i) {
        CoreMachine *m = u->places.items[i].machine;
        const char *other;
        CoreCheck check;

        if (!u->known)
                return leave(c, u, m, str_dup("unit destroyed"));
        if (!core_unit_wanted(u))
                return leave(c, u, m, str_dup("target state inactive"));

        check = core_check_placed(c, u, m, &other);
        if (check != CHECK_FITS)
                return leave(c, u, m, why_not(m, check, other));
        if (is_surplus(u, &u->places.items[i]))
                return leave(c, u, m, str_dup("unit is scheduled elsewhere, too"));
        return 0;
}

/* Places that are right may still carry an old hash, state or generation. */
static int refresh(Core *c, CoreUnit *u) {
        for (size_t i = 0; i < u->places.n; i++) {
                CorePlace *p = &u->places.items[i];
                int r;

                if (strcmp(p->hash, u->hash) == 0 && p->desired == u->desired &&
                    p->generation == u->generation)
                        continue;
                r = core_touch(c, u);
                if (r < 0)
                        return r;
                memcpy(p->hash, u->hash, SHA1_HEX_SIZE);
                p->desired = u->desired;
                p->generation = u->generation;
        }
        return 0;
}

static int review(Core *c, CoreUnit *u) {
        int r;

        for (size_t i = u->places.n; i-- > 0;) {
                r = review_place(c, u, i);
                if (r < 0)
                        return r;
        }
        return refresh(c, u);
}

/* ---- arriving ---- */

static int place_global(Core *c, CoreUnit *u) {
        const char *reason;
        int r;

        core_mask(c, u);
        for (size_t i = 0; i < u->places.n; i++)
                if (u->places.items[i].machine->document)
                        core_bits_put(&c->mask, u->places.items[i].machine->index, false);
        for (size_t i = 0; i < c->n_machines; i++) {
                if (!core_bits_get(&c->mask, i) || !core_check_machine(c, u, c->order[i], &reason))
                        continue;
                r = core_touch(c, u);
                if (r >= 0)
                        r = core_place(c, u, c->order[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int settle(Core *c, CoreUnit *u) {
        int r = 0;

        if (!core_unit_wanted(u)) {
                list_remove(&u->pending);
                return 0;
        }

        if (u->global)
                r = place_global(c, u);
        else if (u->places.n == 0)
                r = core_group_place(c, u);
        if (r >= 0 && u->places.n == 0 && !u->pending.next)
                list_append(&c->pending, &u->pending);
        return r;
}

/* ---- rounds ---- */

/* All that is dirty now, and what leaving makes dirty on the way. */
static int review_all(Core *c, CoreUnits *seen) {
        int r;

        while (c->dirty.n > 0) {
                CoreUnits now = c->dirty;

                c->dirty = (CoreUnits){ 0 };
                qsort(now.items, now.n, sizeof(CoreUnit *), by_name);
                r = 0;
                for (size_t i = now.n; i-- > 0;) {
                        now.items[i]->dirty = false;
                        if (r >= 0)
                                r = review(c, now.items[i]);
                        if (r >= 0)
                                r = core_units_add(seen, now.items[i]);
                }
                mem_free(now.items);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int round_of(Core *c, CoreUnits *all) {
        CoreUnits seen = { 0 };
        int r;

        r = review_all(c, &seen);
        if (r >= 0 && seen.n > 0) {
                qsort(seen.items, seen.n, sizeof(CoreUnit *), by_order);
                for (size_t i = 0; r >= 0 && i < seen.n; i++) {
                        if (i > 0 && seen.items[i] == seen.items[i - 1])
                                continue;
                        r = settle(c, seen.items[i]);
                        if (r >= 0)
                                r = core_units_add(all, seen.items[i]);
                }
        }
        mem_free(seen.items);
        return r;
}

/* ---- from what has changed to a plan ---- */

typedef struct Writer {
        CorePlan plan;
        size_t steps_capacity, reasons_capacity;
        Strv strings;
} Writer;

struct PlanBox {
        CorePlan plan; /* first: what the caller sees */
        Strv strings;
};

static int add_step(Writer *w, const CoreUnit *u, const CorePlace *p, bool put) {
        CoreStep *s;

        if (mem_grow(&w->plan.steps, &w->steps_capacity, w->plan.n_steps + 1, sizeof(CoreStep)) < 0)
                return -ENOMEM;
        if (strv_push(&w->strings, u->name) < 0 || strv_push(&w->strings, p->machine->id) < 0)
                return -ENOMEM;
        if (strv_push_printf(&w->strings, "%s",
                             put      ? "target state is wanted and Machine is able to run unit"
                             : u->why ? u->why
                                      : "") < 0)
                return -ENOMEM;

        s = &w->plan.steps[w->plan.n_steps++];
        *s = (CoreStep){
                .type = put ? CORE_PUT : CORE_REMOVE,
                .unit = w->strings.items[w->strings.n - 3],
                .machine = w->strings.items[w->strings.n - 2],
                .desired = p->desired,
                .generation = p->generation,
                .why = w->strings.items[w->strings.n - 1],
        };
        memcpy(s->hash, p->hash, SHA1_HEX_SIZE);
        return 0;
}

static const CorePlace *find_place(const CorePlaces *places, const CorePlace *p) {
        return places->n == 0 ? NULL
                              : bsearch(p, places->items, places->n, sizeof(CorePlace), by_machine);
}

static bool same_place(const CorePlace *a, const CorePlace *b) {
        return a && strcmp(a->hash, b->hash) == 0 && a->desired == b->desired &&
               a->generation == b->generation;
}

static int write_unit(Writer *w, CoreUnit *u) {
        if (u->before.n > 1)
                qsort(u->before.items, u->before.n, sizeof(CorePlace), by_machine);
        if (u->places.n > 1)
                qsort(u->places.items, u->places.n, sizeof(CorePlace), by_machine);

        for (size_t i = 0; i < u->before.n; i++)
                if (!find_place(&u->places, &u->before.items[i]) &&
                    add_step(w, u, &u->before.items[i], false) < 0)
                        return -ENOMEM;
        for (size_t i = 0; i < u->places.n; i++)
                if (!same_place(find_place(&u->before, &u->places.items[i]), &u->places.items[i]) &&
                    add_step(w, u, &u->places.items[i], true) < 0)
                        return -ENOMEM;
        return 0;
}

static int write_steps(Core *c, Writer *w) {
        int r = 0;

        if (c->touched.n > 1)
                qsort(c->touched.items, c->touched.n, sizeof(CoreUnit *), by_name);
        for (size_t i = 0; i < c->touched.n; i++) {
                CoreUnit *u = c->touched.items[i];

                if (r >= 0)
                        r = write_unit(w, u);
                u->touched = false;
                u->before.n = 0;
        }
        c->touched.n = 0;
        return r;
}

static int write_reason(Core *c, Writer *w, CoreUnit *u) {
        _cleanup_free_ char *reason = NULL;
        int r;

        if (core_unit_wanted(u) && u->places.n == 0) {
                r = core_reason_make(c, u, &reason);
                if (r < 0)
                        return r;
        }
        if (str_eq(reason, u->reason))
                return 0;

        if (mem_grow(&w->plan.reasons, &w->reasons_capacity, w->plan.n_reasons + 1,
                     sizeof(CoreReason)) < 0 ||
            strv_push(&w->strings, u->name) < 0)
                return -ENOMEM;
        w->plan.reasons[w->plan.n_reasons] = (CoreReason){
                .unit = w->strings.items[w->strings.n - 1]
        };
        if (reason) {
                if (strv_push(&w->strings, reason) < 0)
                        return -ENOMEM;
                w->plan.reasons[w->plan.n_reasons].text = w->strings.items[w->strings.n - 1];
        }
        w->plan.n_reasons++;
        mem_free(u->reason);
        u->reason = TAKE_PTR(reason);
        return 0;
}

/* A name that stands for nothing any more. */
static bool is_gone(const CoreUnit *u) {
        return !u->known && u->places.n == 0 && !u->dirty;
}

static int write_reasons(Core *c, Writer *w, CoreUnits *all) {
        int r;

        if (all->n > 1)
                qsort(all->items, all->n, sizeof(CoreUnit *), by_name);
        for (size_t i = 0; i < all->n; i++) {
                if (i > 0 && all->items[i] == all->items[i - 1])
                        continue;
                r = write_reason(c, w, all->items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void forget_gone(Core *c, CoreUnits *all) {
        const CoreUnit *last = NULL;

        for (size_t i = all->n; i-- > 0;) { /* sorted: the same one stands side by side */
                CoreUnit *u = all->items[i];

                if (u == last)
                        continue;
                last = u;
                if (is_gone(u))
                        (void) map_remove(c->units, u->name);
        }
}

static void writer_done(Writer *w) {
        mem_free(w->plan.steps);
        mem_free(w->plan.reasons);
        strv_done(&w->strings);
}

int core_plan(Core *c, CorePlan **ret) {
        _cleanup_(writer_done) Writer w = { 0 };
        struct PlanBox *box = NULL;
        CoreUnits all = { 0 };
        int r = 0;

        for (unsigned i = 0; r >= 0 && c->dirty.n > 0 && i < ROUNDS_MAX; i++)
                r = round_of(c, &all);
        if (r >= 0)
                r = write_steps(c, &w);
        if (r >= 0)
                r = write_reasons(c, &w, &all);
        if (r >= 0) {
                box = mem_new(struct PlanBox);
                r = box ? 0 : -ENOMEM;
        }
        if (r >= 0)
                forget_gone(c, &all);
        mem_free(all.items);
        if (r < 0)
                return r;

        *box = (struct PlanBox){ .plan = w.plan, .strings = w.strings };
        w = (Writer){ 0 };
        *ret = &box->plan;
        return 0;
}

CorePlan *core_plan_free(CorePlan *p) {
        struct PlanBox *box = (struct PlanBox *) p;

        if (!p)
                return NULL;
        mem_free(p->steps);
        mem_free(p->reasons);
        strv_done(&box->strings);
        return mem_free(box);
}
