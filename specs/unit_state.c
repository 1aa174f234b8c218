#include "specs/unit_state.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

static const char *const desired_words[] = {
        [DESIRED_INACTIVE] = "inactive",
        [DESIRED_LOADED] = "loaded",
        [DESIRED_LAUNCHED] = "launched",
};

const char *desired_state_to_string(DesiredState s) {
        assert((size_t) s < ELEMENTSOF(desired_words));
        return desired_words[s];
}

int desired_state_from_string(const char *s, DesiredState *ret) {
        for (size_t i = 0; i < ELEMENTSOF(desired_words); i++)
                if (str_eq(s, desired_words[i])) {
                        *ret = (DesiredState) i;
                        return 0;
                }

        return -EINVAL;
}

/* The strings of a UnitState, and what they are called in the document. */
static const struct Text {
        const char *key;
        size_t offset;
} texts[] = {
        { "unit", offsetof(UnitState, unit) },      { "machine", offsetof(UnitState, machine) },
        { "load", offsetof(UnitState, load) },      { "active", offsetof(UnitState, active) },
        { "sub", offsetof(UnitState, sub) },        { "driver", offsetof(UnitState, driver) },
        { "result", offsetof(UnitState, result) },  { "message", offsetof(UnitState, message) },
        { "mainID", offsetof(UnitState, main_id) },
};

static char **text_of(UnitState *s, size_t i) {
        return (char **) (void *) ((char *) s + texts[i].offset);
}

static const char *text_of_const(const UnitState *s, size_t i) {
        return *(char *const *) (const void *) ((const char *) s + texts[i].offset);
}

UnitState *unit_state_new(const char *unit, const char *machine) {
        _cleanup_(unit_state_freep) UnitState *s = mem_new(UnitState);

        if (!s)
                return NULL;

        s->exit_code = -1;
        s->unit = str_dup(unit);
        s->machine = str_dup(machine);
        return s->unit && s->machine ? TAKE_PTR(s) : NULL;
}

UnitState *unit_state_free(UnitState *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                mem_free(*text_of(s, i));
        return mem_free(s);
}

UnitState *unit_state_copy(const UnitState *s) {
        _cleanup_(unit_state_freep) UnitState *copy = mem_new(UnitState);

        if (!copy)
                return NULL;

        *copy = *s;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                *text_of(copy, i) = NULL;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (str_replace(text_of(copy, i), text_of_const(s, i)) < 0)
                        return NULL;

        return TAKE_PTR(copy);
}

bool unit_state_equal(const UnitState *a, const UnitState *b) {
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (!str_eq(text_of_const(a, i), text_of_const(b, i)))
                        return false;

        return str_eq(a->hash, b->hash) && a->target == b->target &&
               a->since_usec == b->since_usec && a->restarts == b->restarts &&
               a->exit_code == b->exit_code && a->exit_signal == b->exit_signal;
}

DesiredState unit_state_reached(const UnitState *s) {
        if (!s || !str_eq(s->load, "loaded"))
                return DESIRED_INACTIVE;
        return s->target == DESIRED_LAUNCHED ? DESIRED_LAUNCHED : DESIRED_LOADED;
}

/* ---- the document in the store ----------------------------------------------------------------- */

static int set_numbers(json_t *j, const UnitState *s) {
        int r;

        r = json_set_u64(j, "since", s->since_usec);
        if (r >= 0)
                r = json_set_u64(j, "restarts", s->restarts);
        if (r >= 0)
                r = json_set_u64(j, "exitSignal", (uint64_t) s->exit_signal);
        if (r >= 0 && s->exit_code >= 0 &&
            json_object_set_new(j, "exitCode", json_integer(s->exit_code)) < 0)
                r = -ENOMEM;
        return r;
}

int unit_state_to_json(const UnitState *s, json_t **ret) {
        _cleanup_json_ json_t *j = json_object();
        int r;

        if (!j)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                r = json_set_string(j, texts[i].key, text_of_const(s, i));
                if (r < 0)
                        return r;
        }

        r = json_set_string(j, "hash", s->hash);
        if (r >= 0)
                r = json_set_string(j, "target", desired_state_to_string(s->target));
        if (r >= 0)
                r = set_numbers(j, s);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(j);
        return 0;
}

static int read_hash(const json_t *j, UnitState *s, Error *reterr) {
        const char *hash = NULL;
        int r;

        r = json_get_string(j, "hash", &hash, reterr);
        if (r < 0 || !hash)
                return r;

        if (strlen(hash) >= sizeof(s->hash))
                return error_set(reterr, -EINVAL, "'hash' is longer than %d characters",
                                 SHA1_HEX_SIZE - 1);

        memcpy(s->hash, hash, strlen(hash) + 1);
        return 0;
}

static int read_target(const json_t *j, UnitState *s, Error *reterr) {
        const char *target = NULL;
        int r;

        r = json_get_string(j, "target", &target, reterr);
        if (r < 0 || !target)
                return r;

        r = desired_state_from_string(target, &s->target);
        if (r < 0)
                return error_set(reterr, r, "'target' is no state: '%.64s'", target);
        return 0;
}

/* Absent leaves *ret alone. */
static int read_int(const json_t *j, const char *key, int *ret, Error *reterr) {
        uint64_t value;
        int r;

        if (!json_object_get(j, key))
                return 0;

        r = json_get_u64(j, key, &value, reterr);
        if (r < 0)
                return r;
        if (value > INT32_MAX)
                return error_set(reterr, -EINVAL, "'%s' is too large", key);

        *ret = (int) value;
        return 0;
}

static int read_numbers(const json_t *j, UnitState *s, Error *reterr) {
        int r;

        r = json_get_u64(j, "since", &s->since_usec, reterr);
        if (r >= 0)
                r = json_get_u64(j, "restarts", &s->restarts, reterr);
        if (r >= 0)
                r = read_int(j, "exitCode", &s->exit_code, reterr);
        if (r >= 0)
                r = read_int(j, "exitSignal", &s->exit_signal, reterr);
        return r;
}

static int read_texts(const json_t *j, UnitState *s, Error *reterr) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                const char *text = NULL;

                r = json_get_string(j, texts[i].key, &text, reterr);
                if (r >= 0 && !str_empty(text))
                        r = str_replace(text_of(s, i), text);
                if (r < 0)
                        return r;
        }
        return 0;
}

int unit_state_from_json(const json_t *j, UnitState **ret, Error *reterr) {
        _cleanup_(unit_state_freep) UnitState *s = NULL;
        const char *unit, *machine;
        int r;

        if (!json_is_object(j))
                return error_set(reterr, -EINVAL, "unit state is not an object");

        r = json_need_string(j, "unit", &unit, reterr);
        if (r >= 0)
                r = json_need_string(j, "machine", &machine, reterr);
        if (r < 0)
                return r;
        if (str_empty(unit) || str_empty(machine))
                return error_set(reterr, -EINVAL, "'unit' or 'machine' is empty");

        s = unit_state_new(unit, machine);
        if (!s)
                return -ENOMEM;

        r = read_texts(j, s, reterr);
        if (r >= 0)
                r = read_hash(j, s, reterr);
        if (r >= 0)
                r = read_target(j, s, reterr);
        if (r >= 0)
                r = read_numbers(j, s, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}
