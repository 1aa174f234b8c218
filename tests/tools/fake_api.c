/*
 * A fleetd that only pretends: the API over units in memory, whose states become what is asked, a
 * step every few milliseconds. For tests of fleetctl.
 *
 *   fake_api SOCKET|http://IP:PORT [--plain] [--page N] [--status CODE] [--units N] [--step-ms N]
 *
 * --plain: only what the original fleetd has (no /status, /events, /reasons, /journal).
 * --status CODE: every request is answered with it. --units N: so many active units to begin with.
 * Prints "ready PORT", then a line per request. SIGUSR1 breaks every stream off. A unit's own section
 * [Fake] Behaviour= says how it behaves: see `steps`.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_server.h"
#include "specs/api_doc.h"
#include "specs/requirements.h"
#include "specs/unit_name.h"

#define MACHINE_A "aaaaaaaabbbb4ccc8dddeeeeeeeeeeee"
#define MACHINE_B "bbbbbbbbcccc4ddd8eeeffffffffffff"
#define STREAMS_MAX 64
#define STEPS_MAX 8

/* What a unit goes through once it is launched. NULL active = keeps away from machines. */
typedef struct Step {
        const char *active, *sub, *result, *message;
        int exit_code; /* -1 = none */
} Step;

static const struct {
        const char *behaviour;
        Step steps[STEPS_MAX];
} scripts[] = {
        { "",
          { { "activating", "start-pre", "success", NULL, -1 },
            { "active", "running", "success", NULL, -1 } } },
        { "fail",
          { { "activating", "start", "success", NULL, -1 },
            { "failed", "failed", "exit-code", "the main process ended with 7", 7 } } },
        { "oneshot",
          { { "activating", "start", "success", NULL, -1 },
            { "inactive", "dead", "success", NULL, 0 } } },
        { "restart",
          { { "activating", "start-pre", "success", NULL, -1 },
            { "activating", "auto-restart", "exit-code", "ExecStartPre= ended with 1", -1 },
            { "active", "running", "success", NULL, -1 } } },
        { "hang", { { "activating", "start-pre", "success", NULL, -1 } } },
        { "unschedulable", { { NULL, NULL, NULL, "1 machine lacks metadata disk=tape", -1 } } },
};

typedef struct FakeUnit {
        ApiUnit *api;
        bool global;
        size_t step;
        bool busy;      /* more steps to come */
        bool destroyed; /* waits for its state to go */
        UnitState *states[2];
        const char *reason;
} FakeUnit;

typedef struct Stream {
        struct Fake *fake;
        HttpExchange *x;
        ListLink streams;
} Stream;

typedef struct Fake {
        sd_event *event;
        HttpServer *server;
        Map *units;
        ListLink streams;
        sd_event_source *timer;
        uint64_t revision, step_usec;
        uint64_t page_limit, status;
        bool plain;
} Fake;

static void *unit_free(void *p) {
        FakeUnit *u = p;

        api_unit_free(u->api);
        unit_state_free(u->states[0]);
        unit_state_free(u->states[1]);
        return mem_free(u);
}

/* Tests die loudly. */
static void must(bool good, const char *what) {
        if (good)
                return;
        fprintf(stderr, "fake_api: %s\n", what);
        exit(1);
}

static const char *behaviour(const FakeUnit *u) {
        return str_or(unit_file_get(u->api->options, "Fake", "Behaviour"), "");
}

static bool behaves(const FakeUnit *u, const char *how) {
        return str_eq(behaviour(u), how);
}

static const Step *script_of(const FakeUnit *u) {
        for (size_t i = 1; i < ELEMENTSOF(scripts); i++)
                if (behaves(u, scripts[i].behaviour))
                        return scripts[i].steps;
        return scripts[0].steps;
}

static bool wants(const FakeUnit *u, DesiredState s) {
        return str_eq(u->api->desired_state, desired_state_to_string(s));
}

/* ---- events ----------------------------------------------------------------------------------- */

static void end_stream(Stream *s) {
        HttpExchange *x = s->x;

        list_remove(&s->streams);
        mem_free(s);
        http_stream_end(x);
}

static void on_stream_closed(HttpExchange *x, void *userdata) {
        Stream *s = userdata;

        (void) x;
        list_remove(&s->streams);
        mem_free(s);
}

