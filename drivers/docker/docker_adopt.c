/* What the engine has of ours when it is found: taken up, told to the agent, or taken away. */
#include <stdlib.h>

#include "drivers/docker/docker_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"

DockerFoundContainer *docker_found_free(DockerFoundContainer *f) {
        if (!f)
                return NULL;
        mem_free(f->unit);
        mem_free(f->id);
        mem_free(f->hash);
        mem_free(f->name);
        return mem_free(f);
}

/* Nobody loads it: what is found of it goes. */
void docker_adopt_unload(DockerDriver *d, const char *unit, DriverDoneFn fn, void *userdata) {
        if (d->synced) {
                (void) map_remove(d->found, unit);
                docker_outcome_drop(d, unit);
                docker_removal_of_unit(d, unit, fn, userdata);
        } else
                docker_driver_complete(d, unit, fn, userdata, -EHOSTDOWN,
                                       str_or(d->why_not, "the docker engine was not seen yet"));
}

/* ---- taking up ---------------------------------------------------------------------------------- */

static void supervise(DockerUnit *u, const DockerFoundContainer *f) {
        u->supervise = true;
        u->main.remove = f->remove;
        (void) str_replace(&u->main.name, f->name);
        u->started = true;
        service_adopt(u->service, f->running, f->restarts);
        docker_main_started(u, f->id);
        docker_unit_changed(u);
}

void docker_adopt_take_up(DockerUnit *u) {
        DockerDriver *d = u->driver;
        DockerFoundContainer *f = map_steal(d->found, u->name);

        u->taken_up = true;
        if (!f || !f->running)
                docker_outcome_take_up(u);
        if (!f)
                return;
        (void) str_replace(&u->last_id, f->id);
        if (f->made || !str_eq(f->hash, u->hash)) {
                docker_removal_of_one(d, f);
        } else if (f->running) {
                supervise(u, f);
                docker_unit_refresh_state(u);
                u->state->since_usec = f->created_usec;
        } else if (!u->restored && !docker_ended_has(d, f->id)) {
                /* It ended while nobody looked. A start will tell that end, and go on from there. */
                u->ended = TAKE_PTR(f);
        }
        (void) docker_found_free(f);
}

/* start of a unit whose container ended while nobody looked: its end is handled as Restart= says. */
bool docker_adopt_tell_ended(DockerUnit *u) {
        DockerFoundContainer *f = TAKE_PTR(u->ended);

        if (!f)
                return false;
        u->main.with_engine = true;
        supervise(u, f);
        docker_main_ended(u);
        (void) docker_found_free(f);
        return true;
}

/* It is started anew: what ended with --rm is not left lying. */
void docker_adopt_drop_ended(DockerUnit *u) {
        if (u->ended && u->ended->remove)
                docker_removal_of_one(u->driver, u->ended);
        u->ended = docker_found_free(u->ended);
}

/* ---- what there is ------------------------------------------------------------------------------ */

static uint64_t label_number(const json_t *labels, const char *key) {
        const char *s = json_string_value(json_object_get(labels, key));
        uint64_t v;

        return s && str_to_u64(s, &v) >= 0 ? v : 0;
}

static int parse_found(const json_t *j, DockerFoundContainer **ret) {
        const json_t *labels = json_object_get(j, "Labels");
        const char *unit = json_string_value(json_object_get(labels, DOCKER_LABEL_UNIT));
        const char *hash = json_string_value(json_object_get(labels, DOCKER_LABEL_HASH));
        const char *id = json_string_value(json_object_get(j, "Id"));
        const char *state = json_string_value(json_object_get(j, "State"));
        const char *name = json_string_value(json_array_get(json_object_get(j, "Names"), 0));
        DockerFoundContainer *f;

        if (!unit || !id || !state)
                return 0;
        f = mem_new(DockerFoundContainer);
        if (!f)
                return -ENOMEM;
        f->unit = str_dup(unit);
        f->id = str_dup(id);
        f->hash = str_dup(str_or(hash, ""));
        f->name = str_dup(name ? name + (name[0] == '/') : "");
        f->running = str_eq(state, "running") || str_eq(state, "paused") ||
                     str_eq(state, "restarting");
        f->made = str_eq(state, "created");
        f->remove = json_object_get(labels, DOCKER_LABEL_REMOVE) != NULL;
        f->generation = label_number(labels, DOCKER_LABEL_GENERATION);
        f->restarts = label_number(labels, DOCKER_LABEL_RESTARTS);
        f->created_usec = (uint64_t) json_integer_value(json_object_get(j, "Created")) *
                          USEC_PER_SEC;
        if (!f->unit || !f->id || !f->hash || !f->name) {
                (void) docker_found_free(f);
                return -ENOMEM;
        }
        *ret = f;
        return 1;
}

/* Of several containers of a unit: the one that runs, else the youngest. */
static bool is_better(const DockerFoundContainer *a, const DockerFoundContainer *b) {
        if (a->running != b->running)
                return a->running;
        return a->created_usec > b->created_usec;
}

/* Of a unit whose daemon was killed there may be two: the other was never started, or ended long ago. */
static void drop_found(DockerDriver *d, DockerFoundContainer *f) {
        if (f->made)
                docker_removal_of_one(d, f);
        (void) docker_found_free(f);
}

static void keep_found(DockerDriver *d, DockerFoundContainer *f) {
        DockerFoundContainer *other = map_get(d->found, f->unit);

        if (other && !is_better(f, other)) {
                drop_found(d, f);
                return;
        }
        if (other)
                drop_found(d, map_steal(d->found, f->unit));
        if (map_put(d->found, f->unit, f) < 0)
                (void) docker_found_free(f);
}

