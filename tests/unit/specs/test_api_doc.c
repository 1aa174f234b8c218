#include "specs/api_doc.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static json_t *parse_json(const char *text) {
        json_t *j = NULL;

        ck_assert_msg(json_parse(text, strlen(text), &j, NULL) == 0, "%s", text);
        return j;
}

/* Takes j. */
static void check_json(json_t *j, const char *wanted) {
        _cleanup_free_ char *text = json_format(j);

        ck_assert_str_eq(text, wanted);
        json_decref(j);
}

#define UNIT                                                                                       \
        "{\"currentState\":\"loaded\",\"desiredState\":\"launched\",\"machineID\":\"m\",\"name\":" \
        "\"u.service\",\"options\":[{\"name\":\"ExecStart\",\"section\":\"Service\",\"value\":"    \
        "\"/x \\u003c\\u0026\\u003e\"},{\"name\":\"ExecStop\",\"section\":\"Service\"}]}"

START_TEST(test_unit) {
        static const char *const cases[] = { "{}", "{\"name\":\"u.service\"}", UNIT };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i]);
                _cleanup_(api_unit_freep) ApiUnit *u = NULL;
                json_t *again;

                ck_assert_int_eq(api_unit_from_json(j, &u, NULL), 0);
                ck_assert_int_eq(api_unit_to_json(u, &again), 0);
                check_json(again, cases[i]);
        }
        ck_assert_ptr_null(api_unit_free(NULL));
}
END_TEST

/* What Go's decoder takes for nothing. */
START_TEST(test_unit_nulls) {
        static const char *const cases[] = {
                "null",
                "{\"name\":null,\"options\":null,\"machineID\":\"\",\"other\":[1]}",
                "{\"options\":[]}",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i]);
                _cleanup_(api_unit_freep) ApiUnit *u = NULL;
                json_t *again;

                ck_assert_int_eq(api_unit_from_json(j, &u, NULL), 0);
                ck_assert_str_eq(u->name, "");
                ck_assert_ptr_null(u->desired_state);
                ck_assert_int_eq(api_unit_to_json(u, &again), 0);
                check_json(again, "{}");
        }
}
END_TEST

#define CANNOT "json: cannot unmarshal "
#define OPTION(members) "{\"options\":[{" members "}]}"

START_TEST(test_unit_errors) {
        static const char *const cases[][2] = {
                { "[]", CANNOT "array into Go value of type schema.Unit" },
                { "\"x\"", CANNOT "string into Go value of type schema.Unit" },
                { "{\"name\":1}", CANNOT "number into Go struct field Unit.name of type string" },
                { "{\"desiredState\":true}",
                  CANNOT "bool into Go struct field Unit.desiredState of type string" },
                { "{\"currentState\":{}}",
                  CANNOT "object into Go struct field Unit.currentState of type string" },
                { "{\"machineID\":1.5}",
                  CANNOT "number into Go struct field Unit.machineID of type string" },
                { "{\"options\":{}}",
                  CANNOT "object into Go struct field Unit.options of type []*schema.UnitOption" },
                { "{\"options\":[null]}",
                  CANNOT "null into Go struct field Unit.options of type schema.UnitOption" },
                { "{\"options\":[false]}",
                  CANNOT "bool into Go struct field Unit.options of type schema.UnitOption" },
                { OPTION("\"section\":1"),
                  CANNOT "number into Go struct field UnitOption.section of type string" },
                { OPTION("\"name\":1"),
                  CANNOT "number into Go struct field UnitOption.name of type string" },
                { OPTION("\"value\":1"),
                  CANNOT "number into Go struct field UnitOption.value of type string" },
                { OPTION("\"section\":\"a]b\""), "invalid section name 'a]b'" },
                { OPTION("\"section\":\"a\\nb\""), "invalid section name 'a\nb'" },
                { OPTION("\"name\":\"a=b\""), "invalid option name 'a=b'" },
                { OPTION("\"name\":\"a\\nb\""), "invalid option name 'a\nb'" },
                { OPTION("\"name\":\"a\\rb\""), "invalid option name 'a\rb'" },
                { OPTION("\"name\":\"#a\""), "invalid option name '#a'" },
                { OPTION("\"name\":\" ;a\""), "invalid option name ' ;a'" },
                { OPTION("\"name\":\"[a]\""), "invalid option name '[a]'" },
                { OPTION("\"name\":\"a\",\"value\":\"x\\nExecStart=/evil\""),
                  "value of option 'a' has a newline that no backslash continues" },
                { OPTION("\"name\":\"a\",\"value\":\"x\\\\\\n\\nb=1\""),
                  "value of option 'a' has a newline that no backslash continues" },
                { OPTION("\"name\":\"a\",\"value\":\"x\\\\\\n \\t\\nb=1\""),
                  "value of option 'a' has a newline that no backslash continues" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i][0]);
                _cleanup_error_ Error e = ERROR_INIT;
                ApiUnit *u;

                ck_assert_msg(api_unit_from_json(j, &u, &e) == -EINVAL, "%s", cases[i][0]);
                ck_assert_str_eq(error_text(&e), cases[i][1]);
        }
}
END_TEST

