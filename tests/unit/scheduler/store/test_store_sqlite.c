#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/lib/store_contract.h"

/* The contract, and what is the file's own: locks, damage, what survives a restart. */

static char *directory, *path;

static Store *open_at(sd_event *event, uint64_t keep) {
        _cleanup_error_ Error error = ERROR_INIT;
        Store *s = NULL;
        int r;

        r = store_sqlite_open(event, &(StoreSqliteOptions){ path, keep }, &s, &error);
        ck_assert_msg(r == 0, "open: %s", error_text(&error));
        return s;
}

static void make_directory(void) {
        ck_assert_int_eq(fs_temp_directory("store", &directory), 0);
        path = str_printf("%s/store.db", directory);
}

static void clean(void) {
        (void) fs_remove_tree(directory);
        directory = mem_free(directory);
        path = mem_free(path);
}

static Store *open_new(sd_event *event, uint64_t keep) {
        make_directory();
        return open_at(event, keep);
}

static const StoreFactory factory = {
        .name = "store_sqlite",
        .open = open_new,
        .clean = clean,
        .lease_ttl_min_usec = 30 * USEC_PER_MSEC,
};

static sd_event *event;

static void setup(void) {
        ck_assert_int_ge(sd_event_new(&event), 0);
        make_directory();
}

static void teardown(void) {
        event = sd_event_unref(event);
        clean();
}

static int open_fails(const char *words) {
        _cleanup_error_ Error error = ERROR_INIT;
        Store *s = NULL;
        int r = store_sqlite_open(event, &(StoreSqliteOptions){ .path = path }, &s, &error);

        ck_assert_int_lt(r, 0);
        ck_assert_ptr_null(s);
        ck_assert_msg(strstr(error_text(&error), words), "'%s' lacks '%s'", error_text(&error),
                      words);
        ck_assert_ptr_nonnull(strstr(error_text(&error), path));
        return r;
}

START_TEST(survives_a_restart) {
        Store *s = open_at(event, 0);
        int64_t revision, after;
        struct stat st;

        revision = store_do_put(event, s, "k", "1", 0).revision;
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0600);
        s = store_free(s);

        s = open_at(event, 0);
        ck_assert_str_eq(store_do_get(event, s, "k"), "1");
        after = store_do_put(event, s, "k", "2", 0).revision;
        ck_assert_int_eq(after, revision + 1);
        store_free(s);
}
END_TEST

START_TEST(clean_close_leaves_one_file) {
        _cleanup_free_ char *wal = str_printf("%s-wal", path);
        Store *s = open_at(event, 0);

        (void) store_do_put(event, s, "k", "1", 0);
        store_free(s);
        ck_assert_int_ne(access(wal, F_OK), 0);
}
END_TEST

START_TEST(leases_start_over) {
        Store *s = open_at(event, 0);
        int64_t lease = store_do_grant(event, s, 100 * USEC_PER_MSEC).lease;
        StoreAnswer a;

        (void) store_do_put(event, s, "k", "1", lease);
        s = store_free(s);
        s = open_at(event, 0);
        ck_assert_int_eq(store_do_renew(event, s, lease).r, 0);
        ck_assert_int_ne(store_do_grant(event, s, USEC_PER_SEC).lease, lease);
        do {
                ck_assert_int_ge(sd_event_run(event, 200 * USEC_PER_MSEC), 0);
                a = store_do_read(event, s, &(StoreRange){ .key = "k" }, 1, 0);
        } while (a.n > 0);
        store_free(s);
}
END_TEST

START_TEST(history_does_not_grow_the_file) {
        Store *s = open_at(event, 20);
        struct stat early, late;
        char value[4000];

        memset(value, 'v', sizeof(value) - 1);
        value[sizeof(value) - 1] = '\0';
        for (int i = 0; i < 300; i++)
                (void) store_do_put(event, s, "k", value, 0);
        s = store_free(s);
        ck_assert_int_eq(stat(path, &early), 0);
        s = open_at(event, 20);
        for (int i = 0; i < 1500; i++)
                (void) store_do_put(event, s, "k", value, 0);
        store_free(s);
        ck_assert_int_eq(stat(path, &late), 0);
        ck_assert_int_le(late.st_size, early.st_size + 65536);
}
END_TEST

START_TEST(big_history_is_limited_by_bytes) {
        Store *s = open_at(event, 0);
        char *value = mem_alloc(MIB + 1);
        struct stat st;

        memset(value, 'v', MIB);
        value[MIB] = '\0';
        for (int i = 0; i < 100; i++)
                ck_assert_int_eq(store_do_put(event, s, "k", value, 0).r, 0);
        mem_free(value);
        store_free(s);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_le(st.st_size, (off_t) (72 * MIB));
}
END_TEST

START_TEST(second_opener_is_told_off) {
        Store *s = open_at(event, 0);

        ck_assert_int_eq(open_fails("in use by another process"), -EBUSY);
        (void) store_do_put(event, s, "k", "1", 0);
        ck_assert_str_eq(store_do_get(event, s, "k"), "1");
        store_free(s);
}
END_TEST

static void copy_file(const char *from, const char *to) {
        _cleanup_free_ char *data = NULL;
        size_t size;

        ck_assert_int_eq(fs_read_file(from, 64 * MIB, &data, &size), 0);
        ck_assert_int_eq(fs_write_file(to, data, size, 0600), 0);
}

