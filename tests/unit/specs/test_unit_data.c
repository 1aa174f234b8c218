/*
 * Whole unit files: tests/data/units/valid and tests/data/legacy must be accepted and be called what
 * tests/data/units/hashes says; those in tests/data/units/invalid must be refused with the words beside them.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "specs/command_line.h"
#include "specs/requirements.h"
#include "specs/unit_file.h"
#include "specs/unit_name.h"
#include "tests/lib/suite.h"

#define DATA "tests/data/"

static char *read_file(const char *path, size_t *ret_size) {
        char *text = NULL;

        ck_assert_msg(fs_read_file(path, 64 * MIB, &text, ret_size) == 0, "%s", path);
        return text;
}

/* The files below a directory, by name. */
static void list_files(const char *directory, Strv *ret) {
        DIR *d = opendir(directory);
        struct dirent *entry;

        ck_assert_msg(d != NULL, "%s", directory);
        while ((entry = readdir(d))) {
                _cleanup_free_ char *path = str_printf("%s/%s", directory, entry->d_name);
                struct stat st;

                ck_assert_int_eq(stat(path, &st), 0);
                if (entry->d_name[0] == '.')
                        continue;
                if (S_ISDIR(st.st_mode))
                        list_files(path, ret);
                else
                        ck_assert_int_eq(strv_push(ret, path), 0);
        }
        ck_assert_int_eq(closedir(d), 0);
        strv_sort(ret);
}

static const char *base_name(const char *path) {
        return strrchr(path, '/') + 1;
}

static int read_and_validate(const char *path, UnitFile **ret, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        text = read_file(path, &size);
        r = unit_file_parse(text, size, ret, reterr);
        return r < 0 ? r : unit_validate(base_name(path), *ret, reterr);
}

/* Every Exec line splits, and its path stands after the prefixes. */
static void check_exec_lines(const char *path, const UnitFile *u) {
        const UnitOption *o;
        size_t at = 0;

        while ((o = unit_file_next(u, "Service", &at))) {
                _cleanup_free_ char *line = unit_option_joined_value(o);
                _cleanup_error_ Error e = ERROR_INIT;
                CommandLine *lines = NULL;
                size_t n = 0;

                if (!str_after_prefix(o->name, "Exec"))
                        continue;
                ck_assert_msg(command_line_parse(line, &lines, &n, &e) == 0, "%s: %s", path,
                              error_text(&e));
                ck_assert_uint_eq(n, 1);
                ck_assert_msg(lines[0].path[0] == '/', "%s: %s", path, lines[0].path);
                ck_assert_str_eq(lines[0].argv.items[0], lines[0].path);
                (void) command_lines_free(lines, n);
        }
}

/* "hash  path" as sha1sum(1) writes it, of the serialised text. */
static void check_hash(const char *path, const UnitFile *u, const char *hashes) {
        char hash[SHA1_HEX_SIZE];

        ck_assert_int_eq(unit_file_hash(u, hash), 0);

        _cleanup_free_ char *line = str_printf("%s  %s\n", hash, path + strlen(DATA));

        ck_assert_msg(strstr(hashes, line) != NULL, "not in hashes: %s", line);
}

static void check_round_trip(const char *path, const UnitFile *u) {
        _cleanup_(unit_file_freep) UnitFile *again = NULL;
        _cleanup_free_ char *text = NULL, *text_again = NULL;

        ck_assert_int_eq(unit_file_serialise(u, &text), 0);
        ck_assert_int_eq(unit_file_parse(text, strlen(text), &again, NULL), 0);
        ck_assert_int_eq(unit_file_serialise(again, &text_again), 0);
        ck_assert_msg(str_eq(text, text_again), "%s", path);
        ck_assert_uint_le(strlen(text), u->text_bytes);
        ck_assert_uint_eq(u->n_options, again->n_options);
}

static size_t check_good(const char *directory) {
        _cleanup_(strv_done) Strv paths = STRV_INIT;
        _cleanup_free_ char *hashes = read_file(DATA "units/hashes", NULL);
        size_t n = 0;

        list_files(directory, &paths);
        for (size_t i = 0; i < paths.n; i++) {
                _cleanup_(unit_file_freep) UnitFile *u = NULL;
                _cleanup_error_ Error e = ERROR_INIT;
                const char *path = paths.items[i];

                if (unit_name_validate(base_name(path), NULL) < 0)
                        continue; /* the README and such */
                ck_assert_msg(read_and_validate(path, &u, &e) == 0, "%s: %s", path, error_text(&e));
                check_exec_lines(path, u);
                check_hash(path, u, hashes);
                check_round_trip(path, u);
                n++;
        }
        return n;
}

