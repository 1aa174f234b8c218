#include <check.h>
#include <stdlib.h>

#include "drivers/docker/docker_driver.h"
#include "drivers/docker/docker_exit.h"
#include "drivers/docker/docker_lines.h"
#include "drivers/docker/docker_pull.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"

#define PRE "ExecStartPre=-/usr/bin/docker kill x\nExecStartPre=-/usr/bin/docker rm x\n"
#define RUN "ExecStart=/usr/bin/docker run --name x busybox\n"

/* The [Service] section, and what claim says of it: "" = ours, else the words it must hold. */
static const struct {
        const char *unit;
        const char *service;
        int r;
        unsigned line;
        const char *words;
} rows[] = {
        { "a.service", RUN, DRIVER_CLAIMS, 0, NULL },
        { "a.service", PRE RUN "ExecStop=/usr/bin/docker stop x\n", DRIVER_CLAIMS, 0, NULL },
        { "a.service", "ExecStart=docker run busybox\n", DRIVER_CLAIMS, 0, NULL },
        { "a.service", "ExecStart=/bin/docker container run busybox\n", DRIVER_CLAIMS, 0, NULL },
        { "a@.service", "ExecStart=/usr/bin/docker run -p 80%i:80 --name a-%i busybox\n",
          DRIVER_CLAIMS, 0, NULL },
        { "a@1.service", "ExecStart=/usr/bin/docker run -p 80%i:80 -h %H busybox\n", DRIVER_CLAIMS,
          0, NULL },
        { "a.service", "EnvironmentFile=/etc/x\nExecStart=/usr/bin/docker run $OPTIONS ${IMAGE}\n",
          DRIVER_CLAIMS, 0, NULL },
        { "a.service",
          "ExecStartPre=/usr/bin/docker create --name x busybox\nExecStart=/usr/bin/docker start "
          "-a x\n",
          DRIVER_CLAIMS, 0, NULL },
        { "a.service", "ExecStart=/usr/bin/docker -H unix:///var/run/docker.sock run busybox\n",
          DRIVER_CLAIMS, 0, NULL },
        { "a.service",
          "Type=oneshot\nExecStart=/usr/bin/docker run a\nExecStart=/usr/bin/docker run b\n",
          DRIVER_CLAIMS, 0, NULL },
        { "a.service", "ExecStart=/usr/bin/sleep 1\n", DRIVER_NOT_MINE, 2,
          "ExecStart runs /usr/bin/sleep, not docker" },
        { "a.service", "ExecStartPre=/bin/sleep 5\n" RUN, DRIVER_NOT_MINE, 2,
          "ExecStartPre runs /bin/sleep, not docker" },
        { "a.service", RUN "ExecStopPost=/usr/bin/mkdir -p /x\n", DRIVER_NOT_MINE, 3,
          "ExecStopPost runs /usr/bin/mkdir, not docker" },
        { "a.service", "ExecStart=/usr/bin/docker start x\n", DRIVER_NOT_MINE, 2,
          "no ExecStartPre creates" },
        { "a.service", "ExecStart=/usr/bin/docker stop x\n", DRIVER_NOT_MINE, 2, "'docker stop'" },
        { "a.service", RUN "ExecReload=/usr/bin/docker exec x reload\n", DRIVER_NOT_MINE, 3,
          "'docker exec' is not supported" },
        { "a.service", "ExecStart=/usr/bin/docker -H tcp://10.0.0.1:2375 run busybox\n",
          DRIVER_NOT_MINE, 2, "another engine" },
        { "a.service", "Type=forking\n" RUN, DRIVER_NOT_MINE, 0, "Type=forking" },
        { "a.service", "Type=notify\n" RUN, DRIVER_NOT_MINE, 0, "Type=notify" },
        { "a.service", "WatchdogSec=10\n" RUN, DRIVER_NOT_MINE, 0, "WatchdogSec=" },
        { "a.service", "Restart=no\n", DRIVER_NOT_MINE, 0, "no ExecStart" },
        { "a.socket", RUN, DRIVER_NOT_MINE, 0, "no service" },
        { "a.service", "ExecStart=/usr/bin/docker run --foo busybox\n", -EINVAL, 2,
          "unknown flag '--foo' of 'docker run'" },
        { "a.service", PRE "ExecStart=/usr/bin/docker run -m lots busybox\n", -EINVAL, 4,
          "invalid size: 'lots'" },
        { "a.service", "ExecStart=/usr/bin/docker run --restart=always busybox\n", -EINVAL, 2,
          "use Restart=" },
        { "a.service", "ExecStart=/usr/bin/docker run --annotation a=b busybox\n", -EINVAL, 2,
          "'--annotation' of 'docker run' is not supported" },
        { "a.service", "ExecStart=/usr/bin/docker run\n", -EINVAL, 2, "without an image" },
        { "a.service", "ExecStart=/usr/bin/docker frobnicate\n", -EINVAL, 2,
          "not a docker command" },
        { "a@.service", "ExecStart=/usr/bin/docker run --foo busybox\n", -EINVAL, 2,
          "unknown flag '--foo'" },
        { "a.service", "Restart=sometimes\n" RUN, -EINVAL, 2, "sometimes" },
};

