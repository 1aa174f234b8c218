/* Every row of FLEET.md B4, asked of a whole fleetd over its socket. */
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"
#include "tests/lib/fleetd_rig.h"
#include "tests/lib/suite.h"

#define JSON_HEADER "Content-Type: application/json\r\n"
#define HELLO "[Service]\nExecStart=/bin/run\n"
#define HELLO_OPTIONS "[{\"section\":\"Service\",\"name\":\"ExecStart\",\"value\":\"/bin/run\"}]"

/* A request and the reply that it must get. */
typedef struct Exchange {
        const char *method, *path, *headers, *request;
        unsigned status;
        const char *body; /* NULL = not compared */
} Exchange;

static void play(FleetdRig *rig, const Exchange *e) {
        _cleanup_rig_reply_ RigReply r = fleetd_rig_call(rig, e->method, e->path, e->headers,
                                                         e->request);

        ck_assert_msg(r.status == e->status, "%s %s (%s): %u %s", e->method, e->path,
                      str_or(e->request, ""), r.status, r.body);
        if (e->body)
                ck_assert_msg(strcmp(r.body, e->body) == 0, "%s %s (%s):\n%s\ninstead of\n%s",
                              e->method, e->path, str_or(e->request, ""), r.body, e->body);
        if (r.body[0] == '{') {
                _cleanup_free_ char *type = rig_reply_header(&r, "Content-Type");

                ck_assert_str_eq(type, "application/json");
        }
}

static void play_all(FleetdRig *rig, const Exchange *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                play(rig, &list[i]);
}

#define PLAY(rig, list) play_all((rig), (list), ELEMENTSOF(list))
#define ERROR_BODY(code, message) "{\"error\":{\"code\":" #code ",\"message\":\"" message "\"}}"

#define NOT_GET ERROR_BODY(405, "only GET supported against this resource")
#define NOT_UNIT ERROR_BODY(405, "only GET, PUT and DELETE supported against this resource")
#define NOT_MACHINE ERROR_BODY(405, "only GET and PATCH supported against this resource")

START_TEST(test_paths_and_methods) {
        static const Exchange list[] = {
                { "GET", "/", NULL, NULL, 405, ERROR_BODY(405, "") },
                { "POST", "/", NULL, NULL, 405, ERROR_BODY(405, "") },
                { "GET", "/fleet/v1", NULL, NULL, 405, ERROR_BODY(405, "") },
                { "GET", "/v1-alpha", NULL, NULL, 405, ERROR_BODY(405, "") },
                { "GET", "/fleet/v1/", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/fleet/v1/units/", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/fleet/v1/units/a/b", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/fleet/v1/units/a%2Fb", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/fleet/v1/machines/x", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/fleet/v1/state/", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/fleet/v2/units", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/fleet/v1units", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/units", NULL, NULL, 404, ERROR_BODY(404, "") },
                { "GET", "/%zz", NULL, NULL, 400, ERROR_BODY(400, "invalid escape in the path") },
                { "POST", "/fleet/v1/units", NULL, NULL, 405, NOT_GET },
                { "DELETE", "/v1-alpha/units", NULL, NULL, 405, NOT_GET },
                { "POST", "/fleet/v1/state", NULL, NULL, 405, NOT_GET },
                { "PUT", "/fleet/v1/state/a.service", NULL, NULL, 405, NOT_GET },
                { "POST", "/fleet/v1/units/a.service", NULL, NULL, 405, NOT_UNIT },
                { "PATCH", "/v1-alpha/units/a.service", NULL, NULL, 405, NOT_UNIT },
                { "POST", "/fleet/v1/machines", NULL, NULL, 405, NOT_MACHINE },
                { "POST", "/fleet/v1/discovery", NULL, NULL, 400,
                  ERROR_BODY(400, "only HTTP GET supported against this resource") },
                { "GET", "/fleet/v1/units", NULL, NULL, 200, "{}" },
                { "GET", "/v1-alpha/units?unknown=1", NULL, NULL, 200, "{}" },
                { "GET", "/fleet/v1/state", NULL, NULL, 200, "{}" },
                { "GET", "/fleet/v1/units/a.service", NULL, NULL, 404,
                  ERROR_BODY(404, "unit does not exist") },
                { "GET", "/fleet/v1/units/not%20a%20name", NULL, NULL, 404,
                  ERROR_BODY(404, "unit does not exist") },
                { "DELETE", "/fleet/v1/units/a.service", NULL, NULL, 404,
                  ERROR_BODY(404, "unit does not exist") },
                { "GET", "/fleet/v1/state/a.service", NULL, NULL, 404,
                  ERROR_BODY(404, "unit state does not exist") },
                { "GET", "/fleet/v1/status/a.service", NULL, NULL, 404,
                  ERROR_BODY(404, "unit does not exist") },
                { "GET", "/fleet/v1/journal/a.service", NULL, NULL, 404,
                  ERROR_BODY(404, "unit does not exist") },
                { "GET", "/fleet/v1/journal/a.service?lines=x", NULL, NULL, 400,
                  ERROR_BODY(400, "invalid value for lines: expect a number") },
                { "GET", "/fleet/v1/reasons", NULL, NULL, 200, "{}" },
        };
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        PLAY(&rig, list);
}
END_TEST

