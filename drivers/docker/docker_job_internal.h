/*
 * What the files of DockerJob share: docker_job.c (its life; run, create and their container) and
 * docker_job_names.c (start, stop, kill, rm). For nobody else.
 */
#pragma once

#include "drivers/docker/docker_job.h"
#include "drivers/docker/docker_pull.h"

struct DockerJob {
        DockerEngine *engine;
        DockerCommand *command;
        bool supervise;
        DockerJobFn done_fn;
        void *userdata;

        ListLink *orphans; /* NULL while it has an owner */
        ListLink link;     /* in orphans */
        DockerJob *waiter; /* begins when this orphan has gone */
        DockerJob *waits_on;
        sd_event_source *ending;
        DockerCall *call;
        DockerCall *signalling;
        DockerPulling *pull;
        bool cleared; /* what a crash (ours, the engine's) had left, already in this job */
        bool pulled;  /* the image, already in this job */
        bool waits;   /* for the container's end */
        size_t index; /* of the name that is worked on */
        char *attempt;
        char *id;
        int status;
        char *message, *notice;
};

typedef void (*ReplyFn)(DockerJob *j, const DockerReply *reply);

/* Defines <fn>_reply, which has the engine call `fn(job, reply)`. */
#define DOCKER_JOB_REPLY(fn)                                                                       \
        static void fn##_reply(_unused_ DockerCall *call, const DockerReply *reply,                \
                               void *userdata) {                                                   \
                DockerJob *j = userdata;                                                           \
                                                                                                   \
                fn(j, reply);                                                                      \
        }                                                                                          \
        struct docker_job_needs_a_semicolon

bool docker_job_is_good(const DockerReply *reply); /* 2xx, or 304: it was so already */

/* Its end, told from the loop; with words; with the engine's. Nothing is done after it. */
void docker_job_finish(DockerJob *j);
void docker_job_say(DockerJob *j, const char *text);
void docker_job_fail_errno(DockerJob *j, int r);
void docker_job_fail_reply(DockerJob *j, int status, const DockerReply *reply);

/* The next call; path NULL = out of memory. A call that cannot be made ends the job. */
void docker_job_ask(DockerJob *j, DockerRequest request, const char *path);
char *docker_job_container_path(const char *name, const char *rest); /* the caller owns it */

void docker_job_kill_container(DockerJob *j);
void docker_job_wait_for_end(DockerJob *j);

/* Goes on with the next name of the command; ends the job behind the last. */
void docker_job_next_name(DockerJob *j);
