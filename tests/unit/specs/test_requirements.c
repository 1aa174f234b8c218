#include "specs/requirements.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static UnitFile *parse_file(const char *text) {
        UnitFile *u = NULL;

        ck_assert_int_eq(unit_file_parse(text, strlen(text), &u, NULL), 0);
        return u;
}

/* A section with these lines. */
static UnitFile *section(const char *lines) {
        _cleanup_free_ char *text = str_printf("[X-Fleet]\n%s\n", lines);

        return parse_file(text);
}

static void append_list(Buf *b, const char *key, const Strv *v) {
        _cleanup_free_ char *joined = strv_join(v, ",");

        if (v->n > 0)
                ck_assert_int_eq(buf_printf(b, "%s=%s ", key, joined), 0);
}

static char *show(const Requirements *q) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        if (q->machine_id)
                ck_assert_int_eq(buf_printf(&b, "id=%s ", q->machine_id), 0);
        append_list(&b, "of", &q->machine_of);
        for (size_t i = 0; i < q->n_metadata; i++)
                append_list(&b, q->metadata[i].key, &q->metadata[i].values);
        append_list(&b, "conflicts", &q->conflicts);
        append_list(&b, "replaces", &q->replaces);
        if (q->global)
                ck_assert_int_eq(buf_append_str(&b, "global "), 0);
        if (q->on_disconnect == ON_DISCONNECT_STOP)
                ck_assert_int_eq(buf_append_str(&b, "stop "), 0);
        if (q->driver)
                ck_assert_int_eq(buf_printf(&b, "driver=%s ", q->driver), 0);
        return buf_steal(&b);
}

#define UNKNOWN "unrecognized requirement in [X-Fleet] section: "
#define MALFORMED(v)                                                                               \
        "malformed MachineMetadata in [X-Fleet] section is ignored: \"" v "\" is not key=value"

