#include "lib/base/fs.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

enum { READ_CHUNK_BYTES = 16 * 1024, REMOVE_FDS_MAX = 16 };

int fs_read_file(const char *path, size_t max_bytes, char **ret, size_t *ret_size) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        _cleanup_close_ int fd = -EBADF;
        char chunk[READ_CHUNK_BYTES];
        char *data;
        int r;

        /* Non-blocking: opening a FIFO must not wait for a writer. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;

        for (;;) {
                ssize_t n = read(fd, chunk, sizeof(chunk));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                if ((size_t) n > max_bytes - b.size)
                        return -EFBIG;

                r = buf_append(&b, chunk, (size_t) n);
                if (r < 0)
                        return r;
        }

        if (ret_size)
                *ret_size = b.size;
        data = buf_steal(&b);
        if (!data)
                return -ENOMEM;

        *ret = data;
        return 0;
}

/* The directory part of path: "." if it has none, "/" for the root. */
static char *directory_of(const char *path) {
        const char *slash = strrchr(path, '/');

        if (!slash)
                return str_dup(".");

        return slash == path ? str_dup("/") : str_ndup(path, (size_t) (slash - path));
}

static int write_all(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

static int fill_file(int fd, const void *data, size_t size, mode_t mode) {
        int r;

        r = write_all(fd, data, size);
        if (r < 0)
                return r;
        if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
                return -errno;

        return 0;
}

static int sync_directory(const char *directory) {
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int fs_write_file(const char *path, const void *data, size_t size, mode_t mode) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        _cleanup_free_ char *directory = NULL, *temporary = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (str_empty(name))
                return -EISDIR;

        directory = directory_of(path);
        temporary = directory ? str_printf("%s/.%s.XXXXXX", directory, name) : NULL;
        if (!temporary)
                return -ENOMEM;

        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
                return -errno;

        r = fill_file(fd, data, size, mode);
        if (r >= 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlink(temporary);
                return r;
        }

        return sync_directory(directory);
}

static int make_one(const char *path, mode_t mode) {
        struct stat st;

        if (mkdir(path, mode) == 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        if (stat(path, &st) < 0)
                return -errno;

        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int fs_mkdir_p(const char *path, mode_t mode) {
        _cleanup_free_ char *copy = NULL;
        int r;

        if (str_empty(path))
                return -ENOENT;

        copy = str_dup(path);
        if (!copy)
                return -ENOMEM;

        for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                r = make_one(copy, mode);
                *p = '/';
                if (r < 0)
                        return r;
        }

        return make_one(copy, mode);
}

static int remove_one(const char *path, const struct stat *st _unused_, int type _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int fs_remove_tree(const char *path) {
        int r;

        r = nftw(path, remove_one, REMOVE_FDS_MAX, FTW_DEPTH | FTW_PHYS);
        if (r == -1)
                return errno == ENOENT ? 0 : -errno;

        return r;
}

int fs_temp_directory(const char *prefix, char **ret) {
        const char *base = getenv("TMPDIR");
        _cleanup_free_ char *path = NULL;

        path = str_printf("%s/%s-XXXXXX", str_or(base, "/tmp"), prefix);
        if (!path)
                return -ENOMEM;
        if (!mkdtemp(path))
                return -errno;

        *ret = TAKE_PTR(path);
        return 0;
}
