/*
 * Keys and documents of the registry: how each is spelled in the store (DESIGN.md "Keys"). For the
 * registry's own files.
 *
 * Members that are not known here are ignored: a newer version may have written them.
 */
#pragma once

#include "scheduler/registry.h"

/* The part of a key behind the prefix, taken apart. Borrowed from the key, but for machine and unit. */
typedef struct RegistryKey {
        RegistryKind kind;
        bool metadata; /* metadata/<machine>: kind is REGISTRY_MACHINE */
        char machine[256];
        char unit[512]; /* or the hash of a content */
} RegistryKey;

/* 0, or -EINVAL: no key of ours. */
int registry_key_parse(const char *key, RegistryKey *ret);

/* Each gives the document's text, owned by the caller; NULL = out of memory. */
char *registry_unit_format(const RegistryUnit *u);
char *registry_placement_format(const RegistryPlacement *p);
char *registry_reason_format(const char *text);
char *registry_leader_format(const char *machine, const char *version);
char *registry_metadata_format(const Metadata *m);

/* Strings in *ret are the caller's (…_done()), the names are copied. -EINVAL with words, or -ENOMEM. */
int registry_unit_parse(const char *name, const StoreKv *kv, RegistryUnit *ret, Error *reterr);
int registry_placement_parse(const char *unit, const char *machine, const StoreKv *kv,
                             RegistryPlacement *ret, Error *reterr);
int registry_reason_parse(const char *unit, const StoreKv *kv, RegistryReason *ret, Error *reterr);
int registry_state_parse(const StoreKv *kv, UnitState **ret, Error *reterr);
int registry_machine_parse(const char *id, const StoreKv *kv, Machine **ret, Error *reterr);
int registry_metadata_parse(const StoreKv *kv, Metadata *ret, Error *reterr);
int registry_leader_parse(const StoreKv *kv, char **ret_machine, Error *reterr);

void registry_unit_done(RegistryUnit *u);
void registry_placement_done(RegistryPlacement *p);
void registry_reason_done(RegistryReason *r);
