/*
 * The fake driver: units in memory, with outcomes that their own commands tell. For tests.
 *
 * driver_types() does not list it, so that no configuration selects it; a test hands its type to
 * whoever it tests, and where "fake" is among the available drivers driver_choose() chooses it.
 *
 * It runs on the service machine as the docker driver does. What a command does is in its name:
 *
 *   …/true          ends at once with 0          …/false        ends at once with 1
 *   …/exit N        ends at once with N          …/sleep SPAN   ends after SPAN with 0
 *   …/cannot-run    cannot be begun              …/stubborn     ignores every signal but SIGKILL
 *   …/never         never gets going (as an image that is pulled for ever)
 *
 * Anything else ends at once with 0, except ExecStart= of a Type other than oneshot, which runs until it is
 * told to end. Where there is a state directory, what runs is written down there, and is found by adopt()
 * of the next one: it lives on while no driver is there.
 */
#pragma once

#include "drivers/driver.h"

extern const DriverType fake_driver_type;

/* Lines of output that are kept of each unit. */
#define FAKE_LOG_LINES_MAX 1000

/* Units at a time. */
#define FAKE_UNITS_MAX 10000

/* What fleetd has no control over: the engine goes away and comes back, and main ends by itself. */
void fake_driver_set_available(Driver *d, bool available);
int fake_driver_end_main(Driver *d, const char *unit, int exit_status); /* -ESRCH = none runs */
