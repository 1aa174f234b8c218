/*
 * What the files of the core share. Nobody else includes it.
 *
 * Machines stand in an array by id, and each set of machines is a bit set over that array: those of a
 * load (CoreBucket), those that have what a class of units requires (CoreClass), those with a unit that a
 * pattern matches, or with a unit that holds the pattern (CorePattern). To place a unit is to walk the
 * loads upwards and to take the first bit that is in all of its sets; so ties break on the id.
 */
#pragma once

#include "lib/base/list.h"
#include "lib/base/map.h"
#include "scheduler/core/core.h"

typedef struct CoreUnit CoreUnit;
typedef struct CoreMachine CoreMachine;
typedef struct CorePattern CorePattern;

/* ---- bit sets over the machines ---- */

typedef struct CoreBits {
        uint64_t *words;
        size_t capacity; /* words; all behind the last machine's bit are 0 */
} CoreBits;

#define BITS_WORDS(n) (((n) + 63) / 64)

int core_bits_reserve(CoreBits *b, size_t n); /* room for n bits, the new ones 0; 0 or -ENOMEM */
void core_bits_insert(CoreBits *b, size_t i, size_t n); /* a 0 at i; n bits afterwards, reserved */
void core_bits_remove(CoreBits *b, size_t i, size_t n); /* n bits before */
void core_bits_done(CoreBits *b);
static inline bool core_bits_get(const CoreBits *b, size_t i) {
        return b->words[i / 64] >> (i % 64) & 1;
}
static inline void core_bits_put(CoreBits *b, size_t i, bool value) {
        uint64_t bit = UINT64_C(1) << (i % 64);

        b->words[i / 64] = value ? b->words[i / 64] | bit : b->words[i / 64] & ~bit;
}

typedef struct CoreBucket {
        CoreBits bits;
        size_t n;
} CoreBucket;

/* ---- patterns of Conflicts and Replaces ---- */

typedef enum CorePatternKind {
        CORE_CONFLICT,
        CORE_REPLACE,
        CORE_PATTERN_KINDS,
} CorePatternKind;

typedef struct CoreUnits {
        CoreUnit **items;
        size_t n, capacity;
} CoreUnits;

struct CorePattern {
        CorePatternKind kind;
        char *text;
        size_t literal;      /* length of what stands before the first special character */
        CoreUnits holders;   /* units with this pattern */
        CoreUnits matched;   /* units whose names match */
        CoreBits has_holder; /* machines with such a unit */
        CoreBits has_match;
};

/* A unit's place in a pattern's list. */
typedef struct CoreLink {
        CorePattern *pattern;
        size_t at;
} CoreLink;

typedef struct CoreLinks {
        CoreLink *items;
        size_t n, capacity;
} CoreLinks;

/* How many units of a machine hold or match a pattern; open addressing by the pattern's address. */
typedef struct CoreTally {
        CorePattern *pattern; /* NULL = free */
        uint32_t holders, matches;
} CoreTally;

/* ---- machines, classes, units ---- */

struct CoreMachine {
        char *id;
        Machine *document; /* NULL: not registered; it is known because something is placed there */
        bool away;         /* not registered, and certainly gone */
        size_t index;      /* in core->order; only while it is registered */
        CoreUnits units;   /* that are placed there */
        CoreTally *tallies;
        size_t n_tallies, tallies_size;
};

/* Units with the same MachineID and MachineMetadata. */
typedef struct CoreClass {
        char *key;
        const Requirements *q; /* one that is like all of them; owned by the class */
        CoreBits fits;
        size_t users;
} CoreClass;

typedef struct CorePlace {
        CoreMachine *machine;
        char hash[SHA1_HEX_SIZE];
        DesiredState desired;
        uint64_t generation;
} CorePlace;

typedef struct CorePlaces {
        CorePlace *items;
        size_t n, capacity;
} CorePlaces;

struct CoreUnit {
        char *name;
        bool known; /* false: something is placed under this name, or was, but there is no such unit */
        char hash[SHA1_HEX_SIZE];
        DesiredState desired;
        uint64_t generation;
        bool template;
        bool global;
        Strv machine_of;
        CoreClass *class;
        CoreLinks holds, matches;
        CorePlaces places;
        CorePlaces before; /* as it was when the plan began, if touched */
        bool touched;
        bool dirty;
        bool ran; /* it was placed before: comes first when machines are short */
        bool circular;
        size_t visited;   /* walk in which it was met */
        ListLink pending; /* wanted and not placed */
        char *why;        /* the last removal, in B9's words */
        char *reason;     /* why it is not placed; NULL = it is, or should not be */
};

