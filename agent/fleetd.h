/*
 * Fleetd: the object that owns all of one daemon: store, registry, engine, agent, presence, API, server.
 *
 * Knows no process: signals, sockets that systemd hands over and exit codes are main's and daemon's.
 * Freeing it leaves every unit running, as a crash would.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/config.h"
#include "drivers/driver.h"
#include "lib/base/base.h"
#include "lib/base/error.h"

typedef struct Fleetd Fleetd;

/* How long leaving the cluster may take: less than systemd's TimeoutStopSec (90 s). */
#define FLEETD_STOP_TIMEOUT_USEC (80 * USEC_PER_SEC)

/* Takes config on success. drivers: NULL-terminated, static; NULL = all compiled in. The caller owns *ret. */
int fleetd_new(sd_event *event, Config *config, const DriverType *const *drivers, Fleetd **ret,
               Error *reterr);
Fleetd *fleetd_free(Fleetd *f); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Fleetd, fleetd_free);

const Config *fleetd_config(const Fleetd *f); /* borrowed until the next reload */

/* Serves on a listening socket; takes fd on success only. */
int fleetd_add_listener(Fleetd *f, int fd, Error *reterr);
/* Makes the sockets that config's listen= names, and serves on them. */
int fleetd_listen(Fleetd *f, Error *reterr);

/* Takes config. What can be changed while running is; what cannot is named in the log. */
void fleetd_reload(Fleetd *f, Config *config);

/* SIGUSR1's line (FLEET.md B1), without newline. The caller owns it; NULL = out of memory. */
char *fleetd_dump(const Fleetd *f);

/*
 * Leaves the cluster: stops and unloads all units, removes own states and the machine. fn once, when that
 * is done or FLEETD_STOP_TIMEOUT_USEC have passed.
 */
void fleetd_leave(Fleetd *f, void (*fn)(void *userdata), void *userdata);
