/*
 * What the files of the docker driver share. Private to drivers/docker.
 *
 *   docker_driver.c   the driver's operations, availability, completions
 *   docker_claim.c    whether a unit is ours (pure)
 *   docker_unit.c     one unit: its service, commands, state
 *   docker_main.c     the unit's main container: watching it, and how it ended
 *   docker_adopt.c    what is found when the engine is (again) there
 *   docker_removal.c  taking away what nobody wants
 *   docker_outcome.c  what outlives fleetd of units that do not run
 *   docker_logs.c     output
 *   docker_job.c      one docker command as Engine calls
 *   docker_engine.c   the connection
 */
#pragma once

#include "drivers/docker/docker_driver.h"
#include "drivers/docker/docker_engine.h"
#include "drivers/docker/docker_exit.h"
#include "drivers/docker/docker_job.h"
#include "drivers/service/service.h"
#include "lib/base/list.h"
#include "lib/base/map.h"

#define DOCKER_LABEL_UNIT "flotilla.unit"
#define DOCKER_LABEL_HASH "flotilla.hash"
#define DOCKER_LABEL_MACHINE "flotilla.machine"
#define DOCKER_LABEL_GENERATION "flotilla.generation"
#define DOCKER_LABEL_RESTARTS "flotilla.restarts"
#define DOCKER_LABEL_REMOVE "flotilla.rm"
#define DOCKER_LABEL_CONTROL "flotilla.control"

/* How long the events that explain an end may lag behind it. */
#define DOCKER_EVENTS_GRACE_USEC (500 * USEC_PER_MSEC)

typedef struct DockerDriver DockerDriver;
typedef struct DockerUnit DockerUnit;

/* A container of ours as the engine listed it. */
typedef struct DockerFoundContainer {
        char *unit, *id, *hash, *name;
        uint64_t generation, restarts;
        uint64_t created_usec;
        bool running; /* or paused */
        bool made;    /* created, never started */
        bool remove;  /* --rm */
} DockerFoundContainer;

/* What became of a unit's last start, where nothing of it runs any more. */
typedef struct DockerOutcome {
        char *hash, *message;
        uint64_t generation, restarts;
        ServiceState state; /* dead, failed or exited */
        ServiceResult result;
        bool ran; /* exit is known */
        ServiceExit exit;
} DockerOutcome;

/* The main container of a unit, from being asked for to its end being told. */
typedef struct DockerMain {
        char *id;   /* NULL until it is started */
        char *name; /* --name, or NULL */
        bool remove;
        DockerCall *wait, *inspect, *removing, *signalling;
        char *events_of; /* the id that the following were seen of */
        bool die_seen, stop_seen;
        int die_code;
        uint64_t signals; /* sent by anybody */
        uint64_t our_signals;
        bool stopped_by_us;
        bool ending;    /* it has ended, or is believed to have */
        bool inspected; /* code and oom are known */
        bool grace_over;
        bool with_engine; /* ended together with its engine: decided when that is back */
        int code;
        bool oom_killed;
} DockerMain;

struct DockerUnit {
        DockerDriver *driver;
        char *name;
        char hash[SHA1_HEX_SIZE];
        uint64_t generation;
        Service *service;
        DockerMain main;
        char *last_id; /* of the last main container: for its output */
        DockerJob *main_job, *control_job;
        bool main_called_off, control_called_off; /* their ends are still to be reported */
        int main_signal, control_signal;
        bool supervise;      /* the main command leaves a container to watch */
        bool created_remove; /* docker create --rm in ExecStartPre= */
        char *notice;
        sd_event_source *timer, *grace, *later;
        UnitState *state;     /* as it is */
        UnitState *published; /* as the agent knows it; NULL = not at all */
        bool dirty;
        bool taken_up; /* what was found of it has been looked at */
        bool unloading;
        bool started;  /* by us, or by the daemon before: its outcome is of interest */
        bool restored; /* that outcome is told of; the next start is the one that it came of */
        DriverDoneFn done_fn; /* of the operation under way */
        void *done_userdata;
        bool op_waits; /* for the engine to be seen, for what is being taken away: `op` is done then */
        int (*op)(DockerUnit *u, Error *reterr);
        DockerFoundContainer *ended; /* found ended, its end not told yet */
};

