#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"

/* May a unit be on a machine: for one that is there, and for choosing where one goes. */

/* A unit there, but not u, that holds (or matches) the pattern; by name, so that words do not depend on order. */
static const char *find_other(const CoreMachine *m, const CoreUnit *u, const CorePattern *p,
                              bool holds) {
        const char *name = NULL;

        for (size_t i = 0; i < m->units.n; i++) {
                const CoreUnit *other = m->units.items[i];

                if (other != u && core_links_have(holds ? &other->holds : &other->matches, p) &&
                    (!name || strcmp(other->name, name) < 0))
                        name = other->name;
        }
        return name;
}

static bool has_other_match(const CoreMachine *m, const CoreUnit *u, const CorePattern *p) {
        const CoreTally *t = core_machine_tally(m, p);

        return t && t->matches > (core_links_have(&u->matches, p) && core_place_find(u, m) ? 1 : 0);
}

static bool has_other_holder(const CoreMachine *m, const CoreUnit *u, const CorePattern *p) {
        const CoreTally *t = core_machine_tally(m, p);

        return t && t->holders > (core_links_have(&u->holds, p) && core_place_find(u, m) ? 1 : 0);
}

/* Conflicts before replacements, then by name: patterns stand in no order that means anything. */
static void keep_first(CoreCheck *check, const char **name, CoreCheck found, const char *other) {
        if (*check != CHECK_FITS &&
            (*check < found || (*check == found && strcmp(*name, other) <= 0)))
                return;
        *check = found;
        *name = other;
}

static CoreCheck check_patterns(const CoreUnit *u, const CoreMachine *m, const char **ret_other) {
        CoreCheck check = CHECK_FITS;

        for (size_t i = 0; i < u->holds.n; i++) {
                const CorePattern *p = u->holds.items[i].pattern;

                if (p->kind == CORE_CONFLICT && has_other_match(m, u, p))
                        keep_first(&check, ret_other, CHECK_CONFLICT, find_other(m, u, p, false));
        }
        for (size_t i = 0; i < u->matches.n; i++) {
                const CorePattern *p = u->matches.items[i].pattern;

                if (has_other_holder(m, u, p))
                        keep_first(&check, ret_other,
                                   p->kind == CORE_CONFLICT ? CHECK_CONFLICT : CHECK_REPLACED,
                                   find_other(m, u, p, true));
        }
        return check;
}

static const char *missing_peer(Core *c, const CoreUnit *u, const CoreMachine *m) {
        for (size_t i = 0; i < u->machine_of.n; i++) {
                const CoreUnit *peer = map_get(c->units, u->machine_of.items[i]);

                if (!peer || !core_place_find(peer, m))
                        return u->machine_of.items[i];
        }
        return NULL;
}

/* A driver that does not answer at the moment is no reason to take a running unit away: not asked here. */
CoreCheck core_check_placed(Core *c, const CoreUnit *u, const CoreMachine *m,
                            const char **ret_other) {
        *ret_other = NULL;
        if (!m->document)
                return m->away ? CHECK_AWAY : CHECK_FITS;
        if (u->class->q->machine_id && !core_machine_has_id(m->id, u->class->q->machine_id)) {
                *ret_other = u->class->q->machine_id;
                return CHECK_ID;
        }
        if (!core_bits_get(&u->class->fits, m->index))
                return CHECK_METADATA;

        *ret_other = missing_peer(c, u, m);
        return *ret_other ? CHECK_PEER : check_patterns(u, m, ret_other);
}

/* ---- choosing ---- */

void core_mask_and(Core *c, const CoreUnit *u) {
        size_t words = BITS_WORDS(c->n_machines);

        for (size_t w = 0; w < words; w++)
                c->mask.words[w] &= u->class->fits.words[w];
        for (size_t i = 0; i < u->holds.n; i++) {
                const CorePattern *p = u->holds.items[i].pattern;

                for (size_t w = 0; p->kind == CORE_CONFLICT && w < words; w++)
                        c->mask.words[w] &= ~p->has_match.words[w];
        }
        for (size_t i = 0; i < u->matches.n; i++)
                for (size_t w = 0; w < words; w++)
                        c->mask.words[w] &= ~u->matches.items[i].pattern->has_holder.words[w];
}

