/* GET /status/N: all there is to know of one unit (specs/api_doc.h). */
#include "agent/api/handlers.h"
#include "agent/api/unit_view.h"
#include "specs/unit_name.h"

static int set_states(json_t *j, const RegistrySnapshot *s) {
        _cleanup_json_ json_t *states = json_array();
        int r;

        for (size_t i = 0; i < s->n_states; i++) {
                json_t *state = NULL;

                r = unit_state_to_json(s->states[i], &state);
                if (r < 0)
                        return r;
                if (json_array_append_new(states, state) < 0)
                        return -ENOMEM;
        }
        if (!states)
                return -ENOMEM;
        return s->n_states > 0 && json_object_set(j, "states", states) < 0 ? -ENOMEM : 0;
}

static int render(const RegistrySnapshot *s, const RegistryUnit *u, json_t **ret) {
        _cleanup_(unit_view_done) UnitView v = { 0 };
        _cleanup_json_ json_t *j = json_object();
        int r;

        if (!j)
                return -ENOMEM;
        r = unit_view_init(s, u, &v);
        if (r < 0)
                return r;
        const struct {
                const char *key, *value;
        } members[] = {
                { "unit", u->name },
                { "description", unit_file_get_first(v.file, "Unit", "Description") },
                { "desiredState", desired_state_to_string(u->desired) },
                { "currentState", v.current },
                { "machineID", v.machine },
                { "hash", u->hash },
                { "reason", registry_snapshot_reason(s, u->name) },
        };
        for (size_t i = 0; i < ELEMENTSOF(members) && r >= 0; i++)
                r = json_set_string(j, members[i].key, members[i].value);
        if (r >= 0 && v.global && json_object_set_new(j, "global", json_true()) < 0)
                r = -ENOMEM;
        if (r >= 0)
                r = set_states(j, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

/* A unit that was destroyed and is still being stopped: only its states are left. */
static int render_rest(const RegistrySnapshot *s, const char *unit, json_t **ret) {
        _cleanup_json_ json_t *j = NULL;
        int r;

        if (s->n_states == 0)
                return -ENOENT;
        j = json_pack("{s:s}", "unit", unit);
        if (!j)
                return -ENOMEM;
        r = set_states(j, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

static void on_read(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        _cleanup_(registry_snapshot_freep) RegistrySnapshot *s = snapshot;
        _cleanup_json_ json_t *j = NULL;
        const RegistryUnit *u;
        ApiRequest *q = userdata;

        if (r >= 0) {
                u = registry_snapshot_unit(s, q->name);
                r = u ? render(s, u, &j) : render_rest(s, q->name, &j);
        }
        request_reply_unit(q, r, error, j);
}

void status_get(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (unit_name_validate(q->name, NULL) < 0) {
                request_reply_error(q, 404, "unit does not exist");
                return;
        }
        r = registry_read(q->api->options.registry, UNIT_VIEW_MASK | REGISTRY_REASON, q->name,
                          on_read, q, &q->call, &error);
        if (r < 0)
                request_fail(q, r, &error);
}
