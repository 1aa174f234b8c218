/*
 * SpyDriver: a driver named "fake" that does nothing but write down what it is asked for, and answers
 * when and what the test says.
 */
#pragma once

#include "drivers/driver.h"
#include "lib/base/buf.h"

typedef struct SpyDriver SpyDriver;

extern const DriverType spy_driver_type;

/* The one that was made last in this process; the agent owns it. */
SpyDriver *spy_driver_get(void);

/* Before the agent is made: what the next spy is born with. */
typedef struct SpySetup {
        bool unavailable; /* at first */
        bool manual;      /* operations wait for spy_driver_finish() */
        int adopt_fails;  /* so many times */
        const char
                *found; /* "unit hash generation active" lines, space separated; NULL = nothing */
} SpySetup;
void spy_driver_setup(const SpySetup *setup);

/* What it was asked for since the last call, "load a.service aaaa 1|start a.service|"; the caller owns it. */
char *spy_driver_take(SpyDriver *s);

void spy_driver_set_available(SpyDriver *s, bool available);
/* The next operation of that kind ("load") on that unit fails with r, n times. */
void spy_driver_fail(SpyDriver *s, const char *operation, const char *unit, int r, unsigned n);
/* Ends the oldest operation that waits on the unit. */
void spy_driver_finish(SpyDriver *s, const char *unit, int r);
/* The unit changes by itself. */
void spy_driver_tell(SpyDriver *s, const char *unit, const char *active, const char *sub);
