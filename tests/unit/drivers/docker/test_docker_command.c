#include "drivers/docker/docker_command.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "drivers/docker/docker_flags.h"
#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "specs/command_line.h"

#define TABLE "tests/data/docker/commands.txt"
#define ROWS_MIN 300

static const char *const environment[] = { "FROMENV=fromenv", "OTHER=x" };

static int put_bool(json_t *j, const char *key, bool value) {
        return value ? docker_json_set(j, key, json_true()) : 0;
}

static int put_names(const DockerCommand *c, json_t *j) {
        json_t *names;
        int r = 0;

        if (c->names.n == 0)
                return 0;
        names = docker_json_array(j, "names");
        for (size_t i = 0; r >= 0 && i < c->names.n; i++)
                r = docker_json_append(names, json_string(c->names.items[i]));
        return r;
}

/* The command as a document: what is not default. */
static int command_to_json(const DockerCommand *c, json_t **ret) {
        static const char *const pulls[] = { NULL, "always", "never" };
        _cleanup_json_ json_t *j = json_pack("{s:s}", "verb", docker_verb_to_string(c->verb));
        int r = j ? 0 : -ENOMEM;

        if (r >= 0 && c->body)
                r = docker_json_set(j, "body", json_incref(c->body));
        if (r >= 0 && c->has_stop_timeout)
                r = docker_json_set(j, "time", json_integer(c->stop_timeout));
        if (r < 0 || (r = put_names(c, j)) < 0 ||
            (!c->body && (r = json_set_string(j, "image", c->image)) < 0) ||
            (r = json_set_string(j, "name", c->name)) < 0 ||
            (r = json_set_string(j, "platform", c->platform)) < 0 ||
            (r = json_set_string(j, "signal", c->signal)) < 0 ||
            (r = json_set_string(j, "cidfile", c->cidfile)) < 0 ||
            (r = json_set_string(j, "pull", pulls[c->pull])) < 0 ||
            (r = put_bool(j, "detach", c->detach)) < 0 || (r = put_bool(j, "rm", c->remove)) < 0 ||
            (r = put_bool(j, "attach", c->attach)) < 0 ||
            (r = put_bool(j, "force", c->force)) < 0 ||
            (r = put_bool(j, "volumes", c->volumes)) < 0 ||
            (r = put_bool(j, "link", c->link)) < 0 || (r = put_bool(j, "allTags", c->all_tags)) < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

/* What the command line is read as: the document, or "!" and the refusal. The caller owns it. */
static char *read_line(const char *line, DockerParseMode mode) {
        _cleanup_(strv_done) Strv words = STRV_INIT, env = STRV_INIT;
        _cleanup_(docker_command_freep) DockerCommand *c = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        _cleanup_json_ json_t *j = NULL;
        DockerParseOptions o = { .mode = mode,
                                 .environment = &env,
                                 .host = "unix:///var/run/docker.sock",
                                 .read_file = fs_read_file };
        int r;

        ck_assert_int_eq(command_words(line, true, &words, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(environment); i++)
                ck_assert_int_eq(strv_push(&env, environment[i]), 0);
        r = docker_command_parse(&words, &o, &c, &error);
        if (r < 0) {
                ck_assert_ptr_null(c);
                ck_assert_msg(error.text, "no words for '%s'", line);
                return str_printf("! %s", error_text(&error));
        }
        ck_assert_int_eq(command_to_json(c, &j), 0);
        return json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
}

static bool row_holds(const char *line, const char *expected) {
        _cleanup_free_ char *got = read_line(line, DOCKER_PARSE_FULL);
        _cleanup_json_ json_t *a = NULL, *b = NULL;
        bool equal;

        if (expected[0] == '!' || got[0] == '!')
                equal = str_eq(expected, got);
        else {
                a = json_loads(expected + 2, 0, NULL);
                b = json_loads(got, 0, NULL);
                equal = a && b && json_equal(a, b);
        }
        if (!equal)
                fprintf(stderr, "$ %s\n- %s\n+ %s%s\n", line, expected, got[0] == '!' ? "" : "= ",
                        got);
        return equal;
}

START_TEST(test_table) {
        _cleanup_free_ char *text = NULL;
        const char *line = NULL;
        unsigned rows = 0, wrong = 0;
        char *save = NULL;

        ck_assert_int_eq(fs_read_file(TABLE, MIB, &text, NULL), 0);
        for (char *s = strtok_r(text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
                if (s[0] == '$')
                        line = s + 2;
                else if (s[0] == '=' || s[0] == '!') {
                        rows++;
                        wrong += !row_holds(line, s);
                }
        }
        ck_assert_uint_ge(rows, ROWS_MIN);
        ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* At submit, words that are not finished may become anything; names of flags are still checked. */
static const struct {
        DockerParseMode mode;
        const char *line;
        const char *refusal; /* NULL = accepted */
} submit_rows[] = {
        { DOCKER_PARSE_VALUES, "docker run -p ${PORT}:80 busybox", NULL },
        { DOCKER_PARSE_VALUES, "docker run -m $MEM busybox", NULL },
        { DOCKER_PARSE_VALUES, "docker run -h %H busybox", NULL },
        { DOCKER_PARSE_VALUES, "docker run $OPTS busybox", NULL },
        { DOCKER_PARSE_VALUES, "docker run $OPTS", NULL },
        { DOCKER_PARSE_VALUES, "docker run --env-file /nonexistent busybox", NULL },
        { DOCKER_PARSE_VALUES, "docker run --security-opt seccomp=/nonexistent busybox", NULL },
        { DOCKER_PARSE_VALUES, "docker run ${IMAGE}", NULL },
        { DOCKER_PARSE_VALUES, "docker stop $NAME", NULL },
        { DOCKER_PARSE_VALUES, "docker run -m lots busybox",
          "! flag '--memory' of 'docker run': invalid size: 'lots'" },
        { DOCKER_PARSE_VALUES, "docker run --foo=${X} busybox",
          "! unknown flag '--foo' of 'docker run'" },
        { DOCKER_PARSE_VALUES, "docker run -p ${PORT}:80", "! 'docker run' without an image" },
        { DOCKER_PARSE_FLAGS, "docker run -p :80 -m lots UPPER", NULL },
        { DOCKER_PARSE_FLAGS, "docker run --foo x", "! unknown flag '--foo' of 'docker run'" },
};

START_TEST(test_submit) {
        _cleanup_free_ char *got = read_line(submit_rows[_i].line, submit_rows[_i].mode);

        if (submit_rows[_i].refusal)
                ck_assert_str_eq(got, submit_rows[_i].refusal);
        else
                ck_assert_msg(got[0] != '!', "%s: %s", submit_rows[_i].line, got);
}
END_TEST

START_TEST(test_is_docker) {
        ck_assert(docker_command_is_docker("docker"));
        ck_assert(docker_command_is_docker("/usr/bin/docker"));
        ck_assert(docker_command_is_docker("/bin/docker"));
        ck_assert(!docker_command_is_docker("/usr/bin/dockerd"));
        ck_assert(!docker_command_is_docker("/usr/bin/docker-compose"));
        ck_assert(!docker_command_is_docker("/usr/bin/docker/x"));
}
END_TEST

/* Each row of the table can be reached, and says what it refuses. */
START_TEST(test_flags_are_consistent) {
        for (const DockerFlag *f = docker_flags(); f->name; f++) {
                ck_assert_msg(f->set || f->field, "%s", f->name);
                for (unsigned v = 0; v < _DOCKER_VERB_MAX; v++) {
                        if (!(f->verbs & (1U << v)))
                                continue;
                        ck_assert_ptr_eq(
                                docker_flag_by_name((DockerVerb) v, f->name, strlen(f->name)), f);
                        if (f->letter)
                                ck_assert_ptr_eq(docker_flag_by_letter((DockerVerb) v, f->letter),
                                                 f);
                }
        }
}
END_TEST

static void json_free(void *p) {
        (void) mem_free(p);
}

/* Out of memory anywhere is reported, nothing leaks. */
START_TEST(test_out_of_memory) {
        static const char line[] = "docker run -d --name x -e A=1 -l a=b -p 80-82:90-92/udp "
                                   "-v /a:/b --mount type=tmpfs,dst=/t,tmpfs-size=1m "
                                   "--network name=n,alias=a,ip=1.2.3.4 --ulimit nofile=1:2 "
                                   "--device /dev/null --gpus all --health-cmd x busybox a b";
        _cleanup_(strv_done) Strv words = STRV_INIT;
        DockerParseOptions o = { .mode = DOCKER_PARSE_FULL };
        int r = -ENOMEM;

        json_set_alloc_funcs(mem_alloc, json_free);
        ck_assert_int_eq(command_words(line, true, &words, NULL), 0);
        for (uint64_t n = 1; r < 0; n++) {
                _cleanup_(docker_command_freep) DockerCommand *c = NULL;
                _cleanup_error_ Error error = ERROR_INIT;

                alloc_fail_after(n);
                r = docker_command_parse(&words, &o, &c, &error);
                alloc_fail_after(0);
                ck_assert_msg(r == 0 || r == -ENOMEM, "%" PRIu64 ": %s", n, error_text(&error));
                ck_assert_uint_lt(n, 5000);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("docker_command");
        TCase *t = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(t, test_table);
        tcase_add_loop_test(t, test_submit, 0, (int) ELEMENTSOF(submit_rows));
        tcase_add_test(t, test_is_docker);
        tcase_add_test(t, test_flags_are_consistent);
        tcase_add_test(t, test_out_of_memory);
        tcase_set_timeout(t, 60);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
