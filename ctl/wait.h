/*
 * Waiting until units are what was asked for, and saying so as it happens (FLEET.md B3.5).
 *
 * Learns of changes from GET /events; asks every 250 ms only where the server has no such path. A
 * fleetd that restarts meanwhile is waited for. On a terminal a line of progress is shown.
 */
#pragma once

#include "ctl/context.h"
#include "ctl/watched_unit.h"
#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"

#define WAIT_WINDOW_USEC (2 * USEC_PER_SEC)    /* one of --block-attempts */
#define WAIT_POLL_USEC (250 * USEC_PER_MSEC)   /* without /events */
#define WAIT_CONTACT_USEC (30 * USEC_PER_SEC)  /* how long fleetd may be away */
#define WAIT_UNCERTAIN_USEC (2 * USEC_PER_SEC) /* see WATCH_UNCERTAIN */

/* A unit to wait for. */
typedef struct WaitUnit {
        const char *name;           /* borrowed */
        uint64_t since_before_usec; /* see watched_unit_check_active() */
        bool oneshot;               /* [Service] Type=oneshot: ending is its work done */
} WaitUnit;

typedef struct WaitOptions {
        WatchGoal goal;
        bool then_active;  /* WATCH_LAUNCHED only: go on until it has come up */
        uint64_t attempts; /* windows of 2 s for each phase; 0 = no end */
} WaitOptions;

typedef struct WaitResult {
        bool started; /* the failure came after the unit was launched */
        Error error;  /* the first failure; not set = all is well */
} WaitResult;
void wait_result_done(WaitResult *r);

/*
 * Waits for all of them. Prints "Unit NAME <state> on <8>.../IP" ("Destroyed NAME") for each that gets
 * there and "Error waiting for units: …" for each that does not. 0 = all got there; 1 = not all (see *ret).
 */
int wait_for_units(Context *c, const WaitOptions *options, const WaitUnit *units, size_t n,
                   WaitResult *ret);

/* Times --block-attempts allows; and whether to wait at all. */
bool wait_wanted(const Options *o);
