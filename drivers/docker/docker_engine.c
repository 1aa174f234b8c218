#include "drivers/docker/docker_engine.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "drivers/docker/docker_lines.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_client.h"

#define RETRY_MIN_USEC (100 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (5 * USEC_PER_SEC)
#define PROBE_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define CONNECT_TIMEOUT_USEC (5 * USEC_PER_SEC)

struct DockerCall {
        DockerEngine *engine; /* NULL when it is over */
        ListLink link;        /* in the queue of its lane, or in sent */
        HttpCall *http;       /* NULL while it waits */
        char *method, *path, *body;
        DockerLane lane;
        unsigned repeats;
        DockerDataFn data_fn;
        DockerReplyFn reply_fn;
        void *userdata;
};

struct DockerEngine {
        DockerEngineOptions options;
        char *socket, *label;
        HttpClient *http;
        bool found;
        char *version; /* "/v1.41" */
        char *why_not;
        HttpCall *probe;  /* version, or list */
        HttpCall *events; /* the stream */
        DockerLines event_lines;
        uint64_t last_event_nsec;
        Backoff backoff;
        sd_event_source *retry, *pump;
        ListLink queues[_DOCKER_LANE_MAX];
        ListLink sent;
        size_t busy[_DOCKER_LANE_MAX];
        size_t queued;
};

static void look(void *userdata);

/* ---- calls ------------------------------------------------------------------------------------ */

static DockerLane room_of(DockerLane lane) {
        return lane == DOCKER_LANE_URGENT ? DOCKER_LANE_WORK : lane;
}

static size_t room_size(const DockerEngine *e, DockerLane lane) {
        switch (room_of(lane)) {
        case DOCKER_LANE_FREE:
                return SIZE_MAX;
        case DOCKER_LANE_STOP:
                return (size_t) e->options.parallelism * DOCKER_STOPS_FACTOR;
        case DOCKER_LANE_PULL:
                return DOCKER_PULLS_MAX;
        case DOCKER_LANE_WORK:
        case DOCKER_LANE_URGENT:
        case _DOCKER_LANE_MAX:
        default:
                return e->options.parallelism;
        }
}

static void pump_later(DockerEngine *e) {
        /* Switching on a source that exists cannot fail. */
        (void) event_defer_trigger(e->pump);
}

static void enqueue(DockerCall *c) {
        list_append(&c->engine->queues[c->lane], &c->link);
        c->engine->queued++;
        pump_later(c->engine);
}

/* Out of the queue or off the wire; what waits behind it gets its turn. */
static void call_leave(DockerCall *c) {
        DockerEngine *e = c->engine;

        list_remove(&c->link);
        if (c->http) {
                c->http = http_call_free(c->http);
                e->busy[room_of(c->lane)]--;
                pump_later(e);
        } else
                e->queued--;
}

DockerCall *docker_call_free(DockerCall *c) {
        if (!c)
                return NULL;
        if (c->engine)
                call_leave(c);
        mem_free(c->method);
        mem_free(c->path);
        mem_free(c->body);
        return mem_free(c);
}

bool docker_call_is_sent(const DockerCall *c) {
        return c->http != NULL;
}

bool docker_call_was_repeated(const DockerCall *c) {
        return c->repeats > 0;
}

static bool is_connection_error(int r) {
        return r == -ECONNREFUSED || r == -ENOENT || r == -ECONNRESET || r == -EPIPE ||
               r == -EPROTO || r == -EIO;
}

static void lose(DockerEngine *e, const char *why);

static void call_done(_unused_ HttpCall *http, int r, const HttpResponse *response,
                      const Error *error, void *userdata) {
        DockerCall *c = userdata;
        DockerEngine *e = c->engine;
        DockerReply reply = { .r = r, .error = error };

        call_leave(c);
        if (r < 0 && is_connection_error(r)) {
                lose(e, error_text(error));
                if (!c->data_fn && c->repeats < DOCKER_REPEATS_MAX) {
                        c->repeats++;
                        enqueue(c);
                        return;
                }
        }
        c->engine = NULL;
        if (r >= 0) {
                reply.status = response->status;
                reply.body = response->body;
                reply.size = response->body_size;
        }
        c->reply_fn(c, &reply, c->userdata);
}

static int call_data(_unused_ HttpCall *http, unsigned status, const char *data, size_t size,
                     void *userdata) {
        DockerCall *c = userdata;

        return c->data_fn(c, status, data, size, c->userdata);
}

