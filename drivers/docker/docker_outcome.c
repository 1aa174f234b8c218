/*
 * How a unit ended, or what it stays up as, after its last start, in one file for each such unit: nothing in the
 * engine tells that a oneshot was done. The next daemon takes it up, instead of doing it all over again.
 *
 * It holds for the same content, generation and boot. Losing a file makes a unit be started once more, no worse.
 */
#include <dirent.h>
#include <unistd.h>

#include "drivers/docker/docker_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"

#define OUTCOME_MAX_BYTES (64 * KIB)
#define OUTCOMES_MAX 10000 /* units; of more nothing is remembered */

DockerOutcome *docker_outcome_free(DockerOutcome *o) {
        if (!o)
                return NULL;
        mem_free(o->hash);
        mem_free(o->message);
        return mem_free(o);
}

static char *path_of(const DockerDriver *d, const char *unit) {
        return str_printf("%s/%s", d->outcomes_path, unit);
}

void docker_outcome_drop(DockerDriver *d, const char *unit) {
        _cleanup_free_ char *path = NULL;

        if (!map_remove(d->outcomes, unit))
                return;
        path = path_of(d, unit);
        if (path)
                (void) unlink(path);
}

static json_t *to_json(const DockerDriver *d, const DockerOutcome *o) {
        return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:b, s:b, s:i, s:s*}", "boot", d->boot_id,
                         "hash", o->hash, "generation", (json_int_t) o->generation, "restarts",
                         (json_int_t) o->restarts, "state", service_state_to_string(o->state),
                         "result", service_result_to_string(o->result), "ran", o->ran, "signaled",
                         o->exit.signaled, "status", o->exit.status, "message", o->message);
}

static void store(DockerDriver *d, const char *unit, const DockerOutcome *o) {
        _cleanup_json_ json_t *j = to_json(d, o);
        _cleanup_free_ char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
        _cleanup_free_ char *path = path_of(d, unit);

        if (text && path && fs_mkdir_p(d->outcomes_path, 0700) >= 0)
                (void) fs_write_file(path, text, strlen(text), 0600);
}

void docker_outcome_keep(DockerUnit *u) {
        DockerDriver *d = u->driver;
        const ServiceExit *exit = service_main_exit(u->service);
        const char *message = service_message(u->service);
        DockerOutcome *o;

        if (map_get(d->outcomes, u->name) || map_count(d->outcomes) >= OUTCOMES_MAX)
                return;
        o = mem_new(DockerOutcome);
        if (!o)
                return;
        *o = (DockerOutcome){ .generation = u->generation,
                              .restarts = service_restarts(u->service),
                              .state = service_state(u->service),
                              .result = service_result(u->service),
                              .ran = exit != NULL };
        if (exit)
                o->exit = (ServiceExit){ .signaled = exit->signaled, .status = exit->status };
        o->hash = str_dup(u->hash);
        o->message = message ? str_dup(message) : NULL;
        if (!o->hash || map_put(d->outcomes, u->name, o) < 0)
                (void) docker_outcome_free(o);
        else
                store(d, u->name, o);
}

/* By their words: their numbers are another daemon's. */
static bool parse_state(const char *s, ServiceState *ret) {
        static const ServiceState all[] = { SERVICE_DEAD, SERVICE_FAILED, SERVICE_EXITED };

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                if (str_eq(s, service_state_to_string(all[i]))) {
                        *ret = all[i];
                        return true;
                }
        return false;
}

static bool parse_result(const char *s, ServiceResult *ret) {
        for (int r = 0; r < _SERVICE_RESULT_MAX; r++)
                if (str_eq(s, service_result_to_string((ServiceResult) r))) {
                        *ret = (ServiceResult) r;
                        return true;
                }
        return false;
}

static int parse(const DockerDriver *d, const json_t *j, DockerOutcome *o) {
        const char *boot, *hash, *state, *result, *message = NULL;
        json_int_t generation, restarts;
        int ran, signaled, status;
        ServiceState was;
        ServiceResult with;

        if (json_unpack((json_t *) (uintptr_t) j,
                        "{s:s, s:s, s:I, s:I, s:s, s:s, s:b, s:b, s:i, s?:s}", "boot", &boot,
                        "hash", &hash, "generation", &generation, "restarts", &restarts, "state",
                        &state, "result", &result, "ran", &ran, "signaled", &signaled, "status",
                        &status, "message", &message) < 0)
                return -EINVAL;
        if (!str_eq(boot, d->boot_id) || !parse_state(state, &was) || !parse_result(result, &with))
                return -ESTALE;
        *o = (DockerOutcome){ .generation = (uint64_t) generation,
                              .restarts = (uint64_t) restarts,
                              .state = was,
                              .result = with,
                              .ran = ran,
                              .exit = { .signaled = signaled, .status = status } };
        o->hash = str_dup(hash);
        o->message = message ? str_dup(message) : NULL;
        return o->hash ? 0 : -ENOMEM;
}

static void load_one(DockerDriver *d, const char *unit) {
        _cleanup_free_ char *path = path_of(d, unit), *text = NULL;
        _cleanup_json_ json_t *j = NULL;
        DockerOutcome *o = mem_new(DockerOutcome);
        size_t size;
        int r = -EINVAL;

        if (!path || !o) {
                mem_free(o);
                return;
        }
        if (fs_read_file(path, OUTCOME_MAX_BYTES, &text, &size) >= 0)
                j = json_loadb(text, size, 0, NULL);
        if (j)
                r = parse(d, j, o);
        if (r < 0 && r != -ENOMEM)
                (void) unlink(path);
        if (r < 0 || map_put(d->outcomes, unit, o) < 0)
                (void) docker_outcome_free(o);
}

void docker_outcomes_load(DockerDriver *d) {
        DIR *dir = opendir(d->outcomes_path);

        if (!dir)
                return;
        for (struct dirent *e; (e = readdir(dir)) && map_count(d->outcomes) < OUTCOMES_MAX;)
                if (e->d_name[0] != '.')
                        load_one(d, e->d_name);
        (void) closedir(dir);
}

/* Another content or generation is another start. */
bool docker_outcome_holds(const DockerUnit *u) {
        const DockerOutcome *o = map_get(u->driver->outcomes, u->name);

        return o && str_eq(o->hash, u->hash) && o->generation == u->generation;
}

void docker_outcome_take_up(DockerUnit *u) {
        const DockerOutcome *o = map_get(u->driver->outcomes, u->name);

        if (!docker_outcome_holds(u)) {
                docker_outcome_drop(u->driver, u->name);
                return;
        }
        service_restore(u->service, o->state, o->result, o->ran ? &o->exit : NULL, o->restarts,
                        o->message);
        u->restored = true;
        docker_unit_changed(u);
}
