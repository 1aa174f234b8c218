/*
 * A Service with a virtual clock and an owner that only writes down what it is asked for.
 *
 * The trace has a line for each command and signal ("run main /bin/a b", "kill control TERM"), and, as the
 * owner hears of changes, one for each visible state ("active running", "failed failed exit-code").
 * Commands whose path holds "cannot-run" are refused.
 */
#pragma once

#include "drivers/service/service.h"
#include "lib/base/buf.h"

typedef struct ServiceRig {
        Service *service;
        uint64_t now_usec, timer_usec;
        bool main_runs, control_runs; /* begun, and their end is not reported yet */
        bool traces;                  /* if not, the rig itself needs no memory */
        Buf trace;
        char *shown;      /* the last state line */
        Strv environment; /* of the last command */
        uint64_t restarts_at_run;
} ServiceRig;

/* Reads the unit ("a@b.service") and makes the Service; words in reterr. */
int service_rig_init(ServiceRig *rig, const char *unit_text, size_t size, Error *reterr);
void service_rig_done(ServiceRig *rig);

/* Lets the clock run on by that much; timers go off at their times. */
void service_rig_advance(ServiceRig *rig, uint64_t usec);

/* Reports an end, if there is something to end. */
void service_rig_exit(ServiceRig *rig, ServiceTarget target, const ServiceExit *exit);

/* Does one line of a script ("exit main 1", "advance 90s"); unknown ones are -EINVAL. */
int service_rig_event(ServiceRig *rig, const char *line);
