/* Our client and our server on one loop, as fleetd and fleetctl have them on two. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"
#include "lib/http/http_server.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/suite.h"

enum { CLIENTS = 1000 };

typedef struct Fixture {
        sd_event *event;
        HttpServer *server;
        HttpClient *client;
        char *directory, *path, *url;
        HttpExchange *stream;
        size_t stream_left;
        unsigned handled, closed, done, failed;
        size_t received;
        size_t connections_peak;
        bool all_done;
        unsigned expected;
} Fixture;

typedef struct One {
        Fixture *fixture;
        HttpCall *call;
        size_t sent;
} One;

static void on_closed(HttpExchange *x _unused_, void *userdata) {
        Fixture *f = userdata;

        f->closed++;
        f->stream = NULL;
}

static void on_request(HttpExchange *x, void *userdata) {
        Fixture *f = userdata;
        const char *body;
        size_t size;

        f->handled++;
        f->connections_peak = MAX(f->connections_peak, http_server_connections(f->server));
        if (str_eq(http_exchange_path(x), "/never")) {
                http_exchange_on_closed(x, on_closed, f);
                return;
        }
        if (str_eq(http_exchange_path(x), "/stream")) {
                ck_assert_int_eq(http_exchange_stream(x, 200, NULL, on_closed, f), 0);
                f->stream = x;
                return;
        }

        body = http_exchange_body(x, &size);
        (void) http_exchange_reply(x, &(HttpReply){ .status = 200,
                                                    .content_type = "text/plain",
                                                    .body = body,
                                                    .body_size = size });
}

static void start_with(Fixture *f, bool tcp, HttpServerOptions options, size_t max_connections) {
        _cleanup_free_ char *address = NULL;
        struct sockaddr_in a = { 0 };
        socklen_t size = sizeof(a);
        int fd;

        options.handler = on_request;
        options.userdata = f;
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        ck_assert_int_eq(http_server_new(f->event, &options, &f->server, NULL), 0);
        ck_assert_int_eq(fs_temp_directory("together", &f->directory), 0);
        f->path = tcp ? NULL : str_printf("%s/socket", f->directory);
        address = tcp ? str_dup("http://127.0.0.1:0") : str_printf("unix://%s", f->path);
        ck_assert_int_eq(http_listen(address, &fd, NULL), 0);
        if (tcp)
                ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &a, &size), 0);
        f->url = str_printf("http://127.0.0.1:%u", ntohs(a.sin_port));
        ck_assert_int_eq(http_server_add_fd(f->server, fd, NULL), 0);
        ck_assert_int_eq(http_client_new(f->event, max_connections, &f->client, NULL), 0);
}

static void fixture_done(Fixture *f) {
        f->client = http_client_free(f->client);
        f->server = http_server_free(f->server);
        f->event = sd_event_unref(f->event);
        (void) fs_remove_tree(f->directory);
        f->directory = mem_free(f->directory);
        f->path = mem_free(f->path);
        f->url = mem_free(f->url);
}

static void on_done(HttpCall *call _unused_, int r, const HttpResponse *response,
                    const Error *error _unused_, void *userdata) {
        One *one = userdata;
        Fixture *f = one->fixture;

        one->call = http_call_free(one->call);
        f->failed += r < 0 || response->status != 200;
        f->received += response->body_size;
        if (++f->done == f->expected)
                f->all_done = true;
}

static void call(Fixture *f, One *one, const char *path, const void *body, size_t size) {
        _cleanup_free_ char *url = str_printf("%s%s", f->url, path);
        const HttpRequest request = { .method = body ? "POST" : "GET",
                                      .url = url,
                                      .unix_socket = f->path,
                                      .body = body,
                                      .body_size = size,
                                      .done_fn = on_done,
                                      .userdata = one };

        one->fixture = f;
        ck_assert_int_eq(http_client_call(f->client, &request, &one->call, NULL), 0);
}

static void wait_for_all(Fixture *f, unsigned n) {
        f->expected = n;
        f->all_done = f->done == n;
        suite_wait(f->event, &f->all_done);
}

static void need_files(rlim_t n) {
        struct rlimit limit;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_cur < n)
                limit.rlim_cur = MIN(n, limit.rlim_max);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_uint_ge(limit.rlim_cur, n);
}

static size_t resident_kib(void) {
        _cleanup_free_ char *status = NULL;

        ck_assert_int_eq(fs_read_file("/proc/self/status", 64 * KIB, &status, NULL), 0);
        return strtoul(strstr(status, "\nVmRSS:") + strlen("\nVmRSS:"), NULL, 10);
}

START_TEST(test_thousand_clients) {
        static One ones[CLIENTS];

        need_files(2 * CLIENTS + 100);
        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                uint64_t start_usec;

                start_with(&f, tcp, (HttpServerOptions){ 0 }, 0);
                start_usec = clock_boottime_usec();
                for (size_t i = 0; i < CLIENTS; i++)
                        call(&f, &ones[i], "/", "hello", 5);
                wait_for_all(&f, CLIENTS);
                if (getenv("SHOW"))
                        (void) fprintf(stderr, "1000 clients: %.1f ms, peak %zu connections\n",
                                       (double) (clock_boottime_usec() - start_usec) / 1000,
                                       f.connections_peak);
                ck_assert_uint_eq(f.failed, 0);
                ck_assert_uint_eq(f.handled, CLIENTS);
                ck_assert_uint_eq(f.received, 5 * (size_t) CLIENTS);
        }
}
END_TEST

static bool all_handled(void *userdata) {
        return ((Fixture *) userdata)->handled == CLIENTS;
}

static bool all_closed(void *userdata) {
        return ((Fixture *) userdata)->closed == CLIENTS;
}

/* All of them wait at the same time, and then all vanish. */
START_TEST(test_thousand_waiting_clients) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        static One ones[CLIENTS];
        size_t before;

        need_files(2 * CLIENTS + 100);
        start_with(&f, false, (HttpServerOptions){ 0 }, 0);
        before = resident_kib();
        for (size_t i = 0; i < CLIENTS; i++)
                call(&f, &ones[i], "/never", NULL, 0);
        suite_wait_for(f.event, all_handled, &f);
        if (getenv("SHOW"))
                (void) fprintf(stderr, "1000 waiting clients, both ends: %zu KiB\n",
                               resident_kib() - before);
        ck_assert_uint_eq(http_server_connections(f.server), CLIENTS);
        for (size_t i = 0; i < CLIENTS; i++)
                ones[i].call = http_call_free(ones[i].call);
        suite_wait_for(f.event, all_closed, &f);
        suite_settle(f.event);
        ck_assert_uint_eq(http_server_connections(f.server), 0);
}
END_TEST

