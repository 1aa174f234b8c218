/*
 * What is asked of fleetd's API, in documents instead of requests (FLEET.md B4).
 *
 * Calls of several units go out in parallel; their results are in the order they were asked for.
 * Failures have words as fleet prints them ("googleapi: Error 400: …").
 */
#pragma once

#include "ctl/client.h"
#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/map.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "specs/api_doc.h"

#define FLEET_LIST_MAX 1000000 /* units, states or machines in one list */
#define FLEET_PAGES_MAX 65535  /* what a page token can count to */

/* "this is not there": a condition of the calls that name it. */
#define FLEET_NOT_FOUND 1

typedef struct UnitList {
        ApiUnit **items;
        size_t n, capacity;
} UnitList;

typedef struct StateList {
        UnitState **items;
        size_t n, capacity;
} StateList;

typedef struct MachineList {
        Machine **items;
        size_t n, capacity;
} MachineList;

/* All of them, over as many pages as there are, in fleetd's order. The caller ends *ret with …_done(). */
int fleet_list_units(Client *c, UnitList *ret, Error *reterr);
int fleet_list_states(Client *c, StateList *ret, Error *reterr);
int fleet_list_machines(Client *c, MachineList *ret, Error *reterr);
void unit_list_done(UnitList *l);
void state_list_done(StateList *l);
void machine_list_done(MachineList *l);

/* The machine with that id, or NULL; borrowed. */
const Machine *machine_list_find(const MachineList *l, const char *id);

/* The units of these names; those that do not exist are NULL in ret->items. */
int fleet_get_units(Client *c, const Strv *names, UnitList *ret, Error *reterr);
int fleet_get_unit(Client *c, const char *name, ApiUnit **ret, Error *reterr); /* FLEET_NOT_FOUND */

/*
 * Sends each unit: with options it is created or replaced, without them its desired state is set.
 * On failure *ret_failed is the first that was refused; those behind it may have been accepted.
 */
int fleet_put_units(Client *c, ApiUnit *const *units, size_t n, size_t *ret_failed, Error *reterr);

/* Deletes; errors[i] (n of them, ERROR_INIT) says what went wrong. Not being there is no error. 0 or -ENOMEM. */
int fleet_delete_units(Client *c, const Strv *names, Error *errors);

/*
 * GET /status/UNIT of each name: ret->items[i] is the document or NULL (no such unit). FLEET_NOT_FOUND:
 * this server (the original one) has no such path. The caller ends *ret with json_list_done().
 */
typedef struct JsonList {
        json_t **items;
        size_t n, capacity;
} JsonList;
int fleet_get_status(Client *c, const Strv *names, JsonList *ret, Error *reterr);
void json_list_done(JsonList *l);

/*
 * The same from a server that has no /status: put together from /units/UNIT and /state. Items have
 * "unit", "desiredState", "currentState", "machineID", "hash", "description" and "states" (no driver, no result).
 */
int fleet_get_plain_status(Client *c, const Strv *names, JsonList *ret, Error *reterr);

/* Why units are not where their owners want them: name to text; empty if the server does not know. */
int fleet_get_reasons(Client *c, Map **ret, Error *reterr);
