/*
 * GET /events: a stream of what changes (specs/api_doc.h).
 *
 * The registry is followed only while somebody listens, once for all of them. When the follow has to
 * start over, nobody can know what happened meanwhile: the streams end, and the clients list anew.
 */
#include "agent/api/handlers.h"

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

#define EVENTS_KEEP_ALIVE_USEC (30 * USEC_PER_SEC)
#define EVENTS_MASK                                                                                \
        (REGISTRY_UNIT | REGISTRY_PLACEMENT | REGISTRY_STATE | REGISTRY_MACHINE | REGISTRY_REASON)

struct ApiEvents {
        Api *api;
        ListLink listeners;
        RegistryFollow *follow;
        int64_t revision; /* followed up to; 0 = not yet */
        sd_event_source *keep_alive, *stop;
};

typedef struct Listener {
        ListLink listeners;
        ApiEvents *events;
        ApiRequest *request;
        Strv units;   /* none = all */
        bool greeted; /* the first line has been sent */
} Listener;

static void *listener_free(void *p) {
        Listener *l = p;

        if (!l)
                return NULL;
        list_remove(&l->listeners);
        if (list_is_empty(&l->events->listeners))
                (void) event_defer_trigger(l->events->stop);
        strv_done(&l->units);
        return mem_free(l);
}

/* ---- documents ------------------------------------------------------------------------------- */

static json_t *desired_doc(const char *hash, DesiredState desired) {
        return json_pack("{s:s,s:s}", "hash", hash, "desiredState",
                         desired_state_to_string(desired));
}

/* The document of a change; NULL = out of memory. */
static json_t *change_doc(const RegistryChange *c) {
        json_t *j = NULL;

        switch (c->kind) {
        case REGISTRY_UNIT:
                return desired_doc(c->unit_doc->hash, c->unit_doc->desired);
        case REGISTRY_PLACEMENT:
                return desired_doc(c->placement->hash, c->placement->desired);
        case REGISTRY_STATE:
                return unit_state_to_json(c->state, &j) < 0 ? NULL : j;
        case REGISTRY_MACHINE:
                return machine_to_json(c->machine_doc, &j) < 0 ? NULL : j;
        case REGISTRY_REASON:
                return json_pack("{s:s}", "text", str_or(c->reason, ""));
        case REGISTRY_CONTENT:
        case REGISTRY_LEADER:
                break; /* not followed here */
        }
        return NULL;
}

static const char *kind_word(RegistryKind kind) {
        switch (kind) {
        case REGISTRY_UNIT:
                return "unit";
        case REGISTRY_PLACEMENT:
                return "placement";
        case REGISTRY_STATE:
                return "state";
        case REGISTRY_MACHINE:
                return "machine";
        case REGISTRY_REASON:
                return "reason";
        case REGISTRY_CONTENT:
        case REGISTRY_LEADER:
                break; /* not followed here */
        }
        return "content";
}

