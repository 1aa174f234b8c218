#include "lib/http/http_client.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/lib/raw_server.h"
#include "tests/lib/suite.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

typedef struct Fixture {
        sd_event *event;
        HttpClient *client;
        RawServer *server;
} Fixture;

/* One call and what came of it. */
typedef struct Result {
        Fixture *fixture;
        HttpCall *call;
        unsigned calls;
        bool done;
        int r;
        unsigned status;
        Buf body, data;
        char *content_type, *words;
        size_t pieces;     /* of a streaming request body */
        int data_result;   /* what on_data returns */
        bool free_in_data; /* what on_data does, too */
        bool free_client_in_data;
        bool free_client_in_done;
} Result;

static void fixture_init(Fixture *f, size_t max_connections) {
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        ck_assert_int_eq(http_client_new(f->event, max_connections, &f->client, NULL), 0);
}

static void fixture_done(Fixture *f) {
        f->client = http_client_free(f->client);
        f->server = raw_server_free(f->server);
        f->event = sd_event_unref(f->event);
}

static void result_done(Result *s) {
        s->call = http_call_free(s->call);
        buf_done(&s->body);
        buf_done(&s->data);
        s->content_type = mem_free(s->content_type);
        s->words = mem_free(s->words);
}

static void on_done(HttpCall *call, int r, const HttpResponse *response, const Error *error,
                    void *userdata) {
        Result *s = userdata;

        ck_assert_ptr_eq(call, s->call);
        s->calls++;
        s->done = true;
        s->r = r;
        s->status = response->status;
        s->words = str_dup(r < 0 ? error_text(error) : "");
        s->content_type = str_dup(response->content_type);
        ck_assert_int_eq(buf_append(&s->body, response->body, response->body_size), 0);
        ck_assert_uint_eq(response->body[response->body_size], 0);
        s->call = http_call_free(s->call);
        if (s->free_client_in_done)
                s->fixture->client = http_client_free(s->fixture->client);
}

static int on_data(HttpCall *call, unsigned status, const char *data, size_t size, void *userdata) {
        Result *s = userdata;

        ck_assert_ptr_eq(call, s->call);
        s->status = status;
        s->calls++;
        ck_assert_int_eq(buf_append(&s->data, data, size), 0);
        if (s->free_in_data)
                s->call = http_call_free(s->call);
        if (s->free_client_in_data)
                s->fixture->client = http_client_free(s->fixture->client);
        if (s->free_in_data || s->free_client_in_data)
                s->done = true;
        return s->data_result;
}

static ssize_t on_body(HttpCall *call _unused_, char *buffer, size_t size, void *userdata) {
        Result *s = userdata;

        if (s->pieces == SIZE_MAX)
                return -EIO;
        if (s->pieces == 0)
                return 0;

        ck_assert_uint_ge(size, 4);
        memcpy(buffer, "body", 4);
        s->pieces--;
        return 4;
}

static HttpRequest request_for(Fixture *f, Result *s) {
        s->fixture = f;
        return (HttpRequest){
                .url = raw_server_url(f->server),
                .unix_socket = raw_server_path(f->server),
                .done_fn = on_done,
                .userdata = s,
        };
}

static void call(Fixture *f, Result *s, const HttpRequest *request) {
        _cleanup_error_ Error e = ERROR_INIT;
        int r = http_client_call(f->client, request, &s->call, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e));
        ck_assert(!s->done);
}

static void run(Fixture *f, Result *s, const HttpRequest *request) {
        call(f, s, request);
        suite_wait(f->event, &s->done);
        ck_assert_ptr_null(s->call);
}

static void serve(Fixture *f, bool tcp, const char *reply, RawThen then) {
        fixture_init(f, 0);
        f->server = raw_server_new(f->event, tcp, reply, then);
}

START_TEST(test_get) {
        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                _cleanup_(result_done) Result s = { 0 };
                HttpRequest request;

                serve(&f, tcp, OK_REPLY, RAW_KEEP);
                request = request_for(&f, &s);
                run(&f, &s, &request);
                ck_assert_int_eq(s.r, 0);
                ck_assert_uint_eq(s.status, 200);
                ck_assert_str_eq(buf_str(&s.body), "hello");
                ck_assert_str_eq(s.content_type, "text/plain");
                ck_assert_ptr_nonnull(
                        str_after_prefix(raw_server_received(f.server), "GET / HTTP/1.1\r\n"));
                ck_assert_ptr_null(strstr(raw_server_received(f.server), "Expect"));
        }
}
END_TEST

