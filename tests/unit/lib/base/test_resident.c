#include "lib/base/resident.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"
#include "lib/http/http_server.h"
#include "lib/json/json.h"
#include "tests/lib/suite.h"

static size_t resident_kib(void) {
        _cleanup_free_ char *status = NULL;
        const char *line;

        ck_assert_int_eq(fs_read_file("/proc/self/status", 64 * KIB, &status, NULL), 0);
        line = strstr(status, "\nVmRSS:");
        ck_assert_ptr_nonnull(line);
        return strtoul(line + strlen("\nVmRSS:"), NULL, 10);
}

/* A daemon in small: every library we use, at work. */
typedef struct Fixture {
        sd_event *event;
        HttpServer *server;
        HttpClient *client;
        HttpCall *call;
        sqlite3 *db;
        char *directory, *path;
        bool done;
        int r;
} Fixture;

static void on_request(HttpExchange *x, void *userdata _unused_) {
        _cleanup_json_ json_t *j = json_object();
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(json_set_string(j, "path", http_exchange_path(x)), 0);
        text = json_format(j);
        (void) http_exchange_reply(
                x, &(HttpReply){ .status = 200, .body = text, .body_size = strlen(text) });
}

static void on_done(HttpCall *call _unused_, int r, const HttpResponse *response,
                    const Error *error _unused_, void *userdata) {
        Fixture *f = userdata;

        f->done = true;
        f->r = r;
        ck_assert_str_eq(response->body, "{\"path\":\"/x\"}");
        f->call = http_call_free(f->call);
}

static void work(Fixture *f) {
        const HttpRequest request = {
                .url = "http://x/x", .unix_socket = f->path, .done_fn = on_done, .userdata = f
        };

        f->done = false;
        ck_assert_int_eq(http_client_call(f->client, &request, &f->call, NULL), 0);
        suite_wait(f->event, &f->done);
        ck_assert_int_eq(f->r, 0);
        ck_assert_int_eq(sqlite3_exec(f->db, "insert into t values (1); select count(*) from t;",
                                      NULL, NULL, NULL),
                         SQLITE_OK);
}

static void start(Fixture *f) {
        const HttpServerOptions options = { .handler = on_request };
        _cleanup_free_ char *address = NULL;
        int fd;

        ck_assert_int_ge(sd_event_new(&f->event), 0);
        ck_assert_int_eq(fs_temp_directory("resident", &f->directory), 0);
        f->path = str_printf("%s/socket", f->directory);
        address = str_printf("unix://%s", f->path);
        ck_assert_int_eq(http_listen(address, &fd, NULL), 0);
        ck_assert_int_eq(http_server_new(f->event, &options, &f->server, NULL), 0);
        ck_assert_int_eq(http_server_add_fd(f->server, fd, NULL), 0);
        ck_assert_int_eq(http_client_new(f->event, 0, &f->client, NULL), 0);
        ck_assert_int_eq(sqlite3_open(":memory:", &f->db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(f->db, "create table t (n)", NULL, NULL, NULL), SQLITE_OK);
}

static void fixture_done(Fixture *f) {
        f->client = http_client_free(f->client);
        f->server = http_server_free(f->server);
        (void) sqlite3_close(f->db);
        f->event = sd_event_unref(f->event);
        (void) fs_remove_tree(f->directory);
        f->directory = mem_free(f->directory);
        f->path = mem_free(f->path);
}

START_TEST(test_falls_and_still_works) {
        _cleanup_(fixture_done) Fixture f = { 0 };
        size_t before, trimmed, after;

        start(&f);
        work(&f);
        before = resident_kib();
        resident_trim();
        trimmed = resident_kib();
        for (int i = 0; i < 100; i++)
                work(&f);
        after = resident_kib();

        if (getenv("SHOW"))
                (void) fprintf(stderr, "resident: %zu KiB, trimmed %zu KiB, after work %zu KiB\n",
                               before, trimmed, after);
#ifndef __SANITIZE_ADDRESS__
        /* CK_FORK=no is for valgrind, whose own memory this would measure. */
        if (!str_eq(getenv("CK_FORK"), "no")) {
                ck_assert_uint_lt(trimmed, before * 3 / 4);
                ck_assert_uint_lt(after, before);
        }
#endif
}
END_TEST

START_TEST(test_again_and_again) {
        _cleanup_(fixture_done) Fixture f = { 0 };

        start(&f);
        for (int i = 0; i < 20; i++) {
                work(&f);
                resident_trim();
        }
        work(&f);
}
END_TEST

TEST_MAIN("resident", test_falls_and_still_works, test_again_and_again);
