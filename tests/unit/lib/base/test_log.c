#include "lib/base/log.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "tests/lib/suite.h"

/* Puts a pipe in place of stderr; what arrives is read by take(). Each test is its own process. */
static int catch_stderr(void) {
        int ends[2];

        ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
        close(ends[1]);
        return ends[0];
}

static const char *take(int fd) {
        static char text[32768];
        ssize_t n = read(fd, text, sizeof(text) - 1);

        text[MAX(n, (ssize_t) 0)] = '\0';
        return text;
}

START_TEST(test_lines) {
        int fd = catch_stderr();

        log_write(LOG_LEVEL_ERROR, "agent/main.c", 12, NULL, "lost %d", 3);
        ck_assert_str_eq(take(fd), "ERROR main.c:12: lost 3\n");
        log_write(LOG_LEVEL_WARNING, "main.c", 1, NULL, "w");
        ck_assert_str_eq(take(fd), "WARN main.c:1: w\n");
        log_write(LOG_LEVEL_NOTICE, "a/b/c.c", 1, NULL, "n");
        ck_assert_str_eq(take(fd), "INFO c.c:1: n\n");
        log_write(LOG_LEVEL_INFO, "c.c", 1, &(LogFields){ .unit = "u" }, "i");
        ck_assert_str_eq(take(fd), "INFO c.c:1: i\n");
        log_write(LOG_LEVEL_DEBUG, "c.c", 1, NULL, "%s", "");
        ck_assert_str_eq(take(fd), "DEBUG c.c:1: \n");
        close(fd);
}
END_TEST

START_TEST(test_levels) {
        int fd = catch_stderr();

        ck_assert(log_enabled(LOG_LEVEL_INFO));
        ck_assert(!log_enabled(LOG_LEVEL_DEBUG));
        log_debug("not seen");
        ck_assert_str_eq(take(fd), "");
        log_set_level(LOG_LEVEL_DEBUG);
        log_debug("seen");
        ck_assert_ptr_nonnull(strstr(take(fd), "DEBUG test_log.c:"));
        log_set_level(LOG_LEVEL_ERROR);
        log_warning("not seen");
        ck_assert_str_eq(take(fd), "");
        log_unit(LOG_LEVEL_ERROR, "web.service", "seen");
        ck_assert_ptr_nonnull(strstr(take(fd), ": seen\n"));
        log_set_level(LOG_LEVEL_INFO);
        close(fd);
}
END_TEST

START_TEST(test_escapes) {
        static const char *const cases[][2] = {
                { "a\nERROR forged", "a\\nERROR forged" },
                { "t\tr\r\x1b[31m", "t\\tr\\x0d\\x1b[31m" },
                { "\x7f", "\\x7f" },
                { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
                { "c1 \xc2\x9b end", "c1 \\xc2\\x9b end" },
                { "not utf-8 \xff\xc3", "not utf-8 \\xff\\xc3" },
        };
        int fd = catch_stderr();

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char want[128];

                log_write(LOG_LEVEL_INFO, "f.c", 1, NULL, "%s", cases[i][0]);
                (void) snprintf(want, sizeof(want), "INFO f.c:1: %s\n", cases[i][1]);
                ck_assert_str_eq(take(fd), want);
        }
        close(fd);
}
END_TEST

START_TEST(test_long_text_is_cut) {
        int fd = catch_stderr();
        const char *line;
        char text[9000];

        for (size_t i = 0; i < sizeof(text) - 1; i++)
                text[i] = '\n';
        text[sizeof(text) - 1] = '\0';

        log_write(LOG_LEVEL_INFO, "f.c", 1, NULL, "%s", text);
        line = take(fd);
        ck_assert_uint_lt(strlen(line), 8300);
        ck_assert_str_eq(line + strlen(line) - 4, "...\n");
        close(fd);
}
END_TEST

START_TEST(test_keeps_errno) {
        int fd = catch_stderr();

        errno = ENOENT;
        log_info("x: %m");
        ck_assert_int_eq(errno, ENOENT);
        ck_assert_ptr_nonnull(strstr(take(fd), "x: No such file or directory\n"));
        close(fd);
}
END_TEST

/* A stream that is not the one $JOURNAL_STREAM names is not the journal. */
START_TEST(test_foreign_journal_stream) {
        int fd = catch_stderr();

        ck_assert_int_eq(setenv("JOURNAL_STREAM", "8:1", 1), 0);
        log_write(LOG_LEVEL_INFO, "f.c", 1, NULL, "here");
        ck_assert_str_eq(take(fd), "INFO f.c:1: here\n");
        close(fd);
}
END_TEST

/* Makes a socket where the journal's would be, in a mount namespace of its own; -1 if that may not be. */
static int pretend_journal(void) {
        struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
        int fd;

        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
                return -1;

        ck_assert_int_eq(fs_mkdir_p("/run/systemd/journal", 0755), 0);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &a, sizeof(a)), 0);
        return fd;
}

static void name_stderr_the_journal(void) {
        struct stat st;
        char stream[64];

        ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
        (void) snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long) st.st_dev,
                        (unsigned long long) st.st_ino);
        ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
}

static void log_to_journal(void) {
        static const char *const wanted[] = {
                "MESSAGE=test \\n7", "PRIORITY=4",    "CODE_FILE=a/f.c",        "CODE_LINE=12",
                "UNIT=web.service",  "DRIVER=docker", "SYSLOG_IDENTIFIER=test",
        };
        int fd = catch_stderr(), journal = pretend_journal();
        char entry[4096];
        ssize_t n;

        if (journal < 0) {
                puts("not tested: what the journal gets (that takes root)");
                return;
        }

        name_stderr_the_journal();
        log_write(LOG_LEVEL_WARNING, "a/f.c", 12,
                  &(LogFields){ .unit = "web.service", .driver = "docker" }, "test \n%d", 7);
        ck_assert_str_eq(take(fd), "");
        n = recv(journal, entry, sizeof(entry) - 1, 0);
        ck_assert_int_gt(n, 0);
        entry[n] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                ck_assert_msg(strstr(entry, wanted[i]), "no %s in %s", wanted[i], entry);
        ck_assert_ptr_null(strstr(entry, "MACHINE="));
}

/* In a process of its own, whatever CK_FORK says: where log.c writes to is decided once. */
START_TEST(test_journal) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                log_to_journal();
                _exit(0);
        }

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* test_journal first: what it forks must not have decided yet. */
TEST_MAIN("log", test_journal, test_lines, test_levels, test_escapes, test_long_text_is_cut,
          test_keeps_errno, test_foreign_journal_stream);