START_TEST(test_redirects) {
        static const struct {
                const char *path, *location;
        } cases[] = {
                { "//fleet/v1/units", "/fleet/v1/units" },
                { "/fleet//v1/units?nextPageToken=x", "/fleet/v1/units?nextPageToken=x" },
                { "/fleet/v1/./units/", "/fleet/v1/units/" },
                { "/fleet/v1/a/../units", "/fleet/v1/units" },
        };
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_rig_reply_ RigReply get = fleetd_rig_get(&rig, cases[i].path);
                _cleanup_rig_reply_ RigReply del = fleetd_rig_call(&rig, "DELETE", cases[i].path,
                                                                   NULL, NULL);
                _cleanup_free_ char *location = rig_reply_header(&get, "Location");

                ck_assert_uint_eq(get.status, 301);
                ck_assert_str_eq(location, cases[i].location);
                ck_assert_ptr_nonnull(strstr(get.body, "Moved Permanently</a>.\n\n"));
                ck_assert_uint_eq(del.status, 301);
                ck_assert_str_eq(del.body, "");
        }
}
END_TEST

#define OPTIONS(o) "{\"options\":" o "}"
#define XFLEET(key, value) "{\"section\":\"X-Fleet\",\"name\":\"" key "\",\"value\":\"" value "\"}"
#define EXEC "{\"section\":\"Service\",\"name\":\"ExecStart\",\"value\":\"/bin/run\"}"

