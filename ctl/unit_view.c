#include "ctl/unit_view.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

int unit_view_init(UnitView *v, const char *name) {
        *v = (UnitView){ .name = str_dup(name) };
        return v->name ? 0 : -ENOMEM;
}

static void clear_states(UnitView *v) {
        for (size_t i = 0; i < v->n_states; i++)
                unit_state_free(v->states[i]);
        v->n_states = 0;
}

static void clear(UnitView *v) {
        clear_states(v);
        v->machine = mem_free(v->machine);
        v->reason = mem_free(v->reason);
        v->hash[0] = '\0';
        v->desired = v->current = DESIRED_INACTIVE;
        v->exists = v->plain = false;
}

void unit_view_done(UnitView *v) {
        clear(v);
        mem_free(v->states);
        mem_free(v->name);
        *v = (UnitView){ 0 };
}

/* ---- feeding ---------------------------------------------------------------------------------- */

static void set_hash(UnitView *v, const char *hash) {
        size_t n = strlen(str_or(hash, ""));

        if (n >= sizeof(v->hash))
                n = 0;
        memcpy(v->hash, str_or(hash, ""), n);
        v->hash[n] = '\0';
}

/* Takes the state in the place of the one that machine had before. */
static int put_state(UnitView *v, UnitState *state) {
        int r;

        for (size_t i = 0; i < v->n_states; i++) {
                if (!str_eq(v->states[i]->machine, state->machine))
                        continue;
                unit_state_free(v->states[i]);
                v->states[i] = state;
                return 0;
        }
        if (v->n_states >= UNIT_VIEW_STATES_MAX)
                return -E2BIG;
        r = mem_grow(&v->states, &v->states_capacity, v->n_states + 1, sizeof(*v->states));
        if (r < 0)
                return r;
        v->states[v->n_states++] = state;
        return 0;
}

static void drop_state(UnitView *v, const char *machine) {
        for (size_t i = 0; i < v->n_states; i++) {
                if (!str_eq(v->states[i]->machine, machine))
                        continue;
                unit_state_free(v->states[i]);
                v->states[i] = v->states[--v->n_states];
                return;
        }
}

static int add_state(UnitView *v, const json_t *j, Error *reterr) {
        UnitState *state = NULL;
        int r;

        r = unit_state_from_json(j, &state, reterr);
        if (r < 0)
                return r;
        r = put_state(v, state);
        if (r < 0) {
                unit_state_free(state);
                return error_fill(reterr, r);
        }
        return 0;
}

/* A state word of a document; inactive if there is none. */
static int get_state_word(const json_t *j, const char *key, DesiredState *ret, Error *reterr) {
        const char *word = NULL;
        int r;

        r = json_get_string(j, key, &word, reterr);
        if (r < 0)
                return r;
        *ret = DESIRED_INACTIVE;
        if (!str_empty(word) && desired_state_from_string(word, ret) < 0)
                return error_set(reterr, -EINVAL, "'%s' is \"%s\", which is no state", key, word);
        return 0;
}

static int get_copy(const json_t *j, const char *key, char **ret, Error *reterr) {
        const char *s = NULL;
        int r;

        r = json_get_string(j, key, &s, reterr);
        if (r < 0)
                return r;
        r = str_replace(ret, str_empty(s) ? NULL : s);
        return r < 0 ? error_fill(reterr, r) : 0;
}