/* docs/OPERATIONS.md "Backup": as after a crash. */
START_TEST(copy_of_an_open_store_is_good) {
        _cleanup_free_ char *copy = str_printf("%s/copy.db", directory),
                            *wal = str_printf("%s-wal", path),
                            *wal_copy = str_printf("%s-wal", copy);
        Store *s = open_at(event, 0);
        int status;
        pid_t pid;

        (void) store_do_put(event, s, "k", "1", 0);
        /* Not in this process: closing the file here would drop sqlite's lock on it (fcntl(2)). */
        pid = fork();
        if (pid == 0) {
                copy_file(path, copy);
                copy_file(wal, wal_copy);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        store_free(s);

        mem_free(path);
        path = TAKE_PTR(copy);
        s = open_at(event, 0);
        ck_assert_str_eq(store_do_get(event, s, "k"), "1");
        store_free(s);
}
END_TEST

/* ---- damage ---- */

/* A closed store with some hundred keys. */
static void fill(void) {
        Store *s = open_at(event, 0);
        char key[16], value[400];

        memset(value, 'v', sizeof(value) - 1);
        value[sizeof(value) - 1] = '\0';
        for (int i = 0; i < 300; i++) {
                (void) snprintf(key, sizeof(key), "key/%d", i);
                (void) store_do_put(event, s, key, value, 0);
        }
        store_free(s);
}

static void read_file(char **ret, size_t *ret_size) {
        ck_assert_int_eq(fs_read_file(path, 64 * MIB, ret, ret_size), 0);
}

static void write_file(const char *data, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, data, size), (ssize_t) size);
        (void) close(fd);
}

/* Refused with advice, and not a byte is different afterwards. */
static void is_refused(void) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        size_t before_size, after_size;

        read_file(&before, &before_size);
        ck_assert_int_eq(open_fails("move it"), -EUCLEAN);
        read_file(&after, &after_size);
        ck_assert_uint_eq(before_size, after_size);
        ck_assert_int_eq(memcmp(before, after, before_size), 0);
}

START_TEST(not_a_database) {
        static const char text[] = "this is not a database, but longer than the hundred bytes "
                                   "of a header, so that it cannot be a file that is new\n";

        write_file(text, sizeof(text));
        is_refused();
        write_file("short", 5);
        is_refused();
}
END_TEST

START_TEST(empty_file_is_a_new_store) {
        write_file("", 0);
        store_free(open_at(event, 0));
}
END_TEST

START_TEST(truncated_file) {
        _cleanup_free_ char *data = NULL;
        size_t size;

        fill();
        read_file(&data, &size);
        write_file(data, size / 2);
        is_refused();
        write_file(data, size - 100);
        is_refused();
        write_file(data, 50);
        is_refused();
        write_file(data, size);
        store_free(open_at(event, 0));
}
END_TEST

START_TEST(overwritten_pages) {
        _cleanup_free_ char *data = NULL;
        size_t size;

        fill();
        read_file(&data, &size);
        for (size_t page = 1; page < size / 4096; page += 3) {
                _cleanup_free_ char *bad = mem_dup(data, size);

                memset(bad + page * 4096, 0xa5, 4096);
                write_file(bad, size);
                is_refused();
        }
}
END_TEST

START_TEST(zeroed_pages) {
        _cleanup_free_ char *data = NULL;
        size_t size;

        fill();
        read_file(&data, &size);
        memset(data + 4096, 0, 2 * 4096);
        write_file(data, size);
        is_refused();
        memset(data, 0, 4096);
        write_file(data, size);
        is_refused();
}
END_TEST

START_TEST(foreign_database) {
        _cleanup_free_ char *data = NULL;
        size_t size;

        fill();
        read_file(&data, &size);
        data[68] ^= 1; /* application_id */
        write_file(data, size);
        is_refused();
        data[68] ^= 1;
        data[63] ^= 2; /* user_version */
        write_file(data, size);
        is_refused();
}
END_TEST

START_TEST(path_that_cannot_be) {
        path = mem_free(path);
        path = str_printf("%s/none/store.db", directory);
        ck_assert_int_eq(open_fails("No such file"), -ENOENT);
        mem_free(path);
        path = str_dup(directory);
        ck_assert_int_lt(open_fails("open"), 0);
}
END_TEST

static Suite *suite_files(void) {
        Suite *s = suite_create("store_sqlite_file");
        TCase *t = tcase_create("file");

        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, survives_a_restart);
        tcase_add_test(t, clean_close_leaves_one_file);
        tcase_add_test(t, leases_start_over);
        tcase_add_test(t, history_does_not_grow_the_file);
        tcase_add_test(t, big_history_is_limited_by_bytes);
        tcase_add_test(t, second_opener_is_told_off);
        tcase_add_test(t, copy_of_an_open_store_is_good);
        tcase_add_test(t, not_a_database);
        tcase_add_test(t, empty_file_is_a_new_store);
        tcase_add_test(t, truncated_file);
        tcase_add_test(t, overwritten_pages);
        tcase_add_test(t, zeroed_pages);
        tcase_add_test(t, foreign_database);
        tcase_add_test(t, path_that_cannot_be);
        suite_add_tcase(s, t);
        return s;
}

int main(void) {
        SRunner *r = srunner_create(store_contract_suite(&factory));
        int failed;

        srunner_add_suite(r, suite_files());
        srunner_run_all(r, CK_NORMAL);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
