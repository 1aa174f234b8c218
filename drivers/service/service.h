/*
 * Service: the part of systemd.service(5) that a supervised unit needs, as a declared state machine.
 *
 * It decides; its owner (a driver) does. It knows no clock and no engine: the owner runs commands, sends
 * signals, keeps the one timer, and reports back. Every change of state goes through one function that
 * checks it against a table of allowed moves. ops are called from inside service_* calls; they must
 * not call back into the Service before they return.
 */
#pragma once

#include "drivers/service/service_config.h"
#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"

typedef struct Service Service;

/* systemd's sub-states of a service. */
typedef enum ServiceState {
        SERVICE_DEAD,
        SERVICE_CONDITION,
        SERVICE_START_PRE,
        SERVICE_START,
        SERVICE_START_POST,
        SERVICE_RUNNING,
        SERVICE_EXITED,
        SERVICE_RELOAD,
        SERVICE_STOP,
        SERVICE_STOP_WATCHDOG,
        SERVICE_STOP_SIGTERM,
        SERVICE_STOP_SIGKILL,
        SERVICE_STOP_POST,
        SERVICE_FINAL_WATCHDOG,
        SERVICE_FINAL_SIGTERM,
        SERVICE_FINAL_SIGKILL,
        SERVICE_FAILED,
        SERVICE_AUTO_RESTART,
        _SERVICE_STATE_MAX,
} ServiceState;

const char *service_state_to_string(ServiceState s);     /* "start-pre" */
const char *service_state_active_string(ServiceState s); /* "activating" */

/* systemd's Result= words. */
typedef enum ServiceResult {
        SERVICE_SUCCESS,
        SERVICE_FAILURE_RESOURCES,
        SERVICE_FAILURE_PROTOCOL,
        SERVICE_FAILURE_TIMEOUT,
        SERVICE_FAILURE_EXIT_CODE,
        SERVICE_FAILURE_SIGNAL,
        SERVICE_FAILURE_CORE_DUMP,
        SERVICE_FAILURE_WATCHDOG,
        SERVICE_FAILURE_START_LIMIT_HIT,
        SERVICE_FAILURE_OOM_KILL,
        SERVICE_SKIP_CONDITION, /* an ExecCondition or a condition of [Unit] said no: no failure */
        _SERVICE_RESULT_MAX,
} ServiceResult;

const char *service_result_to_string(ServiceResult r); /* "exit-code" */

/* How a command or the main process ended. */
typedef struct ServiceExit {
        bool signaled; /* status is a signal, else an exit code */
        bool core_dumped;
        bool oom_killed;
        bool clean; /* ended by an orderly outside stop (`docker stop`): success whatever the status */
        int status;
        const char *message; /* why, in words (the engine's error), or NULL; borrowed */
} ServiceExit;

typedef enum ServiceTarget {
        SERVICE_MAIN,    /* the ExecStart process or container */
        SERVICE_CONTROL, /* the one command of another Exec line under way */
} ServiceTarget;

typedef struct ServiceOps {
        /*
         * Begin this command as `target`. argv has variables put in; environment is the unit's. Success: the
         * owner reports later: for MAIN service_main_started() (or not), then service_exited(); for CONTROL
         * service_exited(). Failure: the command counts as failed to start, with the words of reterr.
         */
        int (*run)(Service *s, ServiceTarget target, const ServiceCommand *command,
                   const Strv *argv, const Strv *environment, void *userdata, Error *reterr);
        /*
         * Send a signal to what runs as `target`; harmless if it has just ended. A main that is only being
         * started is called off by it; its end is reported all the same. What did not even go by
         * SIGKILL in time is given up: then another command may be run as the same target, and only the
         * newest one's end may still be reported.
         */
        void (*kill)(Service *s, ServiceTarget target, int signal_number, void *userdata);
        /* Call service_timer_elapsed() at this time (same clock as now); USEC_INFINITY = no more. */
        void (*timer)(Service *s, uint64_t at_usec, void *userdata);
        /* Something that service_* getters show has changed. */
        void (*changed)(Service *s, void *userdata);
        uint64_t (*now)(void *userdata); /* monotonic, µs */
} ServiceOps;

/*
 * Takes the config on success. The caller owns *ret. `ops` must outlive it. 0, -ENOMEM, or -ENOTSUP:
 * Type=forking, whose main process nobody here could tell.
 */
int service_new(ServiceConfig *config, const ServiceOps *ops, void *userdata, Service **ret);
Service *service_free(Service *s); /* no side effect on what runs; accepts NULL, returns NULL */
DEFINE_CLEANUP(Service, service_free);

/*
 * What people ask for; the later wins. While it goes down, start is remembered and done afterwards.
 * While it waits for its automatic restart, start is a job that ends with that restart, as in systemd.
 * 0 (also when a Condition…= of [Unit] is not met: then it is dead with a message); -EPROTO = an Assert…=
 * is not met; -EAGAIN = start limit hit (it is failed); -EALREADY = it is up, or coming up (then the job is
 * pending until it is up).
 */
int service_start(Service *s, Error *reterr);
int service_stop(Service *s);                   /* harmless if it is down */
int service_restart(Service *s, Error *reterr); /* stop, then start, as one job; -EAGAIN as start */

/* -ENOEXEC = no ExecReload, -ENOTCONN = not running, -EALREADY = is being reloaded. */
int service_reload(Service *s, Error *reterr);
void service_reset_failed(Service *s); /* failed becomes dead, and the start limit begins anew */

/* What the owner reports. */
void service_main_started(
        Service *s);            /* the container or process runs (Type=exec, and docker always) */
void service_ready(Service *s); /* READY=1, healthy, name taken: for Type=notify and dbus */
void service_watchdog_ping(Service *s); /* WATCHDOG=1: restarts the clock of WatchdogSec= */
void service_exited(Service *s, ServiceTarget target, const ServiceExit *exit);
void service_timer_elapsed(Service *s);

/*
 * From before a restart of the daemon: main runs (running = true), or has ended meanwhile (then call
 * service_exited() next). Only on a fresh Service. RuntimeMaxSec= counts from now; of several ExecStart=
 * of a oneshot it is taken for the last one, so that none is run twice.
 */
void service_adopt(Service *s, bool running, uint64_t restarts);

/*
 * From before a restart of the daemon: nothing runs of it, and this is what its last start has led to: dead, failed,
 * or exited (RemainAfterExit=). exit and message may be NULL. Only on a fresh Service.
 */
void service_restore(Service *s, ServiceState state, ServiceResult result, const ServiceExit *exit,
                     uint64_t restarts, const char *message);

ServiceState service_state(const Service *s);
ServiceResult service_result(const Service *s);
uint64_t service_restarts(const Service *s);
const char *
service_message(const Service *s);       /* why it is failed or waits, in words; NULL = nothing */
bool service_has_main(const Service *s); /* a main process or container is (being) started or up */
const ServiceExit *
service_main_exit(const Service *s); /* of the last main process; NULL = none yet */
const ServiceConfig *service_config(const Service *s);

/* Is a start, stop, restart or reload asked for and not yet through? For jobs' done_fn: see service_job_result(). */
bool service_job_pending(const Service *s);
/*
 * 0 = the last job ended well (a start whose ExecCondition said no did, too; a stop always does);
 * -ECANCELED = a stop came between; -EAGAIN = start limit hit, -EPROTO = Assert…=, -ETIMEDOUT, else -EIO, with words in
 * service_message(). What overtakes a job does not tell: who calls knows.
 */
int service_job_result(const Service *s);