START_TEST(test_put_checks_in_order) {
        static const Exchange list[] = {
                /* 1: the content type, before the body is looked at */
                { "PUT", "/fleet/v1/units/a.service", NULL, "{", 415,
                  ERROR_BODY(415, "expected 1 Content-Type, got 0") },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER JSON_HEADER, "{", 415,
                  ERROR_BODY(415, "expected 1 Content-Type, got 2") },
                { "PUT", "/fleet/v1/units/a.service", "Content-Type: text/plain\r\n", "{", 415,
                  ERROR_BODY(415, "only acceptable Content-Type is application/json") },
                { "PUT", "/fleet/v1/units/a.service", "Content-Type: application/jsonx\r\n", "{",
                  415, ERROR_BODY(415, "only acceptable Content-Type is application/json") },
                /* 2: JSON, before the name */
                { "PUT", "/fleet/v1/units/bad", JSON_HEADER, "{", 400, NULL },
                { "PUT", "/fleet/v1/units/bad", JSON_HEADER, "", 400, NULL },
                { "PUT", "/fleet/v1/units/bad", JSON_HEADER, "[]", 400, NULL },
                { "PUT", "/fleet/v1/units/bad", JSON_HEADER, "{\"options\":7}", 400, NULL },
                /* 3: the two names, before whether they are good */
                { "PUT", "/fleet/v1/units/bad", JSON_HEADER, "{\"name\":\"b.service\"}", 400,
                  ERROR_BODY(400, "name in URL \\\"bad\\\" differs from unit name in request body "
                                  "\\\"b.service\\\"") },
                /* 4: the name, before the options */
                { "PUT", "/fleet/v1/units/bad", JSON_HEADER, "{}", 400,
                  ERROR_BODY(400, "unit name must contain \\\".\\\"") },
                { "PUT", "/fleet/v1/units/a%20b.service", JSON_HEADER, "{}", 400,
                  ERROR_BODY(400, "invalid character ' ' in unit name") },
                { "PUT", "/fleet/v1/units/a.x", JSON_HEADER, "{\"name\":\"a.x\"}", 400,
                  ERROR_BODY(400, "invalid unit type: \\\"x\\\"") },
                /* 5: absent */
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER, "{}", 409,
                  ERROR_BODY(409, "unit does not exist and options field empty") },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER, "{\"desiredState\":\"bogus\"}",
                  409, ERROR_BODY(409, "unit does not exist and options field empty") },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER,
                  "{\"desiredState\":\"bogus\",\"options\":[" XFLEET("MachineID", "x") "," XFLEET(
                          "Global", "true") "]}",
                  400, ERROR_BODY(400, "MachineID cannot be used with Global") },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER,
                  OPTIONS("[" EXEC ",{\"section\":\"Service\",\"name\":\"Restart\",\"value\":"
                          "\"sometimes\"}]"),
                  400, NULL },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER,
                  "{\"desiredState\":\"bogus\",\"options\":" HELLO_OPTIONS "}", 400,
                  ERROR_BODY(400, "invalid desiredState \\\"bogus\\\": expect inactive, loaded or "
                                  "launched") },
                { "GET", "/fleet/v1/units", NULL, NULL, 200, "{}" },
                { "PUT", "/fleet/v1/units/a.service",
                  "Content-Type: application/json; charset=utf-8\r\n", OPTIONS(HELLO_OPTIONS), 201,
                  "" },
                { "PUT", "/v1-alpha/units/t@.service", JSON_HEADER,
                  "{\"name\":\"t@.service\",\"desiredState\":\"launched\","
                  "\"options\":" HELLO_OPTIONS "}",
                  201, "" },
                /* 6: present, other content */
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER,
                  OPTIONS("[" EXEC "," XFLEET("MachineID", "x") "," XFLEET("Global", "true") "]"),
                  400, ERROR_BODY(400, "MachineID cannot be used with Global") },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER,
                  OPTIONS("[{\"section\":\"Unit\",\"name\":\"Description\",\"value\":\"d\"}," EXEC
                          "]"),
                  201, "" },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER, OPTIONS(HELLO_OPTIONS), 201,
                  "" },
                /* 7: the state */
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER, "{}", 409,
                  ERROR_BODY(409, "must provide DesiredState to update existing unit") },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER, OPTIONS(HELLO_OPTIONS), 409,
                  ERROR_BODY(409, "must provide DesiredState to update existing unit") },
                { "PUT", "/fleet/v1/units/t@.service", JSON_HEADER, "{\"desiredState\":\"loaded\"}",
                  400, ERROR_BODY(400, "cannot activate template \\\"t@.service\\\"") },
                { "PUT", "/fleet/v1/units/t@.service", JSON_HEADER,
                  "{\"desiredState\":\"inactive\"}", 204, "" },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER, "{\"desiredState\":\"bogus\"}",
                  400,
                  ERROR_BODY(400, "invalid desiredState \\\"bogus\\\": expect inactive, loaded or "
                                  "launched") },
                { "PUT", "/fleet/v1/units/a.service", JSON_HEADER,
                  "{\"desiredState\":\"inactive\"}", 204, "" },
                { "GET", "/fleet/v1/units/a.service", NULL, NULL, 200,
                  "{\"currentState\":\"inactive\",\"desiredState\":\"inactive\",\"name\":\"a."
                  "service"
                  "\",\"options\":[{\"name\":\"ExecStart\",\"section\":\"Service\",\"value\":"
                  "\"/bin/run\"}]}" },
                /* and away with it */
                { "DELETE", "/fleet/v1/units/a.service", NULL, NULL, 204, "" },
                { "GET", "/fleet/v1/units/a.service", NULL, NULL, 404,
                  ERROR_BODY(404, "unit does not exist") },
                { "DELETE", "/fleet/v1/units/a.service", NULL, NULL, 404,
                  ERROR_BODY(404, "unit does not exist") },
        };
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        PLAY(&rig, list);
}
END_TEST

START_TEST(test_undecodable_bodies_say_why) {
        static const char *const bodies[] = {
                "{", "", "nonsense", "{\"options\":7}", "[]", "{\"name\":1}", "{} {}"
        };
        _cleanup_fleetd_rig_ FleetdRig rig;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_rig_reply_ RigReply r = fleetd_rig_call(&rig, "PUT",
                                                                 "/fleet/v1/units/a.service",
                                                                 JSON_HEADER, bodies[i]);

                ck_assert_uint_eq(r.status, 400);
                ck_assert_msg(strstr(r.body, "\"message\":\"unable to decode body: "), "%s: %s",
                              bodies[i], r.body);
        }
}
END_TEST