/* What fleetctl 1.0 read out of files, it sends as options: the text must come out the same. */
START_TEST(test_unit_options) {
        static const char *const cases[][2] = {
                { OPTION("\"section\":\"A\",\"name\":\" a \",\"value\":\" x \""), "[A]\na=x\n" },
                { OPTION("\"section\":\"A\",\"name\":\"a\",\"value\":\"x \\\\\\n y\""),
                  "[A]\na=x \\\n y\n" },
                { OPTION("\"section\":\"A\",\"name\":\"a\",\"value\":\"x \\\\\\n\""),
                  "[A]\na=x \\\n\n" },
                { OPTION("\"section\":\"A\",\"name\":\"a\",\"value\":\"x \\\\\""),
                  "[A]\na=x \\\n\n" },
                { OPTION("\"section\":\"A\",\"name\":\"a\",\"value\":\"x \\\\\"},{"
                         "\"section\":\"A\",\"name\":\"-e B\",\"value\":\"1\""),
                  "[A]\na=x \\\n-e B=1\n" },
                { OPTION(""), "[]\n=\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i][0]);
                _cleanup_(unit_file_freep) UnitFile *again = NULL;
                _cleanup_(api_unit_freep) ApiUnit *u = NULL;
                _cleanup_free_ char *text = NULL, *text_again = NULL;

                ck_assert_int_eq(api_unit_from_json(j, &u, NULL), 0);
                ck_assert_int_eq(unit_file_serialise(u->options, &text), 0);
                ck_assert_str_eq(text, cases[i][1]);
                ck_assert_int_eq(unit_file_parse(text, strlen(text), &again, NULL), 0);
                ck_assert_uint_eq(again->n_options, u->options->n_options);
                ck_assert_int_eq(unit_file_serialise(again, &text_again), 0);
                ck_assert_str_eq(text, text_again);
        }
}
END_TEST

/* A line travels with an option to the server, and is never shown by it. */
START_TEST(test_unit_lines) {
        static const struct {
                json_int_t sent;
                unsigned line;
        } cases[] = { { 7, 7 }, { 0, 0 }, { -1, 0 }, { 1LL << 40, 0 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = NULL, *with = NULL;
                json_t *without = NULL;
                _cleanup_(api_unit_freep) ApiUnit *u = NULL;

                j = json_pack("{s:[{s:I,s:s,s:s,s:s}]}", "options", "line", cases[i].sent, "name",
                              "a", "section", "S", "value", "b");
                ck_assert_int_eq(api_unit_from_json(j, &u, NULL), 0);
                ck_assert_uint_eq(u->options->options[0].line, cases[i].line);
                ck_assert_int_eq(api_unit_to_json(u, &without), 0);
                check_json(without, OPTION("\"name\":\"a\",\"section\":\"S\",\"value\":\"b\""));
                ck_assert_int_eq(api_unit_to_json_with_lines(u, &with), 0);
                ck_assert_int_eq(json_equal(with, j), cases[i].line > 0);
        }
}
END_TEST

START_TEST(test_unit_state) {
        static const char *const cases[] = {
                "{}",
                "{\"hash\":\"0291f12e379921025c603e454c0fe989ddb0f3dd\",\"machineID\":\"m\","
                "\"name\":\"u.service\",\"systemdActiveState\":\"active\",\"systemdLoadState\":"
                "\"loaded\",\"systemdSubState\":\"running\"}",
        };
        static const char *const bad[][2] = {
                { "null", CANNOT "null into Go value of type schema.UnitState" },
                { "{\"hash\":\"00291f12e379921025c603e454c0fe989ddb0f3dd\"}",
                  "'hash' is longer than 40 characters" },
                { "{\"hash\":1}",
                  CANNOT "number into Go struct field UnitState.hash of type string" },
                { "{\"name\":1}",
                  CANNOT "number into Go struct field UnitState.name of type string" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i]);
                _cleanup_(unit_state_freep) UnitState *s = NULL;
                json_t *again;

                ck_assert_int_eq(api_unit_state_from_json(j, &s, NULL), 0);
                /* What is ours stays out. */
                ck_assert_int_eq(str_replace(&s->driver, "docker"), 0);
                ck_assert_int_eq(api_unit_state_to_json(s, &again), 0);
                check_json(again, cases[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_json_ json_t *j = parse_json(bad[i][0]);
                _cleanup_error_ Error e = ERROR_INIT;
                UnitState *s;

                ck_assert_int_eq(api_unit_state_from_json(j, &s, &e), -EINVAL);
                ck_assert_str_eq(error_text(&e), bad[i][1]);
        }
}
END_TEST

START_TEST(test_machine) {
        static const char *const cases[][2] = {
                { "{}", "{}" },
                { "{\"id\":\"m\",\"metadata\":null}", "{\"id\":\"m\"}" },
                { "{\"id\":\"m\",\"metadata\":{\"b\":\"2\",\"a\":\"1\"},\"primaryIP\":\"10.0.0."
                  "1\"}",
                  "{\"id\":\"m\",\"metadata\":{\"a\":\"1\",\"b\":\"2\"},\"primaryIP\":\"10.0.0."
                  "1\"}" },
        };
        static const char *const bad[] = { "[]", "{\"id\":1}", "{\"primaryIP\":[]}",
                                           "{\"metadata\":1}", "{\"metadata\":{\"a\":1}}" };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *j = parse_json(cases[i][0]);
                _cleanup_(machine_freep) Machine *m = NULL;
                json_t *again;

                ck_assert_int_eq(api_machine_from_json(j, &m, NULL), 0);
                ck_assert_int_eq(api_machine_to_json(m, &again), 0);
                check_json(again, cases[i][1]);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_json_ json_t *j = parse_json(bad[i]);
                Machine *m;

                ck_assert_int_eq(api_machine_from_json(j, &m, NULL), -EINVAL);
        }
}
END_TEST

START_TEST(test_error) {
        static const char *const messages[][2] = {
                { "", "{\"error\":{\"code\":404,\"message\":\"\"}}" },
                { "unit does not exist",
                  "{\"error\":{\"code\":404,\"message\":\"unit does not exist\"}}" },
                { "a \"b\" <c>",
                  "{\"error\":{\"code\":404,\"message\":\"a \\\"b\\\" \\u003cc\\u003e\"}}" },
        };
        static const char *const bodies[][2] = {
                { "{\"error\":{}}", "" },
                { "{\"error\":{\"message\":1}}", "" },
                { "{\"error\":1}", NULL },
                { "{}", NULL },
                { "[]", NULL },
                { "<html>", NULL },
                { "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(messages); i++) {
                _cleanup_free_ char *body = api_error_format(404, messages[i][0]);
                _cleanup_free_ char *message = api_error_parse(body, strlen(body));

                ck_assert_str_eq(body, messages[i][1]);
                ck_assert_str_eq(message, messages[i][0]);
        }
        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_free_ char *message = api_error_parse(bodies[i][0], strlen(bodies[i][0]));

                ck_assert_pstr_eq(message, bodies[i][1]);
        }

        _cleanup_free_ char *no_utf8 = api_error_format(500, "\xff");

        ck_assert_str_eq(no_utf8, "{\"error\":{\"code\":500,\"message\":\"\"}}");
}
END_TEST

START_TEST(test_page_token) {
        static const struct {
                const char *token;
                uint16_t limit, page;
        } good[] = {
                { "ZAACAA==", 100, 2 },
                { "AAABAA==", 0, 1 },
                { "_____w==", 65535, 65535 },
        };
        static const char *const bad[][2] = {
                { "", "EOF" },
                { "ZA==", "unexpected EOF" },
                { "ZAAC", "unexpected EOF" },
                { "ZQACAA==", "token limit must be 100" },
                { "ZAAAAA==", "token page must be greater than zero" },
                { "ZQAAAA==", "token limit must be 100" },
                { "Z!ACAA==", "illegal base64 data at input byte 1" },
                { "ZAACAA", "illegal base64 data at input byte 4" },
                { "/AACAA==", "illegal base64 data at input byte 0" },
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                PageToken t = { .limit = good[i].limit, .page = good[i].page };
                _cleanup_free_ char *token = page_token_format(&t);

                ck_assert_str_eq(token, good[i].token);
                t = (PageToken){ 0 };
                ck_assert_int_eq(page_token_parse(token, good[i].limit, &t, NULL), 0);
                ck_assert_uint_eq(t.limit, good[i].limit);
                ck_assert_uint_eq(t.page, good[i].page);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                PageToken t;

                ck_assert_int_eq(page_token_parse(bad[i][0], 100, &t, &e), -EINVAL);
                ck_assert_str_eq(error_text(&e), bad[i][1]);
        }
}
END_TEST

START_TEST(test_patches) {
        static const char body[] =
                "[{\"op\":\"add\",\"path\":\"/m1/metadata/a.B_c-9\",\"value\":\"v\"},"
                "{\"op\":\"replace\",\"path\":\"/m 2/metadata/k\",\"value\":{\"value\":\"w\"}},"
                "{\"op\":\"remove\",\"path\":\"/m1/metadata/k\",\"value\":\"ignored\"},"
                "{\"op\":\"remove\",\"path\":\"/m1/metadata/k\",\"value\":null,\"more\":1}]";
        MachinePatch *p = NULL;
        size_t n = 0;

        ck_assert_int_eq(machine_patches_parse(body, strlen(body), &p, &n, NULL), 0);
        ck_assert_uint_eq(n, 4);
        ck_assert_str_eq(p[0].machine_id, "m1");
        ck_assert_str_eq(p[0].key, "a.B_c-9");
        ck_assert_str_eq(p[0].value, "v");
        ck_assert_str_eq(p[1].machine_id, "m 2");
        ck_assert_str_eq(p[1].value, "w");
        ck_assert_str_eq(p[2].value, "");
        ck_assert_str_eq(p[3].value, "");
        ck_assert_ptr_null(machine_patches_free(p, n));

        ck_assert_int_eq(machine_patches_parse("null", 4, &p, &n, NULL), 0);
        ck_assert_uint_eq(n, 0);
        (void) machine_patches_free(p, n);
        ck_assert_int_eq(machine_patches_parse("[]", 2, &p, &n, NULL), 0);
        ck_assert_uint_eq(n, 0);
        (void) machine_patches_free(p, n);
        ck_assert_ptr_null(machine_patches_free(NULL, 0));
}
END_TEST

#define OP "invalid op: expect add, remove, or replace"
#define PATH "machine metadata path invalid"
#define VALUE "invalid value: add and replace require a value"

START_TEST(test_patch_errors) {
        static const char *const cases[][2] = {
                { "{}", "json: the body is not an array of operations" },
                { "[1]", "json: an operation is not an object" },
                { "[{}]", OP },
                { "[{\"op\":\"move\",\"path\":\"x\"}]", OP },
                { "[{\"op\":1}]", "json: the op of an operation is not a string" },
                { "[{\"op\":\"add\",\"path\":1}]",
                  "json: the path of an operation is not a string" },
                { "[{\"op\":\"add\",\"value\":1}]",
                  "json: the value of an operation is not a string" },
                { "[{\"op\":\"add\",\"value\":{\"value\":[]}}]",
                  "json: the value of an operation is not a string" },
                { "[{\"op\":\"add\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"m/metadata/k\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"//metadata/k\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"/m/meta/k\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"/m/metadata/\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"/m/metadata\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"/m\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"/m/metadata/k/x\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"/m/metadata/k\\n\"}]", PATH },
                { "[{\"op\":\"remove\",\"path\":\"/m/metadata/k=v\"}]", PATH },
                { "[{\"op\":\"add\",\"path\":\"/m/metadata/k\"}]", VALUE },
                { "[{\"op\":\"replace\",\"path\":\"/m/metadata/k\",\"value\":\"\"}]", VALUE },
                { "[{\"op\":\"replace\",\"path\":\"/m/metadata/k\",\"value\":{}}]", VALUE },
                /* all or nothing */
                { "[{\"op\":\"remove\",\"path\":\"/m/metadata/k\"},{\"op\":\"add\","
                  "\"path\":\"/m/metadata/k\"}]",
                  VALUE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                MachinePatch *p;
                size_t n;
                int r = machine_patches_parse(cases[i][0], strlen(cases[i][0]), &p, &n, &e);

                ck_assert_msg(r == -EINVAL, "%s", cases[i][0]);
                ck_assert_str_eq(error_text(&e), cases[i][1]);
        }
}
END_TEST

START_TEST(test_patch_limits) {
        static const char item[] = "{\"op\":\"remove\",\"path\":\"/m/metadata/k\"},";

        for (size_t over = 0; over < 2; over++) {
                _cleanup_(buf_done) Buf b = BUF_INIT;
                _cleanup_error_ Error e = ERROR_INIT;
                MachinePatch *p = NULL;
                size_t n = 0;
                int r;

                ck_assert_int_eq(buf_append_char(&b, '['), 0);
                for (size_t i = 0; i < MACHINE_PATCHES_MAX + over; i++)
                        ck_assert_int_eq(buf_append_str(&b, item), 0);
                b.data[b.size - 1] = ']';

                r = machine_patches_parse(b.data, b.size, &p, &n, &e);
                ck_assert_int_eq(r, over ? -EINVAL : 0);
                if (over)
                        ck_assert_str_eq(error_text(&e), "too many operations (max 4096)");
                (void) machine_patches_free(p, n);
        }

        MachinePatch *p;
        size_t n;

        ck_assert_int_eq(machine_patches_parse("[", 1, &p, &n, NULL), -EINVAL);
}
END_TEST

TEST_MAIN("api_doc", test_unit, test_unit_nulls, test_unit_errors, test_unit_options,
          test_unit_lines, test_unit_state, test_machine, test_error, test_page_token, test_patches,
          test_patch_errors, test_patch_limits);
