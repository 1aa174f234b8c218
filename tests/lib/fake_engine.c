#include "tests/lib/fake_engine.h"

#include <check.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/http/http_server.h"

#define RULES_MAX 16
#define HELD_MAX 64

struct FakeEngine {
        HttpServer *server;
        char *directory, *address;
        Strv requests;
        struct {
                const char *match;
                unsigned status;
                const char *body;
        } rules[RULES_MAX];
        size_t n_rules;
        HttpExchange *events[HELD_MAX], *waits[HELD_MAX], *creates[HELD_MAX];
        size_t n_events, n_waits, n_creates, open_max;
        size_t ids;
        bool dead;
        int code;
};

static void forget(HttpExchange **list, size_t *n, const HttpExchange *x) {
        for (size_t i = 0; i < *n; i++)
                if (list[i] == x) {
                        list[i] = list[--*n];
                        return;
                }
}

static void on_closed(HttpExchange *x, void *userdata) {
        FakeEngine *e = userdata;

        forget(e->events, &e->n_events, x);
        forget(e->waits, &e->n_waits, x);
        forget(e->creates, &e->n_creates, x);
}

static void reply(HttpExchange *x, unsigned status, const char *body) {
        HttpReply r = { .status = status,
                        .content_type = "application/json",
                        .body = body,
                        .body_size = strlen(body) };

        ck_assert_int_eq(http_exchange_reply(x, &r), 0);
}

static void hold(FakeEngine *e, HttpExchange *x, HttpExchange **list, size_t *n) {
        ck_assert_uint_lt(*n, HELD_MAX);
        list[(*n)++] = x;
        http_exchange_on_closed(x, on_closed, e);
}

static void reply_created(FakeEngine *e, HttpExchange *x) {
        _cleanup_free_ char *body = str_printf("{\"Id\":\"c%zu\",\"Warnings\":[]}", ++e->ids);

        reply(x, 201, body);
}

static void reply_state(FakeEngine *e, HttpExchange *x) {
        _cleanup_free_ char *body = str_printf(
                "{\"Id\":\"c%zu\",\"State\":{\"Running\":%s,\"ExitCode\":%d}}", e->ids,
                e->dead ? "false" : "true", e->code);

        reply(x, 200, body);
}

/* An engine on which everything works. */
static void answer(FakeEngine *e, HttpExchange *x, const char *request) {
        if (strstr(request, "/version"))
                reply(x, 200, "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}");
        else if (strstr(request, "/events")) {
                ck_assert_uint_lt(e->n_events, HELD_MAX);
                e->events[e->n_events++] = x;
                ck_assert_int_eq(http_exchange_stream(x, 200, "application/json", on_closed, e), 0);
        } else if (strstr(request, "/containers/json"))
                reply(x, 200, "[]");
        else if (strstr(request, "/containers/create"))
                reply_created(e, x);
        else if (strstr(request, "/wait"))
                hold(e, x, e->waits, &e->n_waits);
        else if (strstr(request, "/json"))
                reply_state(e, x);
        else
                reply(x, 204, "");
}

static void on_request(HttpExchange *x, void *userdata) {
        FakeEngine *e = userdata;
        _cleanup_free_ char *request = str_printf("%s %s?%s", http_exchange_method(x),
                                                  http_exchange_path(x), http_exchange_query(x));

        ck_assert_int_eq(strv_push(&e->requests, request), 0);
        for (size_t i = e->n_rules; i-- > 0;) {
                if (!strstr(request, e->rules[i].match))
                        continue;
                if (e->rules[i].status == FAKE_ENGINE_SILENCE) {
                        hold(e, x, e->creates, &e->n_creates);
                        e->open_max = MAX(e->open_max, e->n_creates);
                } else if (e->rules[i].status == 1)
                        answer(e, x, request);
                else
                        reply(x, e->rules[i].status, e->rules[i].body);
                return;
        }
        answer(e, x, request);
}

FakeEngine *fake_engine_new(sd_event *event) {
        FakeEngine *e = mem_new(FakeEngine);
        HttpServerOptions o = { .handler = on_request, .userdata = e };
        int fd;

        ck_assert_ptr_nonnull(e);
        ck_assert_int_eq(fs_temp_directory("fake-engine", &e->directory), 0);
        e->address = str_printf("unix://%s/docker.sock", e->directory);
        ck_assert_int_eq(http_server_new(event, &o, &e->server, NULL), 0);
        ck_assert_int_eq(http_listen(e->address, &fd, NULL), 0);
        ck_assert_int_eq(http_server_add_fd(e->server, fd, NULL), 0);
        return e;
}

FakeEngine *fake_engine_free(FakeEngine *e) {
        if (!e)
                return NULL;
        (void) http_server_free(e->server);
        (void) fs_remove_tree(e->directory);
        strv_done(&e->requests);
        mem_free(e->directory);
        mem_free(e->address);
        return mem_free(e);
}

const char *fake_engine_address(const FakeEngine *e) {
        return e->address;
}

const char *fake_engine_directory(const FakeEngine *e) {
        return e->directory;
}

void fake_engine_rule(FakeEngine *e, const char *match, unsigned status, const char *body) {
        ck_assert_uint_lt(e->n_rules, RULES_MAX);
        e->rules[e->n_rules].match = match;
        e->rules[e->n_rules].status = status;
        e->rules[e->n_rules++].body = body ? body : "";
}

void fake_engine_event(FakeEngine *e, const char *line) {
        while (!line && e->n_events > 0)
                http_stream_end(e->events[--e->n_events]);
        for (size_t i = 0; line && i < e->n_events; i++) {
                ck_assert_int_eq(http_stream_write(e->events[i], line, strlen(line)), 0);
                ck_assert_int_eq(http_stream_write(e->events[i], "\n", 1), 0);
        }
}

void fake_engine_die(FakeEngine *e, int code) {
        _cleanup_free_ char *body = str_printf("{\"StatusCode\":%d}", code);
        _cleanup_free_ char *event = str_printf(
                "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"c%zu\","
                "\"Attributes\":{\"exitCode\":\"%d\",\"flotilla.unit\":\"app.service\"}}}",
                e->ids, code);

        e->dead = true;
        e->code = code;
        fake_engine_event(e, event);
        while (e->n_waits > 0) {
                HttpExchange *x = e->waits[--e->n_waits];

                http_exchange_on_closed(x, NULL, NULL);
                reply(x, 200, body);
        }
}

size_t fake_engine_count(const FakeEngine *e, const char *match) {
        size_t n = 0;

        for (size_t i = 0; i < e->requests.n; i++)
                n += strstr(e->requests.items[i], match) != NULL;
        return n;
}

size_t fake_engine_open_max(const FakeEngine *e) {
        return e->open_max;
}

void fake_engine_answer_creates(FakeEngine *e) {
        while (e->n_creates > 0) {
                HttpExchange *x = e->creates[--e->n_creates];

                http_exchange_on_closed(x, NULL, NULL);
                reply_created(e, x);
        }
}