static void tell(Fake *f, const char *kind, const FakeUnit *u, const char *machine, bool deleted,
                 json_t *doc) {
        json_t *j = json_pack("{s:I, s:s, s:b, s:s}", "revision", (json_int_t) ++f->revision,
                              "kind", kind, "deleted", deleted, "unit", u->api->name);
        char *text;

        must(j != NULL, "no memory");
        if (machine)
                json_object_set_new(j, "machine", json_string(machine));
        if (doc)
                json_object_set_new(j, "doc", doc);
        text = json_dumps(j, JSON_COMPACT);
        LIST_FOREACH (Stream, s, &f->streams, streams) {
                (void) http_stream_write(s->x, text, strlen(text));
                (void) http_stream_write(s->x, "\n", 1);
        }
        mem_free(text);
        json_decref(j);
}

static void tell_unit(Fake *f, const FakeUnit *u, bool deleted) {
        char hash[SHA1_HEX_SIZE];

        must(unit_file_hash(u->api->options, hash) == 0, "no memory");
        tell(f, "unit", u, NULL, deleted,
             deleted ? NULL
                     : json_pack("{s:s, s:s}", "hash", hash, "desiredState",
                                 u->api->desired_state));
}

static void tell_state(Fake *f, const FakeUnit *u, const UnitState *s) {
        json_t *doc;

        must(unit_state_to_json(s, &doc) == 0, "no memory");
        tell(f, "state", u, s->machine, false, doc);
}

/* ---- how units behave ------------------------------------------------------------------------- */

static void set_state(Fake *f, FakeUnit *u, size_t machine, const Step *step) {
        UnitState *s = u->states[machine];
        bool new = !s;

        if (new) {
                s = unit_state_new(u->api->name, machine ? MACHINE_B : MACHINE_A);
                must(s != NULL, "no memory");
                u->states[machine] = s;
        }
        if (new || !str_eq(s->active, step->active))
                s->since_usec = clock_realtime_usec();
        must(str_replace(&s->load, "loaded") == 0 && str_replace(&s->active, step->active) == 0 &&
                     str_replace(&s->sub, step->sub) == 0 &&
                     str_replace(&s->result, step->result) == 0 &&
                     str_replace(&s->message, step->message) == 0 &&
                     str_replace(&s->driver, "fake") == 0 &&
                     str_replace(&s->main_id, str_eq(step->active, "active") ? "c0ffee" : NULL) ==
                             0,
             "no memory");
        s->exit_code = step->exit_code;
        s->target = wants(u, DESIRED_LAUNCHED) ? DESIRED_LAUNCHED : DESIRED_LOADED;
        must(unit_file_hash(u->api->options, s->hash) == 0, "no memory");
        tell_state(f, u, s);
}

static void drop_states(Fake *f, FakeUnit *u) {
        for (size_t i = 0; i < 2; i++) {
                if (!u->states[i])
                        continue;
                tell(f, "state", u, u->states[i]->machine, true, NULL);
                u->states[i] = unit_state_free(u->states[i]);
        }
}

static void place(Fake *f, FakeUnit *u) {
        char hash[SHA1_HEX_SIZE];

        if (u->global || u->api->machine_id)
                return;
        must(str_replace(&u->api->machine_id, MACHINE_A) == 0, "no memory");
        must(unit_file_hash(u->api->options, hash) == 0, "no memory");
        tell(f, "placement", u, MACHINE_A, false,
             json_pack("{s:s, s:s}", "hash", hash, "desiredState", u->api->desired_state));
}

static void set_all_states(Fake *f, FakeUnit *u, const Step *step) {
        for (size_t i = 0; i < (u->global ? 2 : 1); i++)
                set_state(f, u, i, step);
}

static void step_launched(Fake *f, FakeUnit *u) {
        const Step *steps = script_of(u);

        if (!steps->active) {
                u->reason = steps->message;
                tell(f, "reason", u, NULL, false, json_pack("{s:s}", "text", u->reason));
                u->busy = false;
                return;
        }
        place(f, u);
        set_all_states(f, u, steps + u->step);
        u->busy = steps[++u->step].active != NULL;
}

static void step_loaded(Fake *f, FakeUnit *u) {
        static const Step stopping = { "deactivating", "stop-sigterm", "success", NULL, -1 },
                          stopped = { "inactive", "dead", "success", NULL, 0 };

        place(f, u);
        if (behaves(u, "stuck")) {
                u->busy = false;
                return;
        }
        if (u->states[0] && str_eq(u->states[0]->active, "active"))
                set_all_states(f, u, &stopping);
        else {
                set_all_states(f, u, &stopped);
                u->busy = false;
        }
}