START_TEST(test_parse) {
        static const struct {
                const char *lines, *shown, *warnings;
        } cases[] = {
                { "", "", "" },
                /* MachineID and its aliases: the first value of the first key that is there */
                { "MachineID=abc", "id=abc ", "" },
                { "MachineID=abc\nMachineID=def", "id=abc ", "" },
                { "X-ConditionMachineBootID=c\nX-ConditionMachineID=b\nMachineID=a", "id=a ", "" },
                { "X-ConditionMachineBootID=c\nX-ConditionMachineID=b", "id=b ", "" },
                { "X-ConditionMachineBootID=c", "id=c ", "" },
                { "MachineID=", "", "" },
                { "MachineID=\"a\" \"b\"", "id=a ", "" },
                /* MachineOf */
                { "MachineOf=a.service\nX-ConditionMachineOf=b.service\nMachineOf=c.service",
                  "of=a.service,c.service,b.service ", "" },
                { "MachineOf=a.service b.service", "of=a.service b.service ", "" },
                { "MachineOf=\"a.service\" \"b.service\"", "of=a.service,b.service ", "" },
                { "MachineOf=%p@%i.x %n %N %% %H", "of=foo@bar.x foo@bar.service foo@bar %% %H ",
                  "" },
                /* MachineMetadata */
                { "MachineMetadata=a=1\nMachineMetadata=b=2\nMachineMetadata=a=3", "a=1,3 b=2 ",
                  "" },
                { "MachineMetadata=\"a=1\" \"b=2\" \"c=x y\"\nX-ConditionMachineMetadata=a=3",
                  "a=1,3 b=2 c=x y ", "" },
                { "MachineMetadata=region=us-%i", "region=us-bar ", "" },
                { "MachineMetadata=a b=c d", "a b=c d ", "" },
                { "MachineMetadata=a\nMachineMetadata=a=b=c\nMachineMetadata==b\nMachineMetadata="
                  "a=",
                  "",
                  MALFORMED("a") "|" MALFORMED("a=b=c") "|" MALFORMED("=b") "|" MALFORMED("a=") },
                { "MachineMetadata=\"a\" b", "", MALFORMED("\"a\" b") },
                { "MachineMetadata=\"a=1\" b", "\"a=1\" b ", "" },
                /* Conflicts */
                { "Conflicts=a* b*\tc*\nX-Conflicts=d*\nConflicts=\"e f\" g",
                  "conflicts=a*,b*,c*,\"e,f\",g,d* ", "" },
                { "Conflicts=\"a* b*\" \"c*\"", "conflicts=a*,b*,c* ", "" },
                { "Conflicts=%p@*.service", "conflicts=foo@*.service ", "" },
                /* Replaces */
                { "Replaces=a b\nReplaces=c", "replaces=a b,c ", "" },
                /* Global */
                { "Global=true", "global ", "" },
                { "Global=YES", "global ", "" },
                { "Global=1", "global ", "" },
                { "Global=On", "global ", "" },
                { "Global=T", "global ", "" },
                { "Global=y", "", "" },
                { "Global=true\nGlobal=no", "", "" },
                { "Global=no\nGlobal=true", "global ", "" },
                { "Global=\"no\" \"true\"", "global ", "" },
                /* ours */
                { "OnDisconnect=stop\nDriver=docker", "stop driver=docker ", "" },
                { "OnDisconnect=keep\nDriver=auto", "", "" },
                { "Driver=rkt\nDriver=systemd", "driver=systemd ", "" },
                { "Driver=docker\nDriver=auto", "", "" },
                { "Driver=", "", "" },
                /* quoting */
                { "MachineOf=\"", "of=\" ", "" },
                { "MachineOf=\"\"", "", "" },
                { "MachineOf=\"a\"  b \"c d\"", "of=a,b,c d ", "" },
                { "MachineOf=\"a\"b\"", "of=ab ", "" },
                /* unknown keys, in the case they were written */
                { "machineid=a\nFoo=b\nX-ConditionMachineId=c", "",
                  UNKNOWN "\"machineid\"|" UNKNOWN "\"Foo\"|" UNKNOWN "\"X-ConditionMachineId\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_file_freep) UnitFile *u = section(cases[i].lines);
                _cleanup_(requirements_freep) Requirements *q = NULL, *silent = NULL;
                _cleanup_(strv_done) Strv warnings = STRV_INIT;
                _cleanup_free_ char *shown = NULL, *warned = NULL, *quiet = NULL;

                ck_assert_int_eq(requirements_parse("foo@bar.service", u, &q, &warnings, NULL), 0);
                shown = show(q);
                warned = strv_join(&warnings, "|");
                ck_assert_str_eq(shown, cases[i].shown);
                ck_assert_str_eq(warned, cases[i].warnings);
                ck_assert_int_eq(requirements_parse("foo@bar.service", u, &silent, NULL, NULL), 0);
                quiet = show(silent);
                ck_assert_str_eq(quiet, shown);
        }
}
END_TEST

START_TEST(test_without_instance) {
        _cleanup_(unit_file_freep) UnitFile *u = parse_file(
                "[Service]\nConflicts=x\n[X-Fleet]\nMachineOf=%p-%i.service\n"
                "[X-Fleet2]\nGlobal=true\n");
        _cleanup_(requirements_freep) Requirements *q = NULL;

        ck_assert_int_eq(requirements_parse("foo.service", u, &q, NULL, NULL), 0);

        _cleanup_free_ char *shown = show(q);

        ck_assert_str_eq(shown, "of=foo-.service ");
}
END_TEST

START_TEST(test_parse_errors) {
        static const char *const cases[][2] = {
                { "Driver=podman", "invalid Driver in [X-Fleet] section: 'podman' is none of auto, "
                                   "docker, process, rkt, systemd" },
                { "Driver=Docker", "invalid Driver in [X-Fleet] section: 'Docker' is none of auto, "
                                   "docker, process, rkt, systemd" },
                { "OnDisconnect=no",
                  "invalid OnDisconnect in [X-Fleet] section: 'no' is none of keep, stop" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_file_freep) UnitFile *u = section(cases[i][0]);
                _cleanup_(requirements_freep) Requirements *q = NULL;
                _cleanup_error_ Error e = ERROR_INIT;

                ck_assert_int_eq(requirements_parse("foo.service", u, &q, NULL, &e), -EINVAL);
                ck_assert_str_eq(error_text(&e), cases[i][1]);
        }
}
END_TEST

/* `n` values of `size` bytes on one line. */
static char *many(const char *key, size_t n, size_t size) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        ck_assert_int_eq(buf_printf(&b, "%s=\"", key), 0);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(buf_printf(&b, "%s%0*d", i > 0 ? "\" \"" : "", (int) size, 7), 0);
        ck_assert_int_eq(buf_append_char(&b, '"'), 0);
        return buf_steal(&b);
}

