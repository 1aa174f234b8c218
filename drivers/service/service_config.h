/*
 * ServiceConfig: the [Unit] and [Service] options a supervised service follows, read and checked once.
 *
 * Everything that systemd.service(5), systemd.kill(5), systemd.exec(5) or systemd.unit(5) know is either
 * followed, or known to mean nothing for what runs here (see the table in service_config.c), or refused
 * by name and line. Durations in µs; USEC_INFINITY = none.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "specs/command_line.h"
#include "specs/specifier.h"
#include "specs/unit_file.h"

typedef enum ServiceType {
        SERVICE_TYPE_SIMPLE,
        SERVICE_TYPE_EXEC,
        SERVICE_TYPE_FORKING,
        SERVICE_TYPE_ONESHOT,
        SERVICE_TYPE_NOTIFY,
        SERVICE_TYPE_DBUS,
        SERVICE_TYPE_IDLE,
} ServiceType;

typedef enum ServiceRestart {
        SERVICE_RESTART_NO,
        SERVICE_RESTART_ON_SUCCESS,
        SERVICE_RESTART_ON_FAILURE,
        SERVICE_RESTART_ON_ABNORMAL,
        SERVICE_RESTART_ON_WATCHDOG,
        SERVICE_RESTART_ON_ABORT,
        SERVICE_RESTART_ALWAYS,
} ServiceRestart;

typedef enum ServiceKillMode {
        SERVICE_KILL_CONTROL_GROUP,
        SERVICE_KILL_MIXED,
        SERVICE_KILL_PROCESS,
        SERVICE_KILL_NONE,
} ServiceKillMode;

/* What a phase that takes too long is ended with (TimeoutStartFailureMode=, TimeoutStopFailureMode=). */
typedef enum ServiceTimeoutMode {
        SERVICE_TIMEOUT_TERMINATE, /* KillSignal= */
        SERVICE_TIMEOUT_ABORT,     /* WatchdogSignal= */
        SERVICE_TIMEOUT_KILL,      /* FinalKillSignal= at once */
} ServiceTimeoutMode;

/* Exec lines, in the order systemd runs them. */
typedef enum ServiceExecKind {
        SERVICE_EXEC_CONDITION,
        SERVICE_EXEC_START_PRE,
        SERVICE_EXEC_START,
        SERVICE_EXEC_START_POST,
        SERVICE_EXEC_RELOAD,
        SERVICE_EXEC_STOP,
        SERVICE_EXEC_STOP_POST,
        _SERVICE_EXEC_MAX,
} ServiceExecKind;

const char *service_exec_kind_to_string(ServiceExecKind k); /* "ExecStartPre" */

typedef struct ServiceCommand {
        CommandLine line;
        ServiceExecKind kind;
        unsigned file_line; /* in the unit file; 0 = unknown */
        void *driver_data;  /* for the driver's own translation of the command, set by it */
} ServiceCommand;

/* One Condition…= or Assert…= of [Unit]. */
typedef struct ServiceCondition {
        const char *key; /* "ConditionPathExists"; a literal */
        char *argument;  /* without the prefixes, specifiers expanded */
        bool asserts;    /* Assert…=: not met is a failure, else the start is skipped */
        bool negate;     /* ! */
        bool trigger;    /* |: one of these is enough */
        unsigned file_line;
} ServiceCondition;

/* Conditions that a unit may have. */
#define SERVICE_CONDITIONS_MAX 256

/* Exit codes and signals of SuccessExitStatus= and its kin. */
typedef struct ServiceExitSet {
        uint8_t codes[256 / 8];
        uint64_t signals; /* bit n - 1 = signal n */
} ServiceExitSet;

bool service_exit_set_has(const ServiceExitSet *set, bool signaled, int status);

/* Exec lines of one kind that a unit may have. */
#define SERVICE_COMMANDS_MAX 256

typedef struct ServiceConfig {
        char *unit;
        ServiceType type;
        ServiceCommand *commands[_SERVICE_EXEC_MAX];
        size_t n_commands[_SERVICE_EXEC_MAX];

        ServiceCondition *conditions;
        size_t n_conditions;

        ServiceRestart restart;
        uint64_t restart_usec;
        ServiceExitSet success, restart_prevent, restart_force;
        bool remain_after_exit;

        uint64_t timeout_start_usec; /* USEC_INFINITY for oneshot unless given */
        uint64_t timeout_stop_usec;
        uint64_t timeout_abort_usec;
        ServiceTimeoutMode timeout_start_mode, timeout_stop_mode;
        uint64_t runtime_max_usec;
        uint64_t runtime_extra_usec; /* spread over the units by their names, up to this */
        uint64_t watchdog_usec;      /* 0 = none */
        uint64_t start_limit_interval_usec;
        unsigned start_limit_burst;

        ServiceKillMode kill_mode;
        int kill_signal;
        int restart_kill_signal; /* 0 = kill_signal */
        int final_kill_signal, watchdog_signal;
        bool send_sigkill, send_sighup;

        Strv environment;       /* NAME=value of Environment=, specifiers expanded */
        Strv environment_files; /* paths; with a leading '-' = may be missing */
        Strv pass_environment, unset_environment;
} ServiceConfig;

/*
 * Reads the unit. `host` NULL: only check (specifiers of the host are then left as they are): what claim
 * does at submit. -EINVAL with the unit file's line, or -ENOMEM. The caller owns *ret.
 */
int service_config_parse(const char *unit, const UnitFile *file, const SpecifierHost *host,
                         ServiceConfig **ret, Error *reterr);
ServiceConfig *
service_config_free(ServiceConfig *c); /* driver_data must be freed before; accepts NULL */
DEFINE_CLEANUP(ServiceConfig, service_config_free);

/* What one EnvironmentFile= may hold, and how many files its wildcards may stand for. */
#define SERVICE_ENVIRONMENT_FILE_MAX (1 * MIB)
#define SERVICE_ENVIRONMENT_FILES_MAX 256

/*
 * The environment of a command: PassEnvironment= (of this process), Environment=, then the
 * EnvironmentFile=s read now (a missing one without '-' is -ENOENT with its path), less
 * UnsetEnvironment=. Read for each command, as systemd does: an ExecStartPre may write the file
 * that the next command reads. The caller owns *ret.
 */
int service_config_environment(const ServiceConfig *c, Strv *ret, Error *reterr);

/*
 * Looks at this machine: are the conditions (or the asserts) met? NULL = they are, else the one that is
 * not (of several with '|', the last).
 */
const ServiceCondition *service_config_unmet(const ServiceConfig *c, bool asserts);
