#include "drivers/docker/docker_lines.h"

int docker_lines_push(DockerLines *l, const char *data, size_t size, DockerLineFn fn,
                      void *userdata) {
        const char *p = data, *end = data + size;
        int r;

        while (p < end) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                size_t n = newline ? (size_t) (newline - p) : (size_t) (end - p);

                if (l->rest.size + n > l->limit)
                        return -EFBIG;
                if (newline && l->rest.size == 0) {
                        fn(p, n, userdata);
                        p = newline + 1;
                        continue;
                }
                r = buf_append(&l->rest, p, n);
                if (r < 0)
                        return r;
                p += n;
                if (newline) {
                        Buf whole = l->rest;

                        l->rest = BUF_INIT; /* fn may clear l */
                        fn(whole.data, whole.size, userdata);
                        buf_done(&whole);
                        p++;
                }
        }
        return 0;
}

void docker_lines_clear(DockerLines *l) {
        buf_clear(&l->rest);
}

void docker_lines_done(DockerLines *l) {
        buf_done(&l->rest);
}
