#include "lib/base/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "tests/lib/suite.h"

static char *new_directory(void) {
        char *d;

        ck_assert_int_eq(fs_temp_directory("test_fs", &d), 0);
        return d;
}

static size_t entries(const char *directory) {
        DIR *d = opendir(directory);
        size_t n = 0;

        ck_assert_ptr_nonnull(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n - 2;
}

START_TEST(test_write_then_read) {
        _cleanup_free_ char *d = new_directory(), *path = str_printf("%s/file", d), *text = NULL;
        struct stat st;
        size_t size;

        ck_assert_int_eq(fs_write_file(path, "one", 3, 0640), 0);
        ck_assert_int_eq(fs_write_file(path, "t\0wo", 4, 0640), 0);
        ck_assert_int_eq(fs_read_file(path, 4, &text, &size), 0);
        ck_assert_uint_eq(size, 4);
        ck_assert_mem_eq(text, "t\0wo", 5);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0640);
        ck_assert_uint_eq(entries(d), 1); /* no temporary file is left */
        ck_assert_int_eq(fs_remove_tree(d), 0);
}
END_TEST

START_TEST(test_read_limits) {
        _cleanup_free_ char *d = new_directory(), *path = str_printf("%s/file", d), *text = NULL;
        _cleanup_free_ char *big = mem_zalloc(100000), *back = NULL;
        size_t size;

        ck_assert_int_eq(fs_write_file(path, "12345", 5, 0600), 0);
        ck_assert_int_eq(fs_read_file(path, 4, &text, NULL), -EFBIG);
        ck_assert_int_eq(fs_read_file(path, 0, &text, NULL), -EFBIG);
        ck_assert_ptr_null(text);

        ck_assert_int_eq(fs_write_file(path, big, 100000, 0600), 0);
        ck_assert_int_eq(fs_read_file(path, 100000, &back, &size), 0);
        ck_assert_uint_eq(size, 100000);

        back = mem_free(back);
        ck_assert_int_eq(fs_write_file(path, "", 0, 0600), 0);
        ck_assert_int_eq(fs_read_file(path, 0, &back, &size), 0);
        ck_assert_uint_eq(size, 0);
        ck_assert_str_eq(back, "");
        ck_assert_int_eq(fs_remove_tree(d), 0);
}
END_TEST

START_TEST(test_read_errors) {
        _cleanup_free_ char *d = new_directory(), *path = str_printf("%s/missing", d);
        char *text = NULL;

        ck_assert_int_eq(fs_read_file(path, 10, &text, NULL), -ENOENT);
        ck_assert_int_eq(fs_read_file(d, 10, &text, NULL), -EISDIR);
        ck_assert_ptr_null(text);
        ck_assert_int_eq(fs_remove_tree(d), 0);
}
END_TEST

START_TEST(test_write_errors) {
        _cleanup_free_ char *d = new_directory();
        _cleanup_free_ char *nowhere = str_printf("%s/no/file", d), *slash = str_printf("%s/", d);
        _cleanup_free_ char *taken = str_printf("%s/taken", d), *in = str_printf("%s/taken/x", d);

        ck_assert_int_eq(fs_write_file(nowhere, "x", 1, 0600), -ENOENT);
        ck_assert_int_eq(fs_write_file(slash, "x", 1, 0600), -EISDIR);
        ck_assert_int_eq(fs_mkdir_p(in, 0700), 0);
        ck_assert_int_lt(fs_write_file(taken, "x", 1, 0600), 0);
        ck_assert_uint_eq(entries(d), 1);
        ck_assert_int_eq(fs_remove_tree(d), 0);
}
END_TEST

