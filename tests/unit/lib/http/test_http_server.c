#include "lib/http/http_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/suite.h"

/* A server whose handler answers with what it was asked, or keeps the exchange for the test. */
typedef struct Fixture {
        sd_event *event;
        HttpServer *server;
        char *directory, *address;
        unsigned handled, closed;
        bool keep; /* do not answer: put it into `kept` */
        bool stream;
        bool free_in_handler;
        bool out_of_memory; /* answer without asserting that it works */
        HttpExchange *kept;
        bool got_one;
} Fixture;

static void on_closed(HttpExchange *x, void *userdata) {
        Fixture *f = userdata;

        ck_assert_ptr_eq(x, f->kept);
        f->kept = NULL;
        f->closed++;
}

static void reply_with(HttpExchange *x, unsigned status, const char *text) {
        ck_assert_int_eq(http_exchange_reply(x, &(HttpReply){ .status = status,
                                                              .content_type = "text/plain",
                                                              .body = text,
                                                              .body_size = strlen(text) }),
                         0);
}

static void on_request(HttpExchange *x, void *userdata) {
        Fixture *f = userdata;
        _cleanup_free_ char *text = NULL;
        size_t size;

        f->handled++;
        f->got_one = true;
        if (f->free_in_handler) {
                f->server = http_server_free(f->server);
                return;
        }

        if (f->stream)
                ck_assert_int_eq(http_exchange_stream(x, 200, "text/plain", on_closed, f), 0);
        else if (f->keep)
                http_exchange_on_closed(x, on_closed, f);
        if (f->keep || f->stream) {
                f->kept = x;
                return;
        }

        if (f->out_of_memory) {
                (void) http_exchange_reply(x, &(HttpReply){ .status = 200 });
                return;
        }

        (void) http_exchange_body(x, &size);
        text = str_printf("%s|%s|%s|%zu", http_exchange_method(x), http_exchange_path(x),
                          http_exchange_query(x), size);
        reply_with(x, 200, text);
}

static void start_with(Fixture *f, bool tcp, HttpServerOptions options) {
        struct sockaddr_in a;
        socklen_t size = sizeof(a);
        int fd;

        ck_assert_int_ge(sd_event_new(&f->event), 0);
        options.handler = on_request;
        options.userdata = f;
        ck_assert_int_eq(http_server_new(f->event, &options, &f->server, NULL), 0);
        if (!tcp) {
                ck_assert_int_eq(fs_temp_directory("server", &f->directory), 0);
                f->address = str_printf("unix://%s/socket", f->directory);
                ck_assert_int_eq(http_listen(f->address, &fd, NULL), 0);
        } else {
                ck_assert_int_eq(http_listen("http://127.0.0.1:0", &fd, NULL), 0);
                ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &a, &size), 0);
                f->address = str_printf("http://127.0.0.1:%u", ntohs(a.sin_port));
        }
        ck_assert_int_eq(http_server_add_fd(f->server, fd, NULL), 0);
}

static void start(Fixture *f, bool tcp) {
        start_with(f, tcp, (HttpServerOptions){ .server_header = "fleetd/1" });
}

static void fixture_done(Fixture *f) {
        f->server = http_server_free(f->server);
        f->event = sd_event_unref(f->event);
        if (f->directory)
                (void) fs_remove_tree(f->directory);
        f->directory = mem_free(f->directory);
        f->address = mem_free(f->address);
}

/* Sends one request on a connection of its own and gives back the whole answer. */
static char *ask(Fixture *f, const char *request, size_t size) {
        RawClient *c = raw_client_new(f->event, f->address);
        char *answer;

        (void) raw_client_send(c, request, size);
        raw_client_wait_closed(c);
        answer = str_dup(raw_client_received(c));
        raw_client_free(c);
        return answer;
}

START_TEST(test_reply) {
        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                _cleanup_free_ char *answer = NULL;
                static const char request[] = "GET /fleet//v1/a%2Fb?x=1&y=%20 HTTP/1.1\r\n"
                                              "Host: x\r\nConnection: close\r\n\r\n";

                start(&f, tcp);
                answer = ask(&f, request, sizeof(request) - 1);
                ck_assert_ptr_nonnull(str_after_prefix(answer, "HTTP/1.1 200 OK\r\n"));
                ck_assert_ptr_nonnull(strstr(answer, "\r\nServer: fleetd/1\r\n"));
                ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
                ck_assert_ptr_nonnull(strstr(answer, "\r\nDate: "));
                ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nGET|/fleet//v1/a%2Fb|x=1&y=%20|0"));
        }
}
END_TEST