/* The unit's own container, as it is now. */
static void sync_main(DockerUnit *u, bool runs) {
        DockerMain *m = &u->main;

        if (runs && !m->ending) {
                docker_main_watch(u);
                return;
        }
        if (!runs)
                m->with_engine = true;
        docker_main_ended(u);
}

static bool runs_in(const json_t *containers, const char *id) {
        const json_t *j;
        size_t i;

        json_array_foreach(containers, i, j) {
                const char *state = json_string_value(json_object_get(j, "State"));

                if (str_eq(json_string_value(json_object_get(j, "Id")), id))
                        return str_eq(state, "running") || str_eq(state, "paused") ||
                               str_eq(state, "restarting");
        }
        return false;
}

static void sync_unit(DockerUnit *u, const json_t *containers) {
        if (u->main.id)
                sync_main(u, runs_in(containers, u->main.id));
        else if (!u->taken_up)
                docker_adopt_take_up(u);
        docker_unit_changed(u);
}

void docker_adopt_found(const json_t *containers, void *userdata) {
        DockerDriver *d = userdata;
        const char *name;
        DockerUnit *u;
        const json_t *j;
        size_t i;

        map_clear(d->found);
        json_array_foreach(containers, i, j) {
                DockerFoundContainer *f;

                if (parse_found(j, &f) <= 0)
                        continue;
                u = map_get(d->units, f->unit);
                if (u && u->taken_up)
                        (void) docker_found_free(f); /* its own, or one from before */
                else
                        keep_found(d, f);
        }
        if (!d->synced)
                docker_ended_prune(d, containers);
        d->synced = true;
        d->why_not = mem_free(d->why_not);
        MAP_FOREACH (name, u, d->units)
                sync_unit(u, containers);
        docker_driver_flush_later(d);
}

/* ---- telling the agent -------------------------------------------------------------------------- */

static UnitState *outcome_state(const DockerDriver *d, const char *unit, const DockerOutcome *o) {
        UnitState *s = unit_state_new(unit, d->machine_id);

        if (!s)
                return NULL;
        s->exit_code = o->ran && !o->exit.signaled ? o->exit.status : -1;
        s->exit_signal = o->ran && o->exit.signaled ? o->exit.status : 0;
        s->restarts = o->restarts;
        if (strlen(o->hash) < sizeof(s->hash))
                memcpy(s->hash, o->hash, strlen(o->hash) + 1);
        if (str_replace(&s->load, "loaded") < 0 ||
            str_replace(&s->active, service_state_active_string(o->state)) < 0 ||
            str_replace(&s->sub, service_state_to_string(o->state)) < 0 ||
            str_replace(&s->result, service_result_to_string(o->result)) < 0 ||
            str_replace(&s->message, o->message) < 0 ||
            str_replace(&s->driver, docker_driver_type.name) < 0)
                return unit_state_free(s);
        return s;
}

static UnitState *found_state(const DockerDriver *d, const DockerFoundContainer *f) {
        UnitState *s = unit_state_new(f->unit, d->machine_id);

        if (!s)
                return NULL;
        s->exit_code = -1;
        s->since_usec = f->created_usec;
        s->restarts = f->restarts;
        if (strlen(f->hash) < sizeof(s->hash))
                memcpy(s->hash, f->hash, strlen(f->hash) + 1);
        if (str_replace(&s->load, "loaded") < 0 ||
            str_replace(&s->active, f->running ? "active" : "inactive") < 0 ||
            str_replace(&s->sub, f->running ? "running" : "dead") < 0 ||
            str_replace(&s->driver, docker_driver_type.name) < 0 ||
            str_replace(&s->main_id, f->running ? f->id : NULL) < 0)
                return unit_state_free(s);
        return s;
}

static int report(DockerDriver *d, DriverFound *found, UnitState **states, size_t *n) {
        const char *unit;
        DockerFoundContainer *f;
        DockerOutcome *o;

        MAP_FOREACH (unit, f, d->found) {
                if (!f->running && map_get(d->outcomes, unit))
                        continue;
                states[*n] = found_state(d, f);
                if (!states[*n])
                        return -ENOMEM;
                found[*n] = (DriverFound){ .unit = f->unit,
                                           .hash = f->hash,
                                           .generation = f->generation,
                                           .state = states[*n] };
                (*n)++;
        }
        MAP_FOREACH (unit, o, d->outcomes) {
                f = map_get(d->found, unit);
                if (f && f->running)
                        continue;
                states[*n] = outcome_state(d, unit, o);
                if (!states[*n])
                        return -ENOMEM;
                found[*n] = (DriverFound){ .unit = unit,
                                           .hash = o->hash,
                                           .generation = o->generation,
                                           .state = states[*n] };
                (*n)++;
        }
        return 0;
}

void docker_adopt_report(DockerDriver *d) {
        size_t size = map_count(d->found) + map_count(d->outcomes) + 1, n = 0;
        _cleanup_free_ DriverFound *found = mem_new_array(DriverFound, size);
        _cleanup_free_ UnitState **states = mem_new_array(UnitState *, size);
        _cleanup_error_ Error error = ERROR_INIT;
        DriverAdoptFn fn = d->adopt_fn;
        int r = -ENOMEM;

        d->adopt_fn = NULL;
        if (!d->synced)
                r = error_set(&error, -EHOSTDOWN, "%s", str_or(d->why_not, "no docker engine"));
        else if (found && states)
                r = report(d, found, states, &n);
        error_fill(&error, r < 0 ? r : -EIO);
        fn(&d->base, r, r < 0 ? NULL : found, r < 0 ? 0 : n, r < 0 ? &error : NULL,
           d->adopt_userdata);
        for (size_t i = 0; states && i < n; i++)
                (void) unit_state_free(states[i]);
}
