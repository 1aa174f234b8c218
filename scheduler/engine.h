/*
 * Engine: the scheduler of one machine's fleetd. It stands for leader, and while it leads it feeds the
 * core from the registry and applies the core's plans.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "scheduler/registry.h"

typedef struct Engine Engine;

typedef struct EngineOptions {
        sd_event *event;
        Registry *registry;     /* borrowed */
        const char *machine_id; /* ours */
        const char *version;
        uint64_t lease_ttl_usec; /* of the leader key */
        uint64_t agent_ttl_usec; /* how long absence must be certain */
        /*
         * Can a machine with these drivers run the unit? true, or false with the reason in words (*ret_reason
         * owned by the caller). Pure. NULL = always.
         */
        bool (*eligible_fn)(const Machine *m, const char *unit, const UnitFile *file,
                            char **ret_reason, void *userdata);
        void *userdata;
} EngineOptions;

/* For /metrics. */
typedef struct EngineMetrics {
        bool leads;
        uint64_t leader_since_usec; /* CLOCK_REALTIME; 0 = does not lead */
        uint64_t tasks_placed, tasks_unplaced;
        uint64_t tasks_failed;
        uint64_t passes;
        uint64_t failures_machine_away, failures_run, failures_schedule;
} EngineMetrics;

/* Strings are copied. Starts at once, in the loop. The caller owns *ret. */
int engine_new(const EngineOptions *options, Engine **ret, Error *reterr);
Engine *
engine_free(Engine *e); /* accepts NULL, returns NULL; the leader key is left to its lease */
DEFINE_CLEANUP(Engine, engine_free);

/* Gives the leader key back so that another can lead at once; fn (may be NULL) when it is done. */
void engine_resign(Engine *e, void (*fn)(void *userdata), void *userdata);

void engine_metrics(const Engine *e, EngineMetrics *ret);
