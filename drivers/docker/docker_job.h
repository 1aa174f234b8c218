/*
 * DockerJob: one docker command under way: the Engine calls it stands for, one after the other, and the
 * exit code and words the docker CLI would have ended with.
 */
#pragma once

#include "drivers/docker/docker_command.h"
#include "drivers/docker/docker_engine.h"
#include "lib/base/list.h"

typedef struct DockerJob DockerJob;

/* The CLI's exit codes. */
enum {
        DOCKER_EXIT_FAILURE = 1,
        DOCKER_EXIT_ENGINE = 125,         /* run: the engine would not */
        DOCKER_EXIT_NOT_EXECUTABLE = 126, /* run: the command cannot be executed */
        DOCKER_EXIT_NOT_FOUND = 127,      /* run: there is no such command */
};

/* How it ended. Borrowed for the time of the call, which may free the job. */
typedef struct DockerJobEnd {
        int status;          /* exit code */
        const char *message; /* the engine's words, if any */
        const char *notice;  /* something the owner should know though it went well, or NULL */
        const char *id;      /* run, create, supervised start: the container, or NULL */
} DockerJobEnd;
typedef void (*DockerJobFn)(DockerJob *job, const DockerJobEnd *end, void *userdata);

typedef struct DockerJobOptions {
        sd_event *event;
        DockerEngine *engine;
        DockerCommand *command; /* taken */
        const json_t *labels;   /* put on a container that is made; borrowed for the call */
        ListLink *orphans;   /* a container of theirs with the same name is waited for; or NULL */
        bool supervise;      /* run, start: end when it is started, leave its end to the owner */
        DockerJobFn done_fn; /* once, from the loop, unless the job is freed or left */
        void *userdata;
} DockerJobOptions;

/* Begins at once. The caller owns *ret. 0 or -ENOMEM (then the command is not taken). */
int docker_job_new(const DockerJobOptions *options, DockerJob **ret);
DockerJob *docker_job_free(DockerJob *j); /* stops asking; what was asked happens; accepts NULL */
DEFINE_CLEANUP(DockerJob, docker_job_free);

/*
 * A signal to the command. True: it goes to the container that the command waits for, done_fn will tell.
 * False: there is nothing to wait for: the owner gives the job up with docker_job_leave().
 */
bool docker_job_kill(DockerJob *j, int signal_number);

/*
 * Nobody waits for it any more. A container that is being made for it is taken away again; when all is
 * done the job leaves `orphans`, and frees itself. Takes j.
 */
void docker_job_leave(DockerJob *j, ListLink *orphans);
void docker_jobs_free(ListLink *orphans);