START_TEST(test_methods_and_bodies) {
        static const struct {
                const char *method, *body, *line, *size;
        } cases[] = {
                { "POST", NULL, "POST / HTTP/1.1\r\n", "Content-Length: 0\r\n" },
                { "POST", "x=1", "POST / HTTP/1.1\r\n", "Content-Length: 3\r\n" },
                { "PUT", "{}", "PUT / HTTP/1.1\r\n", "Content-Length: 2\r\n" },
                { "PATCH", "[]", "PATCH / HTTP/1.1\r\n", "Content-Length: 2\r\n" },
                { "DELETE", NULL, "DELETE / HTTP/1.1\r\n", NULL },
                { "DELETE", "z", "DELETE / HTTP/1.1\r\n", "Content-Length: 1\r\n" },
                { "GET", NULL, "GET / HTTP/1.1\r\n", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                static const char *const headers[] = { "X-One: 1", "Content-Type: text/x", NULL };
                _cleanup_(fixture_done) Fixture f = { 0 };
                _cleanup_(result_done) Result s = { 0 };
                HttpRequest request;
                const char *got;

                serve(&f, false, OK_REPLY, RAW_KEEP);
                request = request_for(&f, &s);
                request.method = cases[i].method;
                request.headers = i % 2 == 0 ? headers : NULL;
                request.body = cases[i].body;
                request.body_size = cases[i].body ? strlen(cases[i].body) : 0;
                run(&f, &s, &request);
                ck_assert_int_eq(s.r, 0);

                got = raw_server_received(f.server);
                ck_assert_ptr_nonnull(str_after_prefix(got, cases[i].line));
                if (cases[i].size)
                        ck_assert_ptr_nonnull(strstr(got, cases[i].size));
                else
                        ck_assert_ptr_null(strstr(got, "Content-Length"));
                ck_assert((strstr(got, "\r\nX-One: 1\r\n") != NULL) == (i % 2 == 0));
                ck_assert((strstr(got, "Content-Type") != NULL) == (i % 2 == 0));
        }
}
END_TEST

START_TEST(test_head) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { 0 };
        HttpRequest request;

        serve(&f, false, "HTTP/1.1 204 No Content\r\nContent-Length: 99\r\n\r\n", RAW_KEEP);
        request = request_for(&f, &s);
        request.method = "HEAD";
        run(&f, &s, &request);
        ck_assert_int_eq(s.r, 0);
        ck_assert_uint_eq(s.status, 204);
        ck_assert_ptr_null(s.content_type);
}
END_TEST

START_TEST(test_connection_is_used_again) {
        _cleanup_(fixture_done) Fixture f = { 0 };

        serve(&f, false, OK_REPLY, RAW_KEEP);
        for (int i = 0; i < 5; i++) {
                _cleanup_(result_done) Result s = { 0 };
                HttpRequest request = request_for(&f, &s);

                run(&f, &s, &request);
                ck_assert_int_eq(s.r, 0);
        }
        ck_assert_uint_eq(raw_server_accepted(f.server), 1);

        /* The server closes it between two calls: the next one opens another. */
        raw_server_close_all(f.server);
        {
                _cleanup_(result_done) Result s = { 0 };
                HttpRequest request = request_for(&f, &s);

                run(&f, &s, &request);
                ck_assert_int_eq(s.r, 0);
        }
        ck_assert_uint_eq(raw_server_accepted(f.server), 2);
}
END_TEST

START_TEST(test_max_connections) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        Result s[20] = { 0 };

        fixture_init(&f, 3);
        f.server = raw_server_new(f.event, false, OK_REPLY, RAW_KEEP);
        for (size_t i = 0; i < ELEMENTSOF(s); i++) {
                HttpRequest request = request_for(&f, &s[i]);

                call(&f, &s[i], &request);
        }
        for (size_t i = 0; i < ELEMENTSOF(s); i++) {
                suite_wait(f.event, &s[i].done);
                ck_assert_int_eq(s[i].r, 0);
        }
        ck_assert_uint_eq(raw_server_accepted(f.server), 3);
        for (size_t i = 0; i < ELEMENTSOF(s); i++)
                result_done(&s[i]);
}
END_TEST

