/*
 * What the engine's files share: engine.c (life and passes), engine_feed.c (from the registry into the
 * core), engine_presence.c (which machines are gone), engine_collect.c (contents nobody needs).
 */
#pragma once

#include "lib/base/list.h"
#include "lib/event/event.h"
#include "scheduler/core/core.h"
#include "scheduler/election.h"
#include "scheduler/engine.h"

/* Contents that are fetched at once. */
#define ENGINE_FETCHES_MAX 32

typedef enum EngineUnitState {
        ENGINE_UNIT_GONE,    /* only its placements are known */
        ENGINE_UNIT_WAITING, /* for its content */
        ENGINE_UNIT_FED,     /* the core knows it */
        ENGINE_UNIT_BROKEN,  /* there, but it cannot be read: left alone as it is */
} EngineUnitState;

typedef struct EnginePlace {
        char *machine;
        char hash[SHA1_HEX_SIZE];
} EnginePlace;

typedef struct EngineUnit {
        char *name;
        EngineUnitState state;
        char hash[SHA1_HEX_SIZE];
        DesiredState desired;
        uint64_t generation;
        EnginePlace *places;
        size_t n_places, places_capacity;
} EngineUnit;

typedef struct EngineContent {
        UnitFile *file; /* NULL = not read yet, or it cannot be */
        char *broken;   /* why not */
        size_t units;   /* that have this hash */
        size_t places;  /* and placements */
        RegistryCall *fetching;
        struct Engine *engine;
        char hash[SHA1_HEX_SIZE];
        ListLink wanted; /* in engine->fetch_queue */
} EngineContent;

typedef struct EngineSilent {
        uint64_t since_usec; /* CLOCK_BOOTTIME: when its absence was noticed */
} EngineSilent;

struct Engine {
        EngineOptions options;
        char *machine_id, *version;
        Election *election;
        EngineMetrics metrics;
        int64_t leader; /* 0 = does not lead: everything below is empty */

        RegistryFollow *follow;
        Core *core;
        Map *units;    /* EngineUnit */
        Map *contents; /* EngineContent by hash */
        Map *machines; /* ids that are registered (to themselves) */
        Map *silent;   /* EngineSilent by id: not registered, but believed in */
        Map *reasons;  /* unit -> text, as they are in the registry */
        Map *sayings;  /* the same, of units that the core knows nothing of; "" = take it back */
        ListLink fetch_queue;
        size_t n_fetching, n_waiting;
        bool fed;        /* the snapshot is in */
        bool loading;    /* a snapshot was fed, its contents are not all there */
        bool first_pass; /* after loading */
        bool empty;      /* the snapshot had placements, but no unit: nothing is done */
        int64_t units_revision, places_revision;

        sd_event_source *pass_source, *presence_timer, *retry_timer, *confirm_timer;
        Backoff backoff;
        RegistryCall *applying;
        int64_t confirm;          /* the pass waits for the watch to get here */
        CorePlan *plan;           /* that is being applied */
        uint64_t held_since_usec; /* 0 = no loss of many machines is held back */
        char *ineligible;         /* the last reason that eligible_fn gave */

        Strv garbage; /* hashes that lost a reference */
        RegistryCall *collecting;
        bool listed; /* all contents were looked at once */
};

/* engine.c */
void engine_wake(Engine *e); /* a pass in the next turn */
void engine_start_over(Engine *e, int r,
                       const Error *error); /* drops the view, reads it anew after a while */

/* engine_feed.c */
extern const RegistryFollowHandler engine_follow_handler;
int engine_view_new(Engine *e); /* empty core and maps */
void engine_view_drop(Engine *e);
int engine_say(Engine *e, const char *unit,
               const char *text);                           /* why it is left alone; "" = no more */
EngineContent *engine_content(Engine *e, const char *hash); /* or NULL */

/* engine_presence.c */
void engine_machine_seen(Engine *e, const char *id);
int engine_machine_absent(Engine *e, const char *id);
/* Those whose absence is certain by now go; the timer is set for the others. */
int engine_presence_check(Engine *e);
void engine_presence_timer(void *userdata);

/* engine_collect.c */
int engine_collect_note(Engine *e, const char *hash);
void engine_collect_run(Engine *e); /* between passes */