START_TEST(test_mkdir_p) {
        _cleanup_free_ char *d = new_directory();
        _cleanup_free_ char *deep = str_printf("%s/a//b/c/", d), *file = str_printf("%s/a/f", d);
        _cleanup_free_ char *below = str_printf("%s/a/f/g", d);
        struct stat st;

        ck_assert_int_eq(fs_mkdir_p(deep, 0750), 0);
        ck_assert_int_eq(fs_mkdir_p(deep, 0750), 0);
        ck_assert_int_eq(stat(deep, &st), 0);
        ck_assert(S_ISDIR(st.st_mode));

        ck_assert_int_eq(fs_write_file(file, "x", 1, 0600), 0);
        ck_assert_int_eq(fs_mkdir_p(file, 0700), -ENOTDIR);
        ck_assert_int_eq(fs_mkdir_p(below, 0700), -ENOTDIR);
        ck_assert_int_eq(fs_mkdir_p("", 0700), -ENOENT);
        ck_assert_int_eq(fs_mkdir_p("/", 0700), 0);
        ck_assert_int_eq(fs_remove_tree(d), 0);
}
END_TEST

START_TEST(test_remove_tree) {
        _cleanup_free_ char *d = new_directory(), *other = new_directory();
        _cleanup_free_ char *kept = str_printf("%s/kept", other), *link = str_printf("%s/link", d);
        _cleanup_free_ char *deep = str_printf("%s/a/b", d), *file = str_printf("%s/a/b/f", d);

        ck_assert_int_eq(fs_mkdir_p(deep, 0700), 0);
        ck_assert_int_eq(fs_write_file(file, "x", 1, 0600), 0);
        ck_assert_int_eq(fs_write_file(kept, "x", 1, 0600), 0);
        ck_assert_int_eq(symlink(other, link), 0);

        ck_assert_int_eq(fs_remove_tree(d), 0);
        ck_assert_int_eq(access(d, F_OK), -1);
        ck_assert_int_eq(access(kept, F_OK), 0);
        ck_assert_int_eq(fs_remove_tree(d), 0);
        ck_assert_int_eq(fs_remove_tree(other), 0);
}
END_TEST

START_TEST(test_temp_directory) {
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;
        struct stat st;

        ck_assert_int_eq(fs_temp_directory("x", &a), 0);
        ck_assert_int_eq(stat(a, &st), 0);
        ck_assert_int_eq(st.st_mode & 07777, 0700);

        ck_assert_int_eq(setenv("TMPDIR", a, 1), 0);
        ck_assert_int_eq(fs_temp_directory("y", &b), 0);
        ck_assert_int_eq(strncmp(a, b, strlen(a)), 0);
        ck_assert_int_eq(setenv("TMPDIR", "/nowhere", 1), 0);
        ck_assert_int_eq(fs_temp_directory("y", &c), -ENOENT);
        ck_assert_ptr_null(c);
        ck_assert_int_eq(unsetenv("TMPDIR"), 0);
        ck_assert_int_eq(fs_remove_tree(a), 0);
}
END_TEST

START_TEST(test_fd_close) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = fd;

        errno = E2BIG;
        fd_closep(&fd);
        ck_assert_int_eq(fd, -EBADF);
        ck_assert_int_eq(fcntl(copy, F_GETFD), -1);
        errno = E2BIG;
        ck_assert_int_eq(fd_close(-1), -EBADF);
        ck_assert_int_eq(errno, E2BIG);
}
END_TEST

START_TEST(test_out_of_memory) {
        _cleanup_free_ char *d = new_directory(), *path = str_printf("%s/file", d);
        char *out = NULL;

        alloc_fail_after(1);
        ck_assert_int_eq(fs_write_file(path, "x", 1, 0600), -ENOMEM);
        ck_assert_int_eq(fs_mkdir_p(path, 0700), -ENOMEM);
        ck_assert_int_eq(fs_temp_directory("x", &out), -ENOMEM);
        alloc_fail_after(0);
        ck_assert_uint_eq(entries(d), 0);

        ck_assert_int_eq(fs_write_file(path, "x", 1, 0600), 0);
        alloc_fail_after(1);
        ck_assert_int_eq(fs_read_file(path, 10, &out, NULL), -ENOMEM);
        alloc_fail_after(0);
        ck_assert_ptr_null(out);
        ck_assert_int_eq(fs_remove_tree(d), 0);
}
END_TEST

TEST_MAIN("fs", test_write_then_read, test_read_limits, test_read_errors, test_write_errors,
          test_mkdir_p, test_remove_tree, test_temp_directory, test_fd_close, test_out_of_memory);