/* The server's part of that alone. */
START_TEST(test_memory_of_a_connection) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        static RawClient *clients[CLIENTS];
        _cleanup_free_ char *address = NULL;
        size_t before, each;

        need_files(2 * CLIENTS + 100);
        start_with(&f, false, (HttpServerOptions){ 0 }, 0);
        address = str_printf("unix://%s", f.path);
        before = resident_kib();
        for (size_t i = 0; i < CLIENTS; i++) {
                clients[i] = raw_client_new(f.event, address);
                ck_assert(raw_client_say(clients[i], "GET /never HTTP/1.1\r\nHost: x\r\n\r\n"));
        }
        suite_wait_for(f.event, all_handled, &f);
        each = (resident_kib() - before) * 1024 / CLIENTS;
        if (getenv("SHOW"))
                (void) fprintf(stderr, "a waiting connection: %zu bytes\n", each);
#ifndef __SANITIZE_ADDRESS__
        /* CK_FORK=no is for valgrind, whose own memory this would measure. */
        if (!str_eq(getenv("CK_FORK"), "no"))
                ck_assert_uint_lt(each, 16 * KIB);
#endif
        for (size_t i = 0; i < CLIENTS; i++)
                raw_client_free(clients[i]);
        suite_wait_for(f.event, all_closed, &f);
}
END_TEST