START_TEST(test_limits) {
        static const char *const keys[] = { "MachineID",      "MachineOf",   "X-ConditionMachineOf",
                                            "Conflicts",      "X-Conflicts", "Replaces",
                                            "MachineMetadata" };
        static const struct {
                size_t n, size;
                const char *error;
        } cases[] = {
                { REQUIREMENT_VALUES_MAX, 1, NULL },
                { REQUIREMENT_VALUES_MAX + 1, 1, "too many values of " },
                { 1, REQUIREMENT_BYTES_MAX, NULL },
                { 1, REQUIREMENT_BYTES_MAX + 1, "is too long (max 1024 bytes)" },
        };

        for (size_t i = 0; i < ELEMENTSOF(keys) * ELEMENTSOF(cases); i++) {
                const char *key = keys[i / ELEMENTSOF(cases)];
                size_t c = i % ELEMENTSOF(cases);
                _cleanup_free_ char *lines = many(key, cases[c].n, cases[c].size);
                _cleanup_(unit_file_freep) UnitFile *u = section(lines);
                _cleanup_(requirements_freep) Requirements *q = NULL;
                _cleanup_error_ Error e = ERROR_INIT;

                ck_assert_int_eq(requirements_parse("foo.service", u, &q, NULL, &e),
                                 cases[c].error ? -EINVAL : 0);
                if (cases[c].error)
                        ck_assert_msg(strstr(error_text(&e), cases[c].error) != NULL, "%s: %s", key,
                                      error_text(&e));
        }
}
END_TEST

START_TEST(test_specifier_limit) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        _cleanup_(requirements_freep) Requirements *q = NULL;
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_int_eq(buf_append_str(&b, "Conflicts="), 0);
        for (size_t i = 0; i < 400000; i++)
                ck_assert_int_eq(buf_append_str(&b, "%n"), 0);

        _cleanup_(unit_file_freep) UnitFile *u = section(b.data);

        ck_assert_int_eq(requirements_parse("foo.service", u, &q, NULL, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e),
                         "value in [X-Fleet] section is too long (max 4194304 bytes)");
}
END_TEST

/* FLEET.md B6, in fleet's words; NULL = they go together. */
START_TEST(test_validate) {
        static const char *const cases[][2] = {
                { "MachineOf=a.service\nConflicts=a*",
                  "unresolvable requirements: peer \"a.service\" matches conflict \"a*\"" },
                { "MachineOf=b.service\nMachineOf=a.service\nReplaces=a*\nConflicts=c",
                  "unresolvable requirements: peer \"a.service\" matches replace \"a*\"" },
                { "MachineID=x\nMachineOf=a.service\nConflicts=a.service",
                  "unresolvable requirements: peer \"a.service\" matches conflict \"a.service\"" },
                { "MachineID=x\nMachineOf=a.service\nConflicts=b",
                  "MachineID cannot be used with Peers" },
                { "MachineID=x\nConflicts=b\nGlobal=true",
                  "MachineID cannot be used with Conflicts" },
                { "MachineID=x\nGlobal=true\nReplaces=b", "MachineID cannot be used with Global" },
                { "MachineID=x\nReplaces=b", "MachineID cannot be used with Replaces" },
                { "Global=true\nMachineOf=a.service\nReplaces=b",
                  "Global cannot be used with Peers" },
                { "Global=true\nReplaces=b\nConflicts=c", "Global cannot be used with Replaces" },
                { "Conflicts=a\nReplaces=b", "Conflicts cannot be used with Replaces" },
                { "", NULL },
                { "MachineID=x\nMachineMetadata=a=b", NULL },
                { "Global=true\nMachineMetadata=a=b", NULL },
                { "Global=true\nConflicts=a", NULL },
                { "MachineOf=a.service\nConflicts=b", NULL },
                { "MachineOf=a.service\nConflicts=a", NULL },
                { "MachineOf=a.service\nReplaces=b", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_file_freep) UnitFile *u = section(cases[i][0]);
                _cleanup_error_ Error e = ERROR_INIT;
                int r = unit_validate("foo.service", u, &e);

                ck_assert_int_eq(r, cases[i][1] ? -EINVAL : 0);
                if (cases[i][1])
                        ck_assert_str_eq(error_text(&e), cases[i][1]);
        }
}
END_TEST

START_TEST(test_validate_order) {
        _cleanup_(unit_file_freep) UnitFile *u = section("Driver=x\nGlobal=1\nReplaces=a");
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_int_eq(unit_validate("foo", u, &e), -EINVAL);
        ck_assert_str_eq(error_text(&e), "unit name must contain \".\"");
        ck_assert_int_eq(unit_validate("foo.service", u, &e), -EINVAL);
        ck_assert_ptr_nonnull(strstr(error_text(&e), "invalid Driver"));
}
END_TEST

TEST_MAIN("requirements", test_parse, test_without_instance, test_parse_errors, test_limits,
          test_specifier_limit, test_validate, test_validate_order);
