/*
 * Map: from a string to a pointer. Looking up, putting and removing cost O(1); the order in which
 * MAP_FOREACH goes is not defined, so whoever prints or decides takes map_keys_sorted().
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/strv.h"

typedef struct Map Map;

/* free_value (may be NULL) is called for each value that is dropped or replaced. The caller owns the map. */
Map *map_new(void *(*free_value)(void *) ); /* NULL = out of memory */
Map *map_free(Map *m);                      /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Map, map_free);

void *map_get(const Map *m, const char *key); /* borrowed; NULL if there is none */

/* Copies the key, takes the value (must not be NULL) and drops the one before. 0 or -ENOMEM. */
int map_put(Map *m, const char *key, void *value);

bool map_remove(Map *m, const char *key); /* drops the value; true if there was one */
void *map_steal(Map *m, const char *key); /* the caller owns the value; NULL if there is none */
size_t map_count(const Map *m);           /* 0 for NULL */
void map_clear(Map *m);

int map_keys_sorted(const Map *m, Strv *ret); /* 0 or -ENOMEM; the caller owns the copy */

/* Next entry from *position (start with 0); false at the end. Removing the current entry is allowed. */
bool map_next(const Map *m, size_t *position, const char **ret_key, void **ret_value);

#define MAP_FOREACH(key, value, m)                                                                 \
        for (size_t key##_position = 0; map_next((m), &key##_position, &(key), (void **) &(value));)