struct DockerDriver {
        Driver base;
        DriverOptions options;
        char *machine_id, *socket, *ended_path, *outcomes_path;
        DockerEngine *engine;
        Map *units;    /* DockerUnit by name */
        Map *found;    /* DockerFoundContainer by unit: not taken up by a loaded unit */
        Map *ended;    /* ids of containers whose end was told before: "1" */
        Map *outcomes; /* DockerOutcome by unit */
        bool synced;
        bool available_known, available;
        char *why_not;
        ListLink orphans;     /* jobs nobody waits for */
        ListLink completions; /* done_fn's to be called */
        ListLink removals;    /* of containers that nobody wants */
        ListLink logs;
        sd_event_source *flush;
        DriverAdoptFn adopt_fn;
        void *adopt_userdata;
        bool adopt_due;
        char hostname[65], boot_id[33], kernel[65], architecture[65];
};

/* docker_driver.c: everything outward happens in the next turn of the loop. */
void docker_driver_flush_later(DockerDriver *d);
void docker_driver_complete(DockerDriver *d, const char *unit, DriverDoneFn fn, void *userdata,
                            int r, const char *words);

/* docker_claim.c */
int docker_claim(const char *unit, const UnitFile *file, Error *reterr);

/* docker_unit.c. New: takes config on success. */
int docker_unit_new(DockerDriver *d, const DriverUnit *unit, ServiceConfig *config,
                    DockerUnit **ret, Error *reterr);
DockerUnit *docker_unit_free(DockerUnit *u);
void docker_unit_changed(DockerUnit *u);
void docker_unit_refresh_state(DockerUnit *u); /* computes u->state */
void docker_unit_note(DockerUnit *u, const char *notice);

/* docker_main.c */
void docker_main_started(DockerUnit *u, const char *id);
void docker_main_watch(DockerUnit *u);
void docker_main_kill(DockerUnit *u, int signal_number);
void docker_main_ended(DockerUnit *u); /* begins to find out how, or goes on with it */
void docker_main_event(DockerUnit *u, const json_t *event);
void docker_main_forget(DockerUnit *u);
bool docker_main_is(const DockerUnit *u, const char *name);
void docker_main_grace_over(void *userdata);

/* docker_adopt.c */
void docker_adopt_found(const json_t *containers, void *userdata);
void docker_adopt_take_up(DockerUnit *u);
void docker_adopt_report(DockerDriver *d);
bool docker_adopt_tell_ended(DockerUnit *u); /* true: the unit's start is that */
void docker_adopt_drop_ended(DockerUnit *u);
void docker_adopt_unload(DockerDriver *d, const char *unit, DriverDoneFn fn, void *userdata);
DockerFoundContainer *docker_found_free(DockerFoundContainer *f);

/* docker_removal.c: done_fn is called when it is all gone */
void docker_removal_of_unit(DockerDriver *d, const char *unit, DriverDoneFn fn, void *userdata);
void docker_removal_of_one(DockerDriver *d, const DockerFoundContainer *f);
bool docker_removal_pending(const DockerDriver *d, const char *unit);
void docker_removals_free(DockerDriver *d);

/* docker_ended.c */
void docker_ended_load(DockerDriver *d);
void docker_ended_add(DockerDriver *d, const char *id);
bool docker_ended_has(const DockerDriver *d, const char *id);
void docker_ended_prune(DockerDriver *d, const json_t *containers);

/* docker_outcome.c */
DockerOutcome *docker_outcome_free(DockerOutcome *o);
void docker_outcomes_load(DockerDriver *d);
void docker_outcome_keep(DockerUnit *u);
void docker_outcome_drop(DockerDriver *d, const char *unit);
bool docker_outcome_holds(const DockerUnit *u);
void docker_outcome_take_up(DockerUnit *u);

/* docker_logs.c */
int docker_logs(Driver *d, const char *unit, const DriverLogOptions *options,
                DriverLogLineFn line_fn, DriverLogEndFn end_fn, void *userdata, DriverLog **ret,
                Error *reterr);
DriverLog *docker_log_free(DriverLog *l);
void docker_logs_follow(DockerUnit *u); /* it has a new main container */
void docker_logs_orphan(DockerDriver *d);
