#include "ctl/watched_unit.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"

int watched_unit_init(WatchedUnit *v, const char *name) {
        *v = (WatchedUnit){ .name = str_dup(name) };
        return v->name ? 0 : -ENOMEM;
}

static void clear_states(WatchedUnit *v) {
        for (size_t i = 0; i < v->n_states; i++)
                unit_state_free(v->states[i]);
        v->n_states = 0;
}

static void clear(WatchedUnit *v) {
        clear_states(v);
        v->machine = mem_free(v->machine);
        v->reason = mem_free(v->reason);
        v->hash[0] = '\0';
        v->desired = v->current = DESIRED_INACTIVE;
        v->exists = v->plain = false;
}

void watched_unit_done(WatchedUnit *v) {
        clear(v);
        mem_free(v->states);
        mem_free(v->name);
        *v = (WatchedUnit){ 0 };
}

/* ---- feeding ---------------------------------------------------------------------------------- */

static void set_hash(WatchedUnit *v, const char *hash) {
        size_t n = strlen(str_or(hash, ""));

        if (n >= sizeof(v->hash))
                n = 0;
        memcpy(v->hash, str_or(hash, ""), n);
        v->hash[n] = '\0';
}

/* Takes the state in the place of the one that machine had before. */
static int put_state(WatchedUnit *v, UnitState *state) {
        int r;

        for (size_t i = 0; i < v->n_states; i++) {
                if (!str_eq(v->states[i]->machine, state->machine))
                        continue;
                unit_state_free(v->states[i]);
                v->states[i] = state;
                return 0;
        }
        if (v->n_states >= WATCHED_UNIT_STATES_MAX)
                return -E2BIG;
        r = mem_grow(&v->states, &v->states_capacity, v->n_states + 1, sizeof(*v->states));
        if (r < 0)
                return r;
        v->states[v->n_states++] = state;
        return 0;
}

static void drop_state(WatchedUnit *v, const char *machine) {
        for (size_t i = 0; i < v->n_states; i++) {
                if (!str_eq(v->states[i]->machine, machine))
                        continue;
                unit_state_free(v->states[i]);
                v->states[i] = v->states[--v->n_states];
                return;
        }
}

