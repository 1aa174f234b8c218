/*
 * Daemon: fleetd as a process: signals, sockets that systemd hands over, readiness, the exit code.
 */
#pragma once

#include "lib/base/base.h"

typedef struct DaemonOptions {
        const char *config_path; /* NULL = the default, which may be missing */
        bool standalone;         /* --standalone */
} DaemonOptions;

/* Runs until it is told to end; what went wrong has been logged. Returns the exit code. */
int daemon_run(const DaemonOptions *options);
