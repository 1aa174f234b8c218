/*
 * Each reader and writer of specs/ with the n-th allocation failing, for every n: it says -ENOMEM (or
 * returns NULL), leaves nothing behind (the sanitizer build sees that), and works once memory is there.
 */
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"
#include "specs/command_line.h"
#include "specs/requirements.h"
#include "specs/specifier.h"
#include "specs/unit_name.h"
#include "tests/lib/suite.h"

enum { ALLOCATIONS_MAX = 2000 };

static int or_no_memory(const void *p) {
        return p ? 0 : -ENOMEM;
}

#define UNIT                                                                                       \
        "# c\n[Unit]\nDescription=x\nAfter=a \\\n b\n[Service]\nExecStart=/x \\ \n -e A=1\n"       \
        "ExecStop=/y \\ \n[X-Fleet]\nMachineOf=%p@%i.service\nMachineMetadata=\"a=1\" \"b=2\" "    \
        "bad\n"                                                                                    \
        "MachineMetadata=a=2\nMachineMetadata=a=3\nConflicts=c* "                                  \
        "d*\nX-Conflicts=e\nDriver=docker\n"                                                       \
        "Global=false\nMachineID=m\nUnknown=1\nReplaces=r\nMachineMetadata=bad\n"

static int unit_file(Error *e) {
        _cleanup_(unit_file_freep) UnitFile *u = NULL;
        _cleanup_free_ char *text = NULL, *joined = NULL;
        char hash[SHA1_HEX_SIZE];
        int r;

        r = unit_file_parse(UNIT, strlen(UNIT), &u, e);
        if (r >= 0)
                r = unit_file_add(u, "Service", "TimeoutStartSec", " 0 ", e);
        if (r >= 0)
                r = unit_file_serialise(u, &text);
        if (r >= 0)
                r = unit_file_hash(u, hash);
        if (r < 0)
                return r;

        joined = unit_option_joined_value(&u->options[1]);
        return or_no_memory(joined);
}

static int requirements(Error *e) {
        _cleanup_(requirements_freep) Requirements *q = NULL;
        _cleanup_(unit_file_freep) UnitFile *u = NULL;
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        int r;

        r = unit_file_parse(UNIT, strlen(UNIT), &u, e);
        if (r >= 0)
                r = requirements_parse("u@i.service", u, &q, &warnings, e);
        if (r < 0)
                return r;

        ck_assert_int_eq(requirements_validate(q, NULL), -EINVAL);
        return 0;
}

/* A failure that is said in words keeps its code when there is no memory for them. */
static int bad_requirements(Error *e) {
        static const char text[] = "[X-Fleet]\nDriver=x\n";
        _cleanup_(unit_file_freep) UnitFile *u = NULL;
        int r;

        r = unit_file_parse(text, strlen(text), &u, e);
        if (r >= 0)
                r = unit_validate("u.service", u, e);
        return r == -EINVAL ? 0 : r;
}

static int unit_name(Error *e) {
        _cleanup_(unit_name_done) UnitName n = { 0 };
        _cleanup_free_ char *argument = NULL, *known = NULL;
        int r;

        (void) e;
        r = unit_name_parse("a@b.service", &n);
        if (r < 0)
                return r;

        argument = unit_name_from_argument("dir/x");
        known = unit_name_from_argument("dir/x.timer");
        return argument && known ? 0 : -ENOMEM;
}

static int escaping(Error *e) {
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL, *d = NULL, *f = NULL;
        int r;

        (void) e;
        r = unit_name_escape("/a b", &a);
        if (r >= 0)
                r = unit_name_escape_path("/a//b/./c", &b);
        if (r >= 0)
                r = unit_name_unescape("a-b\\x20", &c);
        if (r >= 0)
                r = unit_name_unescape_path("a-b", &d);
        if (r >= 0)
                r = unit_name_unescape_path("-", &f);
        return r;
}

