/*
 * Agent: runs on this machine what the schedule gives it, through the drivers, and reports the states.
 *
 * Follows schedule/<machine>/ and nothing else. Units are independent of each other (agent_unit.h).
 * What runs is stopped only on a positive order: a listing that names other units, a deletion, or
 * agent_stop(). A registry that is found wholly empty is no such order.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/publish.h"
#include "drivers/driver.h"
#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "scheduler/registry.h"

typedef struct Agent Agent;
typedef struct AgentLog AgentLog;

typedef struct AgentOptions {
        sd_event *event;
        Registry *registry; /* borrowed */
        Publish *publish;   /* borrowed: where states go */
        const char *machine_id;
        const char *driver;               /* fleet.conf's driver= */
        const DriverType *const *drivers; /* NULL-terminated, static: those to bring up */
        DriverOptions
                driver_options; /* without its callbacks and what is above; copied by drivers */
        /* The list of drivers that answer has changed. */
        void (*drivers_changed)(const Strv *available, void *userdata);
        /* Nothing is under way any more, and every driver has said what it found. */
        void (*idle)(void *userdata);
        void *userdata;
} AgentOptions;

/* Strings are copied. Starts at once, in the loop. The caller owns *ret. */
int agent_new(const AgentOptions *options, Agent **ret, Error *reterr);
Agent *agent_free(Agent *a); /* leaves everything running; accepts NULL, returns NULL */
DEFINE_CLEANUP(Agent, agent_free);

int agent_set_driver(Agent *a, const char *driver); /* for units that are loaded from now on */

/* Stops and unloads every unit; fn when none is left (maybe never: the caller has a deadline). */
void agent_stop(Agent *a, void (*fn)(void *userdata), void *userdata);

/* A unit that is kept although the registry does not know it: lets go of it (unloads it). True if it was such. */
bool agent_release(Agent *a, const char *unit);

typedef struct AgentMetrics {
        size_t units; /* that a driver has */
        uint64_t steps_done, steps_failed;
} AgentMetrics;
void agent_metrics(const Agent *a, AgentMetrics *ret);
bool agent_has_unit(const Agent *a, const char *unit);

/* The "Agent" and "UnitStateGenerator" parts of SIGUSR1's line (FLEET.md B1). The caller owns both. */
int agent_to_json(const Agent *a, json_t **ret_agent, json_t **ret_generator);

/* As a driver's logs, of a unit of this machine; -ENOENT if no driver has it. The caller owns *ret. */
int agent_logs(Agent *a, const char *unit, const DriverLogOptions *options, DriverLogLineFn line_fn,
               DriverLogEndFn end_fn, void *userdata, AgentLog **ret, Error *reterr);
AgentLog *agent_log_free(AgentLog *l); /* before the agent's; accepts NULL, returns NULL */
DEFINE_CLEANUP(AgentLog, agent_log_free);
