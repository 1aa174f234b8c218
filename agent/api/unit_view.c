#include "agent/api/unit_view.h"

#include "lib/base/str.h"
#include "specs/requirements.h"

static bool is_global(const RegistryUnit *u, const UnitFile *file) {
        _cleanup_(requirements_freep) Requirements *q = NULL;

        return requirements_parse(u->name, file, &q, NULL, NULL) >= 0 && q->global;
}

int unit_view_init(const RegistrySnapshot *s, const RegistryUnit *u, UnitView *ret) {
        const char *text = s->contents ? map_get(s->contents, u->hash) : NULL;
        const RegistryPlacement *p;
        UnitView v = { 0 };
        int r;

        if (!text)
                return -ENOENT;
        r = unit_file_parse(text, strlen(text), &v.file, NULL);
        if (r < 0)
                return r;
        v.global = is_global(u, v.file);
        if (!v.global) {
                const UnitState *state = NULL;

                p = registry_snapshot_placement(s, u->name);
                if (p) {
                        v.machine = p->machine;
                        state = registry_snapshot_state(s, u->name, p->machine);
                }
                v.current = desired_state_to_string(unit_state_reached(state));
        }
        *ret = v;
        return 0;
}

void unit_view_done(UnitView *v) {
        v->file = unit_file_free(v->file);
}
