/*
 * Contents: unit files by their hash, fetched from the registry once for all units that share one.
 *
 * A small cache for the time of loading: drivers keep what they need, so it is emptied when the agent
 * has nothing to load.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "scheduler/registry.h"
#include "specs/unit_file.h"

#define CONTENTS_MAX 256 /* cached and being fetched; more make the cache start over */

typedef struct Contents Contents;

/*
 * A fetch that `unit` asked for has ended: 0 (contents_get() has it now, during this call at least) or
 * failed, in words. Called once for each unit that asked.
 */
typedef void (*ContentsFn)(const char *unit, const char *hash, int r, const Error *error,
                           void *userdata);

/* The registry is borrowed. The caller owns *ret. */
int contents_new(Registry *registry, ContentsFn fn, void *userdata, Contents **ret);
Contents *contents_free(Contents *c); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Contents, contents_free);

const UnitFile *contents_get(const Contents *c, const char *hash); /* borrowed; NULL = fetch it */

/* Asks for it, together with others that want the same. fn comes later, from the loop. */
int contents_fetch(Contents *c, const char *unit, const char *hash, Error *reterr);

void contents_clear(Contents *c); /* drops what is cached; fetches go on */
