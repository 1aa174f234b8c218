#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/lib/store_contract.h"
#include "tests/lib/suite.h"

/* A full disk: a clear error, no damage, and on it goes when there is room again. On a tmpfs of our own. */

#define DISK_BYTES (4 * MIB)

static char *directory;

static char *path_of(const char *name) {
        return str_printf("%s/%s", directory, name);
}

/* Takes bytes away from the others. */
static void put_filler(size_t bytes) {
        _cleanup_free_ char *path = path_of("filler");
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(posix_fallocate(fd, 0, (off_t) bytes), 0);
        (void) close(fd);
}

static void remove_filler(void) {
        _cleanup_free_ char *path = path_of("filler");

        ck_assert_int_eq(unlink(path), 0);
}

static Store *open_store(sd_event *event) {
        _cleanup_free_ char *path = path_of("store.db");
        _cleanup_error_ Error error = ERROR_INIT;
        Store *s = NULL;

        ck_assert_msg(store_sqlite_open(event, &(StoreSqliteOptions){ .path = path }, &s, &error) ==
                              0,
                      "open: %s", error_text(&error));
        return s;
}

START_TEST(full_disk_is_an_error_and_no_damage) {
        static char value[20000];
        sd_event *event = NULL;
        StoreAnswer a = { 0 };
        char key[16];
        int64_t lease;
        int n = 0, m;
        Store *s;

        ck_assert_int_ge(sd_event_new(&event), 0);
        memset(value, 'v', sizeof(value) - 1);
        s = open_store(event);
        lease = store_do_grant(event, s, 60 * USEC_PER_SEC).lease;
        ck_assert_int_eq(store_do_put(event, s, "leased", "1", lease).r, 0);
        put_filler(2 * MIB);
        for (; n < 1000; n++) {
                (void) snprintf(key, sizeof(key), "k/%d", n);
                a = store_do_put(event, s, key, value, 0);
                if (a.r < 0)
                        break;
        }
        ck_assert_int_eq(a.r, -ENOSPC);
        ck_assert_ptr_nonnull(strstr(a.error, "no space left"));
        ck_assert_ptr_nonnull(strstr(a.error, "store.db"));
        ck_assert_int_ge(n, 10);

        /* All that was answered can be read, what was refused is not there in part, revisions go on. */
        ck_assert_uint_eq(store_do_read(event, s, &(StoreRange){ "k/", true, true }, 1, 0).n,
                          (unsigned) n);
        ck_assert_int_eq(store_do_renew(event, s, lease).r, 0);
        for (m = 0; m < 3; m++)
                ck_assert_int_eq(store_do_put(event, s, "k/again", value, 0).r, -ENOSPC);

        remove_filler();
        ck_assert_int_eq(store_do_put(event, s, "k/again", value, 0).r, 0);
        ck_assert_int_eq(store_do_revoke(event, s, lease).r, 0);
        store_free(s);

        s = open_store(event); /* checks the file */
        ck_assert_uint_eq(store_do_read(event, s, &(StoreRange){ "k/", true, true }, 1, 0).n,
                          (unsigned) n + 1);
        ck_assert_str_eq(store_do_get(event, s, "leased"), "(none)");
        store_free(s);
        sd_event_unref(event);
}
END_TEST

START_TEST(no_room_for_a_new_store) {
        _cleanup_free_ char *path = path_of("new.db");
        _cleanup_error_ Error error = ERROR_INIT;
        sd_event *event = NULL;
        Store *s = NULL;

        ck_assert_int_ge(sd_event_new(&event), 0);
        put_filler(DISK_BYTES - 64 * KIB);
        while (true) { /* and the rest of it */
                _cleanup_free_ char *more = path_of("more");
                int fd = open(more, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                static const char page[4096] = { 1 };
                ssize_t n = write(fd, page, sizeof(page));

                (void) close(fd);
                if (n < 0)
                        break;
        }
        ck_assert_int_eq(store_sqlite_open(event, &(StoreSqliteOptions){ .path = path }, &s,
                                           &error),
                         -ENOSPC);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "no space left"));
        remove_filler();
        ck_assert_int_eq(
                store_sqlite_open(event, &(StoreSqliteOptions){ .path = path }, &s, &error), 0);
        store_free(s);
        sd_event_unref(event);
}
END_TEST

/* The mount is in a name space of ours, and gone with it. */
static int mount_disk(void) {
        char options[32];

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        if (fs_temp_directory("full", &directory) < 0)
                return -ENOMEM;
        (void) snprintf(options, sizeof(options), "size=%zu", DISK_BYTES);
        return mount("tmpfs", directory, "tmpfs", 0, options) < 0 ? -errno : 0;
}

int main(void) {
        const TTest *const tests[] = { full_disk_is_an_error_and_no_damage,
                                       no_room_for_a_new_store };
        int r = 0, failed = 0;

        for (size_t i = 0; i < ELEMENTSOF(tests); i++) {
                r = mount_disk();
                if (r < 0) {
                        (void) printf("skipped: no tmpfs can be mounted: %s\n", strerror(-r));
                        return 77;
                }
                failed |= suite_run("store_full", &tests[i], 1);
                (void) umount(directory);
                (void) fs_remove_tree(directory);
                directory = mem_free(directory);
        }
        return failed;
}