/* Inactive or destroyed: off the machine, then forgotten. */
static void step_away(Fake *f, FakeUnit *u) {
        if (u->api->machine_id) {
                tell(f, "placement", u, u->api->machine_id, true, NULL);
                u->api->machine_id = mem_free(u->api->machine_id);
                return;
        }
        drop_states(f, u);
        u->busy = false;
}

static void step_unit(Fake *f, FakeUnit *u) {
        if (!u->busy)
                return;
        if (u->destroyed || wants(u, DESIRED_INACTIVE))
                step_away(f, u);
        else if (wants(u, DESIRED_LAUNCHED))
                step_launched(f, u);
        else
                step_loaded(f, u);
}

static void on_step(void *userdata) {
        Fake *f = userdata;
        Strv names = STRV_INIT;
        bool busy = false;

        must(map_keys_sorted(f->units, &names) == 0, "no memory");
        for (size_t i = 0; i < names.n; i++) {
                FakeUnit *u = map_get(f->units, names.items[i]);

                step_unit(f, u);
                busy = busy || u->busy;
                if (u->destroyed && !u->busy)
                        (void) map_remove(f->units, names.items[i]);
        }
        strv_done(&names);
        if (busy)
                (void) event_timer_arm(f->timer, f->step_usec);
}

static void go(Fake *f, FakeUnit *u) {
        u->busy = true;
        u->step = 0;
        if (!event_timer_is_armed(f->timer))
                (void) event_timer_arm(f->timer, f->step_usec);
}

/* What fleetd would say of it (B8). */
static const char *current_state(const FakeUnit *u) {
        if (u->global)
                return NULL;
        if (!u->states[0] || !u->api->machine_id)
                return "inactive";
        return u->states[0]->target == DESIRED_LAUNCHED ? "launched" : "loaded";
}

/* ---- requests --------------------------------------------------------------------------------- */

static void reply_text(HttpExchange *x, unsigned status, const char *body) {
        (void) http_exchange_reply(x, &(const HttpReply){ .status = status,
                                                          .content_type = "application/json",
                                                          .body = body,
                                                          .body_size = strlen(body) });
}

static void reply_error(HttpExchange *x, unsigned status, const char *message) {
        char *text = api_error_format(status, message);

        must(text != NULL, "no memory");
        reply_text(x, status, text);
        mem_free(text);
}

static void reply_json(HttpExchange *x, json_t *j) {
        char *text = j ? json_format(j) : NULL;

        must(text != NULL, "no memory");
        json_decref(j);
        reply_text(x, 200, text);
        mem_free(text);
}

static json_t *unit_json(FakeUnit *u) {
        json_t *j = NULL;

        must(str_replace(&u->api->current_state, current_state(u)) == 0 &&
                     api_unit_to_json(u->api, &j) == 0,
             "no memory");
        return j;
}

/* One page of an array, with fleet's token. */
static void reply_page(Fake *f, HttpExchange *x, const char *key, json_t *all) {
        const char *token = http_exchange_argument(x, "nextPageToken");
        PageToken t = { .limit = (uint16_t) f->page_limit, .page = 1 };
        json_t *page = json_array(), *answer;
        size_t start;

        if (token && page_token_parse(token, t.limit, &t, NULL) < 0) {
                json_decref(all);
                json_decref(page);
                reply_error(x, 400, "bad token");
                return;
        }
        start = (size_t) (t.page - 1) * t.limit;
        for (size_t i = start; i < json_array_size(all) && i < start + t.limit; i++)
                json_array_append(page, json_array_get(all, i));
        answer = json_object();
        if (start + t.limit <= json_array_size(all) && json_array_size(all) > 0) {
                char *next = page_token_format(&(const PageToken){ t.limit, t.page + 1 });

                must(json_set_string(answer, "nextPageToken", next) == 0, "no memory");
                mem_free(next);
        }
        if (json_array_size(page) > 0)
                json_object_set(answer, key, page);
        json_decref(page);
        json_decref(all);
        reply_json(x, answer);
}

static void get_units(Fake *f, HttpExchange *x) {
        json_t *all = json_array();
        Strv names = STRV_INIT;

        must(map_keys_sorted(f->units, &names) == 0, "no memory");
        for (size_t i = 0; i < names.n; i++) {
                FakeUnit *u = map_get(f->units, names.items[i]);

                if (!u->destroyed)
                        json_array_append_new(all, unit_json(u));
        }
        strv_done(&names);
        reply_page(f, x, "units", all);
}

