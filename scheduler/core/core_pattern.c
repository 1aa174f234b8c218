#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"
#include "specs/glob.h"

/*
 * Patterns know whom they match before anybody asks. To find the patterns that match a name, it is looked
 * up by its beginnings: of each length that some pattern's literal part has.
 */

/* Patterns that begin with the same literal characters. */
typedef struct CorePrefix {
        CorePattern **items;
        size_t n, capacity;
} CorePrefix;

void *core_prefix_free(void *prefix) {
        CorePrefix *p = prefix;

        mem_free(p->items);
        return mem_free(p);
}

void *core_pattern_free(void *pattern) {
        CorePattern *p = pattern;

        if (!p)
                return NULL;
        mem_free(p->text);
        mem_free(p->holders.items);
        mem_free(p->matched.items);
        core_bits_done(&p->has_holder);
        core_bits_done(&p->has_match);
        return mem_free(p);
}

bool core_links_have(const CoreLinks *l, const CorePattern *p) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].pattern == p)
                        return true;
        return false;
}

static int link_add(CoreLinks *l, CorePattern *p, CoreUnits *list, CoreUnit *u) {
        int r;

        r = mem_grow(&l->items, &l->capacity, l->n + 1, sizeof(CoreLink));
        if (r < 0)
                return r;

        r = core_units_add(list, u);
        if (r < 0)
                return r;

        l->items[l->n++] = (CoreLink){ p, list->n - 1 };
        return 0;
}

/* Takes the unit out of the list; the one that moves into the gap is told where it is now. */
static void link_drop(const CoreLink *link, bool holds) {
        CoreUnits *list = holds ? &link->pattern->holders : &link->pattern->matched;
        CoreUnit *moved = list->items[--list->n];
        CoreLinks *links = holds ? &moved->holds : &moved->matches;

        list->items[link->at] = moved;
        for (size_t i = 0; i < links->n; i++)
                if (links->items[i].pattern == link->pattern)
                        links->items[i].at = link->at;
}

static int add_length(Core *c, size_t length) {
        size_t i = 0;
        int r;

        while (i < c->n_prefix_lengths && c->prefix_lengths[i] < length)
                i++;
        if (i < c->n_prefix_lengths && c->prefix_lengths[i] == length)
                return 0;

        r = mem_grow(&c->prefix_lengths, &c->prefix_lengths_capacity, c->n_prefix_lengths + 1,
                     sizeof(size_t));
        if (r < 0)
                return r;

        memmove(&c->prefix_lengths[i + 1], &c->prefix_lengths[i],
                (c->n_prefix_lengths - i) * sizeof(size_t));
        c->prefix_lengths[i] = length;
        c->n_prefix_lengths++;
        return 0;
}

static int add_to_prefix(Core *c, CorePattern *p) {
        _cleanup_free_ char *literal = str_ndup(p->text, p->literal);
        CorePrefix *prefix = literal ? map_get(c->prefixes, literal) : NULL;
        int r;

        if (!literal)
                return -ENOMEM;
        if (!prefix) {
                prefix = mem_new(CorePrefix);
                if (!prefix)
                        return -ENOMEM;
                r = map_put(c->prefixes, literal, prefix);
                if (r < 0) {
                        mem_free(prefix);
                        return r;
                }
        }

        r = mem_grow(&prefix->items, &prefix->capacity, prefix->n + 1, sizeof(CorePattern *));
        if (r < 0)
                return r;

        prefix->items[prefix->n++] = p;
        return add_length(c, p->literal);
}

