#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/lib/store_contract.h"
#include "tests/lib/suite.h"

/*
 * A process that writes without end is killed in the middle, a hundred times on one file. Transaction n puts n
 * into x and y and creates log/n; its number goes into a pipe once the store has answered. After each kill
 * nothing that was answered may be missing, and no transaction may be there in part.
 */

#define KILLS 100

/* Transactions that are under way at any moment. */
#define IN_FLIGHT 4

typedef struct Writer {
        Store *store;
        int64_t sent, answered;
        int fd;
        StoreCall *calls[IN_FLIGHT];
} Writer;

static void send_next(Writer *w);

static void on_answer(int r, int64_t revision _unused_, const Error *error _unused_,
                      void *userdata) {
        Writer *w = userdata;

        if (r != 0)
                _exit(1);
        w->answered++;
        if (write(w->fd, &w->answered, sizeof(w->answered)) != sizeof(w->answered))
                _exit(2);
        send_next(w);
}

static void send_next(Writer *w) {
        int64_t n = ++w->sent;
        StoreCall **call = &w->calls[n % IN_FLIGHT];
        char value[32], key[32];
        StoreOp ops[3];

        (void) snprintf(value, sizeof(value), "%lld", (long long) n);
        (void) snprintf(key, sizeof(key), "log/%lld", (long long) n);
        ops[0] = (StoreOp){ STORE_PUT, "x", value, strlen(value), 0 };
        ops[1] = (StoreOp){ STORE_PUT, key, "", 0, 0 };
        ops[2] = (StoreOp){ STORE_PUT, "y", value, strlen(value), 0 };
        *call = store_call_free(*call);
        if (store_txn(w->store, &(StoreTxn){ .ops = ops, .n_ops = 3 }, on_answer, w, call, NULL) <
            0)
                _exit(3);
}

/* Never returns. */
static void write_for_ever(const char *path, int64_t from, int fd) {
        Writer w = { .sent = from, .answered = from, .fd = fd };
        sd_event *event = NULL;

        if (sd_event_new(&event) < 0 ||
            store_sqlite_open(event, &(StoreSqliteOptions){ path, 50 }, &w.store, NULL) < 0)
                _exit(4);
        for (int i = 0; i < IN_FLIGHT; i++)
                send_next(&w);
        (void) sd_event_loop(event);
        _exit(5);
}

/* Lets a writer run until it has answered `answers` times and kills it; returns the last answer's number. */
static int64_t run_and_kill(const char *path, int64_t from, unsigned answers) {
        int64_t last = from, n;
        int fds[2], status;
        pid_t pid;

        ck_assert_int_eq(pipe(fds), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) close(fds[0]);
                write_for_ever(path, from, fds[1]);
        }

        (void) close(fds[1]);
        for (unsigned i = 0; i < answers; i++) {
                ck_assert_int_eq(read(fds[0], &n, sizeof(n)), (ssize_t) sizeof(n));
                last = n;
        }
        (void) kill(pid, SIGKILL);
        while (read(fds[0], &n, sizeof(n)) == (ssize_t) sizeof(n))
                last = n;
        (void) close(fds[0]);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        return last;
}

/* Returns the number of the last transaction that is in the file. */
static int64_t check(const char *path, int64_t answered) {
        StoreRange ranges[] = { { .key = "x" }, { .key = "y" }, { .key = "log/", .prefix = true } };
        _cleanup_error_ Error error = ERROR_INIT;
        sd_event *event = NULL;
        Store *s = NULL;
        StoreAnswer a;
        int64_t n = 0;

        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_msg(store_sqlite_open(event, &(StoreSqliteOptions){ path, 50 }, &s, &error) == 0,
                      "open: %s", error_text(&error));
        a = store_do_read(event, s, ranges, 3, 0);
        ck_assert_int_eq(a.r, 0);
        if (a.n > 0)
                ck_assert_int_eq(str_to_i64(a.ranges[0] + 2, &n), 0);
        ck_assert_str_eq(a.ranges[0] + (n > 0), a.ranges[1] + (n > 0)); /* "x=n" and "y=n" */
        ck_assert_int_ge(n, answered);
        ck_assert_int_le(n, answered + 2 * IN_FLIGHT);
        ck_assert_uint_eq(a.n, n > 0 ? (size_t) n + 2 : 0);
        store_free(s);
        sd_event_unref(event);
        return n;
}

START_TEST(nothing_is_lost_or_half_done) {
        char *directory = NULL, *path;
        int64_t n = 0;

        ck_assert_int_eq(fs_temp_directory("kill", &directory), 0);
        path = str_printf("%s/store.db", directory);
        for (unsigned i = 0; i < KILLS; i++)
                n = check(path, run_and_kill(path, n, 1 + i * 7 % 23));
        ck_assert_int_ge(n, KILLS);
        (void) fs_remove_tree(directory);
        mem_free(directory);
        mem_free(path);
}
END_TEST

int main(void) {
        Suite *s = suite_create("store_kill");
        TCase *t = tcase_create("kill");
        SRunner *r;
        int failed;

        tcase_set_timeout(t, 120);
        tcase_add_test(t, nothing_is_lost_or_half_done);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