START_TEST(test_bad_ends) {
        static const struct {
                const char *reply;
                RawThen then;
                int code;
        } cases[] = {
                { "SSH-2.0-OpenSSH\r\n", RAW_CLOSE, -EPROTO },
                { "garbage that has no end", RAW_CLOSE, -EPROTO },
                { "", RAW_CLOSE, -ECONNRESET },
                { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", RAW_CLOSE, -ECONNRESET },
                { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", RAW_CLOSE,
                  -ECONNRESET },
                { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", RAW_CLOSE,
                  -ECONNRESET },
                { "HTTP/1.1 200 OK\r\nContent-Len", RAW_CLOSE, -ECONNRESET },
                { NULL, RAW_RESET, -ECONNRESET },
                { "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", RAW_CLOSE, -EPROTO },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int tcp = 0; tcp < 2; tcp++) {
                        _cleanup_(fixture_done) Fixture f = { 0 };
                        _cleanup_(result_done) Result s = { 0 };
                        HttpRequest request;

                        serve(&f, tcp, cases[i].reply, cases[i].then);
                        request = request_for(&f, &s);
                        run(&f, &s, &request);
                        ck_assert_msg(s.r == cases[i].code, "%s: %d, %s", cases[i].reply, s.r,
                                      s.words);
                        ck_assert_str_ne(s.words, "");
                }
}
END_TEST

START_TEST(test_cannot_connect) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result missing = { 0 }, refused = { 0 }, port = { 0 };
        _cleanup_free_ char *path = NULL, *directory = NULL, *url = NULL;
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        HttpRequest request;

        serve(&f, true, NULL, RAW_KEEP);
        url = str_dup(raw_server_url(f.server));
        ck_assert_int_eq(fs_temp_directory("client", &directory), 0);
        path = str_printf("%s/socket", directory);

        request = request_for(&f, &missing);
        request.unix_socket = path;
        run(&f, &missing, &request);
        ck_assert_int_eq(missing.r, -ENOENT);
        ck_assert_uint_eq(missing.status, 0);
        ck_assert_ptr_nonnull(strstr(missing.words, "No such file or directory"));
        ck_assert_ptr_nonnull(strstr(missing.words, path));

        memcpy(a.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &a, sizeof(a)), 0);
        request.userdata = &refused;
        run(&f, &refused, &request);
        ck_assert_int_eq(refused.r, -ECONNREFUSED);

        f.server = raw_server_free(f.server);
        request.userdata = &port;
        request.unix_socket = NULL;
        request.url = url;
        run(&f, &port, &request);
        ck_assert_int_eq(port.r, -ECONNREFUSED);
        ck_assert_int_eq(fs_remove_tree(directory), 0);
}
END_TEST

/* Nobody accepts, and no place is left in the queue: connect(2) of a unix socket says EAGAIN. */
START_TEST(test_full_backlog) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_free_ char *path = NULL, *directory = NULL;
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        Result s[4] = { 0 };
        unsigned refused = 0;

        fixture_init(&f, 0);
        ck_assert_int_eq(fs_temp_directory("client", &directory), 0);
        path = str_printf("%s/socket", directory);
        memcpy(a.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &a, sizeof(a)), 0);
        ck_assert_int_eq(listen(fd, 0), 0);

        for (size_t i = 0; i < ELEMENTSOF(s); i++) {
                HttpRequest request = { .url = "http://x/",
                                        .unix_socket = path,
                                        .done_fn = on_done,
                                        .userdata = &s[i],
                                        .timeout_usec = 50 * USEC_PER_MSEC };

                s[i].fixture = &f;
                call(&f, &s[i], &request);
        }
        for (size_t i = 0; i < ELEMENTSOF(s); i++) {
                suite_wait(f.event, &s[i].done);
                ck_assert_msg(s[i].r == -ETIMEDOUT || s[i].r == -ECONNREFUSED, "%d %s", s[i].r,
                              s[i].words);
                refused += s[i].r == -ECONNREFUSED;
        }
        ck_assert_uint_ge(refused, 1);
        for (size_t i = 0; i < ELEMENTSOF(s); i++)
                result_done(&s[i]);
        ck_assert_int_eq(fs_remove_tree(directory), 0);
}
END_TEST

