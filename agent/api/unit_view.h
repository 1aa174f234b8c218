/*
 * UnitView: one unit as the API sees it, put together from what the registry says (FLEET.md B8). PURE.
 */
#pragma once

#include "lib/base/base.h"
#include "scheduler/registry.h"
#include "specs/unit_file.h"
#include "specs/unit_state.h"

/* What must be read for a view. */
#define UNIT_VIEW_MASK (REGISTRY_UNIT | REGISTRY_CONTENT | REGISTRY_PLACEMENT | REGISTRY_STATE)

typedef struct UnitView {
        UnitFile *file;
        bool global;
        const char *machine; /* where it is placed, or NULL; borrowed from the snapshot */
        const char *current; /* inactive, loaded, launched; NULL for globals */
} UnitView;

/* -ENOENT: its content is not there; -EINVAL: it is no unit file. The caller ends *ret with _done(). */
int unit_view_init(const RegistrySnapshot *s, const RegistryUnit *u, UnitView *ret);
void unit_view_done(UnitView *v);
