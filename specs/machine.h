/*
 * Machine: what a machine says of itself, and what was patched onto it through the API.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* Sorted by key, each key once. */
typedef struct Metadata {
        struct MetadataItem {
                char *key;
                char *value;
        } * items;
        size_t n, capacity;
} Metadata;

int metadata_set(Metadata *m, const char *key, const char *value); /* 0 or -ENOMEM */
const char *metadata_get(const Metadata *m, const char *key);      /* or NULL */
void metadata_remove(Metadata *m, const char *key);
int metadata_copy(const Metadata *m, Metadata *ret); /* overwrites *ret; 0 or -ENOMEM */
bool metadata_equal(const Metadata *a, const Metadata *b);
void metadata_done(Metadata *m);

/* "k=v,k=v" as in fleet.conf (B2); items without '=' are left out and appended to *bad (may be NULL). */
int metadata_parse(const char *s, Metadata *ret, Strv *bad);
char *metadata_format(const Metadata *m); /* "k=v,k=v" by key; the caller owns it */
int metadata_from_json(const json_t *object, Metadata *ret, Error *reterr);
int metadata_to_json(const Metadata *m, json_t **ret);

/* Lays `patch` over m: "" deletes the key (B4: PATCH /machines). */
int metadata_merge(Metadata *m, const Metadata *patch);

typedef struct Machine {
        char *id;
        char *public_ip; /* or NULL */
        Metadata metadata;
        char *version;
        Strv drivers;  /* names of those that answered, by name */
        uint64_t cpus; /* 0 = unknown */
        uint64_t memory_bytes;
} Machine;

Machine *machine_new(const char *id); /* NULL = out of memory */
Machine *machine_free(Machine *m);    /* accepts NULL, returns NULL */
DEFINE_CLEANUP(Machine, machine_free);

/* The document in the store. Unknown keys are ignored (a newer version may have written them). */
int machine_to_json(const Machine *m, json_t **ret);
int machine_from_json(const json_t *j, Machine **ret, Error *reterr);
