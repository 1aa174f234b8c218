/*
 * The flags of the docker commands that we read, as a table, and what is collected while reading them.
 *
 * Simple flags put their value into the create document at once; those that need each other (ports,
 * volumes, networks, health …) are collected as words and put together by docker_create_build().
 */
#pragma once

#include "drivers/docker/docker_command.h"

/* Words that flags collect for docker_create_build(). */
typedef enum DockerWords {
        DOCKER_WORDS_PUBLISH,
        DOCKER_WORDS_EXPOSE,
        DOCKER_WORDS_VOLUME,
        DOCKER_WORDS_TMPFS,
        DOCKER_WORDS_MOUNT,
        DOCKER_WORDS_ENV,
        DOCKER_WORDS_ENV_FILE,
        DOCKER_WORDS_LABEL,
        DOCKER_WORDS_LABEL_FILE,
        DOCKER_WORDS_NETWORK,
        DOCKER_WORDS_ALIAS,
        DOCKER_WORDS_LINK,
        DOCKER_WORDS_LINK_LOCAL,
        DOCKER_WORDS_ATTACH,
        DOCKER_WORDS_DEVICE,
        DOCKER_WORDS_SECURITY,
        DOCKER_WORDS_LOG_OPT,
        _DOCKER_WORDS_MAX,
} DockerWords;

typedef struct DockerHealth {
        char *command;
        int64_t interval_ns, timeout_ns, start_period_ns, retries;
        bool set, none;
} DockerHealth;

/* A command while it is read. */
typedef struct DockerParse {
        const DockerParseOptions *options;
        DockerCommand *command;
        json_t *host_config; /* borrowed from command->body */
        Strv words[_DOCKER_WORDS_MAX];
        DockerHealth health;
        char *ip, *ip6;
        char *log_driver;
        bool interactive;
        bool words_unknown; /* a word that may become several was met: the rest cannot be told */
} DockerParse;

void docker_parse_done(DockerParse *p);

typedef struct DockerFlag DockerFlag;
typedef int (*DockerFlagFn)(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr);

struct DockerFlag {
        const char *name;
        char letter;      /* 0 = none */
        bool is_bool;     /* needs no value */
        unsigned verbs;   /* bit per DockerVerb */
        DockerFlagFn set; /* NULL: known to the CLI, refused with `field` as the reason */
        const char *
                field; /* member of the create document, below HostConfig unless it starts with '.' */
        int words;     /* DockerWords, for flags that collect */
};

/* NULL = the CLI does not know it either. */
const DockerFlag *docker_flag_by_name(DockerVerb verb, const char *name, size_t size);
const DockerFlag *docker_flag_by_letter(DockerVerb verb, char letter);

/* All of them, ended by one without a name: for documentation and tests. */
const DockerFlag *docker_flags(void);
