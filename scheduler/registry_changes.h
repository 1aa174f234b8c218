/*
 * Changes: RegistryChange documents in the making, with what they own. For registry_follow.c.
 */
#pragma once

#include "scheduler/registry.h"
#include "scheduler/registry_doc.h"

typedef struct RegistryChanges {
        struct RegistryChangeDoc **docs;
        size_t n, capacity;
        RegistryChange *items; /* made by registry_changes_list() */
} RegistryChanges;

void registry_changes_done(RegistryChanges *c);

/* A key that went. 0 or -ENOMEM. */
int registry_changes_delete(RegistryChanges *c, const RegistryKey *key);

/* Any document but a machine's. 0, -ENOMEM, or -EINVAL with words: it cannot be read and was not added. */
int registry_changes_add(RegistryChanges *c, const RegistryKey *key, const StoreKv *kv,
                         Error *reterr);

/* A machine with what was patched onto it (may be NULL). */
int registry_changes_add_machine(RegistryChanges *c, const Machine *m, const Metadata *patch);

/* All of them, c->n; borrowed until the next change. NULL = out of memory. */
const RegistryChange *registry_changes_list(RegistryChanges *c);
