#include "scheduler/registry_doc.h"

#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

/* ---- keys ---- */

typedef enum Parts {
        UNIT,
        MACHINE,
        UNIT_MACHINE,
        MACHINE_UNIT,
} Parts;

static const struct {
        const char *folder;
        RegistryKind kind;
        Parts parts; /* what stands behind it */
        bool metadata;
} FOLDERS[] = {
        { "content/", REGISTRY_CONTENT, UNIT, false },
        { "unit/", REGISTRY_UNIT, UNIT, false },
        { "schedule/", REGISTRY_PLACEMENT, MACHINE_UNIT, false },
        { "machine/", REGISTRY_MACHINE, MACHINE, false },
        { "metadata/", REGISTRY_MACHINE, MACHINE, true },
        { "state/", REGISTRY_STATE, UNIT_MACHINE, false },
        { "reason/", REGISTRY_REASON, UNIT, false },
};

/* Copies what is there up to the next '/', which is cut off, or up to the end. */
static int take_part(const char **at, char *ret, size_t size) {
        size_t n = strcspn(*at, "/");

        if (n == 0 || n >= size)
                return -EINVAL;

        memcpy(ret, *at, n);
        ret[n] = '\0';
        *at += n;
        if (**at == '/')
                (*at)++;
        return 0;
}

static int take_parts(const char *at, Parts parts, RegistryKey *ret) {
        int r = 0;

        if (parts == MACHINE || parts == MACHINE_UNIT)
                r = take_part(&at, ret->machine, sizeof(ret->machine));
        if (r >= 0 && parts != MACHINE)
                r = take_part(&at, ret->unit, sizeof(ret->unit));
        if (r >= 0 && parts == UNIT_MACHINE)
                r = take_part(&at, ret->machine, sizeof(ret->machine));
        return r >= 0 && *at == '\0' ? 0 : -EINVAL;
}

int registry_key_parse(const char *key, RegistryKey *ret) {
        if (strcmp(key, "leader") == 0) {
                *ret = (RegistryKey){ .kind = REGISTRY_LEADER };
                return 0;
        }

        for (size_t i = 0; i < ELEMENTSOF(FOLDERS); i++) {
                const char *at = str_after_prefix(key, FOLDERS[i].folder);

                if (!at)
                        continue;
                *ret = (RegistryKey){ .kind = FOLDERS[i].kind, .metadata = FOLDERS[i].metadata };
                return take_parts(at, FOLDERS[i].parts, ret);
        }
        return -EINVAL;
}

/* ---- writing ---- */

/* What units and placements have in common. */
static char *format_wanted(const char *hash, DesiredState desired, uint64_t generation) {
        _cleanup_json_ json_t *j = json_object();

        if (!j || json_set_string(j, "hash", hash) < 0 ||
            json_set_string(j, "desired", desired_state_to_string(desired)) < 0 ||
            json_set_u64(j, "generation", generation) < 0)
                return NULL;
        return json_format(j);
}

char *registry_unit_format(const RegistryUnit *u) {
        return format_wanted(u->hash, u->desired, u->generation);
}

char *registry_placement_format(const RegistryPlacement *p) {
        return format_wanted(p->hash, p->desired, p->generation);
}

char *registry_reason_format(const char *text) {
        _cleanup_json_ json_t *j = json_object();

        if (!j || json_set_string(j, "text", text) < 0)
                return NULL;
        return json_format(j);
}

char *registry_leader_format(const char *machine, const char *version) {
        _cleanup_json_ json_t *j = json_object();

        if (!j || json_set_string(j, "machine", machine) < 0 ||
            json_set_string(j, "version", version) < 0)
                return NULL;
        return json_format(j);
}

char *registry_metadata_format(const Metadata *m) {
        _cleanup_json_ json_t *j = NULL;

        return metadata_to_json(m, &j) < 0 ? NULL : json_format(j);
}

/* ---- reading ---- */

static int parse_object(const StoreKv *kv, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        int r;

        r = json_parse(kv->value, kv->value_size, &j, reterr);
        if (r < 0)
                return r;
        if (!json_is_object(j))
                return error_set(reterr, -EINVAL, "the document is not an object");

        *ret = TAKE_PTR(j);
        return 0;
}

