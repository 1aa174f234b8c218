#include "scheduler/registry_changes.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

typedef struct RegistryChangeDoc {
        RegistryKind kind;
        bool deleted;
        char *unit;
        char *machine;
        int64_t revision;
        union {
                RegistryUnit unit_doc;
                RegistryPlacement placement;
                UnitState *state;
                Machine *machine_doc;
                RegistryReason reason;
        };
} RegistryChangeDoc;

static void doc_clear(RegistryChangeDoc *d) {
        if (d->deleted)
                return;
        if (d->kind == REGISTRY_UNIT)
                registry_unit_done(&d->unit_doc);
        else if (d->kind == REGISTRY_PLACEMENT)
                registry_placement_done(&d->placement);
        else if (d->kind == REGISTRY_STATE)
                d->state = unit_state_free(d->state);
        else if (d->kind == REGISTRY_MACHINE)
                d->machine_doc = machine_free(d->machine_doc);
        else if (d->kind == REGISTRY_REASON)
                registry_reason_done(&d->reason);
}

static RegistryChangeDoc *doc_free(RegistryChangeDoc *d) {
        if (!d)
                return NULL;

        doc_clear(d);
        mem_free(d->unit);
        mem_free(d->machine);
        return mem_free(d);
}
DEFINE_CLEANUP(RegistryChangeDoc, doc_free);

static RegistryChangeDoc *doc_new(const RegistryKey *key, bool deleted) {
        RegistryChangeDoc *d = mem_new(RegistryChangeDoc);

        if (!d)
                return NULL;

        *d = (RegistryChangeDoc){ .kind = key->kind, .deleted = deleted };
        if (key->unit[0] != '\0')
                d->unit = str_dup(key->unit);
        if (key->machine[0] != '\0')
                d->machine = str_dup(key->machine);
        if ((key->unit[0] == '\0') == !d->unit && (key->machine[0] == '\0') == !d->machine)
                return d;
        return doc_free(d);
}

void registry_changes_done(RegistryChanges *c) {
        for (size_t i = 0; i < c->n; i++)
                (void) doc_free(c->docs[i]);
        mem_free(c->docs);
        mem_free(c->items);
        *c = (RegistryChanges){ 0 };
}

/* Takes d on success. */
static int append(RegistryChanges *c, RegistryChangeDoc *d) {
        if (mem_grow(&c->docs, &c->capacity, c->n + 1, sizeof(RegistryChangeDoc *)) < 0)
                return -ENOMEM;

        c->docs[c->n++] = d;
        return 0;
}

int registry_changes_delete(RegistryChanges *c, const RegistryKey *key) {
        _cleanup_(doc_freep) RegistryChangeDoc *d = doc_new(key, true);

        if (!d || append(c, d) < 0)
                return -ENOMEM;
        (void) TAKE_PTR(d);
        return 0;
}

static int parse_state(RegistryChangeDoc *d, const StoreKv *kv, Error *reterr) {
        int r;

        r = registry_state_parse(kv, &d->state, reterr);
        if (r < 0)
                return r;
        if (str_eq(d->state->unit, d->unit) && str_eq(d->state->machine, d->machine))
                return 0;
        return error_set(reterr, -EINVAL, "the document is of another unit or machine");
}

static int parse_leader(RegistryChangeDoc *d, const StoreKv *kv, Error *reterr) {
        d->revision = kv->create_revision;
        return registry_leader_parse(kv, &d->machine, reterr);
}

static int parse(RegistryChangeDoc *d, const StoreKv *kv, Error *reterr) {
        switch (d->kind) {
        case REGISTRY_UNIT:
                return registry_unit_parse(d->unit, kv, &d->unit_doc, reterr);
        case REGISTRY_PLACEMENT:
                return registry_placement_parse(d->unit, d->machine, kv, &d->placement, reterr);
        case REGISTRY_STATE:
                return parse_state(d, kv, reterr);
        case REGISTRY_REASON:
                return registry_reason_parse(d->unit, kv, &d->reason, reterr);
        case REGISTRY_LEADER:
                return parse_leader(d, kv, reterr);
        case REGISTRY_MACHINE:
        case REGISTRY_CONTENT:
                break;
        }
        return error_set(reterr, -EINVAL, "the document is of a kind that is not followed");
}

int registry_changes_add(RegistryChanges *c, const RegistryKey *key, const StoreKv *kv,
                         Error *reterr) {
        _cleanup_(doc_freep) RegistryChangeDoc *d = doc_new(key, false);
        int r;

        if (!d)
                return -ENOMEM;

        r = parse(d, kv, reterr);
        if (r < 0)
                return r;
        if (append(c, d) < 0)
                return -ENOMEM;
        (void) TAKE_PTR(d);
        return 0;
}

/* Through its document: there is no other way to copy a machine that knows all of its members. */
static int copy_machine(const Machine *m, Machine **ret) {
        _cleanup_json_ json_t *j = NULL;
        int r;

        r = machine_to_json(m, &j);
        return r < 0 ? r : machine_from_json(j, ret, NULL);
}

int registry_changes_add_machine(RegistryChanges *c, const Machine *m, const Metadata *patch) {
        _cleanup_(doc_freep) RegistryChangeDoc *d = NULL;
        RegistryKey key = { .kind = REGISTRY_MACHINE };

        d = doc_new(&key, false);
        if (!d)
                return -ENOMEM;

        d->machine = str_dup(m->id);
        if (!d->machine || copy_machine(m, &d->machine_doc) < 0 ||
            (patch && metadata_merge(&d->machine_doc->metadata, patch) < 0) || append(c, d) < 0)
                return -ENOMEM;
        (void) TAKE_PTR(d);
        return 0;
}

static RegistryChange change_of(const RegistryChangeDoc *d) {
        RegistryChange c = {
                .kind = d->kind,
                .deleted = d->deleted,
                .unit = d->unit,
                .machine = d->machine,
        };

        if (d->deleted)
                return c;
        if (d->kind == REGISTRY_UNIT)
                c.unit_doc = &d->unit_doc;
        else if (d->kind == REGISTRY_PLACEMENT)
                c.placement = &d->placement;
        else if (d->kind == REGISTRY_STATE)
                c.state = d->state;
        else if (d->kind == REGISTRY_MACHINE)
                c.machine_doc = d->machine_doc;
        else if (d->kind == REGISTRY_REASON)
                c.reason = d->reason.text;
        else if (d->kind == REGISTRY_LEADER)
                c.leader_revision = d->revision;
        return c;
}

const RegistryChange *registry_changes_list(RegistryChanges *c) {
        mem_free(c->items);
        c->items = mem_new_array(RegistryChange, c->n);
        if (!c->items)
                return NULL;

        for (size_t i = 0; i < c->n; i++)
                c->items[i] = change_of(c->docs[i]);
        return c->items;
}