/* Who comes when the server is full waits in the backlog, and is served in the end. */
START_TEST(test_more_clients_than_connections) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        static One ones[200];

        need_files(1000);
        start_with(&f, false,
                   (HttpServerOptions){ .connections_max = 10,
                                        .idle_timeout_usec = 100 * USEC_PER_MSEC },
                   0);
        for (size_t i = 0; i < ELEMENTSOF(ones); i++)
                call(&f, &ones[i], "/", "x", 1);
        wait_for_all(&f, ELEMENTSOF(ones));
        ck_assert_uint_eq(f.failed, 0);
        ck_assert_uint_le(f.connections_peak, 10);
}
END_TEST

START_TEST(test_large_bodies) {
        size_t size = 6 * MIB;
        _cleanup_free_ char *body = mem_zalloc(size);

        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                One ones[4] = { 0 };

                start_with(&f, tcp, (HttpServerOptions){ 0 }, 2);
                for (size_t i = 0; i < ELEMENTSOF(ones); i++)
                        call(&f, &ones[i], "/", body, size);
                wait_for_all(&f, ELEMENTSOF(ones));
                ck_assert_uint_eq(f.failed, 0);
                ck_assert_uint_eq(f.received, ELEMENTSOF(ones) * size);
        }
}
END_TEST

static void on_done_status(HttpCall *c _unused_, int r, const HttpResponse *response,
                           const Error *error _unused_, void *userdata) {
        One *one = userdata;

        ck_assert_int_eq(r, 0);
        one->fixture->failed = response->status;
        one->fixture->all_done = true;
        one->call = http_call_free(one->call);
}

/* The sender of a body over the limit gets to read the answer. */
START_TEST(test_too_large_body) {
        size_t size = 3 * MIB;
        _cleanup_free_ char *body = mem_zalloc(size);

        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                One one = { .fixture = &f };
                HttpRequest request = { .method = "PUT",
                                        .body = body,
                                        .body_size = size,
                                        .done_fn = on_done_status,
                                        .userdata = &one };

                start_with(&f, tcp, (HttpServerOptions){ .body_max_bytes = 2 * MIB }, 0);
                request.url = f.url;
                request.unix_socket = f.path;
                ck_assert_int_eq(http_client_call(f.client, &request, &one.call, NULL), 0);
                suite_wait(f.event, &f.all_done);
                ck_assert_uint_eq(f.failed, 413);
                ck_assert_uint_eq(f.handled, 0);
        }
}
END_TEST

static int on_data(HttpCall *c _unused_, unsigned status, const char *data _unused_, size_t size,
                   void *userdata) {
        One *one = userdata;

        ck_assert_uint_eq(status, 200);
        one->fixture->received += size;
        return 0;
}

static ssize_t on_body(HttpCall *c _unused_, char *buffer, size_t size, void *userdata) {
        One *one = userdata;
        size_t n = MIN(size, one->sent);

        memset(buffer, 'b', n);
        one->sent -= n;
        return (ssize_t) n;
}

START_TEST(test_streams_both_ways) {
        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                One one = { .fixture = &f, .sent = 3 * MIB };
                HttpRequest request = { .method = "POST",
                                        .body_fn = on_body,
                                        .data_fn = on_data,
                                        .done_fn = on_done,
                                        .userdata = &one };

                start_with(&f, tcp, (HttpServerOptions){ 0 }, 0);
                request.url = f.url;
                request.unix_socket = f.path;
                ck_assert_int_eq(http_client_call(f.client, &request, &one.call, NULL), 0);
                wait_for_all(&f, 1);
                ck_assert_uint_eq(f.failed, 0);
                ck_assert_uint_eq(f.received, 3 * MIB);
        }
}
END_TEST

/* The client is cancelled after any number of turns of the loop; the server always learns of it. */
START_TEST(test_cancel_at_every_stage) {
        static const char *const paths[] = { "/", "/never", "/stream" };

        for (unsigned turns = 0; turns < 24; turns++)
                for (size_t p = 0; p < ELEMENTSOF(paths); p++) {
                        _cleanup_(fixture_done) Fixture f = { 0 };
                        One one = { .fixture = &f };

                        start_with(&f, turns % 2 == 0, (HttpServerOptions){ 0 }, 0);
                        call(&f, &one, paths[p], NULL, 0);
                        for (unsigned i = 0; i < turns; i++) {
                                ck_assert_int_ge(sd_event_run(f.event, 0), 0);
                                if (f.stream)
                                        ck_assert_int_eq(http_stream_write(f.stream, "x", 1), 0);
                        }
                        one.call = http_call_free(one.call);
                        f.client = http_client_free(f.client);
                        suite_settle(f.event);
                        suite_settle(f.event);
                        ck_assert_uint_eq(http_server_connections(f.server), 0);
                        ck_assert_ptr_null(f.stream);
                }
}
END_TEST

