/*
 * The documents of fleet's HTTP API (FLEET.md B4): Unit, UnitState, Machine, errors, page tokens, PATCH.
 *
 * Both programs use them: fleetd writes what fleetctl reads, and each also talks to the original.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/json/json.h"
#include "specs/machine.h"
#include "specs/unit_file.h"
#include "specs/unit_state.h"

/* A unit as the API shows it. Empty strings and NULL are left out of the JSON. */
typedef struct ApiUnit {
        char *name;
        char *desired_state; /* a word of desired_state_to_string(), or what a client sent */
        char *current_state; /* NULL for globals */
        char *machine_id;    /* NULL = not placed */
        UnitFile *options;   /* never NULL */
} ApiUnit;

ApiUnit *api_unit_new(const char *name); /* NULL = out of memory */
ApiUnit *api_unit_free(ApiUnit *u);      /* accepts NULL, returns NULL */
DEFINE_CLEANUP(ApiUnit, api_unit_free);
int api_unit_to_json(const ApiUnit *u, json_t **ret);
/* For a PUT: each option with "line", its line in the client's file; the original overlooks it. */
int api_unit_to_json_with_lines(const ApiUnit *u, json_t **ret);
/* From a body or a reply; members of a wrong type are -EINVAL in the words of Go's decoder. */
int api_unit_from_json(const json_t *j, ApiUnit **ret, Error *reterr);

/* Exactly fleet's five fields (hash, machineID, name, systemd*State); what is ours is in /fleet/v1/status. */
int api_unit_state_to_json(const UnitState *s, json_t **ret);
int api_unit_state_from_json(const json_t *j, UnitState **ret, Error *reterr);

int api_machine_to_json(const Machine *m, json_t **ret);
int api_machine_from_json(const json_t *j, Machine **ret, Error *reterr);

/* {"error":{"code":N,"message":"…"}}; the caller owns it; NULL = out of memory. */
char *api_error_format(unsigned code, const char *message);
/* The message of such a body ("" if it has none); NULL if the body is no such document. The caller owns it. */
char *api_error_parse(const char *body, size_t size);

/* Page tokens: URL-safe base64 of two little-endian uint16, limit and page. */
typedef struct PageToken {
        uint16_t limit;
        uint16_t page; /* from 1 */
} PageToken;

char *page_token_format(const PageToken *t); /* the caller owns it; NULL = out of memory */
/* -EINVAL with fleet's words: bad base64, EOF, "token limit must be L", "token page must be greater than zero". */
int page_token_parse(const char *s, uint16_t limit, PageToken *ret, Error *reterr);

#define MACHINE_PATCHES_MAX 4096

/* One operation of PATCH /machines. */
typedef struct MachinePatch {
        char *machine_id;
        char *key;
        char *value; /* "" = remove */
} MachinePatch;

/* All or nothing; error words of B4. *ret is an array of *ret_n, freed with machine_patches_free(). */
int machine_patches_parse(const char *body, size_t size, MachinePatch **ret, size_t *ret_n,
                          Error *reterr);
MachinePatch *machine_patches_free(MachinePatch *p, size_t n);

/*
 * Ours, beside fleet's (paths below /fleet/v1 and /v1-alpha):
 *
 *   GET /units, /state, /machines also take limit=N (1 to 2000) for the size of their pages; the token of
 *                       such a page holds it, and goes with the same limit=N
 *   GET /status/UNIT    {"unit":…,"description":…,"desiredState":…,"currentState":…,"global":…,"machineID":…,
 *                        "hash":…,"reason":…,"states":[unit_state_to_json…]}; empty members are left out; 404 as /units/N.
 *                        A destroyed unit that is still being stopped has "unit" and "states" only
 *   GET /reasons        {"reasons":[{"unit":…,"text":…}]}: every unit that is not where its owner wants it
 *   GET /journal/UNIT?lines=N&follow=1&since=USEC&until=USEC&machine=ID
 *                       a stream of lines {"t":USEC,"stream":"stdout"|"stderr","text":…}; when it breaks off,
 *                       a last line {"error":…}. 404 unit does not exist / unit is not loaded on any machine
 *   GET /events?unit=NAME (repeatable; none = all)
 *                       a stream of lines; the first is {"revision":N} once the stream is complete from N on;
 *                       then one per change {"revision":N,"kind":"unit"|"placement"|"state"|"machine"|"reason",
 *                       "deleted":BOOL,"unit":…,"machine":…,"doc":…}. doc: unit {"hash","desiredState"},
 *                       placement {"hash","desiredState"}, state unit_state_to_json, machine machine_to_json,
 *                       reason {"text"}; left out when deleted. An empty line every 30 s keeps it alive.
 */