/* Every unit there is, once, when the pattern is new. */
static int match_all(Core *c, CorePattern *p) {
        const char *name;
        CoreUnit *u;
        int r;

        MAP_FOREACH (name, u, c->units) {
                if (!u->known || strncmp(name, p->text, p->literal) != 0 ||
                    !glob_match(p->text, name))
                        continue;
                r = link_add(&u->matches, p, &p->matched, u);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int tally_matches(Core *c, CorePattern *p);

static int pattern_new(Core *c, CorePatternKind kind, const char *text, CorePattern **ret) {
        CorePattern *p = mem_new(CorePattern);
        int r;

        if (!p)
                return -ENOMEM;

        p->kind = kind;
        p->text = str_dup(text);
        p->literal = strcspn(text, "*?[\\");
        if (!p->text || core_bits_reserve(&p->has_holder, c->n_machines) < 0 ||
            core_bits_reserve(&p->has_match, c->n_machines) < 0 ||
            map_put(c->patterns[kind], text, p) < 0) {
                (void) core_pattern_free(p);
                return -ENOMEM;
        }

        r = add_to_prefix(c, p);
        if (r >= 0)
                r = match_all(c, p);
        if (r >= 0)
                r = tally_matches(c, p);
        *ret = p;
        return r;
}

/* Its units that are placed already count from now on. */
static int tally_matches(Core *c, CorePattern *p) {
        for (size_t i = 0; i < p->matched.n; i++) {
                CoreUnit *u = p->matched.items[i];

                for (size_t j = 0; j < u->places.n; j++) {
                        int r = core_machine_count(c, u->places.items[j].machine, p, 0, 1);

                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

int core_patterns_hold(Core *c, CoreUnit *u, CorePatternKind kind, const Strv *globs) {
        for (size_t i = 0; i < globs->n; i++) {
                CorePattern *p = map_get(c->patterns[kind], globs->items[i]);
                int r = p ? 0 : pattern_new(c, kind, globs->items[i], &p);

                if (r < 0)
                        return r;
                if (core_links_have(&u->holds, p))
                        continue;
                r = link_add(&u->holds, p, &p->holders, u);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int match_prefix(CoreUnit *u, const CorePrefix *prefix) {
        for (size_t i = 0; i < prefix->n; i++) {
                CorePattern *p = prefix->items[i];
                int r;

                if (!glob_match(p->text, u->name))
                        continue;
                r = link_add(&u->matches, p, &p->matched, u);
                if (r < 0)
                        return r;
        }
        return 0;
}

int core_patterns_match(Core *c, CoreUnit *u) {
        size_t length = strlen(u->name);
        int r;

        for (size_t i = 0; i < c->n_prefix_lengths && c->prefix_lengths[i] <= length; i++) {
                _cleanup_free_ char *begin = str_ndup(u->name, c->prefix_lengths[i]);
                const CorePrefix *prefix = begin ? map_get(c->prefixes, begin) : NULL;

                if (!begin)
                        return -ENOMEM;
                r = prefix ? match_prefix(u, prefix) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static void pattern_drop(Core *c, CorePattern *p) {
        _cleanup_free_ char *literal = str_ndup(p->text, p->literal);
        CorePrefix *prefix = literal ? map_get(c->prefixes, literal) : NULL;

        if (!prefix) /* out of memory: it stays, unused and harmless */
                return;
        for (size_t i = 0; i < prefix->n; i++)
                if (prefix->items[i] == p) {
                        prefix->items[i] = prefix->items[--prefix->n];
                        break;
                }
        while (p->matched.n > 0) {
                CoreUnit *u = p->matched.items[p->matched.n - 1];

                for (size_t i = 0; i < u->places.n; i++)
                        (void) core_machine_count(c, u->places.items[i].machine, p, 0, -1);
                p->matched.n--;
                for (size_t i = 0; i < u->matches.n; i++)
                        if (u->matches.items[i].pattern == p) {
                                u->matches.items[i] = u->matches.items[--u->matches.n];
                                break;
                        }
        }
        (void) map_remove(c->patterns[p->kind], p->text);
}

void core_patterns_release(Core *c, CoreUnit *u) {
        while (u->holds.n > 0) {
                CoreLink link = u->holds.items[u->holds.n - 1];

                link_drop(&link, true);
                u->holds.n--;
                if (link.pattern->holders.n == 0)
                        pattern_drop(c, link.pattern);
        }
}

void core_patterns_forget(Core *c _unused_, CoreUnit *u) {
        while (u->matches.n > 0) {
                CoreLink link = u->matches.items[u->matches.n - 1];

                link_drop(&link, false);
                u->matches.n--;
        }
}