/* Reply after reply on one connection: no wait may hide in between. */
START_TEST(test_latency) {
        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                uint64_t start_usec, usec;
                enum { N = 500 };

                start_with(&f, tcp, (HttpServerOptions){ 0 }, 1);
                start_usec = clock_boottime_usec();
                for (unsigned i = 1; i <= N; i++) {
                        One one = { 0 };

                        call(&f, &one, "/", i % 2 == 0 ? "hello" : NULL, 5);
                        wait_for_all(&f, i);
                }
                usec = (clock_boottime_usec() - start_usec) / N;
                if (getenv("SHOW"))
                        (void) fprintf(stderr, "%s: %llu us a call\n", tcp ? "TCP" : "unix",
                                       (unsigned long long) usec);
                ck_assert_uint_eq(f.failed, 0);
                /* A delayed acknowledgement would be 40 ms, "Expect: 100-continue" a second. */
                ck_assert_uint_lt(usec, 20 * USEC_PER_MSEC);
        }
}
END_TEST

START_TEST(test_stream_latency) {
        for (int tcp = 0; tcp < 2; tcp++) {
                _cleanup_(fixture_done) Fixture f = { 0 };
                One one = { .fixture = &f };
                _cleanup_free_ char *url = NULL;
                HttpRequest request = { .data_fn = on_data, .done_fn = on_done, .userdata = &one };
                uint64_t start_usec, usec;
                enum { N = 300 };

                start_with(&f, tcp, (HttpServerOptions){ 0 }, 1);
                url = str_printf("%s/stream", f.url);
                request.url = url;
                request.unix_socket = f.path;
                ck_assert_int_eq(http_client_call(f.client, &request, &one.call, NULL), 0);
                while (!f.stream)
                        ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
                start_usec = clock_boottime_usec();
                for (size_t i = 1; i <= N; i++) {
                        ck_assert_int_eq(http_stream_write(f.stream, "line\n", 5), 0);
                        while (f.received < 5 * i)
                                ck_assert_int_ge(sd_event_run(f.event, UINT64_MAX), 0);
                }
                usec = (clock_boottime_usec() - start_usec) / N;
                if (getenv("SHOW"))
                        (void) fprintf(stderr, "%s: %llu us a line\n", tcp ? "TCP" : "unix",
                                       (unsigned long long) usec);
                ck_assert_uint_lt(usec, 20 * USEC_PER_MSEC);
                http_stream_end(TAKE_PTR(f.stream));
                wait_for_all(&f, 1);
        }
}
END_TEST

/* A loop with nothing to do does nothing. */
START_TEST(test_idle_is_idle) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        One one = { 0 }, waiting = { 0 }, stream = { 0 };

        start_with(&f, true, (HttpServerOptions){ 0 }, 0);
        call(&f, &one, "/", "x", 1);
        call(&f, &waiting, "/never", NULL, 0);
        call(&f, &stream, "/stream", NULL, 0);
        wait_for_all(&f, 1);
        suite_settle(f.event);
        ck_assert_uint_eq(f.handled, 3);
        ck_assert_int_eq(sd_event_run(f.event, 100 * USEC_PER_MSEC), 0);
        waiting.call = http_call_free(waiting.call);
        stream.call = http_call_free(stream.call);
}
END_TEST

TEST_MAIN("http_together", test_thousand_clients, test_thousand_waiting_clients,
          test_memory_of_a_connection, test_more_clients_than_connections, test_large_bodies,
          test_too_large_body, test_streams_both_ways, test_cancel_at_every_stage, test_latency,
          test_stream_latency, test_idle_is_idle);