struct Core {
        CoreEligibleFn eligible;
        void *userdata;
        Map *machines;
        Map *units;
        Map *classes;
        Map *patterns[CORE_PATTERN_KINDS]; /* by text */
        Map *prefixes;                     /* literal prefix -> CorePrefix */
        size_t *prefix_lengths;            /* that there are, ascending */
        size_t n_prefix_lengths, prefix_lengths_capacity;
        Map *followers; /* target's name -> CoreUnits */
        CoreUnits globals;
        CoreMachine **order; /* registered machines by id */
        size_t n_machines, order_capacity;
        CoreBucket *buckets; /* by load */
        size_t n_buckets, buckets_capacity;
        CoreUnits dirty;
        CoreUnits touched;
        ListLink pending;
        size_t walk;
        CoreBits mask, peers; /* scratch */
};

int core_units_add(CoreUnits *u, CoreUnit *unit);
void core_units_remove(CoreUnits *u, const CoreUnit *unit); /* order is not kept */
void *core_units_free(void *units);                         /* CoreUnits * on the heap */

/* core.c */
int core_mark(Core *c, CoreUnit *u);
int core_mark_followers(Core *c, const char *target);
static inline bool core_unit_wanted(const CoreUnit *u) {
        return u->known && !u->template && u->desired != DESIRED_INACTIVE;
}

/* core_pattern.c: from requirements and names to links, and back */
int core_patterns_hold(Core *c, CoreUnit *u, CorePatternKind kind, const Strv *globs);
int core_patterns_match(Core *c, CoreUnit *u);    /* once, when the unit appears */
void core_patterns_release(Core *c, CoreUnit *u); /* what it holds */
void core_patterns_forget(Core *c, CoreUnit *u);  /* what it matches */
void *core_pattern_free(void *pattern);
void *core_prefix_free(void *prefix);
bool core_links_have(const CoreLinks *l, const CorePattern *p);

/* core_class.c */
int core_class_use(Core *c, const Requirements *q, CoreClass **ret);
void core_class_unuse(Core *c, CoreClass *class);
void core_class_update(CoreClass *class, const CoreMachine *m);
void *core_class_free(void *class);
bool core_machine_has_id(const char *id, const char *required);
bool core_machine_has_metadata(const Machine *m, const RequiredMetadata *r);

/* core_machine.c */
CoreMachine *
core_machine_get(Core *c, const char *id); /* creates it, not registered; NULL = out of memory */
void *core_machine_free(void *machine);
/* Adds or takes away one of the machine's units; keeps load, tallies and bit sets right. */
int core_machine_add_unit(Core *c, CoreMachine *m, CoreUnit *u);
void core_machine_drop_unit(Core *c, CoreMachine *m, CoreUnit *u);
const CoreTally *core_machine_tally(const CoreMachine *m, const CorePattern *p); /* or NULL */
int core_machine_count(Core *c, CoreMachine *m, CorePattern *p, int holders, int matches);

/* core_place.c */
CorePlace *core_place_find(const CoreUnit *u, const CoreMachine *m); /* borrowed; or NULL */
int core_place(Core *c, CoreUnit *u, CoreMachine *m);
/* why is taken, and may be NULL for out of memory. */
int core_unplace(Core *c, CoreUnit *u, CoreMachine *m, char *why);
int core_touch(Core *c, CoreUnit *u); /* before its places change */
/* Those that wait, and hold a pattern that matches u, or match one that it holds. */
int core_mark_neighbours(Core *c, const CoreUnit *u);

/* core_check.c */
typedef enum CoreCheck {
        CHECK_FITS, /* or nobody can know */
        CHECK_AWAY,
        CHECK_ID,
        CHECK_METADATA,
        CHECK_PEER,
        CHECK_CONFLICT,
        CHECK_REPLACED,
        CHECK_INELIGIBLE,
} CoreCheck;
/* Of a unit that is placed there. *ret_other: the peer or unit that it is about, borrowed. */
CoreCheck core_check_placed(Core *c, const CoreUnit *u, const CoreMachine *m,
                            const char **ret_other);
/* Fills core->mask with the machines that a unit that is not placed may go to, as far as sets can tell. */
void core_mask(Core *c, const CoreUnit *u);
void core_mask_and(Core *c, const CoreUnit *u); /* leaves what this unit may go to, too */
/* Those where all of its MachineOf peers are, into core->peers. False: one is nowhere. */
bool core_peers(Core *c, const CoreUnit *u);
/* The rest: what no set can tell. */
bool core_check_machine(Core *c, const CoreUnit *u, const CoreMachine *m, const char **ret_reason);
/* The one with the least load in core->mask that passes for all of the units; NULL = none. */
CoreMachine *core_choose(Core *c, CoreUnit *const *units, size_t n);
/* Would they exclude each other from one machine? */
bool core_units_exclude(Core *c, CoreUnit *a, CoreUnit *b);

/* core_group.c: the unit and all it hangs together with by MachineOf */
int core_group_place(Core *c, CoreUnit *u);

/* core_reason.c: why it is placed nowhere; *ret is the caller's. */
int core_reason_make(Core *c, CoreUnit *u, char **ret);
