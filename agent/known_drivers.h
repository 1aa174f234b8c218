/*
 * KnownDrivers: which drivers have ever answered on this machine, also across restarts.
 *
 * An engine that is away for a moment (an upgrade, a boot in another order) must not make the scheduler
 * take its units off this machine: their containers may well be running. So what the machine tells
 * of itself only ever grows; removing the file forgets.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/strv.h"

/* Appends the names in the file to *names; 0 also if there is none. */
int known_drivers_read(const char *path, Strv *names);

/* Adds `available` to *names and writes the file if they are more now. 1 = more, 0, or < 0: not written. */
int known_drivers_add(const char *path, const Strv *available, Strv *names);