static int specifier(Error *e) {
        static const SpecifierHost host = { .hostname = "h.x" };
        _cleanup_free_ char *text = NULL;

        return specifier_expand("a %n %N %p %P %i %I %j %J %H %l %% %{ %", "a-b@c-d.service", &host,
                                &text, e);
}

static int command_line(Error *e) {
        static const SpecifierHost host = { .hostname = "h" };
        _cleanup_(strv_done) Strv env = STRV_INIT, argv = STRV_INIT, unset = STRV_INIT;
        CommandLine *lines = NULL;
        size_t n = 0;
        int r;

        r = environment_set(&env, "A=1 2");
        if (r >= 0)
                r = environment_set(&env, "A=3 \"4 5\"");
        if (r >= 0)
                r = command_line_parse("-/x//y %n \"a \\x41\" \\q $A ${A}x $B ${B} \\; ; @z $B",
                                       &lines, &n, e);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = command_line_expand_specifiers(&lines[i], "u.service", &host, e);
                if (r >= 0)
                        r = command_line_expand(&lines[i], &env, &argv, &unset);
                strv_done(&argv);
        }

        (void) command_lines_free(lines, n);
        return r;
}

static int words(Error *e) {
        _cleanup_(strv_done) Strv v = STRV_INIT;

        return command_words("a \"b c\" d\\x41", true, &v, e);
}

static int environment_file(Error *e) {
        static const char text[] = "# c\nA=1\\2 \nB=\"x\\$y\\n\" 'z'w\nbad\n9=1\nC='q";
        _cleanup_(strv_done) Strv items = STRV_INIT, warnings = STRV_INIT;

        return environment_file_parse(text, strlen(text), &items, &warnings, e);
}

static int metadata(Error *e) {
        _cleanup_(metadata_done) Metadata m = { 0 }, copy = { 0 };
        _cleanup_(strv_done) Strv bad = STRV_INIT;
        _cleanup_free_ char *text = NULL;
        int r;

        (void) e;
        r = metadata_parse("b=1,a=2,bad,a=3", &m, &bad);
        if (r >= 0)
                r = metadata_copy(&m, &copy);
        if (r >= 0)
                r = metadata_set(&copy, "a", "4");
        if (r >= 0)
                r = metadata_merge(&m, &copy);
        if (r < 0)
                return r;

        text = metadata_format(&m);
        return or_no_memory(text);
}

static int machine(Error *e) {
        static const char text[] = "{\"id\":\"m\",\"publicIP\":\"1.2.3.4\",\"version\":\"1\","
                                   "\"drivers\":[\"a\",\"b\"],"
                                   "\"metadata\":{\"a\":\"1\"},\"cpus\":1,\"memoryBytes\":2}";
        _cleanup_(machine_freep) Machine *m = NULL;
        _cleanup_json_ json_t *j = NULL, *out = NULL;
        int r;

        r = json_parse(text, strlen(text), &j, e);
        if (r >= 0)
                r = machine_from_json(j, &m, e);
        if (r >= 0)
                r = machine_to_json(m, &out);
        return r;
}

static int unit_state(Error *e) {
        static const char text[] =
                "{\"unit\":\"u\",\"machine\":\"m\",\"hash\":\"h\",\"load\":\"l\",\"target\":"
                "\"loaded\",\"since\":1,\"restarts\":2,\"exitCode\":3,\"exitSignal\":4}";
        _cleanup_(unit_state_freep) UnitState *s = NULL, *copy = NULL;
        _cleanup_json_ json_t *j = NULL, *out = NULL;
        int r;

        r = json_parse(text, strlen(text), &j, e);
        if (r >= 0)
                r = unit_state_from_json(j, &s, e);
        if (r < 0)
                return r;

        copy = unit_state_copy(s);
        return copy ? unit_state_to_json(copy, &out) : -ENOMEM;
}