START_TEST(test_requests) {
        static const struct {
                const char *request, *status, *body;
        } cases[] = {
                { "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "200",
                  "POST|/p||5" },
                { "PUT /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                  "200", "PUT|/p||5" },
                { "WHATEVER / HTTP/1.1\r\nHost: x\r\n\r\n", "200", "WHATEVER|/||0" },
                { "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n", "200", "" },
                { "DELETE /d? HTTP/1.1\r\nHost: x\r\n\r\n", "200", "DELETE|/d||0" },
                { "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "200", "OPTIONS|*||0" },
                { "GET http://host:80/abs?q HTTP/1.1\r\nHost: x\r\n\r\n", "200", "GET|/abs|q|0" },
                { "GET http://host HTTP/1.1\r\nHost: x\r\n\r\n", "200", "GET|/||0" },
                { "GET / HTTP/1.0\r\n\r\n", "200", "GET|/||0" },
                { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n", "400", NULL },
                { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                  "413", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                _cleanup_(raw_client_freep) RawClient *c = NULL;
                const char *got, *body;

                start(&f, false);
                c = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(c, cases[i].request));
                raw_client_half_close(c);
                raw_client_wait_closed(c);
                got = raw_client_received(c);
                ck_assert_msg(strlen(got) > 12 && strncmp(got + 9, cases[i].status, 3) == 0,
                              "%s: %s", cases[i].request, got);
                body = strstr(got, "\r\n\r\n") + 4;
                if (cases[i].body)
                        ck_assert_str_eq(body, cases[i].body);
                ck_assert_uint_eq(f.handled, cases[i].body ? 1 : 0);
        }
}
END_TEST

START_TEST(test_keep_alive) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(raw_client_freep) RawClient *c = NULL;

        start(&f, true);
        c = raw_client_new(f.event, f.address);
        for (int i = 0; i < 20; i++) {
                ck_assert(raw_client_say(c, "GET /one HTTP/1.1\r\nHost: x\r\n\r\n"));
                raw_client_wait(c, "GET|/one||0");
                raw_client_forget(c);
        }
        /* Two requests in one piece are answered in order. */
        ck_assert(raw_client_say(c, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
                                    "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"));
        raw_client_wait(c, "GET|/b||0");
        ck_assert_ptr_nonnull(strstr(raw_client_received(c), "GET|/a||0"));
        ck_assert_uint_eq(f.handled, 22);
        ck_assert_uint_eq(http_server_connections(f.server), 1);
        ck_assert(!raw_client_closed(c));
}
END_TEST

START_TEST(test_limits) {
        static const struct {
                size_t path, header, body;
                const char *status;
        } cases[] = {
                { 10, 10, 10, "200" },    { 4000, 10, 10, "200" },   { 10, 4000, 10, "200" },
                { 40000, 10, 10, "414" }, { 10, 40000, 10, "431" },  { 10, 10, 65536, "200" },
                { 10, 10, 65537, "413" }, { 10, 10, 120000, "413" }, { 10, 10, 100000000, "413" },
                { 3000, 4500, 0, "200" }, { 5000, 5000, 0, "431" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int chunked = 0; chunked < 2; chunked++) {
                        _cleanup_(fixture_done) Fixture f = { 0 };
                        _cleanup_free_ char *path = mem_zalloc(cases[i].path + 1);
                        _cleanup_free_ char *header = mem_zalloc(cases[i].header + 1);
                        size_t body_size = MIN(cases[i].body, (size_t) 400000);
                        _cleanup_(raw_client_freep) RawClient *c = NULL;
                        _cleanup_(buf_done) Buf b = BUF_INIT;
                        const char *got;

                        memset(path, 'p', cases[i].path);
                        memset(header, 'h', cases[i].header);
                        start_with(&f, false,
                                   (HttpServerOptions){ .body_max_bytes = 64 * KIB,
                                                        .header_max_bytes = 8 * KIB });
                        (void) buf_printf(&b,
                                          "POST /%s HTTP/1.1\r\nHost: x\r\nX: %s\r\n"
                                          "Connection: close\r\n",
                                          path, header);
                        if (chunked)
                                (void) buf_printf(&b, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
                                                  cases[i].body);
                        else
                                (void) buf_printf(&b, "Content-Length: %zu\r\n\r\n", cases[i].body);
                        for (size_t n = 0; n < body_size; n++)
                                (void) buf_append_char(&b, 'b');
                        if (chunked)
                                (void) buf_append_str(&b,
                                                      cases[i].body > 0 ? "\r\n0\r\n\r\n" : "\r\n");

                        c = raw_client_new(f.event, f.address);
                        (void) raw_client_send(c, b.data, b.size);
                        raw_client_wait_closed(c);
                        got = raw_client_received(c);

                        /* A chunked body without end cannot be answered, only cut off. */
                        if (chunked && cases[i].body == 100000000)
                                ck_assert_str_eq(got, "");
                        else
                                ck_assert_msg(strlen(got) > 12 &&
                                                      strncmp(got + 9, cases[i].status, 3) == 0,
                                              "case %zu.%d: %s", i, chunked, got);
                        ck_assert_uint_eq(f.handled, strcmp(cases[i].status, "200") == 0);
                }
}
END_TEST

static bool no_connections(void *userdata) {
        return http_server_connections(((Fixture *) userdata)->server) == 0;
}

/* So many arguments that libmicrohttpd has no room for them: answered at once, none left hanging. */
START_TEST(test_arguments_limit) {
        static const struct {
                size_t n;
                const char *status;
        } cases[] = {
                { 1, "200" },   { 256, "200" },  { 257, "414" },  { 600, "414" },
                { 700, "414" }, { 1000, "414" }, { 4000, "414" }, { 7000, "414" },
        };
        _cleanup_(fixture_done) Fixture f = { 0 };

        start_with(&f, false, (HttpServerOptions){ 0 });
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(raw_client_freep) RawClient *c = NULL;
                _cleanup_(buf_done) Buf b = BUF_INIT;

                (void) buf_append_str(&b, "GET /x?");
                for (size_t n = 0; n < cases[i].n; n++)
                        (void) buf_append_str(&b, n > 0 ? "&a=b" : "a=b");
                (void) buf_append_str(&b, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                c = raw_client_new(f.event, f.address);
                (void) raw_client_send(c, b.data, b.size);
                raw_client_wait_closed(c);
                ck_assert_msg(strlen(raw_client_received(c)) > 12 &&
                                      strncmp(raw_client_received(c) + 9, cases[i].status, 3) == 0,
                              "%zu arguments: %s", cases[i].n, raw_client_received(c));
        }
        suite_wait_for(f.event, no_connections, &f);
}
END_TEST

START_TEST(test_limit_keeps_the_connection) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(raw_client_freep) RawClient *c = NULL;

        start_with(&f, false, (HttpServerOptions){ .body_max_bytes = 4 });
        c = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n123456"
                                    "GET /next HTTP/1.1\r\nHost: x\r\n\r\n"));
        raw_client_wait(c, "GET|/next||0");
        ck_assert_ptr_nonnull(str_after_prefix(raw_client_received(c), "HTTP/1.1 413 "));
}
END_TEST

