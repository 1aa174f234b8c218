/* The Api alone: what it says without contact to the store, and how many lists it keeps. */
#include "agent/api/api.h"

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/store_contract.h"
#include "tests/lib/suite.h"

typedef struct Fixture {
        sd_event *event;
        char *directory, *address;
        Store *store;
        Registry *registry;
        Api *api;
        HttpServer *server;
} Fixture;

static void fixture_init(Fixture *f) {
        _cleanup_free_ char *path = NULL;
        const RegistryOptions registry = { .prefix = "/t/" };
        StoreSqliteOptions store = { 0 };
        ApiOptions api = { .machine_id = "m1", .driver = "auto", .token_limit = 2 };
        HttpServerOptions server = { .handler = api_handle };
        int fd = -EBADF;

        *f = (Fixture){ 0 };
        ck_assert_int_ge(sd_event_new(&f->event), 0);
        ck_assert_int_eq(fs_temp_directory("api-", &f->directory), 0);
        f->address = str_printf("unix://%s/sock", f->directory);
        path = str_printf("%s/db", f->directory);
        store.path = path;
        ck_assert_int_eq(store_sqlite_open(f->event, &store, &f->store, NULL), 0);
        ck_assert_int_eq(registry_new(f->store, &registry, &f->registry), 0);
        api.event = f->event;
        api.registry = f->registry;
        ck_assert_int_eq(api_new(&api, &f->api, NULL), 0);
        server.userdata = f->api;
        ck_assert_int_eq(http_server_new(f->event, &server, &f->server, NULL), 0);
        ck_assert_int_eq(http_listen(f->address, &fd, NULL), 0);
        ck_assert_int_eq(http_server_add_fd(f->server, fd, NULL), 0);
}

static void fixture_done(Fixture *f) {
        f->server = http_server_free(f->server);
        f->api = api_free(f->api);
        f->registry = registry_free(f->registry);
        f->store = store_free(f->store);
        f->event = sd_event_unref(f->event);
        ck_assert_int_eq(fs_remove_tree(f->directory), 0);
        f->directory = mem_free(f->directory);
        f->address = mem_free(f->address);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* The whole reply; the caller owns it. */
static char *get(Fixture *f, const char *path) {
        _cleanup_(raw_client_freep) RawClient *c = raw_client_new(f->event, f->address);
        _cleanup_free_ char *request = str_printf(
                "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);

        ck_assert(raw_client_say(c, request));
        raw_client_wait_closed(c);
        return str_dup(raw_client_received(c));
}

START_TEST(test_without_contact) {
        static const char *const paths[] = { "/fleet/v1/units", "/v1-alpha/machines",
                                             "/metrics",        "/",
                                             "/nowhere",        "//fleet/v1/units",
                                             "/fleet/v1/events" };
        static const char body[] = "{\"error\":{\"code\":503,\"message\":\"fleet server unable to "
                                   "communicate with etcd\"}}";
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *good = NULL;

        fixture_init(&f);
        api_set_contact(f.api, false);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_free_ char *reply = get(&f, paths[i]);

                ck_assert_msg(str_after_prefix(reply, "HTTP/1.1 503 "), "%s: %s", paths[i], reply);
                ck_assert_msg(str_has_suffix(reply, body), "%s: %s", paths[i], reply);
        }
        api_set_contact(f.api, true);
        good = get(&f, "/fleet/v1/units");
        ck_assert_ptr_nonnull(str_after_prefix(good, "HTTP/1.1 200 "));
}
END_TEST

static void put_state(Fixture *f, const char *unit, const char *machine) {
        _cleanup_free_ char *key = str_printf("/t/state/%s/%s", unit, machine);
        _cleanup_free_ char *value = str_printf("{\"unit\":\"%s\",\"machine\":\"%s\"}", unit,
                                                machine);

        ck_assert_int_eq(store_do_put(f->event, f->store, key, value, 0).r, 0);
}

/* Page 2 of a filtered list is cut from page 1's; the fifth list pushes the first out. */
START_TEST(test_kept_lists_are_few) {
        static const char second[] = "nextPageToken=AgACAA%3D%3D";
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *before = NULL, *after = NULL, *path = NULL;

        fixture_init(&f);
        for (int m = 0; m < 5; m++) {
                _cleanup_free_ char *machine = str_printf("m%d", m);

                put_state(&f, "a.service", machine);
                put_state(&f, "b.service", machine);
                put_state(&f, "c.service", machine);
        }
        mem_free(get(&f, "/fleet/v1/state?machineID=m0"));
        ck_assert_int_eq(store_do_delete(f.event, f.store, STORE_DELETE, "/t/state/c.service/m0").r,
                         0);
        path = str_printf("/fleet/v1/state?machineID=m0&%s", second);
        before = get(&f, path);
        ck_assert_msg(strstr(before, "c.service"), "%s", before);

        for (int m = 1; m < 5; m++) {
                _cleanup_free_ char *other = str_printf("/fleet/v1/state?machineID=m%d", m);

                mem_free(get(&f, other));
        }
        after = get(&f, path);
        ck_assert_msg(!strstr(after, "c.service"), "%s", after);
        ck_assert(str_has_suffix(after, "{}"));
}
END_TEST

/* The peer goes while its answer is being read from the store. */
START_TEST(test_impatient_clients) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *good = NULL;

        fixture_init(&f);
        for (int i = 0; i < 50; i++) {
                _cleanup_(raw_client_freep) RawClient *c = raw_client_new(f.event, f.address);

                ck_assert(raw_client_say(c, "GET /fleet/v1/units HTTP/1.1\r\nHost: x\r\n\r\n"));
                for (int turn = 0; turn < i % 5; turn++)
                        ck_assert_int_ge(sd_event_run(f.event, 0), 0);
        }
        suite_settle(f.event);
        good = get(&f, "/fleet/v1/units");
        ck_assert_ptr_nonnull(str_after_prefix(good, "HTTP/1.1 200 "));
}
END_TEST

TEST_MAIN("api", test_without_contact, test_kept_lists_are_few, test_impatient_clients);