static int fill_from_status(UnitView *v, const json_t *status, Error *reterr) {
        json_t *states = NULL;
        const char *hash = NULL;
        int r;

        v->exists = json_object_get(status, "desiredState"); /* else it is what a destroyed one left */
        r = get_state_word(status, "desiredState", &v->desired, reterr);
        if (r == 0)
                r = get_state_word(status, "currentState", &v->current, reterr);
        if (r == 0)
                r = get_copy(status, "machineID", &v->machine, reterr);
        if (r == 0)
                r = get_copy(status, "reason", &v->reason, reterr);
        if (r == 0)
                r = json_get_string(status, "hash", &hash, reterr);
        if (r == 0)
                r = json_get_array(status, "states", &states, reterr);
        if (r < 0)
                return r;
        set_hash(v, hash);
        for (size_t i = 0; i < json_array_size(states); i++) {
                r = add_state(v, json_array_get(states, i), reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int unit_view_apply_status(UnitView *v, const json_t *status, bool plain, Error *reterr) {
        clear(v);
        v->known = true;
        v->plain = plain;
        return status ? fill_from_status(v, status, reterr) : 0;
}

static int apply_unit(UnitView *v, const json_t *doc, bool deleted, Error *reterr) {
        const char *hash = NULL;
        int r;

        v->exists = !deleted;
        if (deleted)
                return 0;
        r = json_get_string(doc, "hash", &hash, reterr);
        if (r < 0)
                return r;
        set_hash(v, hash);
        return get_state_word(doc, "desiredState", &v->desired, reterr);
}

/* A placement that is deleted counts only if it is the one we know: it may have moved already. */
static int apply_placement(UnitView *v, const char *machine, bool deleted, Error *reterr) {
        int r = 0;

        if (!deleted)
                r = str_replace(&v->machine, machine);
        else if (str_eq(v->machine, machine))
                v->machine = mem_free(v->machine);
        return r < 0 ? error_fill(reterr, r) : 0;
}

int unit_view_apply_event(UnitView *v, const json_t *event, Error *reterr) {
        const char *kind = NULL, *machine = NULL;
        json_t *doc = NULL;
        bool deleted = false;
        int r;

        r = json_need_string(event, "kind", &kind, reterr);
        if (r == 0)
                r = json_get_string(event, "machine", &machine, reterr);
        if (r == 0)
                r = json_get_bool(event, "deleted", &deleted, reterr);
        if (r == 0)
                r = json_get_object(event, "doc", &doc, reterr);
        if (r < 0)
                return r;

        if (str_eq(kind, "unit"))
                return apply_unit(v, doc, deleted, reterr);
        if (str_eq(kind, "placement"))
                return apply_placement(v, machine, deleted, reterr);
        if (str_eq(kind, "reason") && deleted)
                return (v->reason = mem_free(v->reason)), 0;
        if (str_eq(kind, "reason"))
                return get_copy(doc, "text", &v->reason, reterr);
        if (!str_eq(kind, "state"))
                return 0; /* machines, and what a newer fleetd may tell */
        if (!deleted)
                return add_state(v, doc, reterr);
        drop_state(v, machine);
        return 0;
}

/* ---- asking ----------------------------------------------------------------------------------- */

const UnitState *unit_view_state(const UnitView *v) {
        for (size_t i = 0; i < v->n_states; i++)
                if (str_eq(v->states[i]->machine, v->machine))
                        return v->states[i];
        return NULL;
}

DesiredState unit_view_current(const UnitView *v) {
        const UnitState *s = unit_view_state(v);

        if (v->plain)
                return v->current;
        if (!s)
                return DESIRED_INACTIVE;
        return s->target == DESIRED_LAUNCHED ? DESIRED_LAUNCHED : DESIRED_LOADED;
}

/* Does a machine still do something for the unit? */
static bool is_busy(const UnitState *s) {
        static const char *const words[] = { "active", "activating", "reloading", "deactivating" };

        for (size_t i = 0; s && i < ELEMENTSOF(words); i++)
                if (str_eq(s->active, words[i]))
                        return true;
        return false;
}

static bool any_busy(const UnitView *v) {
        for (size_t i = 0; i < v->n_states; i++)
                if (is_busy(v->states[i]))
                        return true;
        return false;
}

/* Is what its machine has the content that is wanted? */
static bool is_current_content(const UnitView *v) {
        const UnitState *s = unit_view_state(v);

        return !s || s->hash[0] == '\0' || v->hash[0] == '\0' || str_eq(s->hash, v->hash);
}

static ViewProgress check_placed(const UnitView *v, DesiredState goal, Error *reterr) {
        if (!v->exists) {
                (void) error_set(reterr, -ENOENT, "unit %s was destroyed meanwhile", v->name);
                return VIEW_FAILED;
        }
        if (v->desired != goal) {
                (void) error_set(reterr, -ECANCELED,
                                 "unit %s: somebody else asked for state %s meanwhile", v->name,
                                 desired_state_to_string(v->desired));
                return VIEW_FAILED;
        }
        if (unit_view_current(v) != goal || !is_current_content(v))
                return VIEW_PENDING;
        return goal == DESIRED_LOADED && is_busy(unit_view_state(v)) ? VIEW_PENDING : VIEW_REACHED;
}

ViewProgress unit_view_check(const UnitView *v, ViewGoal goal, Error *reterr) {
        if (!v->known)
                return VIEW_PENDING;

        switch (goal) {
        case VIEW_LAUNCHED:
                return check_placed(v, DESIRED_LAUNCHED, reterr);
        case VIEW_LOADED:
                return check_placed(v, DESIRED_LOADED, reterr);
        case VIEW_INACTIVE:
                if (v->plain)
                        return v->current == DESIRED_INACTIVE && !any_busy(v) ? VIEW_REACHED
                                                                              : VIEW_PENDING;
                return !v->machine && v->n_states == 0 ? VIEW_REACHED : VIEW_PENDING;
        case VIEW_GONE:
                if (v->plain)
                        return v->exists ? VIEW_PENDING : VIEW_REACHED;
                return !v->exists && v->n_states == 0 ? VIEW_REACHED : VIEW_PENDING;
        }
        assert(false);
        return VIEW_PENDING;
}

char *unit_state_explain(const UnitState *s) {
        bool result = !str_empty(s->result) && !str_eq(s->result, "success");

        if (result && !str_empty(s->message))
                return str_printf("%s: %s", s->result, s->message);
        if (result)
                return str_dup(s->result);
        if (!str_empty(s->message))
                return str_dup(s->message);
        return str_printf("%s (%s)", str_or(s->active, "unknown"), str_or(s->sub, "unknown"));
}

static ViewProgress failed(const UnitView *v, const UnitState *s, Error *reterr) {
        _cleanup_free_ char *why = unit_state_explain(s);

        (void) error_set(reterr, -ECHILD, "unit %s failed: %s", v->name, str_or(why, "failed"));
        return VIEW_FAILED;
}

ViewProgress unit_view_check_active(const UnitView *v, uint64_t since_before_usec, Error *reterr) {
        const UnitState *s = unit_view_state(v);
        ViewProgress launched = unit_view_check(v, VIEW_LAUNCHED, reterr);

        if (launched != VIEW_REACHED)
                return launched;
        if (!s)
                return v->plain ? VIEW_UNCERTAIN : VIEW_PENDING;
        if (str_eq(s->active, "active") || str_eq(s->active, "reloading"))
                return VIEW_REACHED;
        if (v->plain)
                return str_eq(s->active, "failed")     ? failed(v, s, reterr)
                       : str_eq(s->active, "inactive") ? VIEW_UNCERTAIN
                                                       : VIEW_PENDING;

        /* What it was before it was asked to start says little: it may not have been tried yet. */
        if (str_eq(s->active, "failed"))
                return failed(v, s, reterr) == VIEW_FAILED && s->since_usec == since_before_usec
                               ? VIEW_UNCERTAIN
                               : VIEW_FAILED;
        if (s->since_usec == since_before_usec)
                return VIEW_PENDING;
        if (!str_eq(s->active, "inactive") || s->exit_code < 0)
                return VIEW_PENDING;
        return str_eq(str_or(s->result, "success"), "success") ? VIEW_REACHED
                                                               : failed(v, s, reterr);
}