static int api_unit(Error *e) {
        static const char text[] =
                "{\"name\":\"u.service\",\"desiredState\":\"loaded\",\"currentState\":\"loaded\","
                "\"machineID\":\"m\",\"options\":[{\"section\":\"S\",\"name\":\"a\",\"value\":"
                "\"b\"},{\"section\":\"S\",\"name\":\"a\",\"value\":\"b\"}]}";
        _cleanup_(api_unit_freep) ApiUnit *u = NULL;
        _cleanup_json_ json_t *j = NULL, *out = NULL;
        int r;

        r = json_parse(text, strlen(text), &j, e);
        if (r >= 0)
                r = api_unit_from_json(j, &u, e);
        if (r >= 0)
                r = api_unit_to_json(u, &out);
        return r;
}

static int api_others(Error *e) {
        static const char state[] = "{\"name\":\"u\",\"machineID\":\"m\",\"hash\":\"h\","
                                    "\"systemdActiveState\":\"active\",\"systemdLoadState\":"
                                    "\"loaded\",\"systemdSubState\":\"running\"}";
        static const char machine_text[] =
                "{\"id\":\"m\",\"primaryIP\":\"i\",\"metadata\":{\"a\":\"1\"}}";
        _cleanup_json_ json_t *a = NULL, *b = NULL, *c = NULL, *d = NULL;
        _cleanup_(unit_state_freep) UnitState *s = NULL;
        _cleanup_(machine_freep) Machine *m = NULL;
        int r;

        r = json_parse(state, strlen(state), &a, e);
        if (r >= 0)
                r = api_unit_state_from_json(a, &s, e);
        if (r >= 0)
                r = api_unit_state_to_json(s, &b);
        if (r >= 0)
                r = json_parse(machine_text, strlen(machine_text), &c, e);
        if (r >= 0)
                r = api_machine_from_json(c, &m, e);
        if (r >= 0)
                r = api_machine_to_json(m, &d);
        return r;
}

static int api_errors(Error *e) {
        _cleanup_free_ char *body = api_error_format(404, "gone");
        _cleanup_free_ char *message = body ? api_error_parse(body, strlen(body)) : NULL;

        (void) e;
        return or_no_memory(message);
}

static int requests(Error *e) {
        static const char body[] = "[{\"op\":\"add\",\"path\":\"/m/metadata/k\",\"value\":\"v\"},"
                                   "{\"op\":\"remove\",\"path\":\"/m/metadata/k\"}]";
        PageToken t = { .limit = 100, .page = 2 };
        _cleanup_free_ char *token = page_token_format(&t);
        MachinePatch *patches = NULL;
        size_t n = 0;
        int r;

        if (!token)
                return -ENOMEM;

        r = page_token_parse(token, 100, &t, e);
        if (r >= 0)
                r = machine_patches_parse(body, strlen(body), &patches, &n, e);
        (void) machine_patches_free(patches, n);
        return r;
}

static const struct {
        const char *name;
        int (*run)(Error *e);
} cases[] = {
        { "unit_file", unit_file },
        { "requirements", requirements },
        { "bad requirements", bad_requirements },
        { "unit_name", unit_name },
        { "escaping", escaping },
        { "specifier", specifier },
        { "command_line", command_line },
        { "words", words },
        { "environment_file", environment_file },
        { "metadata", metadata },
        { "machine", machine },
        { "unit_state", unit_state },
        { "api_unit", api_unit },
        { "api_others", api_others },
        { "api_errors", api_errors },
        { "requests", requests },
};

START_TEST(test_every_allocation) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t n = 0;
                int r;

                do {
                        _cleanup_error_ Error e = ERROR_INIT;

                        alloc_fail_after(++n);
                        r = cases[i].run(&e);
                        alloc_fail_after(0);
                        ck_assert_msg(r == 0 || r == -ENOMEM, "%s: allocation %u: %d",
                                      cases[i].name, (unsigned) n, r);
                        ck_assert_uint_lt(n, ALLOCATIONS_MAX);
                } while (r < 0);
                ck_assert_msg(n > 1, "%s", cases[i].name);
        }
}
END_TEST

TEST_MAIN("out_of_memory", test_every_allocation);
