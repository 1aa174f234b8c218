/*
 * The units that stop, unload and destroy are about: those of the arguments that the registry knows.
 */
#pragma once

#include "ctl/context.h"
#include "ctl/fleet.h"
#include "ctl/wait.h"
#include "lib/base/base.h"

/*
 * Looks the arguments up; unknown ones are left out. 0; an exit code to end with at once (after
 * saying why) is stored in *ret_rc and 1 is returned.
 */
int known_units_find(Context *c, UnitList *ret, int *ret_rc);

/* "[a.service b.service]", as Go prints lists. The caller owns it; NULL = out of memory. */
char *known_units_format(const WaitUnit *units, size_t n);

/* Sets the desired state of n units. Returns the exit code, after saying what went wrong. */
int known_units_set(Context *c, const char *const *names, size_t n, DesiredState desired);
