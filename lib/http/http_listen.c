#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/http/http_server.h"

enum { SOCKET_MODE = 0660 };

static int new_socket(int family, Error *reterr) {
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return error_set(reterr, -errno, "cannot make a socket: %s",
                                 strerrordesc_np(errno));

        return fd;
}

static int failed(Error *reterr, const char *address) {
        int r = -errno;

        return error_set(reterr, r, "cannot listen on '%s': %s", address, strerrordesc_np(-r));
}

/* Removes a socket file nobody listens on any more. */
static int remove_stale(const struct sockaddr_un *a, const char *address, Error *reterr) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (lstat(a->sun_path, &st) < 0)
                return errno == ENOENT ? 0 : failed(reterr, address);
        if (!S_ISSOCK(st.st_mode))
                return error_set(reterr, -EEXIST, "cannot listen on '%s': it is not a socket",
                                 address);

        fd = new_socket(AF_UNIX, reterr);
        if (fd < 0)
                return fd;

        /* EAGAIN: somebody listens, and is busy. */
        if (connect(fd, (const struct sockaddr *) a, sizeof(*a)) == 0 || errno == EAGAIN)
                return error_set(reterr, -EADDRINUSE,
                                 "cannot listen on '%s': another process listens there", address);
        if (errno != ECONNREFUSED)
                return failed(reterr, address);
        if (unlink(a->sun_path) < 0 && errno != ENOENT)
                return failed(reterr, address);

        return 0;
}

static int listen_unix(const char *address, const char *path, int *ret_fd, Error *reterr) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (path[0] != '/' || strlen(path) >= sizeof(a.sun_path))
                return error_set(reterr, -EINVAL,
                                 "'%s' needs an absolute path of at most %zu characters", address,
                                 sizeof(a.sun_path) - 1);

        memcpy(a.sun_path, path, strlen(path));
        r = remove_stale(&a, address, reterr);
        if (r < 0)
                return r;

        fd = new_socket(AF_UNIX, reterr);
        if (fd < 0)
                return fd;

        /* The file is born with this mode less the umask, so at no time with more than it shall have. */
        if (fchmod(fd, SOCKET_MODE) < 0 || bind(fd, (struct sockaddr *) &a, sizeof(a)) < 0 ||
            chmod(path, SOCKET_MODE) < 0 || listen(fd, SOMAXCONN) < 0)
                return failed(reterr, address);

        *ret_fd = TAKE_FD(fd);
        return 0;
}

typedef union Address {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
} Address;

static int parse_address(const char *s, Address *ret, socklen_t *ret_size) {
        bool v6 = s[0] == '[';
        const char *start = s + (v6 ? 1 : 0), *end = strchr(start, v6 ? ']' : ':');
        const char *colon = end && v6 ? end + 1 : end;
        _cleanup_free_ char *ip = NULL, *port = NULL;
        Address a = { 0 };
        uint64_t n;

        if (!colon || *colon != ':')
                return -EINVAL;

        ip = str_ndup(start, (size_t) (end - start));
        port = str_ndup(colon + 1, strcspn(colon + 1, "/"));
        if (!ip || !port)
                return -ENOMEM;
        if (str_to_u64(port, &n) < 0 || n > UINT16_MAX || strlen(strchrnul(colon, '/')) > 1)
                return -EINVAL;

        if (v6) {
                a.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                              .sin6_port = htons((uint16_t) n) };
                *ret_size = sizeof(a.v6);
        } else {
                a.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
                                             .sin_port = htons((uint16_t) n) };
                *ret_size = sizeof(a.v4);
        }
        if (inet_pton(a.any.sa_family, ip,
                      v6 ? (void *) &a.v6.sin6_addr : (void *) &a.v4.sin_addr) < 1)
                return -EINVAL;

        *ret = a;
        return 0;
}

static int listen_tcp(const char *address, const char *rest, int *ret_fd, Error *reterr) {
        _cleanup_close_ int fd = -EBADF;
        const int on = 1;
        socklen_t size;
        Address a;
        int r;

        r = parse_address(rest, &a, &size);
        if (r == -EINVAL)
                return error_set(reterr, r, "'%s' is not http://IP:PORT", address);
        if (r < 0)
                return error_fill(reterr, r);

        fd = new_socket(a.any.sa_family, reterr);
        if (fd < 0)
                return fd;

        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            bind(fd, &a.any, size) < 0 || listen(fd, SOMAXCONN) < 0)
                return failed(reterr, address);

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int http_listen(const char *address, int *ret_fd, Error *reterr) {
        const char *rest;

        rest = str_after_prefix(address, "unix://");
        if (rest)
                return listen_unix(address, rest, ret_fd, reterr);

        rest = str_after_prefix(address, "http://");
        if (rest)
                return listen_tcp(address, rest, ret_fd, reterr);

        return error_set(reterr, -EINVAL, "'%s' is neither unix:///PATH nor http://IP:PORT",
                         address);
}
