/*
 * DockerCommand: one `docker …` command line as the Engine calls it stands for.
 *
 * Reads command lines as the docker CLI does: same flags, same spellings, same checks of values. Knows no
 * engine and, unless a read function is given, no files. Where a flag leads is data: docker_flags.c.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef enum DockerVerb {
        DOCKER_PULL,
        DOCKER_RUN,
        DOCKER_CREATE,
        DOCKER_START,
        DOCKER_STOP,
        DOCKER_KILL,
        DOCKER_RM,
        _DOCKER_VERB_MAX,
} DockerVerb;

const char *docker_verb_to_string(DockerVerb v);

typedef enum DockerPull {
        DOCKER_PULL_MISSING,
        DOCKER_PULL_ALWAYS,
        DOCKER_PULL_NEVER,
} DockerPull;

typedef struct DockerCommand {
        DockerVerb verb;
        Strv names;       /* start, stop, kill, rm: the containers */
        char *image;      /* run, create, pull: as written */
        char *name;       /* run, create: --name, or NULL */
        char *platform;   /* run, create, pull: --platform, or NULL */
        char *cidfile;    /* run, create: --cidfile, or NULL */
        char *signal;     /* kill: --signal, as written; NULL = KILL */
        json_t *body;     /* run, create: of POST /containers/create, AutoRemove left out */
        DockerPull pull;  /* run, create */
        int stop_timeout; /* stop: --time in seconds, if has_stop_timeout */
        bool has_stop_timeout;
        bool detach;               /* run -d */
        bool remove;               /* run, create: --rm */
        bool attach;               /* start -a, -i */
        bool force, volumes, link; /* rm */
        bool all_tags;             /* pull -a */
} DockerCommand;

/* How much is known of the words when they are read. */
typedef enum DockerParseMode {
        DOCKER_PARSE_FULL, /* everything: what is run now */
        DOCKER_PARSE_VALUES, /* at submit: words with '$' or '%' may become anything, files are not read */
        DOCKER_PARSE_FLAGS, /* at submit of a template: check no value at all */
} DockerParseMode;

typedef struct DockerParseOptions {
        DockerParseMode mode;
        const Strv *environment; /* for `-e NAME`; may be NULL */
        const char *host;        /* the engine's address; another --host is refused. NULL = any */
        /* Reads --env-file, --label-file and seccomp profiles; the caller owns *ret. Not for check modes. */
        int (*read_file)(const char *path, size_t max_bytes, char **ret, size_t *ret_size);
} DockerParseOptions;

#define DOCKER_FILE_MAX_BYTES (1 * MIB)

/* Is argv[0], or the path, the docker CLI ("docker", "/usr/bin/docker", …)? */
bool docker_command_is_docker(const char *path);

/*
 * argv[0] is the program. -EINVAL with words for what the CLI would refuse; -EOPNOTSUPP for commands and
 * flags that the CLI knows and we do not follow; -ENOENT and its kin for files. The caller owns *ret.
 */
int docker_command_parse(const Strv *argv, const DockerParseOptions *options, DockerCommand **ret,
                         Error *reterr);
DockerCommand *docker_command_free(DockerCommand *c); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(DockerCommand, docker_command_free);