START_TEST(test_tls_without_tls) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { 0 };
        _cleanup_free_ char *url = NULL;
        HttpRequest request;

        serve(&f, true, OK_REPLY, RAW_CLOSE);
        url = str_printf("https%s", raw_server_url(f.server) + strlen("http"));
        request = request_for(&f, &s);
        request.url = url;
        request.timeout_usec = 5 * USEC_PER_SEC;
        raw_server_set_reply(f.server, NULL, RAW_KEEP);
        call(&f, &s, &request);
        while (str_empty(raw_server_received(f.server)))
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        raw_server_send(f.server, OK_REPLY);
        suite_wait(f.event, &s.done);
        ck_assert_int_eq(s.r, -EIO);
        ck_assert_str_ne(s.words, "");
}
END_TEST

START_TEST(test_bad_ca_file) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { 0 };
        HttpRequest request;

        serve(&f, true, NULL, RAW_CLOSE);
        request = request_for(&f, &s);
        request.url = "https://127.0.0.1:1/";
        request.ca_file = "/nowhere/ca.pem";
        run(&f, &s, &request);
        ck_assert_int_lt(s.r, 0);
        ck_assert_str_ne(s.words, "");
}
END_TEST

START_TEST(test_basic_authentication) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { 0 };
        HttpRequest request;

        serve(&f, false, OK_REPLY, RAW_KEEP);
        request = request_for(&f, &s);
        request.username = "user";
        request.password = "pass";
        run(&f, &s, &request);
        ck_assert_int_eq(s.r, 0);
        ck_assert_ptr_nonnull(
                strstr(raw_server_received(f.server), "Authorization: Basic dXNlcjpwYXNz\r\n"));
}
END_TEST

START_TEST(test_no_proxy_for_unix_sockets) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { 0 };
        HttpRequest request;

        ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
        serve(&f, false, OK_REPLY, RAW_KEEP);
        request = request_for(&f, &s);
        run(&f, &s, &request);
        ck_assert_int_eq(unsetenv("http_proxy"), 0);
        ck_assert_int_eq(s.r, 0);
}
END_TEST

START_TEST(test_timeout) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { 0 };
        HttpRequest request;

        serve(&f, false, NULL, RAW_KEEP);
        request = request_for(&f, &s);
        request.timeout_usec = 20 * USEC_PER_MSEC;
        run(&f, &s, &request);
        ck_assert_int_eq(s.r, -ETIMEDOUT);
        ck_assert_ptr_nonnull(strstr(s.words, "timed out after 20ms"));
        suite_settle(f.event);
        ck_assert_uint_eq(raw_server_open(f.server), 0);
}
END_TEST

START_TEST(test_timeout_while_waiting_for_a_turn) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result first = { 0 }, second = { 0 };
        HttpRequest request;

        fixture_init(&f, 1);
        f.server = raw_server_new(f.event, false, NULL, RAW_KEEP);
        request = request_for(&f, &first);
        call(&f, &first, &request);
        request = request_for(&f, &second);
        request.timeout_usec = 20 * USEC_PER_MSEC;
        run(&f, &second, &request);
        ck_assert_int_eq(second.r, -ETIMEDOUT);
        ck_assert(!first.done);
        ck_assert_uint_eq(raw_server_accepted(f.server), 1);
}
END_TEST

START_TEST(test_response_limit) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result fits = { 0 }, too_long = { 0 };
        HttpRequest request;

        serve(&f, false, OK_REPLY, RAW_KEEP);
        request = request_for(&f, &fits);
        request.response_max_bytes = 5;
        run(&f, &fits, &request);
        ck_assert_int_eq(fits.r, 0);

        request = request_for(&f, &too_long);
        request.response_max_bytes = 4;
        run(&f, &too_long, &request);
        ck_assert_int_eq(too_long.r, -EFBIG);
        ck_assert_ptr_nonnull(strstr(too_long.words, "is larger than 4 bytes"));
}
END_TEST