static json_t *format_change(const RegistryChange *c, int64_t revision) {
        _cleanup_json_ json_t *j = NULL;
        json_t *doc;

        j = json_pack("{s:I,s:s,s:b}", "revision", (json_int_t) revision, "kind",
                      kind_word(c->kind), "deleted", c->deleted);
        if (!j || json_set_string(j, "unit", c->unit) < 0 ||
            json_set_string(j, "machine", c->machine) < 0)
                return NULL;
        if (!c->deleted) {
                doc = change_doc(c);
                if (!doc || json_object_set_new(j, "doc", doc) < 0)
                        return NULL;
        }
        return TAKE_PTR(j);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* A listener that cannot keep up loses its stream. l is gone then. */
static void send_to(Listener *l, const json_t *j) {
        if (request_stream_json(l->request, j) < 0)
                request_stream_end(l->request);
}

static void greet(Listener *l, int64_t revision) {
        _cleanup_json_ json_t *j = json_pack("{s:I}", "revision", (json_int_t) revision);

        l->greeted = true;
        if (j)
                send_to(l, j);
        else
                request_stream_end(l->request);
}

static bool wants(const Listener *l, const RegistryChange *c) {
        return l->greeted && (l->units.n == 0 || (c->unit && strv_contains(&l->units, c->unit)));
}

static void send_change(ApiEvents *e, const RegistryChange *c, int64_t revision) {
        _cleanup_json_ json_t *j = format_change(c, revision);

        if (!j)
                log_warning("out of memory: events are cut off");
        LIST_FOREACH (Listener, l, &e->listeners, listeners) {
                if (!j)
                        request_stream_end(l->request);
                else if (wants(l, c))
                        send_to(l, j);
        }
}

static void on_changed(RegistryFollow *f _unused_, bool snapshot, const RegistryChange *changes,
                       size_t n, int64_t revision, void *userdata) {
        ApiEvents *e = userdata;

        if (snapshot) {
                LIST_FOREACH (Listener, l, &e->listeners, listeners) {
                        if (l->greeted)
                                request_stream_end(l->request);
                        else
                                greet(l, revision);
                }
        } else {
                for (size_t i = 0; i < n; i++)
                        send_change(e, &changes[i], revision);
        }
        e->revision = revision;
}

static const RegistryFollowHandler follow_handler = { .changed = on_changed };

static void on_keep_alive(void *userdata) {
        ApiEvents *e = userdata;

        LIST_FOREACH (Listener, l, &e->listeners, listeners)
                if (http_stream_write(l->request->x, "\n", 1) < 0)
                        request_stream_end(l->request);
        if (!list_is_empty(&e->listeners))
                (void) event_timer_arm(e->keep_alive, EVENTS_KEEP_ALIVE_USEC);
}

/* Deferred: a listener may go while the follow is calling. */
static void on_stop(void *userdata) {
        ApiEvents *e = userdata;

        if (!list_is_empty(&e->listeners))
                return;
        e->follow = registry_follow_free(e->follow);
        e->revision = 0;
        event_timer_disarm(e->keep_alive);
}

/* ---- listening ------------------------------------------------------------------------------- */

static int start_following(ApiEvents *e, Error *reterr) {
        int r;

        if (e->follow)
                return 0;
        r = registry_follow(e->api->options.registry, e->api->options.event, EVENTS_MASK, NULL,
                            &follow_handler, e, &e->follow, reterr);
        if (r >= 0)
                r = event_timer_arm(e->keep_alive, EVENTS_KEEP_ALIVE_USEC);
        return r;
}

void events_get(ApiRequest *q) {
        ApiEvents *e = q->api->events;
        _cleanup_error_ Error error = ERROR_INIT;
        Listener *l = mem_new(Listener);
        int r;

        if (!l) {
                request_fail(q, -ENOMEM, NULL);
                return;
        }
        l->request = q;
        l->events = e;
        request_set_data(q, l, listener_free);
        r = request_arguments(q, "unit", &l->units);
        if (r >= 0)
                r = start_following(e, &error);
        if (r < 0) {
                request_fail(q, r, &error);
                return;
        }
        if (request_stream(q) < 0)
                return;
        list_append(&e->listeners, &l->listeners);
        if (e->revision > 0)
                greet(l, e->revision);
}

int events_new(Api *api, ApiEvents **ret) {
        ApiEvents *e = mem_new(ApiEvents);
        int r;

        if (!e)
                return -ENOMEM;
        e->api = api;
        list_init(&e->listeners);
        r = event_timer_new(api->options.event, "events-keep-alive", on_keep_alive, e,
                            &e->keep_alive);
        if (r >= 0)
                r = event_defer_new(api->options.event, "events-stop", on_stop, e, &e->stop);
        if (r < 0) {
                events_free(e);
                return r;
        }
        *ret = e;
        return 0;
}

ApiEvents *events_free(ApiEvents *e) {
        if (!e)
                return NULL;
        e->follow = registry_follow_free(e->follow);
        e->keep_alive = event_drop(e->keep_alive);
        e->stop = event_drop(e->stop);
        return mem_free(e);
}