START_TEST(test_body_over_the_limit) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        Buf b = BUF_INIT;

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        while (b.size < 9 * MIB)
                ck_assert_int_eq(buf_append_str(&b, "                                        "), 0);
        fleetd_rig_put(&rig, "a.service", b.data, 413);
        buf_done(&b);

        /* Below it, but over what the store takes: refused with words, and nothing is stored. */
        ck_assert_int_eq(buf_append_str(&b, "{\"options\":[" EXEC), 0);
        for (size_t i = 0; i < 2000; i++)
                ck_assert_int_eq(
                        buf_printf(&b,
                                   ",{\"section\":\"Unit\",\"name\":\"X-K%zu\",\"value\":\"%01000d"
                                   "\"}",
                                   i, 0),
                        0);
        ck_assert_int_eq(buf_append_str(&b, "]}"), 0);
        fleetd_rig_put(&rig, "a.service", b.data, 400);
        buf_done(&b);
        fleetd_rig_wait(&rig, "/fleet/v1/units", "{}");
}
END_TEST

static char *token(uint16_t limit, uint16_t page) {
        const PageToken t = { .limit = limit, .page = page };

        return page_token_format(&t);
}

START_TEST(test_page_token_errors) {
        _cleanup_free_ char *other = token(7, 2), *zero = token(100, 0), *good = token(100, 2);
        const struct {
                const char *value, *message;
        } cases[] = {
                { "", "EOF" },
                { "%21", "illegal base64 data at input byte 0" },
                { "ZA%3D%3D", "unexpected EOF" },
                { other, "token limit must be 100" },
                { zero, "token page must be greater than zero" },
        };
        static const char *const resources[] = { "units", "state", "machines" };
        _cleanup_fleetd_rig_ FleetdRig rig;

        ck_assert_str_eq(good, "ZAACAA==");
        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        for (size_t i = 0; i < ELEMENTSOF(resources); i++) {
                _cleanup_free_ char *twice = str_printf(
                        "/fleet/v1/%s?nextPageToken=%s&nextPageToken=%s", resources[i], good, good);
                const Exchange two = { "GET", twice,
                                       NULL,  NULL,
                                       400,   ERROR_BODY(400, "too many values for page token") };

                play(&rig, &two);
                for (size_t k = 0; k < ELEMENTSOF(cases); k++) {
                        _cleanup_free_ char *path = str_printf("/fleet/v1/%s?nextPageToken=%s",
                                                               resources[i], cases[k].value);
                        _cleanup_free_ char *body = api_error_format(400, cases[k].message);
                        const Exchange e = { "GET", path, NULL, NULL, 400, body };

                        play(&rig, &e);
                }
        }
}
END_TEST

/* Names on the page, joined; *ret_token is the caller's, NULL if there is none. */
static char *get_page(FleetdRig *rig, const char *with, char **ret_token) {
        _cleanup_free_ char *path = !with ? str_dup("/fleet/v1/units")
                                    : with[0] == '&'
                                            ? str_printf("/fleet/v1/units?%s", with + 1)
                                            : str_printf("/fleet/v1/units?nextPageToken=%s", with);
        _cleanup_rig_reply_ RigReply r = fleetd_rig_get(rig, path);
        _cleanup_json_ json_t *j = rig_reply_json(&r);
        const char *next = json_string_value(json_object_get(j, "nextPageToken"));
        json_t *unit;
        size_t i;
        Buf b = BUF_INIT;

        ck_assert_uint_eq(r.status, 200);
        json_array_foreach(json_object_get(j, "units"), i, unit) ck_assert_int_eq(
                buf_printf(&b, "%s ", json_string_value(json_object_get(unit, "name"))), 0);
        *ret_token = next ? str_dup(next) : NULL;
        return buf_steal(&b);
}

static void put_units(FleetdRig *rig, const char *letters) {
        for (; *letters; letters++) {
                _cleanup_free_ char *name = str_printf("%c.service", *letters);

                fleetd_rig_unit(rig, name, HELLO, NULL, 201);
        }
}