static void get_states(Fake *f, HttpExchange *x) {
        const char *wanted = http_exchange_argument(x, "unitName");
        json_t *all = json_array();
        Strv names = STRV_INIT;

        must(map_keys_sorted(f->units, &names) == 0, "no memory");
        for (size_t i = 0; i < names.n; i++) {
                FakeUnit *u = map_get(f->units, names.items[i]);

                for (size_t m = 0; m < 2; m++) {
                        json_t *j;

                        if (!u->states[m] || (wanted && !str_eq(wanted, names.items[i])))
                                continue;
                        must(api_unit_state_to_json(u->states[m], &j) == 0, "no memory");
                        json_array_append_new(all, j);
                }
        }
        strv_done(&names);
        reply_page(f, x, "states", all);
}

static void get_machines(Fake *f, HttpExchange *x) {
        reply_page(f, x, "machines",
                   json_pack("[{s:s, s:s, s:{s:s, s:s}}, {s:s}]", "id", MACHINE_A, "primaryIP",
                             "10.0.0.1", "metadata", "disk", "ssd", "region", "eu", "id",
                             MACHINE_B));
}

static void get_reasons(Fake *f, HttpExchange *x) {
        json_t *all = json_array();
        const char *name;
        FakeUnit *u;

        MAP_FOREACH (name, u, f->units)
                if (u->reason)
                        json_array_append_new(all, json_pack("{s:s, s:s}", "unit", name, "text",
                                                             u->reason));
        reply_json(x, json_pack("{s:o}", "reasons", all));
}

static void get_status(FakeUnit *u, HttpExchange *x) {
        json_t *j = json_object(), *states = json_array();
        char hash[SHA1_HEX_SIZE];

        must(unit_file_hash(u->api->options, hash) == 0, "no memory");
        for (size_t i = 0; i < 2; i++) {
                json_t *s;

                if (!u->states[i])
                        continue;
                must(unit_state_to_json(u->states[i], &s) == 0, "no memory");
                json_array_append_new(states, s);
        }
        must(json_set_string(j, "unit", u->api->name) == 0 &&
                     json_set_string(j, "hash", hash) == 0 &&
                     json_set_string(j, "desiredState", u->api->desired_state) == 0 &&
                     json_set_string(j, "currentState", current_state(u)) == 0 &&
                     json_set_string(j, "machineID", u->api->machine_id) == 0 &&
                     json_set_string(j, "reason", u->reason) == 0 &&
                     json_set_string(j, "description",
                                     unit_file_get_first(u->api->options, "Unit", "Description")) ==
                             0,
             "no memory");
        json_object_set_new(j, "states", states);
        if (u->global)
                json_object_set_new(j, "global", json_true());
        reply_json(x, j);
}

static void get_journal(FakeUnit *u, HttpExchange *x) {
        static const char text[] =
                "{\"t\":1700000000000000,\"stream\":\"stdout\",\"text\":\"hello\"}\n"
                "{\"t\":1700000001500000,\"stream\":\"stderr\",\"text\":\"a "
                "\\u001b[31mred\\u001b[0m "
                "word\"}\n";

        if (!u->states[0]) {
                reply_error(x, 404, "unit is not loaded on any machine");
                return;
        }
        if (http_exchange_stream(x, 200, "application/json", on_stream_closed, NULL) < 0)
                return;
        (void) http_stream_write(x, text, strlen(text));
        if (behaves(u, "broken-journal"))
                (void) http_stream_write(x, "{\"error\":\"the engine went away\"}\n", 33);
        http_stream_end(x);
}

static void get_events(Fake *f, HttpExchange *x) {
        Stream *s = mem_new(Stream);
        char first[64];

        must(s != NULL, "no memory");
        *s = (Stream){ .fake = f, .x = x };
        if (http_exchange_stream(x, 200, "application/json", on_stream_closed, s) < 0) {
                mem_free(s);
                return;
        }
        list_append(&f->streams, &s->streams);
        (void) snprintf(first, sizeof(first), "{\"revision\":%llu}\n\n",
                        (unsigned long long) f->revision);
        (void) http_stream_write(x, first, strlen(first));
}

/* ---- changing units --------------------------------------------------------------------------- */

static bool is_global(const ApiUnit *a) {
        Requirements *q = NULL;
        bool global = requirements_parse(a->name, a->options, &q, NULL, NULL) == 0 && q->global;

        requirements_free(q);
        return global;
}

