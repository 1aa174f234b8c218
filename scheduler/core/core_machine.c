#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"

/* Machines: coming, changing, going; their loads and what their units make of the bit sets. */

CoreMachine *core_machine_get(Core *c, const char *id) {
        CoreMachine *m = map_get(c->machines, id);

        if (m)
                return m;

        m = mem_new(CoreMachine);
        if (!m)
                return NULL;
        m->id = str_dup(id);
        if (m->id && map_put(c->machines, id, m) >= 0)
                return m;
        return core_machine_free(m);
}

void *core_machine_free(void *machine) {
        CoreMachine *m = machine;

        if (!m)
                return NULL;
        mem_free(m->id);
        machine_free(m->document);
        mem_free(m->units.items);
        mem_free(m->tallies);
        return mem_free(m);
}

/* ---- tallies ---- */

static size_t slot_of(const CoreTally *tallies, size_t size, const CorePattern *p) {
        size_t i = ((uintptr_t) p >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20;

        for (i &= size - 1; tallies[i].pattern && tallies[i].pattern != p;)
                i = (i + 1) & (size - 1);
        return i;
}

static int tallies_grow(CoreMachine *m) {
        size_t size = m->tallies_size == 0 ? 8 : m->tallies_size * 2;
        CoreTally *grown;

        if (m->n_tallies * 2 < m->tallies_size)
                return 0;

        grown = mem_new_array(CoreTally, size);
        if (!grown)
                return -ENOMEM;
        m->n_tallies = 0;
        for (size_t i = 0; i < m->tallies_size; i++) {
                const CoreTally *t = &m->tallies[i];

                if (!t->pattern || (t->holders == 0 && t->matches == 0))
                        continue; /* the pattern may be gone */
                grown[slot_of(grown, size, t->pattern)] = *t;
                m->n_tallies++;
        }
        mem_free(m->tallies);
        m->tallies = grown;
        m->tallies_size = size;
        return 0;
}

const CoreTally *core_machine_tally(const CoreMachine *m, const CorePattern *p) {
        const CoreTally *t;

        if (m->tallies_size == 0)
                return NULL;
        t = &m->tallies[slot_of(m->tallies, m->tallies_size, p)];
        return t->pattern ? t : NULL;
}

static void show_tally(CoreMachine *m, const CoreTally *t) {
        if (!m->document)
                return;
        core_bits_put(&t->pattern->has_holder, m->index, t->holders > 0);
        core_bits_put(&t->pattern->has_match, m->index, t->matches > 0);
}

int core_machine_count(Core *c _unused_, CoreMachine *m, CorePattern *p, int holders, int matches) {
        CoreTally *t;
        int r;

        if (holders > 0 || matches > 0) { /* else its slot is there */
                r = tallies_grow(m);
                if (r < 0)
                        return r;
        }

        t = &m->tallies[slot_of(m->tallies, m->tallies_size, p)];
        if (!t->pattern) {
                t->pattern = p;
                m->n_tallies++;
        }
        t->holders += (uint32_t) holders;
        t->matches += (uint32_t) matches;
        show_tally(m, t);
        return 0;
}

/* ---- loads ---- */

static int bucket_reserve(Core *c, size_t load) {
        int r;

        r = mem_grow(&c->buckets, &c->buckets_capacity, load + 1, sizeof(CoreBucket));
        if (r < 0)
                return r;

        for (; c->n_buckets <= load; c->n_buckets++)
                c->buckets[c->n_buckets] = (CoreBucket){ 0 };
        return core_bits_reserve(&c->buckets[load].bits, c->n_machines);
}

/* The bucket exists. */
static void bucket_put(Core *c, const CoreMachine *m, size_t load, bool in) {
        CoreBucket *b = &c->buckets[load];

        core_bits_put(&b->bits, m->index, in);
        b->n = in ? b->n + 1 : b->n - 1;
}

static int count_links(Core *c, CoreMachine *m, const CoreLinks *links, int holders, int matches) {
        for (size_t i = 0; i < links->n; i++) {
                int r = core_machine_count(c, m, links->items[i].pattern, holders, matches);

                if (r < 0)
                        return r;
        }
        return 0;
}

int core_machine_add_unit(Core *c, CoreMachine *m, CoreUnit *u) {
        size_t load = m->units.n;
        int r;

        if (m->document) {
                r = bucket_reserve(c, load + 1);
                if (r < 0)
                        return r;
        }

        r = core_units_add(&m->units, u);
        if (r < 0)
                return r;
        if (m->document) {
                bucket_put(c, m, load, false);
                bucket_put(c, m, load + 1, true);
        }

        r = count_links(c, m, &u->holds, 1, 0);
        return r < 0 ? r : count_links(c, m, &u->matches, 0, 1);
}

void core_machine_drop_unit(Core *c, CoreMachine *m, CoreUnit *u) {
        size_t load = m->units.n;

        core_units_remove(&m->units, u);
        if (m->document) {
                bucket_put(c, m, load, false);
                bucket_put(c, m, load - 1, true);
        }
        /* The slots are there: nothing is allocated. */
        (void) count_links(c, m, &u->holds, -1, 0);
        (void) count_links(c, m, &u->matches, 0, -1);
}

/* ---- the array of machines, and all sets over it ---- */

static int reserve_all(Core *c, size_t n) {
        const char *key;
        CoreClass *class;
        CorePattern *p;

        for (size_t i = 0; i < c->n_buckets; i++)
                if (core_bits_reserve(&c->buckets[i].bits, n) < 0)
                        return -ENOMEM;
        MAP_FOREACH (key, class, c->classes)
                if (core_bits_reserve(&class->fits, n) < 0)
                        return -ENOMEM;
        for (int kind = 0; kind < CORE_PATTERN_KINDS; kind++)
                MAP_FOREACH (key, p, c->patterns[kind])
                        if (core_bits_reserve(&p->has_holder, n) < 0 ||
                            core_bits_reserve(&p->has_match, n) < 0)
                                return -ENOMEM;
        if (core_bits_reserve(&c->mask, n) < 0 || core_bits_reserve(&c->peers, n) < 0)
                return -ENOMEM;
        return mem_grow(&c->order, &c->order_capacity, n, sizeof(CoreMachine *));
}

/* change: core_bits_insert with n bits afterwards, or core_bits_remove with n before. */
static void shift_all(Core *c, void (*change)(CoreBits *, size_t, size_t), size_t i, size_t n) {
        const char *key;
        CoreClass *class;
        CorePattern *p;

        for (size_t b = 0; b < c->n_buckets; b++)
                change(&c->buckets[b].bits, i, n);
        MAP_FOREACH (key, class, c->classes)
                change(&class->fits, i, n);
        for (int kind = 0; kind < CORE_PATTERN_KINDS; kind++)
                MAP_FOREACH (key, p, c->patterns[kind]) {
                        change(&p->has_holder, i, n);
                        change(&p->has_match, i, n);
                }
}

static void update_classes(Core *c, const CoreMachine *m) {
        const char *key;
        CoreClass *class;

        MAP_FOREACH (key, class, c->classes)
                core_class_update(class, m);
}

static size_t order_find(const Core *c, const char *id) {
        size_t low = 0, high = c->n_machines;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(c->order[middle]->id, id) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* Takes document on success. */
static int enter(Core *c, CoreMachine *m, Machine *document) {
        size_t i = order_find(c, m->id), n = c->n_machines + 1;
        int r;

        r = bucket_reserve(c, m->units.n);
        if (r >= 0)
                r = reserve_all(c, n);
        if (r < 0)
                return r;

        shift_all(c, core_bits_insert, i, n);
        memmove(&c->order[i + 1], &c->order[i], (c->n_machines - i) * sizeof(CoreMachine *));
        c->order[i] = m;
        c->n_machines = n;
        for (size_t k = i; k < n; k++)
                c->order[k]->index = k;
        m->document = document;
        m->away = false;
        bucket_put(c, m, m->units.n, true);
        for (size_t k = 0; k < m->tallies_size; k++)
                if (m->tallies[k].pattern && (m->tallies[k].holders || m->tallies[k].matches))
                        show_tally(m, &m->tallies[k]);
        update_classes(c, m);
        return 0;
}

static void leave(Core *c, CoreMachine *m) {
        size_t i = m->index;

        bucket_put(c, m, m->units.n, false);
        shift_all(c, core_bits_remove, i, c->n_machines);
        memmove(&c->order[i], &c->order[i + 1], (c->n_machines - i - 1) * sizeof(CoreMachine *));
        c->n_machines--;
        for (size_t k = i; k < c->n_machines; k++)
                c->order[k]->index = k;
        m->document = machine_free(m->document);
}

static Machine *copy_machine(const Machine *m) {
        _cleanup_(machine_freep) Machine *to = machine_new(m->id);

        if (!to || str_replace(&to->public_ip, m->public_ip) < 0 ||
            str_replace(&to->version, m->version) < 0 ||
            metadata_copy(&m->metadata, &to->metadata) < 0 ||
            strv_copy(&m->drivers, &to->drivers) < 0)
                return NULL;
        to->cpus = m->cpus;
        to->memory_bytes = m->memory_bytes;
        return TAKE_PTR(to);
}

/* What units could not have before, they may have now. */
static int mark_waiting(Core *c) {
        int r;

        LIST_FOREACH (CoreUnit, u, &c->pending, pending) {
                r = core_mark(c, u);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < c->globals.n; i++) {
                r = core_mark(c, c->globals.items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int mark_units(Core *c, const CoreMachine *m) {
        for (size_t i = 0; i < m->units.n; i++) {
                int r = core_mark(c, m->units.items[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

int core_machine_set(Core *c, const Machine *document) {
        _cleanup_(machine_freep) Machine *copy = NULL;
        CoreMachine *m;
        int r;

        m = core_machine_get(c, document->id);
        if (!m)
                return -ENOMEM;
        if (m->document && metadata_equal(&m->document->metadata, &document->metadata) &&
            strv_equal(&m->document->drivers, &document->drivers))
                return 0;

        copy = copy_machine(document);
        if (!copy)
                return -ENOMEM;
        if (m->document) {
                machine_free(m->document);
                m->document = TAKE_PTR(copy);
                update_classes(c, m);
        } else {
                r = enter(c, m, copy);
                if (r < 0)
                        return r;
                (void) TAKE_PTR(copy);
        }

        r = mark_units(c, m);
        return r < 0 ? r : mark_waiting(c);
}

static int take_away(Core *c, CoreMachine *m, bool away) {
        int r;

        if (m->document)
                leave(c, m);
        m->away = away;
        r = mark_units(c, m);
        if (r >= 0)
                r = mark_waiting(c); /* their reasons count machines */
        if (m->units.n == 0)
                (void) map_remove(c->machines, m->id);
        return r;
}

int core_machine_remove(Core *c, const char *id) {
        CoreMachine *m = map_get(c->machines, id);

        return !m || (!m->document && m->away) ? 0 : take_away(c, m, true);
}

int core_machine_doubt(Core *c, const char *id) {
        CoreMachine *m = map_get(c->machines, id);

        return !m || !m->document ? 0 : take_away(c, m, false);
}
