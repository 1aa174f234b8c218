/*
 * What the files of the fake driver share. Private to drivers/fake.
 */
#pragma once

#include "drivers/fake/fake_driver.h"
#include "drivers/service/service.h"
#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/event/event.h"

typedef struct FakeUnit FakeUnit;

typedef struct FakeDriver {
        Driver base;
        sd_event *event;
        char *machine_id;
        char *directory; /* what runs is written down here; NULL = nowhere */
        DriverStateFn state_fn;
        DriverAvailableFn available_fn;
        void *userdata;
        bool available;
        sd_event_source *available_defer;
        sd_event_source *calls_defer;
        ListLink calls; /* FakeCall: done functions that are to be called */
        ListLink logs;  /* DriverLog */
        Map *units;     /* FakeUnit by name */
        Map *found;     /* FakeFound by name: from before, nobody has loaded them */
        DriverAdoptFn adopt_fn;
        void *adopt_userdata;
        sd_event_source *adopt_defer;
} FakeDriver;

/* An operation that is through, or was overtaken. */
typedef struct FakeCall {
        ListLink link;
        char *unit;
        int r;
        Error error;
        DriverDoneFn fn;
        void *userdata;
} FakeCall;

/* What was found running. */
typedef struct FakeFound {
        char *unit;
        char *hash;
        uint64_t generation;
        UnitState *state;
} FakeFound;

/* One command that runs. */
typedef struct FakeRun {
        bool runs, stubborn;
        bool started; /* report main_started first */
        bool ends;    /* it ends when the timer goes off */
        ServiceExit exit;
        sd_event_source *timer;
} FakeRun;

typedef struct FakeLine {
        uint64_t realtime_usec;
        char *text;
} FakeLine;

struct FakeUnit {
        FakeDriver *driver;
        char *name;
        char hash[SHA1_HEX_SIZE];
        uint64_t generation;
        Service *service;
        UnitState *state;
        FakeRun runs[2]; /* by ServiceTarget */
        sd_event_source *timer, *changed;
        FakeLine *lines; /* the last FAKE_LOG_LINES_MAX */
        size_t n_lines, lines_capacity;
        uint64_t first_line; /* number of lines[0] since the beginning */

        DriverDoneFn done_fn; /* of the operation under way; NULL = none */
        void *done_userdata;
        bool is_load, unloading; /* what it is, where that matters */
};

/* fake_unit.c. The caller owns *ret. */
int fake_unit_new(FakeDriver *d, const DriverUnit *unit, FakeUnit **ret, Error *reterr);
FakeUnit *fake_unit_free(FakeUnit *u);
DEFINE_CLEANUP(FakeUnit, fake_unit_free);
void fake_unit_end(FakeUnit *u, ServiceTarget target, int exit_status); /* now, in the next turn */

/* fake_driver.c: the unit has got somewhere; its operation may be through. May free the unit. */
void fake_unit_settled(FakeUnit *u);

/* fake_log.c */
int fake_unit_log(FakeUnit *u, const char *fmt, ...) _printf_(2, 3);
int fake_logs(Driver *d, const char *unit, const DriverLogOptions *options, DriverLogLineFn line_fn,
              DriverLogEndFn end_fn, void *userdata, DriverLog **ret, Error *reterr);
DriverLog *fake_log_free(DriverLog *l);
void fake_logs_forget(FakeDriver *d, const char *unit); /* NULL = all: the driver goes */

/* fake_store.c: one file for each unit that runs. */
int fake_store_put(const FakeUnit *u);
void fake_store_remove(const FakeDriver *d, const char *unit);
int fake_store_read(FakeDriver *d); /* fills d->found */
FakeFound *fake_found_free(FakeFound *f);