static void replace_content(FakeUnit *u, ApiUnit *body) {
        UnitFile *old = u->api->options;

        u->api->options = body->options;
        body->options = old;
}

static FakeUnit *create(Fake *f, ApiUnit *body) {
        FakeUnit *u = mem_new(FakeUnit);

        must(u != NULL, "no memory");
        u->api = body;
        u->global = is_global(body);
        if (!body->desired_state)
                must(str_replace(&body->desired_state, "inactive") == 0, "no memory");
        must(map_put(f->units, body->name, u) == 0, "no memory");
        return u;
}

static void update(Fake *f, FakeUnit *u, ApiUnit *body, HttpExchange *x) {
        bool replace = body->options->n_options > 0;

        if (str_empty(body->desired_state)) {
                reply_error(x, 409, "must provide DesiredState to update existing unit");
                return;
        }
        if (unit_name_is_template(u->api->name) && !str_eq(body->desired_state, "inactive")) {
                char *text = str_printf("cannot activate template \"%s\"", u->api->name);

                reply_error(x, 400, text);
                mem_free(text);
                return;
        }
        if (behaves(u, "immutable")) {
                reply_error(x, 500, "");
                return;
        }
        if (replace)
                replace_content(u, body);
        must(str_replace(&u->api->desired_state, body->desired_state) == 0, "no memory");
        u->reason = NULL;
        tell_unit(f, u, false);
        go(f, u);
        reply_text(x, replace ? 201 : 204, "");
}

static void put_unit(Fake *f, const char *name, HttpExchange *x) {
        FakeUnit *u = map_get(f->units, name);
        size_t size;
        const char *text = http_exchange_body(x, &size);
        ApiUnit *body = NULL;
        json_t *j = NULL;
        Error e = ERROR_INIT;

        if (json_parse(text, size, &j, &e) < 0 || api_unit_from_json(j, &body, &e) < 0)
                reply_error(x, 400, error_text(&e));
        else if (u && !u->destroyed)
                update(f, u, body, x);
        else if (body->options->n_options == 0)
                reply_error(x, 409, "unit does not exist and options field empty");
        else if (str_eq(unit_file_get(body->options, "Fake", "Behaviour"), "refused"))
                reply_error(x, 400, "the unit is refused by name");
        else {
                u = create(f, body);
                body = NULL;
                tell_unit(f, u, false);
                reply_text(x, 201, "");
        }
        api_unit_free(body);
        json_decref(j);
        error_done(&e);
}

static void delete_unit(Fake *f, FakeUnit *u, HttpExchange *x) {
        if (behaves(u, "indestructible")) {
                reply_error(x, 500, "");
                return;
        }
        u->destroyed = true;
        tell_unit(f, u, true);
        go(f, u);
        reply_text(x, 204, "");
}

static void one_unit(Fake *f, const char *kind, const char *name, HttpExchange *x) {
        FakeUnit *u = map_get(f->units, name);
        const char *method = http_exchange_method(x);

        if (str_eq(kind, "units") && str_eq(method, "PUT"))
                put_unit(f, name, x);
        else if (!u || u->destroyed)
                reply_error(x, 404, "unit does not exist");
        else if (str_eq(kind, "status"))
                get_status(u, x);
        else if (str_eq(kind, "journal"))
                get_journal(u, x);
        else if (str_eq(method, "DELETE"))
                delete_unit(f, u, x);
        else
                reply_json(x, unit_json(u));
}

static void on_request(HttpExchange *x, void *userdata) {
        Fake *f = userdata;
        const char *path = str_after_prefix(http_exchange_path(x), "/fleet/v1/");
        const char *slash = path ? strchr(path, '/') : NULL;

        printf("%s %s%s%s\n", http_exchange_method(x), http_exchange_path(x),
               *http_exchange_query(x) ? "?" : "", http_exchange_query(x));
        fflush(stdout);
        if (f->status)
                reply_error(x, (unsigned) f->status,
                            "fleet server unable to communicate with etcd");
        else if (slash && (!f->plain || str_after_prefix(path, "units/"))) {
                char *kind = str_ndup(path, (size_t) (slash - path)), *name = NULL;

                must(kind && http_url_unescape(slash + 1, strlen(slash + 1), &name) == 0,
                     "bad path");
                one_unit(f, kind, name, x);
                mem_free(kind);
                mem_free(name);
        } else if (str_eq(path, "units"))
                get_units(f, x);
        else if (str_eq(path, "state"))
                get_states(f, x);
        else if (str_eq(path, "machines"))
                get_machines(f, x);
        else if (str_eq(path, "reasons") && !f->plain)
                get_reasons(f, x);
        else if (str_eq(path, "events") && !f->plain)
                get_events(f, x);
        else
                reply_error(x, 404, "");
}