void core_mask(Core *c, const CoreUnit *u) {
        for (size_t w = 0; w < BITS_WORDS(c->n_machines); w++)
                c->mask.words[w] = ~UINT64_C(0);
        core_mask_and(c, u);
}

bool core_peers(Core *c, const CoreUnit *u) {
        size_t words = BITS_WORDS(c->n_machines);

        for (size_t w = 0; w < words; w++)
                c->peers.words[w] = ~UINT64_C(0);
        for (size_t i = 0; i < u->machine_of.n; i++) {
                const CoreUnit *peer = map_get(c->units, u->machine_of.items[i]);
                bool somewhere = false;

                if (!peer)
                        return false;
                for (size_t k = 0; k < c->n_machines; k++) {
                        bool there = core_place_find(peer, c->order[k]) != NULL;

                        somewhere = somewhere || there;
                        if (!there)
                                core_bits_put(&c->peers, k, false);
                }
                if (!somewhere)
                        return false;
        }
        return true;
}

/* Is `to` among those that `from` replaces, or that these replace, and so on? */
static bool reach(Core *c, CoreUnit *from, const CoreUnit *to) {
        from->visited = c->walk;
        for (size_t i = 0; i < from->holds.n; i++) {
                const CorePattern *p = from->holds.items[i].pattern;

                for (size_t k = 0; p->kind == CORE_REPLACE && k < p->matched.n; k++) {
                        CoreUnit *next = p->matched.items[k];

                        if (next == to)
                                return true;
                        if (next->visited != c->walk && core_unit_wanted(next) &&
                            reach(c, next, to))
                                return true;
                }
        }
        return false;
}

static bool replaces_reach(Core *c, CoreUnit *from, const CoreUnit *to) {
        c->walk++;
        return reach(c, from, to);
}

/*
 * Units that replace each other, in however wide a circle, do not drive each other out: that would never
 * end. They keep apart, as if they conflicted.
 */
static bool has_circular_match(Core *c, const CoreUnit *u, const CoreMachine *m) {
        for (size_t i = 0; i < u->holds.n; i++) {
                const CorePattern *p = u->holds.items[i].pattern;

                if (p->kind != CORE_REPLACE || !core_bits_get(&p->has_match, m->index))
                        continue;
                for (size_t k = 0; k < m->units.n; k++) {
                        CoreUnit *other = m->units.items[k];

                        if (other != u && core_links_have(&other->matches, p) &&
                            replaces_reach(c, other, u))
                                return true;
                }
        }
        return false;
}

bool core_check_machine(Core *c, const CoreUnit *u, const CoreMachine *m, const char **ret_reason) {
        *ret_reason = NULL;
        if (has_circular_match(c, u, m))
                return false;
        return !c->eligible || c->eligible(m->document, u->name, u->hash, ret_reason, c->userdata);
}

static bool all_pass(Core *c, CoreUnit *const *units, size_t n, const CoreMachine *m) {
        const char *reason;

        for (size_t i = 0; i < n; i++)
                if (!core_check_machine(c, units[i], m, &reason))
                        return false;
        return true;
}

CoreMachine *core_choose(Core *c, CoreUnit *const *units, size_t n) {
        size_t words = BITS_WORDS(c->n_machines);

        for (size_t load = 0; load < c->n_buckets; load++) {
                const CoreBucket *b = &c->buckets[load];

                for (size_t w = 0; b->n > 0 && w < words; w++) {
                        uint64_t bits = b->bits.words[w] & c->mask.words[w];

                        for (; bits; bits &= bits - 1) {
                                CoreMachine *m = c->order[w * 64 + (size_t) __builtin_ctzll(bits)];

                                if (all_pass(c, units, n, m))
                                        return m;
                        }
                }
        }
        return NULL;
}

/* Does a's pattern of any kind match b? */
static bool aims_at(const CoreUnit *a, const CoreUnit *b) {
        for (size_t i = 0; i < a->holds.n; i++)
                if (core_links_have(&b->matches, a->holds.items[i].pattern))
                        return true;
        return false;
}

bool core_units_exclude(Core *c _unused_, CoreUnit *a, CoreUnit *b) {
        return aims_at(a, b) || aims_at(b, a);
}