START_TEST(test_claim) {
        _cleanup_free_ char *text = str_printf("[Service]\n%s", rows[_i].service);
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        ck_assert_int_eq(unit_file_parse(text, strlen(text), &file, NULL), 0);
        r = docker_driver_type.claim(rows[_i].unit, file, &error);
        ck_assert_msg(r == rows[_i].r, "%s: %d, %s", rows[_i].service, r, error_text(&error));
        if (!rows[_i].words)
                return;
        ck_assert_msg(error.text && strstr(error.text, rows[_i].words), "%s: %s", rows[_i].service,
                      error_text(&error));
        ck_assert_uint_eq(error.line, rows[_i].line);
}
END_TEST

/* The units that old users bring (tests/data/legacy): claimed, or left with the reason. */
static const struct {
        const char *path;
        const char *unit;
        const char *reason; /* NULL = claimed */
} legacy[] = {
        { "myapp.service", "myapp.service", NULL },
        { "hello-world@.service", "hello-world@.service", NULL },
        { "hello-world@.service", "hello-world@1.service", NULL },
        { "python-test.service", "python-test.service", NULL },
        { "with-conflicts/python-test@.service", "python-test@1.service", NULL },
        { "with-machineof/python-test@.service", "python-test@1.service", NULL },
        { "apache@.service", "apache@1.service", NULL },
        { "webapp-cloud-amazon.service", "webapp-cloud-amazon.service", NULL },
        { "webapp-cloud-rackspace.service", "webapp-cloud-rackspace.service", NULL },
        { "webapp-metal-rackspace.service", "webapp-metal-rackspace.service", NULL },
        { "apache-discovery@.service", "apache-discovery@1.service",
          "ExecStart runs /bin/sh, not docker" },
        { "datadog.service", "datadog.service", "ExecStart runs /usr/bin/bash, not docker" },
};

START_TEST(test_legacy) {
        _cleanup_free_ char *path = str_printf("tests/data/legacy/%s", legacy[_i].path);
        _cleanup_free_ char *text = NULL;
        _cleanup_(unit_file_freep) UnitFile *file = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        size_t size;
        int r;

        ck_assert_int_eq(fs_read_file(path, UNIT_FILE_SIZE_MAX, &text, &size), 0);
        ck_assert_int_eq(unit_file_parse(text, size, &file, NULL), 0);
        r = docker_driver_type.claim(legacy[_i].unit, file, &error);
        ck_assert_msg(r == (legacy[_i].reason ? DRIVER_NOT_MINE : DRIVER_CLAIMS), "%s: %d, %s",
                      path, r, error_text(&error));
        if (legacy[_i].reason)
                ck_assert_str_eq(error.text, legacy[_i].reason);
}
END_TEST

#define TERM_BIT (UINT64_C(1) << 14)
#define KILL_BIT (UINT64_C(1) << 8)