START_TEST(test_stream_response) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { 0 };
        HttpRequest request;

        serve(&f, false, "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
              RAW_KEEP);
        request = request_for(&f, &s);
        request.data_fn = on_data;
        request.response_max_bytes = 1; /* does not count for streams */
        call(&f, &s, &request);
        while (s.calls < 1)
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        ck_assert_uint_eq(s.status, 201);
        raw_server_send(f.server, "3\r\ntwo\r\n");
        while (s.calls < 2)
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        raw_server_send(f.server, "0\r\n\r\n");
        suite_wait(f.event, &s.done);
        ck_assert_int_eq(s.r, 0);
        ck_assert_str_eq(buf_str(&s.data), "onetwo");
        ck_assert_str_eq(buf_str(&s.body), "");
}
END_TEST

START_TEST(test_stream_given_up) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { .data_result = -EIO };
        HttpRequest request;

        serve(&f, false, OK_REPLY, RAW_KEEP);
        request = request_for(&f, &s);
        request.data_fn = on_data;
        run(&f, &s, &request);
        ck_assert_int_eq(s.r, -ECANCELED);
}
END_TEST

START_TEST(test_stream_request) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(result_done) Result s = { .pieces = 2 }, bad = { .pieces = SIZE_MAX };
        HttpRequest request;

        serve(&f, false, NULL, RAW_KEEP);
        request = request_for(&f, &s);
        request.method = "POST";
        request.body_fn = on_body;
        call(&f, &s, &request);
        while (!strstr(raw_server_received(f.server), "0\r\n\r\n"))
                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        raw_server_send(f.server, OK_REPLY);
        suite_wait(f.event, &s.done);
        ck_assert_int_eq(s.r, 0);
        ck_assert_ptr_nonnull(strstr(raw_server_received(f.server), "POST / HTTP/1.1\r\n"));
        ck_assert_ptr_nonnull(
                strstr(raw_server_received(f.server), "Transfer-Encoding: chunked\r\n"));
        ck_assert_ptr_nonnull(strstr(raw_server_received(f.server), "4\r\nbody\r\n"));

        request.userdata = &bad;
        run(&f, &bad, &request);
        ck_assert_int_eq(bad.r, -ECANCELED);
}
END_TEST

START_TEST(test_free_in_callbacks) {
        for (int what = 0; what < 4; what++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                _cleanup_(result_done) Result s = { .free_in_data = what == 0 || what == 2,
                                                    .free_client_in_data = what == 1 || what == 2,
                                                    .free_client_in_done = what == 3 };
                HttpRequest request;

                serve(&f, false, OK_REPLY, RAW_KEEP);
                request = request_for(&f, &s);
                request.data_fn = what < 3 ? on_data : NULL;
                call(&f, &s, &request);
                suite_wait(f.event, &s.done);
                suite_settle(f.event);
                ck_assert_uint_eq(s.calls, 1);
                ck_assert_uint_eq(raw_server_open(f.server), 0);
        }
}
END_TEST

static void on_done_call_again(HttpCall *c _unused_, int r, const HttpResponse *response _unused_,
                               const Error *error _unused_, void *userdata) {
        Result *s = userdata;
        HttpRequest request = request_for(s->fixture, s);

        ck_assert_int_eq(r, 0);
        s->call = http_call_free(s->call);
        call(s->fixture, s, &request);
}

static int on_data_call(HttpCall *c _unused_, unsigned status _unused_, const char *data _unused_,
                        size_t size _unused_, void *userdata) {
        Result *s = userdata;

        s->call = http_call_free(s->call);
        on_done_call_again(NULL, 0, NULL, NULL, s);
        return 0;
}

START_TEST(test_call_in_callbacks) {
        for (int in_data = 0; in_data < 2; in_data++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                _cleanup_(result_done) Result s = { 0 };
                HttpRequest request;

                serve(&f, false, OK_REPLY, RAW_KEEP);
                request = request_for(&f, &s);
                request.done_fn = on_done_call_again;
                request.data_fn = in_data ? on_data_call : NULL;
                call(&f, &s, &request);
                suite_wait(f.event, &s.done);
                ck_assert_int_eq(s.r, 0);
        }
}
END_TEST