START_TEST(test_pages) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_free_ char *t2 = NULL, *t3 = NULL, *end = NULL;
        _cleanup_free_ char *p1 = NULL, *p2 = NULL, *p3 = NULL;

        fleetd_rig_init(&rig, "token_limit=2\n");
        fleetd_rig_up(&rig);
        put_units(&rig, "dbac");
        p1 = get_page(&rig, NULL, &t2);
        ck_assert_str_eq(p1, "a.service b.service ");
        ck_assert_str_eq(t2, "AgACAA==");
        p2 = get_page(&rig, t2, &t3);
        ck_assert_str_eq(p2, "c.service d.service ");
        /* An exact multiple: a token to an empty page. */
        ck_assert_str_eq(t3, "AgADAA==");
        p3 = get_page(&rig, t3, &end);
        ck_assert_str_eq(p3, "");
        ck_assert_ptr_null(end);
}
END_TEST

/* `limit` is ours: it sets the size of the pages, and goes with the tokens of such pages. */
START_TEST(test_pages_as_large_as_asked_for) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_free_ char *t2 = NULL, *none = NULL, *same = NULL;
        _cleanup_free_ char *p1 = NULL, *p2 = NULL, *odd = NULL, *more = NULL;

        fleetd_rig_init(&rig, "token_limit=2\n");
        fleetd_rig_up(&rig);
        put_units(&rig, "dbac");
        p1 = get_page(&rig, "&limit=3", &t2);
        ck_assert_str_eq(p1, "a.service b.service c.service ");
        ck_assert_str_eq(t2, "AwACAA==");
        more = str_printf("%s&limit=3", t2);
        p2 = get_page(&rig, more, &none);
        ck_assert_str_eq(p2, "d.service ");
        ck_assert_ptr_null(none);
        odd = get_page(&rig, "&limit=many", &same);
        ck_assert_str_eq(odd, "a.service b.service ");
        ck_assert_str_eq(same, "AgACAA==");
}
END_TEST

START_TEST(test_pages_fit_together) {
        static const Exchange destroy = {
                "DELETE", "/fleet/v1/units/a.service", NULL, NULL, 204, ""
        };
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_free_ char *t2 = NULL, *t3 = NULL, *again = NULL;
        _cleanup_free_ char *p1 = NULL, *p2 = NULL, *p3 = NULL, *fresh = NULL;

        fleetd_rig_init(&rig, "token_limit=2\n");
        fleetd_rig_up(&rig);
        put_units(&rig, "abcde");
        p1 = get_page(&rig, NULL, &t2);
        play(&rig, &destroy);
        put_units(&rig, "x");
        p2 = get_page(&rig, t2, &t3);
        ck_assert_str_eq(p2, "c.service d.service ");
        p3 = get_page(&rig, t3, &again);
        ck_assert_str_eq(p3, "e.service ");
        ck_assert_ptr_null(again);
        fresh = get_page(&rig, NULL, &again);
        ck_assert_str_eq(fresh, "b.service c.service ");
}
END_TEST

#define PATCH_ONE(op, path, value) "[{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":" value "}]"

