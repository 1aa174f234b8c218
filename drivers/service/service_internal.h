/*
 * What the files of the service machine share. Private to drivers/service.
 *
 *   service.c          what people ask for, getters, jobs
 *   service_state.c    the table of moves, and the one function that makes them
 *   service_run.c      running commands, one phase after the other
 *   service_exit.c     what the end of a command leads to
 *   service_stop.c     stopping: signals and final states
 *   service_timeout.c  what a phase that takes too long leads to
 *   service_restart.c  start limit and Restart=
 *   service_message.c  words
 *
 * service_enter_*() begin a phase; where a phase has nothing to do they go on to the next one.
 */
#pragma once

#include "drivers/service/service.h"

typedef enum ServiceJob {
        SERVICE_JOB_NONE,
        SERVICE_JOB_START,
        SERVICE_JOB_STOP,
        SERVICE_JOB_RESTART,
        SERVICE_JOB_RELOAD,
} ServiceJob;

typedef enum ServiceMain {
        SERVICE_MAIN_NONE,
        SERVICE_MAIN_STARTING,
        SERVICE_MAIN_UP,
} ServiceMain;

struct Service {
        ServiceConfig *config; /* owned */
        const ServiceOps *ops;
        void *userdata;

        ServiceState state; /* written by service_set_state() only */
        ServiceResult result;
        ServiceResult reload_result;
        char *message;
        bool changed; /* since the owner was last told */

        ServiceMain main;
        const ServiceCommand
                *main_command; /* runs, or ran last in this start; borrowed from config */
        bool main_ended;       /* in this start: main_exit is its end */
        bool have_main_exit;
        ServiceExit main_exit;
        char *main_exit_message; /* owns main_exit.message */

        const ServiceCommand *control; /* runs; NULL = none; borrowed from config */

        uint64_t deadline_usec;         /* of the state */
        uint64_t runtime_deadline_usec; /* RuntimeMaxSec= of this run; a reload does not move it */
        uint64_t watchdog_deadline_usec;
        uint64_t timer_usec; /* what the owner was told */

        ServiceJob job;
        int job_result;
        bool start_when_down;
        bool forbid_restart;

        uint64_t restarts;
        bool flush_restarts;
        uint64_t limit_begin_usec; /* the start limit's window */
        unsigned limit_starts;
};

/* The owner hears of changes once per call from outside: each public function ends with this. */
void service_flush(Service *s);

/* service_state.c */
void service_set_state(Service *s, ServiceState state);
bool service_move_is_allowed(ServiceState from, ServiceState to);
bool service_state_is_down(ServiceState s);     /* dead, failed */
bool service_state_is_up(ServiceState s);       /* running, exited, reload */
bool service_state_is_starting(ServiceState s); /* condition to start-post */

/* From now; USEC_INFINITY = none. */
void service_set_deadline(Service *s, uint64_t in_usec);
void service_set_watchdog(Service *s);

/* The first failure of a start counts; later ones change nothing. */
void service_set_result(Service *s, ServiceResult f);
void service_say(Service *s, const char *fmt, ...) _printf_(2, 3); /* the message, replaced */

/* service_run.c: beginning phases. */
ServiceState service_phase_of(ServiceExecKind kind); /* the state in which its lines run */
void service_begin(Service *s);                      /* a start that the limit lets through */
void service_enter_start_pre(Service *s);
void service_enter_start(Service *s);
void service_enter_start_post(Service *s);
void service_enter_running(Service *s, ServiceResult f); /* or what follows where nothing runs */
void service_enter_reload(Service *s);
void service_enter_stop(Service *s, ServiceResult f);
void service_enter_stop_post(Service *s, ServiceResult f);
/* The next command of the same line kind; false = there is none. */
bool service_next_control(Service *s, const ServiceCommand *after);
bool service_next_main(Service *s);

/* service_stop.c */
void service_enter_signal(Service *s, ServiceState state, ServiceResult f);
void service_enter_dead(Service *s, ServiceResult f, bool allow_restart);

/* service_restart.c */
bool service_shall_restart(const Service *s);
int service_start_now(Service *s, Error *reterr);
void service_auto_restart(Service *s);
void service_end_job(Service *s, int r);
void service_end_start_job(Service *s); /* it is up, or down for good: by its result */

/* service_message.c */
void service_say_exit(Service *s, const ServiceCommand *c, const ServiceExit *e);
void service_say_not_run(Service *s, const ServiceCommand *c, const Error *why);
void service_say_timeout(Service *s);
void service_say_start_limit(Service *s);
void service_say_unmet(Service *s, const ServiceCondition *c);
void service_say_restart(Service *s); /* where nothing failed: what it waits for */
