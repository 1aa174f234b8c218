/*
 * Driver: who runs units on this machine. One table of asynchronous operations and the contract of each.
 *
 * The agent asks for what shall be (load, start, stop, unload) and the driver reports what is
 * (state_fn), whoever caused it. Operations on one unit may come while another is under way on it:
 * the later one wins, the earlier one's done_fn is called with -ECANCELED. Operations on different
 * units never wait for each other. All callbacks come from the loop, never from inside the call.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "specs/unit_file.h"
#include "specs/unit_state.h"

typedef struct Driver Driver;
typedef struct DriverLog DriverLog;

/* The state of a unit has changed (or it is gone from the driver: state NULL). Borrowed. */
typedef void (*DriverStateFn)(const char *unit, const UnitState *state, void *userdata);

/* Whether the engine behind the driver answers; called on each change, and once after driver_new. */
typedef void (*DriverAvailableFn)(Driver *d, bool available, const Error *why_not, void *userdata);

/* What every driver gets at birth; copied where kept. */
typedef struct DriverOptions {
        sd_event *event;
        const char *machine_id;
        const char *state_directory;
        const char *units_directory;
        const char *docker_socket; /* unix:///… */
        unsigned docker_parallelism;
        DriverStateFn state_fn;
        DriverAvailableFn available_fn;
        void *userdata;
} DriverOptions;

/* What to run. Borrowed for the time of the call. */
typedef struct DriverUnit {
        const char *name;
        const char *hash;
        uint64_t generation;
        const UnitFile *file;
} DriverUnit;

/* r: 0 = done; -ECANCELED = overtaken by a later operation; else failed, in words. */
typedef void (*DriverDoneFn)(const char *unit, int r, const Error *error, void *userdata);

/* What a driver found running when it came up. Borrowed. */
typedef struct DriverFound {
        const char *unit;
        const char *hash;
        uint64_t generation;
        const UnitState *state;
} DriverFound;

/* Once: all that is there. r < 0: could not be asked (and nothing may be concluded from it). */
typedef void (*DriverAdoptFn)(Driver *d, int r, const DriverFound *found, size_t n,
                              const Error *error, void *userdata);

typedef struct DriverLogOptions {
        uint64_t lines; /* last N; UINT64_MAX = all */
        bool follow;
        uint64_t since_usec; /* CLOCK_REALTIME; 0 = from the beginning */
        uint64_t until_usec; /* 0 = to the end */
} DriverLogOptions;

/* One line without its newline. Borrowed. */
typedef struct DriverLogLine {
        uint64_t realtime_usec;
        bool is_stderr;
        const char *text;
        size_t size;
} DriverLogLine;
typedef void (*DriverLogLineFn)(const DriverLogLine *line, void *userdata);
typedef void (*DriverLogEndFn)(int r, const Error *error, void *userdata);

/* What claim says of a unit, besides errors. */
#define DRIVER_CLAIMS 0
#define DRIVER_NOT_MINE 1 /* another driver may; the reason is in reterr */

typedef struct DriverType {
        const char *name; /* docker, systemd, rkt, process, fake */

        /*
         * PURE: can this driver run the unit? DRIVER_CLAIMS; DRIVER_NOT_MINE with the reason; -EINVAL = it is
         * its own but cannot be run, with what and where (line): the unit is refused at submit.
         */
        int (*claim)(const char *unit, const UnitFile *file, Error *reterr);

        /* The driver starts to look for its engine at once. The caller owns *ret. */
        int (*new)(const DriverOptions *options, Driver **ret, Error *reterr);

        /* Leaves everything running. Cancels all callbacks. Accepts NULL, returns NULL. */
        Driver *(*free)(Driver *d);

        /* Reports what runs here from before. No side effect. Once, before any load. */
        int (*adopt)(Driver *d, DriverAdoptFn fn, void *userdata, Error *reterr);

        /*
         * Makes the unit known, without starting it. If adopt found it running with the same hash, it is taken
         * up as it runs, supervised from now on. -EEXIST: loaded with another hash (unload first). Loaded
         * already with this hash: only its generation is replaced (what the next start labels it with).
         */
        int (*load)(Driver *d, const DriverUnit *unit, DriverDoneFn fn, void *userdata,
                    Error *reterr);

        /* start's fn: when the start job has ended (systemd's JobRemoved): active, or failed in words. */
        int (*start)(Driver *d, const char *unit, DriverDoneFn fn, void *userdata, Error *reterr);
        int (*stop)(Driver *d, const char *unit, DriverDoneFn fn, void *userdata, Error *reterr);
        int (*restart)(Driver *d, const char *unit, DriverDoneFn fn, void *userdata, Error *reterr);
        int (*reload)(Driver *d, const char *unit, DriverDoneFn fn, void *userdata, Error *reterr);

        /* Stops it, waits for that, then forgets it. Also for what adopt found and nobody loaded. */
        int (*unload)(Driver *d, const char *unit, DriverDoneFn fn, void *userdata, Error *reterr);

        /* What the driver knows now; borrowed until the loop goes on. NULL = not loaded. */
        const UnitState *(*inspect)(Driver *d, const char *unit);

        /* The unit's output, oldest first. end_fn once, unless freed. The caller owns *ret. */
        int (*logs)(Driver *d, const char *unit, const DriverLogOptions *options,
                    DriverLogLineFn line_fn, DriverLogEndFn end_fn, void *userdata, DriverLog **ret,
                    Error *reterr);
        DriverLog *(*log_free)(DriverLog *l); /* accepts NULL, returns NULL */
} DriverType;

/* Each driver begins with its type. */
struct Driver {
        const DriverType *type;
};