START_TEST(test_legacy) {
        ck_assert_uint_eq(check_good(DATA "legacy"), 11);
}
END_TEST

START_TEST(test_valid) {
        ck_assert_uint_ge(check_good(DATA "units/valid"), 8);
}
END_TEST

START_TEST(test_invalid) {
        _cleanup_(strv_done) Strv paths = STRV_INIT;
        size_t n = 0;

        list_files(DATA "units/invalid", &paths);
        for (size_t i = 0; i < paths.n; i++) {
                _cleanup_free_ char *wanted_path = str_printf("%s.error", paths.items[i]);
                _cleanup_free_ char *wanted = NULL, *got = NULL;
                _cleanup_(unit_file_freep) UnitFile *u = NULL;
                _cleanup_error_ Error e = ERROR_INIT;

                if (str_has_suffix(paths.items[i], ".error"))
                        continue;
                ck_assert_msg(read_and_validate(paths.items[i], &u, &e) == -EINVAL, "%s",
                              paths.items[i]);
                wanted = read_file(wanted_path, NULL);
                got = error_format(&e);
                ck_assert_msg(str_eq(got, str_trim(wanted)), "%s: %s", paths.items[i], got);
                n++;
        }
        ck_assert_uint_ge(n, 18);
}
END_TEST

/* What the oldest of them ask for. */
START_TEST(test_legacy_requirements) {
        static const struct {
                const char *path, *name, *conflicts, *machine_of;
                size_t n_metadata;
                bool global;
        } cases[] = {
                { "apache@.service", "apache@1.service", "apache@*.service", "", 0, false },
                { "apache-discovery@.service", "apache-discovery@2.service", "", "apache@2.service",
                  0, false },
                { "datadog.service", "datadog.service", "", "", 0, true },
                { "webapp-cloud-amazon.service", "webapp-cloud-amazon.service", "webapp*", "", 3,
                  false },
                { "with-conflicts/python-test@.service", "python-test@1.service",
                  "hello-world@1.service", "", 0, false },
                { "with-machineof/python-test@.service", "python-test@1.service", "",
                  "hello-world@1.service", 0, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *path = str_printf(DATA "legacy/%s", cases[i].path);
                _cleanup_free_ char *conflicts = NULL, *machine_of = NULL;
                _cleanup_(requirements_freep) Requirements *q = NULL;
                _cleanup_(unit_file_freep) UnitFile *u = NULL;
                _cleanup_(strv_done) Strv warnings = STRV_INIT;

                ck_assert_int_eq(read_and_validate(path, &u, NULL), 0);
                ck_assert_int_eq(requirements_parse(cases[i].name, u, &q, &warnings, NULL), 0);
                ck_assert_uint_eq(warnings.n, 0);
                conflicts = strv_join(&q->conflicts, " ");
                machine_of = strv_join(&q->machine_of, " ");
                ck_assert_str_eq(conflicts, cases[i].conflicts);
                ck_assert_str_eq(machine_of, cases[i].machine_of);
                ck_assert_uint_eq(q->n_metadata, cases[i].n_metadata);
                ck_assert(q->global == cases[i].global);
        }
}
END_TEST

/* A shell around docker, over several lines: one argument, its back-quotes untouched. */
START_TEST(test_datadog) {
        _cleanup_(unit_file_freep) UnitFile *u = NULL;
        CommandLine *lines;
        size_t n;

        ck_assert_int_eq(read_and_validate(DATA "legacy/datadog.service", &u, NULL), 0);
        for (size_t i = 0; i < u->n_options; i++) {
                _cleanup_free_ char *line = unit_option_joined_value(&u->options[i]);

                if (!str_eq(u->options[i].name, "ExecStart"))
                        continue;
                ck_assert_int_eq(command_line_parse(line, &lines, &n, NULL), 0);
                ck_assert_uint_eq(n, 1);
                ck_assert_str_eq(lines[0].path, "/usr/bin/bash");
                ck_assert_uint_eq(lines[0].argv.n, 3);
                ck_assert_str_eq(lines[0].argv.items[2],
                                 "/usr/bin/docker run --privileged --name dd-agent -h `hostname`  "
                                 "-v /var/run/docker.sock:/var/run/docker.sock  "
                                 "-v /proc/mounts:/host/proc/mounts:ro  "
                                 "-v /sys/fs/cgroup/:/host/sys/fs/cgroup:ro  "
                                 "-e API_KEY=`etcdctl get /ddapikey`  datadog/docker-dd-agent");
                (void) command_lines_free(lines, n);
                return;
        }
        ck_abort_msg("no ExecStart");
}
END_TEST

TEST_MAIN("unit_data", test_legacy, test_valid, test_invalid, test_legacy_requirements,
          test_datadog);
