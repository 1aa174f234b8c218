/*
 * DockerPull: one `docker pull`: the stream of its progress, and, when the registry cannot be reached, the
 * look whether the image is here already: a machine must be able to restart its workload without it.
 */
#pragma once

#include "drivers/docker/docker_engine.h"

typedef struct DockerPulling DockerPulling;

/* failure NULL: the image is here; notice is set if it may be an old one. Borrowed; may free the pull. */
typedef void (*DockerPullFn)(const char *failure, const char *notice, void *userdata);

typedef struct DockerPullOptions {
        DockerEngine *engine;
        const char *image;
        const char *platform; /* or NULL */
        bool all_tags;
        DockerPullFn done_fn;
        void *userdata;
} DockerPullOptions;

/* The caller owns *ret. 0, -ENOMEM, -EINVAL (no image reference), -EBUSY. */
int docker_pull_new(const DockerPullOptions *options, DockerPulling **ret);
DockerPulling *docker_pull_free(DockerPulling *p); /* cancels; accepts NULL, returns NULL */

/* Do these words of the engine mean that the registry was not reached (rather than that it said no)? */
bool docker_pull_is_unreachable(const char *message);