static const struct {
        DockerExitFacts facts;
        bool signaled, oom, clean;
        int status;
} ends[] = {
        { { .code = 0 }, false, false, false, 0 },
        { { .code = 3 }, false, false, false, 3 },
        { { .code = 143 }, false, false, false, 143 },
        { { .code = 143, .signals = TERM_BIT }, true, false, false, 15 },
        { { .code = 137, .signals = TERM_BIT }, false, false, false, 137 },
        { { .code = 137, .signals = KILL_BIT }, true, false, false, 9 },
        { { .code = 137, .signals = TERM_BIT | KILL_BIT, .stopped_outside = true },
          true,
          false,
          true,
          9 },
        { { .code = 7, .stopped_by_us = true }, false, false, true, 7 },
        { { .code = 137, .oom_killed = true }, true, true, false, 9 },
        { { .code = 137, .oom_killed = true, .signals = KILL_BIT, .stopped_by_us = true },
          true,
          false,
          true,
          9 },
        { { .code = 255, .signals = UINT64_MAX }, false, false, false, 255 },
};

START_TEST(test_end) {
        ServiceExit exit;

        docker_exit_decide(&ends[_i].facts, &exit);
        ck_assert_int_eq(exit.signaled, ends[_i].signaled);
        ck_assert_int_eq(exit.oom_killed, ends[_i].oom);
        ck_assert_int_eq(exit.clean, ends[_i].clean);
        ck_assert_int_eq(exit.status, ends[_i].status);
        ck_assert_ptr_null(exit.message);
}
END_TEST

static const struct {
        const char *message;
        bool unreachable;
} registries[] = {
        { "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on "
          "10.0.0.1:53: no such host",
          true },
        { "Get \"https://r:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused",
          true },
        { "Get \"https://r/v2/\": net/http: TLS handshake timeout", true },
        { "Get \"https://r/v2/\": context deadline exceeded", true },
        { "Get \"https://r/v2/\": net/http: request canceled while waiting for connection "
          "(Client.Timeout exceeded while awaiting headers)",
          true },
        { "manifest for busybox:nowhere not found: manifest unknown: manifest unknown", false },
        { "pull access denied for x, repository does not exist or may require 'docker login'",
          false },
        { "unauthorized: authentication required", false },
        { "no basic auth credentials", false },
        { "invalid reference format", false },
};

START_TEST(test_unreachable) {
        ck_assert_int_eq(docker_pull_is_unreachable(registries[_i].message),
                         registries[_i].unreachable);
}
END_TEST

static void collect(const char *line, size_t size, void *userdata) {
        Buf *b = userdata;

        ck_assert_int_eq(buf_printf(b, "[%.*s]", (int) size, line), 0);
}

/* However a stream is cut, the lines are the same. */
START_TEST(test_lines) {
        static const char text[] = "one\n\ntwo two\nthree";

        for (size_t step = 1; step <= sizeof(text); step++) {
                _cleanup_(docker_lines_done) DockerLines l = { .limit = 8 };
                _cleanup_(buf_done) Buf got = BUF_INIT;

                for (size_t i = 0; i < strlen(text); i += step)
                        ck_assert_int_eq(docker_lines_push(&l, text + i,
                                                           MIN(step, strlen(text) - i), collect,
                                                           &got),
                                         0);
                ck_assert_str_eq(buf_str(&got), "[one][][two two]");
                ck_assert_str_eq(buf_str(&l.rest), "three");
        }
}
END_TEST

START_TEST(test_long_line) {
        _cleanup_(docker_lines_done) DockerLines l = { .limit = 8 };
        _cleanup_(buf_done) Buf got = BUF_INIT;

        ck_assert_int_eq(docker_lines_push(&l, "12345678\n1234", 13, collect, &got), 0);
        ck_assert_int_eq(docker_lines_push(&l, "56789", 5, collect, &got), -EFBIG);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("all");
        Suite *s = suite_create("docker_claim");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(t, test_claim, 0, (int) ELEMENTSOF(rows));
        tcase_add_loop_test(t, test_legacy, 0, (int) ELEMENTSOF(legacy));
        tcase_add_loop_test(t, test_end, 0, (int) ELEMENTSOF(ends));
        tcase_add_loop_test(t, test_unreachable, 0, (int) ELEMENTSOF(registries));
        tcase_add_test(t, test_lines);
        tcase_add_test(t, test_long_line);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
