/*
 * Files, whole: reading one with a limit, replacing one so that a crash leaves the old or the new.
 */
#pragma once

#include <unistd.h>

#include "lib/base/base.h"

static inline int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                (void) close(fd);
                errno = saved;
        }
        return -EBADF;
}
static inline void fd_closep(int *fd) {
        *fd = fd_close(*fd);
}
#define _cleanup_close_ _cleanup_(fd_closep)

/*
 * Reads the whole file; *ret is NUL-terminated (it may hold further NUL bytes: see *ret_size, which
 * may be NULL) and owned by the caller. -EFBIG if it is longer than max_bytes, else -errno.
 */
int fs_read_file(const char *path, size_t max_bytes, char **ret, size_t *ret_size);

/* Write to a temporary file beside it, fsync, rename, fsync of the directory. Returns 0 or -errno. */
int fs_write_file(const char *path, const void *data, size_t size, mode_t mode);

int fs_mkdir_p(const char *path, mode_t mode); /* 0 also if it is there; -ENOTDIR if it is a file */
int fs_remove_tree(const char *path); /* 0 also if it is not there; does not follow links */

/* A new directory below $TMPDIR (else /tmp) with that prefix, mode 0700; the caller owns *ret. */
int fs_temp_directory(const char *prefix, char **ret);
