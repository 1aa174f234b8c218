/*
 * The drivers there are, and which one a unit goes to (`driver=`, `[X-Fleet] Driver=`).
 */
#pragma once

#include "drivers/driver.h"
#include "lib/base/strv.h"

/* By name; NULL if there is none. */
const DriverType *driver_type_get(const char *name);

/* All compiled-in types in order of preference, NULL-terminated. */
const DriverType *const *driver_types(void);

/*
 * Chooses for a unit among `available` (names). `configured` is fleet.conf's driver= (auto or a name);
 * the unit's own Driver= wins. 0 with *ret; -ENOENT = none can, with each driver's reason; -EINVAL = the
 * unit is wrong wherever it goes, with line. Pure.
 */
int driver_choose(const char *unit, const UnitFile *file, const char *configured,
                  const Strv *available, const DriverType **ret, Error *reterr);

/* At submit: -EINVAL with line if a driver claims the unit but cannot run it as written; else 0. Pure. */
int driver_validate(const char *unit, const UnitFile *file, const char *configured, Error *reterr);
