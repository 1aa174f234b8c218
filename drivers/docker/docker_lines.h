/*
 * DockerLines: a stream in pieces as whole lines. A line over the limit is an error, not a surprise.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/buf.h"

typedef struct DockerLines {
        Buf rest; /* a line that has no end yet */
        size_t limit;
} DockerLines;

typedef void (*DockerLineFn)(const char *line, size_t size, void *userdata);

/* Calls fn for each line that is complete now, without its newline. 0, -ENOMEM or -EFBIG. */
int docker_lines_push(DockerLines *l, const char *data, size_t size, DockerLineFn fn,
                      void *userdata);
void docker_lines_clear(DockerLines *l);
void docker_lines_done(DockerLines *l);
