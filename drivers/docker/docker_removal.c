/*
 * Containers of ours that nobody wants are stopped and taken away: of a unit that is unloaded all that carry
 * its label, else a single one. Their volumes stay, but for what `docker run --rm` would take along.
 */
#include "drivers/docker/docker_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"

typedef struct Removal {
        DockerDriver *driver;
        ListLink link;
        char *unit;
        json_t *containers; /* as the engine lists them; NULL: still to be asked for */
        size_t next;        /* of them: the one that is worked on */
        bool stopped;       /* that one */
        DockerCall *call;
        DriverDoneFn fn;
        void *userdata;
} Removal;

static void removal_free(Removal *r) {
        list_remove(&r->link);
        docker_call_free(r->call);
        json_decref(r->containers);
        mem_free(r->unit);
        mem_free(r);
}

static void removal_done(Removal *r, int code, const char *words) {
        DockerDriver *d = r->driver;
        DockerUnit *u = map_get(d->units, r->unit);

        docker_driver_complete(d, r->unit, r->fn, r->userdata, code, words);
        removal_free(r);
        if (u)
                docker_unit_changed(u); /* its operation may have waited */
}

/* ---- what there is ------------------------------------------------------------------------------ */

static char *list_path(const Removal *r) {
        _cleanup_free_ char *unit = str_printf("%s=%s", DOCKER_LABEL_UNIT, r->unit);
        _cleanup_free_ char *machine = str_printf("%s=%s", DOCKER_LABEL_MACHINE,
                                                  r->driver->machine_id);
        _cleanup_free_ char *text = NULL, *filter = NULL;
        _cleanup_json_ json_t *j = NULL;

        if (unit && machine)
                j = json_pack("{s:[s, s]}", "label", unit, machine);
        text = j ? json_dumps(j, JSON_COMPACT) : NULL;
        filter = text ? http_url_escape(text) : NULL;
        return filter ? str_printf("/containers/json?all=1&filters=%s", filter) : NULL;
}

static bool has_state(const json_t *container, const char *state) {
        return str_eq(json_string_value(json_object_get(container, "State")), state);
}

static bool is_up(const json_t *container) {
        return has_state(container, "running") || has_state(container, "paused") ||
               has_state(container, "restarting");
}

/* --rm takes anonymous volumes along; one that never ran has nothing in them. */
static bool goes_with_volumes(const json_t *container) {
        const json_t *labels = json_object_get(container, "Labels");

        return has_state(container, "created") ||
               json_object_get(labels, DOCKER_LABEL_REMOVE) != NULL;
}

/* ---- taking it away ----------------------------------------------------------------------------- */

static void replied(DockerCall *call, const DockerReply *reply, void *userdata);

static void step(Removal *r) {
        const json_t *c = json_array_get(r->containers, r->next);
        const char *id = json_string_value(json_object_get(c, "Id"));
        DockerRequest request = { .lane = DOCKER_LANE_FREE, .reply_fn = replied, .userdata = r };
        _cleanup_free_ char *path = NULL;
        int code = -ENOMEM;

        if (!r->containers) {
                request.method = "GET";
                path = list_path(r);
        } else if (!id) {
                removal_done(r, 0, NULL);
                return;
        } else if (is_up(c) && !r->stopped) {
                request.method = "POST";
                request.lane = DOCKER_LANE_STOP;
                path = str_printf("/containers/%s/stop", id);
        } else {
                /* By force: a start that a daemon of ours asked for just before it died may have come through. */
                request.method = "DELETE";
                request.lane = DOCKER_LANE_WORK;
                path = str_printf("/containers/%s?force=1&v=%d", id, goes_with_volumes(c));
        }
        request.path = path;
        if (path)
                code = docker_engine_call(r->driver->engine, &request, &r->call);
        if (code < 0)
                removal_done(r, code, NULL);
}

static int take_list(Removal *r, const DockerReply *reply) {
        r->containers = json_loadb(str_or(reply->body, ""), reply->size, 0, NULL);
        return json_is_array(r->containers) ? 0 : -EPROTO;
}

/* Somebody else takes it away at this moment: that is waited for. */
static bool wait_until_removed(Removal *r, const DockerReply *reply, const char *words) {
        const json_t *c = json_array_get(r->containers, r->next);
        const char *id = json_string_value(json_object_get(c, "Id"));
        DockerRequest request = {
                .method = "POST", .lane = DOCKER_LANE_FREE, .reply_fn = replied, .userdata = r
        };
        _cleanup_free_ char *path = NULL;

        if (!id || reply->status != 409 || !strstr(words, "already in progress"))
                return false;
        path = str_printf("/containers/%s/wait?condition=removed", id);
        request.path = path;
        return path && docker_engine_call(r->driver->engine, &request, &r->call) >= 0;
}

static void replied(_unused_ DockerCall *call, const DockerReply *reply, void *userdata) {
        Removal *r = userdata;
        const json_t *c = json_array_get(r->containers, r->next);
        _cleanup_free_ char *words = NULL;
        bool good = reply->r >= 0 &&
                    (reply->status < 400 || (r->containers && reply->status == 404));

        r->call = docker_call_free(r->call);
        if (!good) {
                words = docker_reply_message(reply);
                if (!wait_until_removed(r, reply, str_or(words, "")))
                        removal_done(r, reply->r < 0 ? reply->r : -EIO, words);
                return;
        }
        if (!r->containers) {
                if (take_list(r, reply) < 0) {
                        removal_done(r, -EPROTO, "the engine gave no list of containers");
                        return;
                }
        } else if (is_up(c) && !r->stopped)
                r->stopped = true;
        else {
                r->stopped = false;
                r->next++;
        }
        step(r);
}

static void begin(DockerDriver *d, const char *unit, json_t *containers, DriverDoneFn fn,
                  void *userdata) {
        Removal *r = mem_new(Removal);

        if (r)
                *r = (Removal){
                        .driver = d, .unit = str_dup(unit), .fn = fn, .userdata = userdata
                };
        if (!r || !r->unit) {
                mem_free(r);
                json_decref(containers);
                docker_driver_complete(d, unit, fn, userdata, -ENOMEM, NULL);
                return;
        }
        r->containers = containers;
        list_append(&d->removals, &r->link);
        step(r);
}

void docker_removal_of_unit(DockerDriver *d, const char *unit, DriverDoneFn fn, void *userdata) {
        begin(d, unit, NULL, fn, userdata);
}

void docker_removal_of_one(DockerDriver *d, const DockerFoundContainer *f) {
        json_t *list = json_pack("[{s:s, s:s, s:{}}]", "Id", f->id, "State",
                                 f->running ? "running"
                                 : f->made  ? "created"
                                            : "exited",
                                 "Labels");
        json_t *labels = json_object_get(json_array_get(list, 0), "Labels");

        if (f->remove && labels &&
            json_object_set_new(labels, DOCKER_LABEL_REMOVE, json_true()) < 0)
                return; /* out of memory: it stays until its unit is unloaded */
        if (list)
                begin(d, f->unit, list, NULL, NULL);
}

bool docker_removal_pending(const DockerDriver *d, const char *unit) {
        LIST_FOREACH (Removal, r, (ListLink *) (uintptr_t) &d->removals, link)
                if (str_eq(r->unit, unit))
                        return true;
        return false;
}

void docker_removals_free(DockerDriver *d) {
        LIST_FOREACH (Removal, r, &d->removals, link)
                removal_free(r);
}