START_TEST(test_machines) {
        static const char before[] =
                "{\"machines\":[{\"id\":\"m1\",\"metadata\":{\"disk\":\"ssd\"},"
                "\"primaryIP\":\"10.0.0.1\"}]}";
        static const Exchange list[] = {
                { "PATCH", "/fleet/v1/machines", NULL, "", 400, NULL },
                { "PATCH", "/fleet/v1/machines", NULL, "{}", 400, NULL },
                { "PATCH", "/fleet/v1/machines", NULL, PATCH_ONE("move", "/m1/metadata/a", "\"b\""),
                  400, ERROR_BODY(400, "invalid op: expect add, remove, or replace") },
                { "PATCH", "/fleet/v1/machines", NULL, PATCH_ONE("add", "/m1/meta/a", "\"b\""), 400,
                  ERROR_BODY(400, "machine metadata path invalid") },
                { "PATCH", "/fleet/v1/machines", NULL,
                  PATCH_ONE("add", "/m1/metadata/a b", "\"b\""), 400,
                  ERROR_BODY(400, "machine metadata path invalid") },
                { "PATCH", "/fleet/v1/machines", NULL,
                  "[{\"op\":\"add\",\"path\":\"/m1/metadata/a\"}]", 400,
                  ERROR_BODY(400, "invalid value: add and replace require a value") },
                /* all or nothing */
                { "PATCH", "/fleet/v1/machines", NULL,
                  "[{\"op\":\"add\",\"path\":\"/m1/metadata/a\",\"value\":\"b\"},"
                  "{\"op\":\"add\",\"path\":\"/m1/metadata/c\"}]",
                  400, NULL },
                { "GET", "/fleet/v1/machines", NULL, NULL, 200, before },
                /* both forms of a value, in order, the later one counts */
                { "PATCH", "/fleet/v1/machines", NULL,
                  "[{\"op\":\"add\",\"path\":\"/m1/metadata/a\",\"value\":{\"value\":\"b\"}},"
                  "{\"op\":\"replace\",\"path\":\"/m1/metadata/a\",\"value\":\"c\"},"
                  "{\"op\":\"remove\",\"path\":\"/m1/metadata/disk\"},"
                  "{\"op\":\"add\",\"path\":\"/elsewhere/metadata/a\",\"value\":\"x\"}]",
                  204, "" },
                { "GET", "/v1-alpha/machines", NULL, NULL, 200,
                  "{\"machines\":[{\"id\":\"m1\",\"metadata\":{\"a\":\"c\"},\"primaryIP\":"
                  "\"10.0.0.1\"}]}" },
                { "PATCH", "/v1-alpha/machines", NULL, "[]", 204, "" },
        };
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_rig_reply_ RigReply r = { 0 };
        _cleanup_free_ char *type = NULL;

        fleetd_rig_init(&rig, "metadata=disk=ssd\n");
        fleetd_rig_up(&rig);
        fleetd_rig_wait(&rig, "/fleet/v1/machines", "m1");
        PLAY(&rig, list);

        r = fleetd_rig_call(&rig, "PATCH", "/fleet/v1/machines", NULL,
                            PATCH_ONE("remove", "/m1/metadata/a", "null"));
        type = rig_reply_header(&r, "Content-Type");
        ck_assert_uint_eq(r.status, 204);
        ck_assert_str_eq(type, "application/json");

        /* Patches survive a restart. */
        fleetd_rig_down(&rig);
        fleetd_rig_up(&rig);
        fleetd_rig_wait(&rig, "/fleet/v1/machines", "\"id\":\"m1\",\"primaryIP\"");
}
END_TEST

START_TEST(test_headers) {
        _cleanup_fleetd_rig_ FleetdRig rig;
        _cleanup_rig_reply_ RigReply list = { 0 }, metrics = { 0 }, discovery = { 0 };
        _cleanup_free_ char *server = NULL, *type = NULL;
        _cleanup_json_ json_t *document = NULL;
        static const char *const names[] = {
                "fleet_engine_leader_start_time ",
                "fleet_engine_task_count_total{type=\"AttemptScheduleUnit\"} ",
                "fleet_engine_task_failure_count_total{type=",
                "fleet_engine_reconcile_count_total ",
                "fleet_engine_reconcile_failure_count_total{type=\"machine_away\"} ",
                "fleet_engine_reconcile_failure_count_total{type=\"run\"} ",
                "fleet_engine_reconcile_failure_count_total{type=\"schedule\"} ",
        };

        fleetd_rig_init(&rig, NULL);
        fleetd_rig_up(&rig);
        list = fleetd_rig_get(&rig, "/fleet/v1/units");
        server = rig_reply_header(&list, "Server");
        ck_assert_str_eq(server, "fleetd/" VERSION);

        metrics = fleetd_rig_get(&rig, "/metrics");
        type = rig_reply_header(&metrics, "Content-Type");
        ck_assert_uint_eq(metrics.status, 200);
        ck_assert_str_eq(type, "text/plain; version=0.0.4");
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert_msg(strstr(metrics.body, names[i]), "%s not in %s", names[i],
                              metrics.body);

        discovery = fleetd_rig_get(&rig, "/v1-alpha/discovery");
        document = rig_reply_json(&discovery);
        ck_assert_str_eq(json_string_value(json_object_get(document, "basePath")), "/fleet/v1/");
        ck_assert_ptr_nonnull(json_object_get(json_object_get(document, "resources"), "Units"));
}
END_TEST

TEST_MAIN("fleetd_api", test_paths_and_methods, test_redirects, test_put_checks_in_order,
          test_undecodable_bodies_say_why, test_body_over_the_limit, test_page_token_errors,
          test_pages, test_pages_as_large_as_asked_for, test_pages_fit_together, test_machines,
          test_headers);