static int http_send(DockerEngine *e, const HttpRequest *basis, const char *path, HttpCall **ret) {
        static const char *const json_headers[] = { "Content-Type: application/json",
                                                    "Expect:", NULL };
        HttpRequest request = *basis;
        _cleanup_free_ char *url = str_printf("http://docker%s%s", str_or(e->version, ""), path);

        if (!url)
                return -ENOMEM;
        request.url = url;
        request.unix_socket = e->socket;
        request.connect_timeout_usec = CONNECT_TIMEOUT_USEC;
        if (request.body)
                request.headers = json_headers;
        return http_client_call(e->http, &request, ret, NULL);
}

static int call_send(DockerEngine *e, DockerCall *c) {
        HttpRequest request = { .method = c->method,
                                .body = c->body,
                                .body_size = c->body ? strlen(c->body) : 0,
                                .data_fn = c->data_fn ? call_data : NULL,
                                .done_fn = call_done,
                                .userdata = c };
        HttpCall *http;
        int r;

        r = http_send(e, &request, c->path, &http);
        if (r < 0)
                return r;
        list_remove(&c->link);
        e->queued--;
        c->http = http;
        list_append(&e->sent, &c->link);
        e->busy[room_of(c->lane)]++;
        return 0;
}

static DockerCall *next_call(DockerEngine *e) {
        static const DockerLane order[] = { DOCKER_LANE_FREE, DOCKER_LANE_URGENT, DOCKER_LANE_STOP,
                                            DOCKER_LANE_WORK, DOCKER_LANE_PULL };

        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                if (!list_is_empty(&e->queues[order[i]]) &&
                    e->busy[room_of(order[i])] < room_size(e, order[i]))
                        return CONTAINER_OF(e->queues[order[i]].next, DockerCall, link);
        return NULL;
}

static void on_pump(void *userdata) {
        DockerEngine *e = userdata;
        DockerCall *c;

        while (e->found && (c = next_call(e))) {
                _cleanup_error_ Error error = ERROR_INIT;
                DockerReply reply = { .error = &error };

                reply.r = call_send(e, c);
                if (reply.r >= 0)
                        continue;
                /* One call ends per turn: its callback may free everything here. */
                error_fill(&error, reply.r);
                pump_later(e);
                call_leave(c);
                c->engine = NULL;
                c->reply_fn(c, &reply, c->userdata);
                return;
        }
}

int docker_engine_call(DockerEngine *e, const DockerRequest *request, DockerCall **ret) {
        DockerCall *c;

        if (e->queued >= DOCKER_QUEUE_MAX)
                return -EBUSY;
        c = mem_new(DockerCall);
        if (!c)
                return -ENOMEM;
        c->method = str_dup(request->method);
        c->path = str_dup(request->path);
        c->body = request->body ? json_dumps(request->body, JSON_COMPACT) : NULL;
        if (!c->method || !c->path || (request->body && !c->body)) {
                (void) docker_call_free(c);
                return -ENOMEM;
        }
        c->lane = request->lane;
        c->data_fn = request->data_fn;
        c->reply_fn = request->reply_fn;
        c->userdata = request->userdata;
        c->engine = e;
        enqueue(c);
        *ret = c;
        return 0;
}

char *docker_reply_message(const DockerReply *reply) {
        _cleanup_json_ json_t *j = NULL;
        const char *message;

        if (reply->r < 0)
                return str_dup(error_text(reply->error));
        j = json_loadb(str_or(reply->body, ""), reply->size, 0, NULL);
        message = json_string_value(json_object_get(j, "message"));
        if (!str_empty(message))
                return str_dup(message);
        return str_printf("the engine answered %u without words it could be told by",
                          reply->status);
}

/* ---- finding it ------------------------------------------------------------------------------- */

/* Nothing is concluded from an engine that is away; it is looked for until it is back. */
static void lose(DockerEngine *e, const char *why) {
        _cleanup_error_ Error error = ERROR_INIT;
        bool had = e->found;
        bool changed = had || !str_eq(e->why_not, why);

        e->found = false;
        e->probe = http_call_free(e->probe);
        e->events = http_call_free(e->events);
        docker_lines_clear(&e->event_lines);
        if (had)
                backoff_reset(&e->backoff);
        if (!event_timer_is_armed(e->retry))
                (void) event_timer_arm(e->retry, backoff_next(&e->backoff));
        if (!changed)
                return;
        (void) str_replace(&e->why_not, why);
        error_set(&error, -EHOSTDOWN, "no docker engine: %s", why);
        e->options.lost_fn(&error, e->options.userdata);
}