static bool is_hash(const char *s) {
        return strlen(s) == SHA1_HEX_SIZE - 1 && strspn(s, "0123456789abcdef") == SHA1_HEX_SIZE - 1;
}

static int parse_wanted(const StoreKv *kv, char hash[SHA1_HEX_SIZE], DesiredState *ret_desired,
                        uint64_t *ret_generation, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        const char *text;
        int r;

        r = parse_object(kv, &j, reterr);
        if (r < 0)
                return r;

        r = json_need_string(j, "hash", &text, reterr);
        if (r < 0)
                return r;
        if (!is_hash(text))
                return error_set(reterr, -EINVAL, "'hash' is not 40 hexadecimal digits");
        memcpy(hash, text, SHA1_HEX_SIZE);

        r = json_need_string(j, "desired", &text, reterr);
        if (r < 0)
                return r;
        if (desired_state_from_string(text, ret_desired) < 0)
                return error_set(reterr, -EINVAL, "'desired' is '%s', which is no state", text);

        return json_get_u64(j, "generation", ret_generation, reterr);
}

int registry_unit_parse(const char *name, const StoreKv *kv, RegistryUnit *ret, Error *reterr) {
        RegistryUnit u = { .revision = kv->mod_revision };
        int r;

        r = parse_wanted(kv, u.hash, &u.desired, &u.generation, reterr);
        if (r < 0)
                return r;

        u.name = str_dup(name);
        if (!u.name)
                return -ENOMEM;

        *ret = u;
        return 0;
}

int registry_placement_parse(const char *unit, const char *machine, const StoreKv *kv,
                             RegistryPlacement *ret, Error *reterr) {
        RegistryPlacement p = { 0 };
        int r;

        r = parse_wanted(kv, p.hash, &p.desired, &p.generation, reterr);
        if (r < 0)
                return r;

        p.unit = str_dup(unit);
        p.machine = str_dup(machine);
        if (!p.unit || !p.machine) {
                registry_placement_done(&p);
                return -ENOMEM;
        }

        *ret = p;
        return 0;
}

int registry_reason_parse(const char *unit, const StoreKv *kv, RegistryReason *ret, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        RegistryReason reason = { 0 };
        const char *text;
        int r;

        r = parse_object(kv, &j, reterr);
        if (r < 0)
                return r;

        r = json_need_string(j, "text", &text, reterr);
        if (r < 0)
                return r;

        reason.unit = str_dup(unit);
        reason.text = str_dup(text);
        if (!reason.unit || !reason.text) {
                registry_reason_done(&reason);
                return -ENOMEM;
        }

        *ret = reason;
        return 0;
}

int registry_state_parse(const StoreKv *kv, UnitState **ret, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        int r;

        r = parse_object(kv, &j, reterr);
        return r < 0 ? r : unit_state_from_json(j, ret, reterr);
}

int registry_machine_parse(const char *id, const StoreKv *kv, Machine **ret, Error *reterr) {
        _cleanup_(machine_freep) Machine *m = NULL;
        _cleanup_json_ json_t *j = NULL;
        int r;

        r = parse_object(kv, &j, reterr);
        if (r < 0)
                return r;

        r = machine_from_json(j, &m, reterr);
        if (r < 0)
                return r;
        if (!str_eq(m->id, id))
                return error_set(reterr, -EINVAL, "the document says it is machine '%s'", m->id);

        *ret = TAKE_PTR(m);
        return 0;
}

int registry_metadata_parse(const StoreKv *kv, Metadata *ret, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        int r;

        r = parse_object(kv, &j, reterr);
        return r < 0 ? r : metadata_from_json(j, ret, reterr);
}

int registry_leader_parse(const StoreKv *kv, char **ret_machine, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        const char *machine;
        int r;

        r = parse_object(kv, &j, reterr);
        if (r < 0)
                return r;

        r = json_need_string(j, "machine", &machine, reterr);
        if (r < 0)
                return r;

        *ret_machine = str_dup(machine);
        return *ret_machine ? 0 : -ENOMEM;
}

void registry_unit_done(RegistryUnit *u) {
        u->name = mem_free(u->name);
}

void registry_placement_done(RegistryPlacement *p) {
        p->unit = mem_free(p->unit);
        p->machine = mem_free(p->machine);
}

void registry_reason_done(RegistryReason *r) {
        r->unit = mem_free(r->unit);
        r->text = mem_free(r->text);
}
