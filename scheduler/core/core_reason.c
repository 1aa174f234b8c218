#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "scheduler/core/core_internal.h"

/*
 * Why a unit is placed nowhere, in words: "2 machines lack metadata disk=ssd; 1 conflicts with
 * web@2.service". Each machine counts once, under the first check that it fails.
 */

/* Names that are listed before the others become "…". */
#define NAMES_MAX 3

#define REASON_BYTES_MAX (2 * KIB)

/* "2 machines lack …" the first time, then "1 lacks …". */
static int count(Buf *b, size_t n, const char *one, const char *many) {
        bool first = b->size == 0 || b->data[b->size - 1] == ' ';

        return buf_printf(b, "%s%zu%s %s ", first ? "" : "; ", n,
                          first ? n == 1 ? " machine" : " machines" : "", n == 1 ? one : many);
}

static int required(Buf *b, const RequiredMetadata *q) {
        int r;

        r = buf_printf(b, "%s=", q->key);
        for (size_t i = 0; r >= 0 && i < q->values.n; i++)
                r = buf_printf(b, "%s%s", i > 0 ? " or " : "", q->values.items[i]);
        return r;
}

/* Leaves in c->mask the machines of the class; of a follower only those count where its peers are. */
static int tell_class(Core *c, const CoreUnit *u, Buf *b) {
        const Requirements *q = u->class->q;
        _cleanup_free_ size_t *lacking = mem_new_array(size_t, q->n_metadata + 1);
        int r = 0;

        if (!lacking)
                return -ENOMEM;

        for (size_t i = 0; i < c->n_machines; i++) {
                const Machine *m = c->order[i]->document;
                size_t k = 0;

                bool counts = u->machine_of.n == 0 || core_bits_get(&c->peers, i);

                core_bits_put(&c->mask, i, counts && core_bits_get(&u->class->fits, i));
                if (!counts || core_bits_get(&u->class->fits, i))
                        continue;
                if (q->machine_id && !core_machine_has_id(m->id, q->machine_id)) {
                        lacking[q->n_metadata]++;
                        continue;
                }
                while (k < q->n_metadata && core_machine_has_metadata(m, &q->metadata[k]))
                        k++;
                lacking[k]++;
        }

        if (q->machine_id && lacking[q->n_metadata] == c->n_machines)
                return buf_printf(b, "machine %s is not in the cluster", q->machine_id);
        if (lacking[q->n_metadata] > 0) {
                r = count(b, lacking[q->n_metadata], "is not", "are not");
                if (r >= 0)
                        r = buf_printf(b, "machine %s", q->machine_id);
        }
        for (size_t i = 0; r >= 0 && i < q->n_metadata; i++) {
                if (lacking[i] == 0)
                        continue;
                r = count(b, lacking[i], "lacks metadata", "lack metadata");
                if (r >= 0)
                        r = required(b, &q->metadata[i]);
        }
        return r;
}

/* What the machines of c->mask have against it, by unit: conflicts and replacements. */
typedef struct Against {
        size_t n;
        Strv names;
} Against;

static int add_against(Against *a, const char *name) {
        a->n++;
        return strv_contains(&a->names, name) || a->names.n > NAMES_MAX
                       ? 0
                       : strv_push(&a->names, name);
}

static int tell_against(Buf *b, Against *a, const char *one, const char *many, const char *behind) {
        int r;

        if (a->n == 0)
                return 0;
        r = count(b, a->n, one, many);
        for (size_t i = 0; r >= 0 && i < a->names.n; i++)
                r = i < NAMES_MAX ? buf_printf(b, "%s%s", i > 0 ? ", " : "", a->names.items[i])
                                  : buf_append_str(b, ", …");
        return r < 0 ? r : buf_append_str(b, behind);
}

typedef struct Tally {
        Against conflicts, replaced, circular, ineligible;
} Tally;