/* Cancelled after any number of turns of the loop, nothing is called and nothing leaks. */
START_TEST(test_cancel_at_every_stage) {
        for (int turns = 0; turns < 12; turns++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                _cleanup_(result_done) Result s = { 0 };
                HttpRequest request;
                unsigned calls;

                serve(&f, turns % 2 == 0, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
                      RAW_KEEP);
                request = request_for(&f, &s);
                request.timeout_usec = USEC_PER_MINUTE;
                call(&f, &s, &request);
                for (int i = 0; i < turns; i++)
                        ck_assert_int_ge(sd_event_run(f.event, 0), 0);
                calls = s.calls;
                s.call = http_call_free(s.call);
                suite_settle(f.event);
                ck_assert_uint_eq(s.calls, calls);
                ck_assert_uint_eq(raw_server_open(f.server), 0);
        }
}
END_TEST

START_TEST(test_client_freed_with_calls) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        Result s[5] = { 0 };

        fixture_init(&f, 2);
        f.server = raw_server_new(f.event, false, NULL, RAW_KEEP);
        for (size_t i = 0; i < ELEMENTSOF(s); i++) {
                HttpRequest request = request_for(&f, &s[i]);

                call(&f, &s[i], &request);
        }
        suite_settle(f.event);
        ck_assert_uint_eq(raw_server_open(f.server), 2);
        f.client = http_client_free(f.client);
        suite_settle(f.event);
        ck_assert_uint_eq(raw_server_open(f.server), 0);
        for (size_t i = 0; i < ELEMENTSOF(s); i++) {
                ck_assert_uint_eq(s[i].calls, 0);
                result_done(&s[i]);
        }
}
END_TEST

START_TEST(test_refused_requests) {
        static const char *const smuggled[] = { "X: a\r\nY: b", NULL };
        static const char *const no_colon[] = { "X", NULL };
        static const struct {
                HttpRequest request;
                const char *words;
        } cases[] = {
                { { .url = "ftp://x/" }, "'ftp://x/' is neither an http:// nor an https:// URL" },
                { { .url = "http://x/a b" }, "the URL 'http://x/a b' is not encoded" },
                { { .url = "http://x/a\nb" }, "the URL 'http://x/a\nb' is not encoded" },
                { { .url = "http://x/", .method = "GET /" }, "'GET /' is not an HTTP method" },
                { { .url = "http://x/", .method = "" }, "'' is not an HTTP method" },
                { { .url = "http://x/", .headers = smuggled }, "'X: a\r\nY: b' is not a header" },
                { { .url = "http://x/", .headers = no_colon }, "'X' is not a header" },
        };
        _cleanup_(fixture_done) Fixture f = { 0 };

        fixture_init(&f, 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                HttpRequest request = cases[i].request;
                HttpCall *c = NULL;

                request.done_fn = on_done;
                ck_assert_int_eq(http_client_call(f.client, &request, &c, &e), -EINVAL);
                ck_assert_str_eq(error_text(&e), cases[i].words);
                ck_assert_ptr_null(c);
        }
}
END_TEST

START_TEST(test_out_of_memory) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        static const char *const headers[] = { "X-One: 1", NULL };
        uint64_t n = 0;
        int r;

        serve(&f, false, OK_REPLY, RAW_KEEP);
        do {
                _cleanup_(result_done) Result s = { 0 };
                HttpRequest request = request_for(&f, &s);

                request.headers = headers;
                request.body = "x";
                request.body_size = 1;
                request.timeout_usec = USEC_PER_MINUTE;
                alloc_fail_after(++n);
                r = http_client_call(f.client, &request, &s.call, NULL);
                alloc_fail_after(0);
                ck_assert_msg(r == 0 || r == -ENOMEM, "allocation %llu: %d", (unsigned long long) n,
                              r);
                ck_assert((r == 0) == (s.call != NULL));
        } while (r < 0);
        ck_assert_uint_gt(n, 8);
}
END_TEST

TEST_MAIN("http_client", test_get, test_methods_and_bodies, test_head,
          test_connection_is_used_again, test_max_connections, test_bad_ends, test_cannot_connect,
          test_full_backlog, test_tls_without_tls, test_bad_ca_file, test_basic_authentication,
          test_no_proxy_for_unix_sockets, test_timeout, test_timeout_while_waiting_for_a_turn,
          test_response_limit, test_stream_response, test_stream_given_up, test_stream_request,
          test_free_in_callbacks, test_call_in_callbacks, test_cancel_at_every_stage,
          test_client_freed_with_calls, test_refused_requests, test_out_of_memory);