/* ---- the program ------------------------------------------------------------------------------ */

static int on_break(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Fake *f = userdata;

        (void) source;
        (void) si;
        LIST_FOREACH (Stream, s, &f->streams, streams)
                end_stream(s);
        return 0;
}

static void make_units(Fake *f, uint64_t n) {
        static const char text[] = "[Unit]\nDescription=Fake\n[Service]\nExecStart=/bin/true\n";

        for (uint64_t i = 0; i < n; i++) {
                char name[40];
                ApiUnit *a;

                (void) snprintf(name, sizeof(name), "web@%llu.service", (unsigned long long) i);
                a = api_unit_new(name);
                must(a != NULL, "no memory");
                unit_file_free(a->options);
                must(unit_file_parse(text, strlen(text), &a->options, NULL) == 0 &&
                             str_replace(&a->desired_state, "launched") == 0,
                     "no memory");
                go(f, create(f, a));
        }
        for (size_t i = 0; i < STEPS_MAX && n > 0; i++)
                on_step(f);
}

static void read_options(Fake *f, int argc, char **argv, uint64_t *ret_units) {
        uint64_t step_msec = 5;

        for (int i = 2; i < argc; i++) {
                uint64_t *number = str_eq(argv[i], "--page")      ? &f->page_limit
                                   : str_eq(argv[i], "--status")  ? &f->status
                                   : str_eq(argv[i], "--units")   ? ret_units
                                   : str_eq(argv[i], "--step-ms") ? &step_msec
                                                                  : NULL;

                if (str_eq(argv[i], "--plain"))
                        f->plain = true;
                else
                        must(number && i + 1 < argc && str_to_u64(argv[++i], number) == 0,
                             "usage: fake_api SOCKET [--plain] [--page N] [--status CODE] "
                             "[--units N] [--step-ms N]");
        }
        f->step_usec = step_msec * USEC_PER_MSEC;
}

/* The port of a TCP socket, 0 for others. */
static unsigned port_of(int fd) {
        struct sockaddr_in in = { 0 };
        socklen_t size = sizeof(in);

        return getsockname(fd, (struct sockaddr *) &in, &size) == 0 && in.sin_family == AF_INET
                       ? ntohs(in.sin_port)
                       : 0;
}

static void listen_on(Fake *f, const char *path) {
        char *address = strchr(path, ':') ? str_dup(path) : str_printf("unix://%s", path);
        Error e = ERROR_INIT;
        unsigned port;
        int fd;

        must(address != NULL, "no memory");
        if (http_listen(address, &fd, &e) < 0)
                must(false, error_text(&e));
        port = port_of(fd); /* the server may not keep this descriptor */
        if (http_server_add_fd(f->server, fd, &e) < 0)
                must(false, error_text(&e));
        printf("ready %u\n", port);
        mem_free(address);
}

int main(int argc, char **argv) {
        Fake f = { .page_limit = 100, .units = map_new(unit_free) };
        uint64_t units = 0;
        sigset_t mask;

        must(argc > 1, "usage: fake_api SOCKET …");
        list_init(&f.streams);
        read_options(&f, argc, argv, &units);
        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        (void) sigaddset(&mask, SIGUSR1);
        (void) sigprocmask(SIG_BLOCK, &mask, NULL);
        must(sd_event_new(&f.event) >= 0 &&
                     sd_event_add_signal(f.event, NULL, SIGTERM, NULL, NULL) >= 0 &&
                     sd_event_add_signal(f.event, NULL, SIGUSR1, on_break, &f) >= 0 &&
                     event_timer_new(f.event, "step", on_step, &f, &f.timer) >= 0 &&
                     http_server_new(f.event,
                                     &(const HttpServerOptions){ .handler = on_request,
                                                                 .userdata = &f,
                                                                 .server_header = "fleetd/fake" },
                                     &f.server, NULL) >= 0,
             "cannot start");
        make_units(&f, units);
        listen_on(&f, argv[1]);
        fflush(stdout);
        (void) sd_event_loop(f.event);

        LIST_FOREACH (Stream, s, &f.streams, streams)
                end_stream(s);
        http_server_free(f.server);
        event_drop(f.timer);
        map_free(f.units);
        sd_event_unref(f.event);
        return 0;
}