static void tally_done(Tally *t) {
        strv_done(&t->conflicts.names);
        strv_done(&t->replaced.names);
        strv_done(&t->circular.names);
        strv_done(&t->ineligible.names);
}

static int tell_machine(Core *c, const CoreUnit *u, const CoreMachine *m, Tally *t) {
        const char *other, *reason;
        CoreUnit bare = *u;

        bare.machine_of = STRV_INIT; /* peers have been told of */
        switch (core_check_placed(c, &bare, m, &other)) {
        case CHECK_CONFLICT:
                return add_against(&t->conflicts, other ? other : "another unit");
        case CHECK_REPLACED:
                return add_against(&t->replaced, other ? other : "another unit");
        case CHECK_FITS:
        case CHECK_AWAY:
        case CHECK_ID:
        case CHECK_METADATA:
        case CHECK_PEER:
        case CHECK_INELIGIBLE:
                break;
        }
        if (core_check_machine(c, u, m, &reason))
                return 0;
        if (reason)
                return add_against(&t->ineligible, reason);
        return add_against(&t->circular, "it");
}

static int tell_rest(Core *c, const CoreUnit *u, Buf *b) {
        _cleanup_(tally_done) Tally t = { 0 };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->n_machines; i++)
                if (core_bits_get(&c->mask, i))
                        r = tell_machine(c, u, c->order[i], &t);
        if (r >= 0)
                r = tell_against(b, &t.conflicts, "conflicts with", "conflict with", "");
        if (r >= 0)
                r = tell_against(b, &t.replaced, "runs", "run", ", which replaces it");
        if (r >= 0)
                r = tell_against(b, &t.circular, "runs a unit that replaces",
                                 "run units that replace", " in a circle");
        if (r >= 0)
                r = tell_against(b, &t.ineligible, "cannot run it:", "cannot run it:", "");
        return r;
}

/* 1 = that is the reason. */
static int tell_peers(Core *c, CoreUnit *u, Buf *b) {
        const char *first = NULL;
        size_t n = 0;
        int r;

        for (size_t i = 0; i < u->machine_of.n; i++) {
                const CoreUnit *peer = map_get(c->units, u->machine_of.items[i]);

                if (peer && peer->places.n > 0)
                        continue;
                r = buf_printf(b, "required peer %s is not scheduled", u->machine_of.items[i]);
                return r < 0 ? r : 1;
        }
        if (u->machine_of.n == 0)
                return 0;

        (void) core_peers(c, u);
        for (size_t i = 0; i < c->n_machines; i++) {
                if (!core_bits_get(&c->peers, i))
                        continue;
                if (n++ == 0)
                        first = c->order[i]->id;
        }
        if (n == 0)
                r = buf_append_str(b, "its required peers are on different machines");
        else if (n == 1)
                r = buf_printf(b, "required peer %s is on %s: ", u->machine_of.items[0], first);
        else
                r = buf_printf(b, "required peer %s is on %zu machines: ", u->machine_of.items[0],
                               n);
        return r < 0 ? r : n == 0;
}

static int tell(Core *c, CoreUnit *u, Buf *b) {
        int r;

        if (u->circular)
                return buf_append_str(b, "MachineOf goes round in a circle");
        if (c->n_machines == 0)
                return buf_append_str(b, "no machines in the cluster");

        r = tell_peers(c, u, b);
        if (r != 0)
                return r;
        r = tell_class(c, u, b);
        return r < 0 ? r : tell_rest(c, u, b);
}

int core_reason_make(Core *c, CoreUnit *u, char **ret) {
        _cleanup_(buf_done) Buf b = { .limit = REASON_BYTES_MAX };
        int r;

        r = tell(c, u, &b);
        if (r < 0 && r != -EFBIG) /* too long: what fits is said */
                return r;

        *ret = b.size > 0 ? buf_steal(&b) : str_dup("no machine can run it");
        return *ret ? 0 : -ENOMEM;
}
