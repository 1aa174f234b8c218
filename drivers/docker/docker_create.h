/*
 * From the words that the flags of `docker run` and `docker create` collected to the document of
 * POST /containers/create, as the docker CLI 20.10 sends it (members at their default are left out).
 */
#pragma once

#include "drivers/docker/docker_flags.h"

/* The document's members that the CLI always sends. */
int docker_create_begin(DockerParse *p);

/* After the last flag; args are those behind the image. -EINVAL and file errors with words. */
int docker_create_build(DockerParse *p, char *const *args, size_t n_args, Error *reterr);