START_TEST(test_expect_continue) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(raw_client_freep) RawClient *c = NULL, *big = NULL;

        start_with(&f, true, (HttpServerOptions){ .body_max_bytes = 10 });
        c = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(c, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                                    "Expect: 100-continue\r\n\r\n"));
        raw_client_wait(c, "HTTP/1.1 100 Continue\r\n\r\n");
        ck_assert_uint_eq(f.handled, 0);
        ck_assert(raw_client_say(c, "{}"));
        raw_client_wait(c, "PUT|/||2");

        big = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(big, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n"
                                      "Expect: 100-continue\r\n\r\n"));
        raw_client_wait_closed(big);
        ck_assert_ptr_nonnull(str_after_prefix(raw_client_received(big), "HTTP/1.1 413 "));
}
END_TEST

static void on_headers(HttpExchange *x, void *userdata) {
        Fixture *f = userdata;
        size_t n;

        f->handled++;
        ck_assert_str_eq(http_exchange_header(x, "content-TYPE", &n), "a/b");
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(http_exchange_header(x, "X-Empty", NULL), "");
        ck_assert_ptr_null(http_exchange_header(x, "X-None", &n));
        ck_assert_uint_eq(n, 0);
        ck_assert_str_eq(http_exchange_argument(x, "a"), "1 2");
        ck_assert_ptr_eq(http_exchange_argument(x, "a"), http_exchange_argument(x, "a"));
        ck_assert_str_eq(http_exchange_argument(x, "empty"), "");
        ck_assert_ptr_null(http_exchange_argument(x, "none"));
        ck_assert_ptr_null(http_exchange_argument(x, "bad"));
        ck_assert_int_eq(http_exchange_reply(x, &(HttpReply){ .status = 301, .location = "/l" }),
                         0);
}