static int add_state(WatchedUnit *v, const json_t *j, Error *reterr) {
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

static int fill_from_status(WatchedUnit *v, const json_t *status, Error *reterr) {
        json_t *states = NULL;
        const char *hash = NULL;
        int r;

        v->exists = json_object_get(status,
                                    "desiredState"); /* else it is what a destroyed one left */
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

int watched_unit_apply_status(WatchedUnit *v, const json_t *status, bool plain, Error *reterr) {
        clear(v);
        v->known = true;
        v->plain = plain;
        return status ? fill_from_status(v, status, reterr) : 0;
}

static int apply_unit(WatchedUnit *v, const json_t *doc, bool deleted, Error *reterr) {
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
static int apply_placement(WatchedUnit *v, const char *machine, bool deleted, Error *reterr) {
        int r = 0;

        if (!deleted)
                r = str_replace(&v->machine, machine);
        else if (str_eq(v->machine, machine))
                v->machine = mem_free(v->machine);
        return r < 0 ? error_fill(reterr, r) : 0;
}

int watched_unit_apply_event(WatchedUnit *v, const json_t *event, Error *reterr) {
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

const UnitState *watched_unit_state(const WatchedUnit *v) {
        for (size_t i = 0; i < v->n_states; i++)
                if (str_eq(v->states[i]->machine, v->machine))
                        return v->states[i];
        return NULL;
}

bool watched_unit_is_loaded(const UnitState *s) {
        return str_empty(s->load) || str_eq(s->load, "loaded");
}

/* How far it got, in fleet's words (B8). */
static DesiredState current_state(const WatchedUnit *v) {
        return v->plain ? v->current : unit_state_reached(watched_unit_state(v));
}

/* Does a machine still do something for the unit? */
static bool is_busy(const UnitState *s) {
        static const char *const words[] = { "active", "activating", "reloading", "deactivating" };

        for (size_t i = 0; s && i < ELEMENTSOF(words); i++)
                if (str_eq(s->active, words[i]))
                        return true;
        return false;
}

static bool any_busy(const WatchedUnit *v) {
        for (size_t i = 0; i < v->n_states; i++)
                if (is_busy(v->states[i]))
                        return true;
        return false;
}

/* Is what its machine has the content that is wanted? */
static bool is_current_content(const WatchedUnit *v) {
        const UnitState *s = watched_unit_state(v);

        return !s || s->hash[0] == '\0' || v->hash[0] == '\0' || str_eq(s->hash, v->hash);
}

/* Will no other attempt to load it do better? */
static bool is_unloadable(const UnitState *s) {
        return s && str_eq(s->load, "bad-setting");
}

static WatchProgress check_placed(const WatchedUnit *v, DesiredState goal, Error *reterr) {
        const UnitState *s = watched_unit_state(v);

        if (!v->exists) {
                (void) error_set(reterr, -ENOENT, "unit %s was destroyed meanwhile", v->name);
                return WATCH_FAILED;
        }
        if (v->desired != goal) {
                (void) error_set(reterr, -ECANCELED,
                                 "unit %s: somebody else asked for state %s meanwhile", v->name,
                                 desired_state_to_string(v->desired));
                return WATCH_FAILED;
        }
        if (is_unloadable(s) && is_current_content(v)) {
                (void) error_set(reterr, -ENOEXEC, "unit %s cannot be loaded: %s", v->name,
                                 str_or(s->message, s->load));
                return WATCH_FAILED;
        }
        if (current_state(v) != goal || !is_current_content(v))
                return WATCH_PENDING;
        return goal == DESIRED_LOADED && is_busy(s) ? WATCH_PENDING : WATCH_REACHED;
}

WatchProgress watched_unit_check(const WatchedUnit *v, WatchGoal goal, Error *reterr) {
        if (!v->known)
                return WATCH_PENDING;

        switch (goal) {
        case WATCH_LAUNCHED:
                return check_placed(v, DESIRED_LAUNCHED, reterr);
        case WATCH_LOADED:
                return check_placed(v, DESIRED_LOADED, reterr);
        case WATCH_INACTIVE:
                if (v->plain)
                        return v->current == DESIRED_INACTIVE && !any_busy(v) ? WATCH_REACHED
                                                                              : WATCH_PENDING;
                return !v->machine && v->n_states == 0 ? WATCH_REACHED : WATCH_PENDING;
        case WATCH_GONE:
                if (v->plain)
                        return v->exists ? WATCH_PENDING : WATCH_REACHED;
                return !v->exists && v->n_states == 0 ? WATCH_REACHED : WATCH_PENDING;
        }
        assert(false);
        return WATCH_PENDING;
}

char *watched_unit_explain(const UnitState *s) {
        bool result = !str_empty(s->result) && !str_eq(s->result, "success");

        if (result && !str_empty(s->message))
                return str_printf("%s: %s", s->result, s->message);
        if (result)
                return str_dup(s->result);
        if (!str_empty(s->message))
                return str_dup(s->message);
        return str_printf("%s (%s)", str_or(s->active, "unknown"), str_or(s->sub, "unknown"));
}

static WatchProgress failed(const WatchedUnit *v, const UnitState *s, Error *reterr) {
        _cleanup_free_ char *why = watched_unit_explain(s);

        (void) error_set(reterr, -ECHILD, "unit %s failed: %s", v->name, str_or(why, "failed"));
        return WATCH_FAILED;
}

WatchProgress watched_unit_check_active(const WatchedUnit *v, uint64_t since_before_usec,
                                        Error *reterr) {
        const UnitState *s = watched_unit_state(v);
        WatchProgress launched = watched_unit_check(v, WATCH_LAUNCHED, reterr);

        if (launched != WATCH_REACHED)
                return launched;
        if (!s)
                return v->plain ? WATCH_UNCERTAIN : WATCH_PENDING;
        if (str_eq(s->active, "active") || str_eq(s->active, "reloading"))
                return WATCH_REACHED;
        if (v->plain)
                return str_eq(s->active, "failed")     ? failed(v, s, reterr)
                       : str_eq(s->active, "inactive") ? WATCH_UNCERTAIN
                                                       : WATCH_PENDING;

        /* Skipped, which systemctl does not mind either. */
        if (str_eq(s->active, "inactive") && str_eq(s->result, "exec-condition"))
                return WATCH_REACHED;
        /* What it was before it was asked to start says little: it may not have been tried yet. */
        if (str_eq(s->active, "failed"))
                return failed(v, s, reterr) == WATCH_FAILED && s->since_usec == since_before_usec
                               ? WATCH_UNCERTAIN
                               : WATCH_FAILED;
        if (s->since_usec == since_before_usec)
                return WATCH_PENDING;
        if (!str_eq(s->active, "inactive") || s->exit_code < 0)
                return WATCH_PENDING;
        return str_eq(str_or(s->result, "success"), "success") ? WATCH_REACHED
                                                               : failed(v, s, reterr);
}
