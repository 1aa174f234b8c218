/*
 * Config: what fleet.conf and the FLEET_ environment say (FLEET.md B2 and DESIGN.md "Configuration").
 *
 * Environment wins over the file, even when set to the empty string. A value that does not parse for
 * its type is warned about and leaves the default; so is an unknown key. Keys of what is not here
 * (etcd, the systemd driver) are read, and warned about where they are set. Parsing is PURE.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "specs/machine.h"

#define CONFIG_DEFAULT_PATH "/etc/fleet/fleet.conf"

/* What SIGTERM means when systemd does not know better. */
typedef enum ShutdownPolicy {
        SHUTDOWN_STOP,
        SHUTDOWN_KEEP,
} ShutdownPolicy;

typedef struct Config {
        /* fleet's */
        uint64_t verbosity; /* > 0 = debug */
        Strv etcd_servers;
        char *etcd_username, *etcd_password;
        char *etcd_keyfile, *etcd_certfile, *etcd_cafile;
        char *etcd_key_prefix;
        uint64_t etcd_request_timeout_usec;
        uint64_t engine_reconcile_interval_usec; /* the leader's lease is 5 times as long */
        char *public_ip;                         /* "" = ask the network */
        Metadata metadata;
        uint64_t agent_ttl_usec;
        char *units_directory;
        bool systemd_user;
        uint64_t token_limit; /* 1 … 65535 */
        bool disable_engine;

        /* ours */
        Strv listen; /* unix:///path, http://IP:PORT */
        char *state_directory;
        bool standalone;
        char *driver; /* auto, or a driver's name */
        char *docker_socket;
        uint64_t docker_parallelism;
        ShutdownPolicy shutdown_policy;
        char *machine_id; /* "" = /etc/machine-id */
        uint64_t grace_usec;
} Config;

/*
 * text (may be NULL: no file) is what `path` holds; environment is a NULL-terminated list of NAME=value.
 * *warnings is initialised by the caller and gets a line each. The caller owns *ret. -EINVAL, -EFBIG or
 * -ENOMEM, with words.
 */
int config_parse(const char *path, const char *text, size_t size, const char *const *environment,
                 Config **ret, Strv *warnings, Error *reterr);

/*
 * Reads the file (NULL: CONFIG_DEFAULT_PATH, which may be missing) and parses it with our environment.
 * Failures in the words of the original.
 */
int config_load(const char *path, Config **ret, Strv *warnings, Error *reterr);

Config *config_free(Config *c); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Config, config_free);

/* Go's strconv.ParseBool: 1 t T true TRUE True, 0 f F false FALSE False. 0 or -EINVAL. */
int config_parse_bool(const char *s, bool *ret);