START_TEST(test_headers_and_arguments) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(raw_client_freep) RawClient *c = NULL;
        HttpServerOptions options = { .handler = on_headers, .userdata = &f };
        int fd;

        ck_assert_int_ge(sd_event_new(&f.event), 0);
        ck_assert_int_eq(http_server_new(f.event, &options, &f.server, NULL), 0);
        ck_assert_int_eq(fs_temp_directory("server", &f.directory), 0);
        f.address = str_printf("unix://%s/s", f.directory);
        ck_assert_int_eq(http_listen(f.address, &fd, NULL), 0);
        ck_assert_int_eq(http_server_add_fd(f.server, fd, NULL), 0);

        c = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(c, "GET /?a=1+2&a=3&empty&bad=%zz HTTP/1.1\r\nHost: x\r\n"
                                    "Content-Type: a/b\r\nX-Empty:\r\nContent-Type: c/d\r\n\r\n"));
        raw_client_wait(c, "\r\n\r\n");
        ck_assert_ptr_nonnull(str_after_prefix(raw_client_received(c), "HTTP/1.1 301 "));
        ck_assert_ptr_nonnull(strstr(raw_client_received(c), "\r\nLocation: /l\r\n"));
        ck_assert_ptr_nonnull(strstr(raw_client_received(c), "\r\nContent-Length: 0\r\n"));
        ck_assert_ptr_null(strstr(raw_client_received(c), "Server:"));
        ck_assert_uint_eq(f.handled, 1);
}
END_TEST

START_TEST(test_late_reply) {
        _cleanup_(fixture_done) Fixture f = { .keep = true };
        _cleanup_(raw_client_freep) RawClient *c = NULL;

        start(&f, false);
        c = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        suite_wait(f.event, &f.got_one);
        suite_settle(f.event);
        ck_assert_str_eq(raw_client_received(c), "");
        reply_with(f.kept, 202, "later");
        raw_client_wait(c, "later");
        ck_assert_uint_eq(f.closed, 0);
}
END_TEST

static bool none_kept(void *userdata) {
        return ((Fixture *) userdata)->kept == NULL;
}

START_TEST(test_peer_goes_before_the_reply) {
        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { .keep = true };
                RawClient *c;

                start(&f, tcp);
                c = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
                suite_wait(f.event, &f.got_one);
                suite_settle(f.event);
                ck_assert_ptr_nonnull(f.kept);
                raw_client_free(c);
                suite_wait_for(f.event, none_kept, &f);
                ck_assert_uint_eq(f.closed, 1);
                suite_wait_for(f.event, no_connections, &f);
        }
}
END_TEST

/* Over a unix socket, who has nothing more to say still gets its answer. */
START_TEST(test_half_closed_peer) {
        _cleanup_(fixture_done) Fixture f = { .keep = true };
        _cleanup_(raw_client_freep) RawClient *c = NULL;

        start(&f, false);
        c = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        raw_client_half_close(c);
        suite_wait(f.event, &f.got_one);
        suite_settle(f.event);
        ck_assert_ptr_nonnull(f.kept);
        reply_with(f.kept, 200, "all the same");
        raw_client_wait(c, "all the same");
}
END_TEST

START_TEST(test_stream) {
        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { .stream = true };
                _cleanup_(raw_client_freep) RawClient *c = NULL;

                start(&f, tcp);
                c = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
                raw_client_wait(c, "\r\n\r\n"); /* before there is any data */
                ck_assert_ptr_nonnull(strstr(raw_client_received(c), "Transfer-Encoding: chunked"));
                suite_settle(f.event);

                ck_assert_int_eq(http_stream_write(f.kept, "one", 3), 0);
                raw_client_wait(c, "3\r\none\r\n");
                ck_assert_int_eq(http_stream_write(f.kept, "two", 3), 0);
                ck_assert_int_eq(http_stream_write(f.kept, "", 0), 0);
                ck_assert_int_eq(http_stream_write(f.kept, "three", 5), 0);
                raw_client_wait(c, "twothree\r\n");
                http_stream_end(TAKE_PTR(f.kept));
                raw_client_wait(c, "0\r\n\r\n");

                /* The connection goes on. */
                f.stream = false;
                raw_client_forget(c);
                ck_assert(raw_client_say(c, "GET /more HTTP/1.1\r\nHost: x\r\n\r\n"));
                raw_client_wait(c, "GET|/more||0");
                ck_assert_uint_eq(f.closed, 0);
        }
}
END_TEST

