/*
 * FleetdRig: a whole fleetd in this process: SQLite in a directory of its own, the fake driver, and a
 * unix socket that is spoken to as a client would.
 *
 * Failures end the test. Taking it down and up again is a restart: what ran, runs on.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/fleetd.h"
#include "lib/json/json.h"

typedef struct FleetdRig {
        sd_event *event;
        char *directory;
        char *address; /* unix:///…/fleet.sock */
        char *config;  /* further lines of fleet.conf */
        Fleetd *fleetd;
} FleetdRig;

/* config: further lines of fleet.conf, or NULL. */
void fleetd_rig_init(FleetdRig *rig, const char *config);
void fleetd_rig_up(FleetdRig *rig);
void fleetd_rig_down(FleetdRig *rig); /* as if it was killed */
void fleetd_rig_done(FleetdRig *rig); /* removes the directory */
#define _cleanup_fleetd_rig_ _cleanup_(fleetd_rig_done)

typedef struct RigReply {
        unsigned status;
        char *head; /* status line and headers */
        char *body;
} RigReply;

void rig_reply_done(RigReply *r);
#define _cleanup_rig_reply_ _cleanup_(rig_reply_done)

/* Value of a header, or NULL; the caller owns it. */
char *rig_reply_header(const RigReply *r, const char *name);
json_t *rig_reply_json(const RigReply *r); /* the caller owns it */

/* One request on a connection of its own. headers: lines with CRLF, or NULL; body NULL = none. */
RigReply fleetd_rig_call(FleetdRig *rig, const char *method, const char *path, const char *headers,
                         const char *body);
RigReply fleetd_rig_get(FleetdRig *rig, const char *path);

/* PUT with a JSON body, checks the status. */
void fleetd_rig_put(FleetdRig *rig, const char *unit, const char *body, unsigned status);

/* A body for PUT: the unit file and the desired state (NULL = none). The caller owns it. */
char *rig_unit_body(const char *unit_file, const char *desired);

/* PUT of both. */
void fleetd_rig_unit(FleetdRig *rig, const char *unit, const char *unit_file, const char *desired,
                     unsigned status);

/* Turns the loop until GET of the path has a body that holds the text (or, absent: that does not). */
void fleetd_rig_wait(FleetdRig *rig, const char *path, const char *text);
void fleetd_rig_wait_absent(FleetdRig *rig, const char *path, const char *text);
