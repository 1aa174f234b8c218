#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/registry_internal.h"

/* The document that registry_read() gives, and looking things up in it. */

RegistrySnapshot *registry_snapshot_free(RegistrySnapshot *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n_units; i++)
                registry_unit_done(&s->units[i]);
        for (size_t i = 0; i < s->n_placements; i++)
                registry_placement_done(&s->placements[i]);
        for (size_t i = 0; i < s->n_states; i++)
                (void) unit_state_free(s->states[i]);
        for (size_t i = 0; i < s->n_machines; i++)
                (void) machine_free(s->machines[i]);
        for (size_t i = 0; i < s->n_reasons; i++)
                registry_reason_done(&s->reasons[i]);
        mem_free(s->units);
        mem_free(s->placements);
        mem_free(s->states);
        mem_free(s->machines);
        mem_free(s->reasons);
        map_free(s->contents);
        return mem_free(s);
}

static int by_unit(const void *key, const void *unit) {
        return strcmp(key, ((const RegistryUnit *) unit)->name);
}

const RegistryUnit *registry_snapshot_unit(const RegistrySnapshot *s, const char *name) {
        return s->n_units == 0 ? NULL
                               : bsearch(name, s->units, s->n_units, sizeof(RegistryUnit), by_unit);
}

const RegistryPlacement *registry_snapshot_placement(const RegistrySnapshot *s, const char *unit) {
        size_t low = 0, high = s->n_placements;

        while (low < high) { /* the first that is not before it */
                size_t middle = low + (high - low) / 2;

                if (strcmp(s->placements[middle].unit, unit) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < s->n_placements && strcmp(s->placements[low].unit, unit) == 0
                       ? &s->placements[low]
                       : NULL;
}

const UnitState *registry_snapshot_state(const RegistrySnapshot *s, const char *unit,
                                         const char *machine) {
        size_t low = 0, high = s->n_states;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(unit, s->states[middle]->unit);

                if (order == 0)
                        order = strcmp(machine, s->states[middle]->machine);
                if (order == 0)
                        return s->states[middle];
                if (order > 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

static int by_reason(const void *key, const void *reason) {
        return strcmp(key, ((const RegistryReason *) reason)->unit);
}

const char *registry_snapshot_reason(const RegistrySnapshot *s, const char *unit) {
        const RegistryReason *r;

        r = s->n_reasons == 0
                    ? NULL
                    : bsearch(unit, s->reasons, s->n_reasons, sizeof(RegistryReason), by_reason);
        return r ? r->text : NULL;
}