START_TEST(test_peer_goes_in_a_stream) {
        for (int i = 0; i < 4; i++) {
                _cleanup_(fixture_done) Fixture f = { .stream = true };
                RawClient *c;

                start(&f, i % 2 == 0);
                c = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
                raw_client_wait(c, "\r\n\r\n");
                if (i < 2)
                        suite_settle(f.event);
                ck_assert_int_eq(http_stream_write(f.kept, "x", 1), 0);
                raw_client_free(c);
                suite_wait_for(f.event, none_kept, &f);
                ck_assert_uint_eq(f.closed, 1);
                suite_wait_for(f.event, no_connections, &f);
        }
}
END_TEST

START_TEST(test_stream_nobody_reads) {
        _cleanup_(fixture_done) Fixture f = { .stream = true };
        _cleanup_(raw_client_freep) RawClient *c = NULL;
        static char piece[16384];
        size_t written = 0;
        int r = 0;

        memset(piece, 'x', sizeof(piece));
        start_with(&f, false, (HttpServerOptions){ .stream_buffer_max_bytes = 128 * KIB });
        c = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        suite_wait(f.event, &f.got_one);
        raw_client_set_reading(c, false);
        for (int i = 0; r == 0 && i < 1000; i++) {
                r = http_stream_write(f.kept, piece, sizeof(piece));
                written += r == 0 ? sizeof(piece) : 0;
                suite_settle(f.event);
        }
        ck_assert_int_eq(r, -ENOBUFS);
        ck_assert_uint_ge(written, 128 * KIB);
        ck_assert_int_eq(http_stream_write(f.kept, "x", 1), -ENOBUFS);
        http_stream_end(TAKE_PTR(f.kept));

        /* What was cut off does not look complete. */
        raw_client_set_reading(c, true);
        raw_client_wait_closed(c);
        ck_assert_ptr_null(strstr(raw_client_received(c), "\r\n0\r\n"));
        ck_assert_uint_eq(f.closed, 0);
}
END_TEST