static void on_event_line(const char *line, size_t size, void *userdata) {
        DockerEngine *e = userdata;
        _cleanup_json_ json_t *event = json_loadb(line, size, 0, NULL);
        json_int_t at = json_integer_value(json_object_get(event, "timeNano"));

        if (!event || (at > 0 && (uint64_t) at <= e->last_event_nsec))
                return;
        if (at > 0)
                e->last_event_nsec = (uint64_t) at;
        e->options.event_fn(event, e->options.userdata);
}

static int events_data(_unused_ HttpCall *call, unsigned status, const char *data, size_t size,
                       void *userdata) {
        DockerEngine *e = userdata;

        if (status != 200)
                return 0;
        return docker_lines_push(&e->event_lines, data, size, on_event_line, e);
}

static void events_done(_unused_ HttpCall *call, int r, const HttpResponse *response,
                        const Error *error, void *userdata) {
        DockerEngine *e = userdata;
        _cleanup_free_ char *why = NULL;

        if (r >= 0)
                why = response->status == 200
                              ? str_dup("it has closed its stream of events")
                              : str_printf("it answered %u to /events", response->status);
        lose(e, why ? why : error_text(error));
}

static char *filters(const DockerEngine *e, bool events) {
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ json_t *j = events ? json_pack("{s:[s], s:[s]}", "type", "container",
                                                      "label", e->label)
                                          : json_pack("{s:[s]}", "label", e->label);

        text = j ? json_dumps(j, JSON_COMPACT) : NULL;
        return text ? http_url_escape(text) : NULL;
}

/* From the last event on (or now), so that none between asking and answering is missed. */
static int open_events(DockerEngine *e) {
        _cleanup_free_ char *filter = filters(e, true), *path = NULL;
        HttpRequest request = { .data_fn = events_data, .done_fn = events_done, .userdata = e };

        if (e->last_event_nsec == 0)
                e->last_event_nsec = clock_realtime_usec() * 1000;
        if (filter)
                path = str_printf("/events?since=%" PRIu64 ".%09" PRIu64 "&filters=%s",
                                  e->last_event_nsec / 1000000000, e->last_event_nsec % 1000000000,
                                  filter);
        return path ? http_send(e, &request, path, &e->events) : -ENOMEM;
}

static void list_done(_unused_ HttpCall *call, int r, const HttpResponse *response,
                      const Error *error, void *userdata) {
        DockerEngine *e = userdata;
        _cleanup_json_ json_t *list = NULL;
        _cleanup_free_ char *why = NULL;

        e->probe = http_call_free(e->probe);
        if (r >= 0 && response->status == 200)
                list = json_loadb(response->body, response->body_size, 0, NULL);
        if (!json_is_array(list)) {
                why = r < 0 ? NULL
                            : str_printf("it answered %u and no list of containers",
                                         response->status);
                lose(e, why ? why : error_text(error));
                return;
        }
        e->found = true;
        e->why_not = mem_free(e->why_not);
        backoff_reset(&e->backoff);
        event_timer_disarm(e->retry);
        pump_later(e);
        e->options.found_fn(list, e->options.userdata);
}

static int open_list(DockerEngine *e) {
        _cleanup_free_ char *filter = filters(e, false), *path = NULL;
        HttpRequest request = { .timeout_usec = PROBE_TIMEOUT_USEC,
                                .done_fn = list_done,
                                .userdata = e };

        if (filter)
                path = str_printf("/containers/json?all=1&filters=%s", filter);
        return path ? http_send(e, &request, path, &e->probe) : -ENOMEM;
}

static bool parse_version(const char *s, unsigned *ret_major, unsigned *ret_minor) {
        char *end;

        if (str_empty(s))
                return false;
        *ret_major = (unsigned) strtoul(s, &end, 10);
        if (end == s || *end != '.')
                return false;
        s = end + 1;
        *ret_minor = (unsigned) strtoul(s, &end, 10);
        return end != s && *end == '\0';
}

/* min(engine's, ours), but not below the oldest it takes. */
static int choose_version(DockerEngine *e, const json_t *version, char **ret_why) {
        const char *newest = json_string_value(json_object_get(version, "ApiVersion"));
        const char *oldest = json_string_value(json_object_get(version, "MinAPIVersion"));
        unsigned major, minor, min_major, min_minor, use = DOCKER_API_MINOR;

        if (!parse_version(newest, &major, &minor)) {
                *ret_why = str_dup("it does not tell its API version");
                return -EPROTO;
        }
        if (major < DOCKER_API_MAJOR || (major == DOCKER_API_MAJOR && minor < DOCKER_API_MINOR)) {
                *ret_why = str_printf("its API %s is older than %u.%u", newest, DOCKER_API_MAJOR,
                                      DOCKER_API_MINOR);
                return -EPROTO;
        }
        if (parse_version(oldest, &min_major, &min_minor) && min_major == DOCKER_API_MAJOR)
                use = MAX(use, min_minor);
        mem_free(e->version);
        e->version = str_printf("/v%u.%u", DOCKER_API_MAJOR, use);
        return e->version ? 0 : -ENOMEM;
}