/* Many that do not read share one limit; one that does is not cut off on their account. */
START_TEST(test_streams_nobody_reads) {
        enum { STREAMS = 8, PIECE = 16 * KIB, TOTAL = 512 * KIB, SHARE = 64 * KIB };
        _cleanup_(fixture_done) Fixture f = { .stream = true };
        HttpExchange *streams[STREAMS];
        RawClient *clients[STREAMS];
        static char piece[PIECE];
        size_t written = 0, in_sockets = 0, cut = 0;

        memset(piece, 'x', sizeof(piece));
        start_with(&f, false, (HttpServerOptions){ .streams_buffer_max_bytes = TOTAL });
        for (size_t i = 0; i < STREAMS; i++) {
                clients[i] = raw_client_new(f.event, f.address);
                f.got_one = false;
                ck_assert(raw_client_say(clients[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
                suite_wait(f.event, &f.got_one);
                streams[i] = TAKE_PTR(f.kept);
                raw_client_set_reading(clients[i], i == 0);
        }
        for (int round = 0; round < 200; round++) {
                for (size_t i = 0; i < STREAMS; i++) {
                        int r = streams[i] ? http_stream_write(streams[i], piece, PIECE) : 0;

                        ck_assert(r == 0 || (r == -ENOBUFS && i > 0));
                        if (r == 0 && streams[i] && i > 0)
                                written += PIECE;
                        else if (r < 0) {
                                http_stream_end(TAKE_PTR(streams[i]));
                                cut++;
                        }
                }
                suite_settle(f.event);
        }
        /* All but the reader are gone, long before each has its 4 MiB. */
        ck_assert_uint_eq(cut, STREAMS - 1);
        in_sockets = (STREAMS - 1) * 512 * KIB;
        ck_assert_uint_le(written, TOTAL + STREAMS * SHARE + in_sockets);
        http_stream_end(streams[0]);
        for (size_t i = 0; i < STREAMS; i++)
                raw_client_free(clients[i]);
        suite_wait_for(f.event, no_connections, &f);
}
END_TEST

START_TEST(test_large_stream) {
        _cleanup_(fixture_done) Fixture f = { .stream = true };
        _cleanup_(raw_client_freep) RawClient *c = NULL;
        static char piece[100000];
        size_t sent = 0;

        memset(piece, 'x', sizeof(piece));
        start(&f, true);
        c = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        suite_wait(f.event, &f.got_one);
        while (sent < 20 * MIB) {
                int r = http_stream_write(f.kept, piece, sizeof(piece));

                ck_assert_int_eq(r, 0);
                sent += sizeof(piece);
                while (raw_client_received_bytes(c) + 2 * MIB < sent)
                        ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
        }
        http_stream_end(TAKE_PTR(f.kept));
        raw_client_wait(c, "0\r\n\r\n");
        ck_assert_uint_gt(raw_client_received_bytes(c), sent);
}
END_TEST

START_TEST(test_idle_timeout) {
        static const char *const cases[] = {
                "",
                "G",
                "GET / HTTP/1.1\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345",
                "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        };
        _cleanup_(fixture_done) Fixture f = { 0 };
        RawClient *c[ELEMENTSOF(cases)];

        start_with(&f, true, (HttpServerOptions){ .idle_timeout_usec = 30 * USEC_PER_MSEC });
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                c[i] = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(c[i], cases[i]));
        }
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                raw_client_wait_closed(c[i]);
                raw_client_free(c[i]);
        }
        suite_wait_for(f.event, no_connections, &f);
        ck_assert_uint_eq(f.handled, 1);
}
END_TEST

/* A byte now and then does not keep a connection. */
START_TEST(test_slow_loris) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_(raw_client_freep) RawClient *head = NULL, *body = NULL;
        uint64_t start_usec = clock_boottime_usec(), next_usec = 0;

        start_with(&f, false, (HttpServerOptions){ .idle_timeout_usec = 60 * USEC_PER_MSEC });
        head = raw_client_new(f.event, f.address);
        body = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(head, "GET / HTTP/1.1\r\nX: "));
        ck_assert(
                raw_client_say(body, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"));
        while (!raw_client_closed(head) || !raw_client_closed(body)) {
                uint64_t now = clock_boottime_usec();

                ck_assert_uint_lt(now - start_usec, 5 * USEC_PER_SEC);
                if (now >= next_usec) {
                        (void) raw_client_say(head, "y");
                        (void) raw_client_say(body, "z");
                        next_usec = now + 2 * USEC_PER_MSEC;
                }
                ck_assert_int_ge(sd_event_run(f.event, 2 * USEC_PER_MSEC), 0);
        }
        ck_assert_uint_eq(f.handled, 0);
}
END_TEST

/* What takes long but is not the peer's fault has no deadline. */
START_TEST(test_no_timeout_for_handlers) {
        _cleanup_(fixture_done) Fixture f = { .keep = true }, g = { .stream = true };
        _cleanup_(raw_client_freep) RawClient *c = NULL, *late = NULL, *d = NULL;
        HttpServerOptions options = { .idle_timeout_usec = 20 * USEC_PER_MSEC };

        start_with(&f, true, options);
        start_with(&g, true, options);
        c = raw_client_new(f.event, f.address);
        d = raw_client_new(g.event, g.address);
        ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        ck_assert(raw_client_say(d, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        suite_wait(f.event, &f.got_one);
        suite_wait(g.event, &g.got_one);

        late = raw_client_new(g.event, g.address);
        raw_client_wait_closed(late);
        raw_client_free(late);
        late = raw_client_new(f.event, f.address);
        raw_client_wait_closed(late);

        ck_assert_ptr_nonnull(f.kept);
        ck_assert_ptr_nonnull(g.kept);
        reply_with(f.kept, 200, "worth it");
        raw_client_wait(c, "worth it");
        ck_assert_int_eq(http_stream_write(g.kept, "still", 5), 0);
        raw_client_wait(d, "still");
        http_stream_end(TAKE_PTR(g.kept));
}
END_TEST

START_TEST(test_server_freed) {
        for (int i = 0; i < 6; i++) {
                _cleanup_(fixture_done) Fixture f = { .keep = i < 2, .stream = i >= 2 };
                _cleanup_(raw_client_freep) RawClient *c = NULL, *idle = NULL;

                start(&f, i % 2 == 0);
                idle = raw_client_new(f.event, f.address);
                c = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
                suite_wait(f.event, &f.got_one);
                if (i < 4)
                        suite_settle(f.event);
                f.server = http_server_free(f.server);
                ck_assert_uint_eq(f.closed, 1);
                ck_assert_ptr_null(f.kept);
                raw_client_wait_closed(c);
                raw_client_wait_closed(idle);
        }
}
END_TEST

START_TEST(test_server_freed_in_handler) {
        _cleanup_(fixture_done) Fixture f = { .free_in_handler = true };
        _cleanup_(raw_client_freep) RawClient *c = NULL, *d = NULL;

        start(&f, false);
        c = raw_client_new(f.event, f.address);
        d = raw_client_new(f.event, f.address);
        ck_assert(raw_client_say(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        ck_assert(raw_client_say(d, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        raw_client_wait_closed(c);
        raw_client_wait_closed(d);
        ck_assert_uint_eq(f.handled, 1);
        ck_assert_uint_eq(f.closed, 0);
}
END_TEST

/* Freed after any number of turns, whatever is under way. */
START_TEST(test_server_freed_at_every_stage) {
        for (int turns = 0; turns < 16; turns++)
                for (int kind = 0; kind < 3; kind++) {
                        _cleanup_(fixture_done)
                                Fixture f = { .keep = kind == 1, .stream = kind == 2 };
                        _cleanup_(raw_client_freep) RawClient *c = NULL;

                        start(&f, turns % 2 == 0);
                        c = raw_client_new(f.event, f.address);
                        ck_assert(raw_client_say(c, "PUT / HTTP/1.1\r\nHost: x\r\n"
                                                    "Content-Length: 2\r\n\r\n{}"));
                        for (int i = 0; i < turns; i++)
                                ck_assert_int_ge(sd_event_run(f.event, 0), 0);
                        f.server = http_server_free(f.server);
                        ck_assert_ptr_null(f.kept);
                        raw_client_wait_closed(c);
                }
}
END_TEST

/* Whichever allocation of ours fails: the peer is cut off or answered, and the next one is served. */
START_TEST(test_out_of_memory) {
        static const char request[] =
                "PUT /x?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
        _cleanup_(fixture_done) Fixture f = { 0 };
        unsigned cut_off = 0;

        start(&f, false);
        for (uint64_t n = 1; n <= 20; n++) {
                RawClient *c = raw_client_new(f.event, f.address), *next;

                ck_assert(raw_client_say(c, request));
                raw_client_set_reading(c, false); /* it takes memory, too */
                f.out_of_memory = true;
                alloc_fail_after(n);
                suite_settle(f.event);
                alloc_fail_after(0);
                f.out_of_memory = false;
                raw_client_set_reading(c, true);
                raw_client_half_close(c);
                raw_client_wait_closed(c);
                cut_off += raw_client_received_bytes(c) == 0;
                raw_client_free(c);

                next = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(next, request));
                raw_client_wait(next, "PUT|/x|a=1|2");
                raw_client_free(next);
        }
        ck_assert_uint_ge(cut_off, 5);
        suite_wait_for(f.event, no_connections, &f);
}
END_TEST

static bool is_answered(void *userdata) {
        return strstr(raw_client_received(userdata), "GET|/||0") != NULL;
}

/* Out of descriptors, the server neither spins nor gives up listening. */
START_TEST(test_out_of_descriptors) {
        /* CK_FORK=no is for valgrind, which lets accept() succeed and closes what is over the limit. */
        if (str_eq(getenv("CK_FORK"), "no"))
                return;

        /* With a connection open, and with none. */
        for (int open = 0; open < 2; open++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                _cleanup_(raw_client_freep) RawClient *late = NULL, *first = NULL;
                struct rlimit old, none;
                unsigned turns = 0;
                uint64_t end;

                start(&f, false);
                first = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
                raw_client_wait(first, "GET|/||0");
                if (!open) {
                        first = raw_client_free(first);
                        suite_wait_for(f.event, no_connections, &f);
                }
                late = raw_client_new(f.event, f.address);
                ck_assert(raw_client_say(late, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));

                ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
                none = old;
                none.rlim_cur = 3;
                ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
                end = clock_boottime_usec() + 50 * USEC_PER_MSEC;
                for (uint64_t now = 0; (now = clock_boottime_usec()) < end; turns++)
                        ck_assert_int_ge(sd_event_run(f.event, end - now), 0);
                ck_assert_uint_lt(turns, 20);
                ck_assert_str_eq(raw_client_received(late), "");

                ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
                first = raw_client_free(first);
                suite_wait_for(f.event, is_answered, late);
        }
}
END_TEST

START_TEST(test_new_out_of_memory) {
        HttpServerOptions options = { .handler = on_request, .server_header = "x" };
        sd_event *event = NULL;

        ck_assert_int_ge(sd_event_new(&event), 0);
        for (uint64_t n = 1;; n++) {
                HttpServer *s = NULL;
                int r;

                alloc_fail_after(n);
                r = http_server_new(event, &options, &s, NULL);
                alloc_fail_after(0);
                if (r == 0) {
                        http_server_free(s);
                        break;
                }
                ck_assert_int_eq(r, -ENOMEM);
                ck_assert_ptr_null(s);
                ck_assert_uint_lt(n, 20);
        }
        sd_event_unref(event);
}
END_TEST

START_TEST(test_add_fd_out_of_memory) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        int fd, r;

        start(&f, false);
        ck_assert_int_eq(http_listen("http://127.0.0.1:0", &fd, NULL), 0);
        for (uint64_t n = 1;; n++) {
                alloc_fail_after(n);
                r = http_server_add_fd(f.server, fd, NULL);
                alloc_fail_after(0);
                if (r == 0)
                        break;
                ck_assert_int_eq(r, -ENOMEM);
                ck_assert_int_ge(fcntl(fd, F_GETFD), 0); /* not taken */
        }
}
END_TEST

START_TEST(test_listen) {
        _cleanup_free_ char *d = NULL, *address = NULL, *file = NULL, *plain = NULL, *deep = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        _cleanup_close_ int fd = -EBADF, other = -EBADF, port = -EBADF, v6 = -EBADF;
        struct stat st;

        ck_assert_int_eq(fs_temp_directory("listen", &d), 0);
        address = str_printf("unix://%s/socket", d);
        ck_assert_int_eq(http_listen(address, &fd, &e), 0);
        ck_assert_int_eq(stat(address + strlen("unix://"), &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0660);

        ck_assert_int_eq(http_listen(address, &other, &e), -EADDRINUSE);
        ck_assert_ptr_nonnull(strstr(error_text(&e), "another process listens there"));
        fd_closep(&fd);
        ck_assert_int_eq(http_listen(address, &other, NULL), 0); /* what is left is stale */

        file = str_printf("%s/file", d);
        plain = str_printf("unix://%s", file);
        ck_assert_int_eq(fs_write_file(file, "x", 1, 0600), 0);
        ck_assert_int_eq(http_listen(plain, &fd, &e), -EEXIST);
        ck_assert_int_eq(stat(file, &st), 0);
        deep = str_printf("unix://%s/no/socket", d);
        ck_assert_int_eq(http_listen(deep, &fd, &e), -ENOENT);
        ck_assert_int_eq(fd, -EBADF);

        ck_assert_int_eq(http_listen("http://127.0.0.1:0", &port, NULL), 0);
        if (http_listen("http://[::1]:0", &v6, &e) < 0)
                ck_assert(e.code == -EAFNOSUPPORT || e.code == -EADDRNOTAVAIL);
        ck_assert_int_eq(fs_remove_tree(d), 0);
}
END_TEST

START_TEST(test_listen_refuses) {
        static const char *const cases[] = {
                "",
                "/run/fleet.sock",
                "unix://",
                "unix://relative",
                "tcp://127.0.0.1:1",
                "http://",
                "http://127.0.0.1",
                "http://127.0.0.1:",
                "http://127.0.0.1:x",
                "http://127.0.0.1:65536",
                "http://localhost:80",
                "http://[::1:80",
                "http://[::1]80",
                "http://127.0.0.1:80/path",
                "http://1.2.3:80",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                int fd = -EBADF;

                ck_assert_msg(http_listen(cases[i], &fd, &e) == -EINVAL, "%s", cases[i]);
                ck_assert_ptr_nonnull(strstr(error_text(&e), cases[i]));
                ck_assert_int_eq(fd, -EBADF);
        }
}
END_TEST

START_TEST(test_listen_long_path) {
        char address[128] = "unix:///";
        _cleanup_error_ Error e = ERROR_INIT;
        int fd = -EBADF;

        memset(address + strlen(address), 'x', sizeof(address) - strlen(address) - 1);
        ck_assert_int_eq(http_listen(address, &fd, &e), -EINVAL);
        ck_assert_ptr_nonnull(strstr(error_text(&e), "at most 107 characters"));
        ck_assert_int_eq(fd, -EBADF);
}
END_TEST

START_TEST(test_add_fd_refuses) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        _cleanup_error_ Error e = ERROR_INIT;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        start(&f, false);
        ck_assert_int_eq(http_server_add_fd(f.server, fd, &e), -EINVAL);
        ck_assert_ptr_nonnull(strstr(error_text(&e), "is not a listening socket"));
        ck_assert_int_eq(close(fd), 0);
        ck_assert_int_eq(http_server_add_fd(f.server, fd, &e), -EBADF);
}
END_TEST

TEST_MAIN("http_server", test_reply, test_requests, test_keep_alive, test_limits,
          test_arguments_limit, test_limit_keeps_the_connection, test_expect_continue,
          test_headers_and_arguments, test_late_reply, test_peer_goes_before_the_reply,
          test_half_closed_peer, test_stream, test_peer_goes_in_a_stream, test_stream_nobody_reads,
          test_streams_nobody_reads, test_large_stream, test_idle_timeout, test_slow_loris,
          test_no_timeout_for_handlers, test_server_freed, test_server_freed_in_handler,
          test_server_freed_at_every_stage, test_out_of_memory, test_out_of_descriptors,
          test_new_out_of_memory, test_add_fd_out_of_memory, test_listen, test_listen_refuses,
          test_listen_long_path, test_add_fd_refuses);