static void version_done(_unused_ HttpCall *call, int r, const HttpResponse *response,
                         const Error *error, void *userdata) {
        DockerEngine *e = userdata;
        _cleanup_json_ json_t *version = NULL;
        _cleanup_free_ char *why = NULL;

        e->probe = http_call_free(e->probe);
        if (r >= 0 && response->status == 200) {
                version = json_loadb(response->body, response->body_size, 0, NULL);
                r = choose_version(e, version, &why);
                if (r >= 0)
                        r = open_events(e);
                if (r >= 0)
                        r = open_list(e);
        } else if (r >= 0) {
                why = str_printf("it answered %u to /version", response->status);
                r = -EPROTO;
        }
        if (r < 0)
                lose(e, why ? why : error ? error_text(error) : strerror(-r));
}

static void look(void *userdata) {
        DockerEngine *e = userdata;
        HttpRequest request = { .timeout_usec = PROBE_TIMEOUT_USEC,
                                .done_fn = version_done,
                                .userdata = e };
        int r;

        if (e->found || e->probe)
                return;
        e->version = mem_free(e->version);
        e->events = http_call_free(e->events);
        docker_lines_clear(&e->event_lines);
        r = http_send(e, &request, "/version", &e->probe);
        if (r < 0)
                lose(e, strerror(-r));
}

bool docker_engine_is_found(const DockerEngine *e) {
        return e->found;
}

bool docker_engine_accepts(const DockerEngine *e) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        size_t n = strlen(e->socket);

        if (fd < 0 || n >= sizeof(address.sun_path))
                return true; /* cannot tell */
        memcpy(address.sun_path, e->socket, n);
        return connect(fd, (const struct sockaddr *) &address, sizeof(address)) >= 0 ||
               errno == EAGAIN;
}

/* ---- life ------------------------------------------------------------------------------------- */

static int engine_init(DockerEngine *e, const DockerEngineOptions *o, Error *reterr) {
        const char *path = str_after_prefix(o->address, "unix://");
        int r;

        if (str_empty(path))
                return error_set(reterr, -EINVAL, "'%s' is not unix:///PATH", o->address);
        e->socket = str_dup(path);
        e->label = str_dup(o->label);
        if (!e->socket || !e->label)
                return -ENOMEM;
        r = http_client_new(o->event, 0, &e->http, reterr);
        if (r < 0)
                return r;
        r = event_timer_new(o->event, "docker-engine-retry", look, e, &e->retry);
        if (r >= 0)
                r = event_defer_new(o->event, "docker-engine-pump", on_pump, e, &e->pump);
        if (r >= 0)
                r = event_timer_arm(e->retry, 0);
        return r;
}

int docker_engine_new(const DockerEngineOptions *options, DockerEngine **ret, Error *reterr) {
        _cleanup_(docker_engine_freep) DockerEngine *e = mem_new(DockerEngine);
        int r;

        if (!e)
                return error_fill(reterr, -ENOMEM);
        for (size_t i = 0; i < _DOCKER_LANE_MAX; i++)
                list_init(&e->queues[i]);
        list_init(&e->sent);
        e->options = *options;
        e->options.parallelism = MAX(options->parallelism, 1U);
        e->event_lines.limit = DOCKER_EVENT_MAX_BYTES;
        e->backoff = BACKOFF_INIT(RETRY_MIN_USEC, RETRY_MAX_USEC, clock_boottime_usec());
        r = engine_init(e, options, reterr);
        if (r < 0)
                return error_fill(reterr, r);
        *ret = TAKE_PTR(e);
        return 0;
}

static void orphan_all(ListLink *head) {
        LIST_FOREACH (DockerCall, c, head, link) {
                call_leave(c);
                c->engine = NULL; /* its owner still frees it */
        }
}

DockerEngine *docker_engine_free(DockerEngine *e) {
        if (!e)
                return NULL;
        for (size_t i = 0; i < _DOCKER_LANE_MAX; i++)
                orphan_all(&e->queues[i]);
        orphan_all(&e->sent);
        http_call_free(e->probe);
        http_call_free(e->events);
        (void) http_client_free(e->http);
        event_drop(e->retry);
        event_drop(e->pump);
        docker_lines_done(&e->event_lines);
        mem_free(e->socket);
        mem_free(e->label);
        mem_free(e->version);
        mem_free(e->why_not);
        return mem_free(e);
}
