/* /state: what the machines report of their units (FLEET.md B4). */
#include "agent/api/handlers.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"
#include "specs/unit_name.h"

static size_t count(const RegistrySnapshot *s) {
        return s->n_states;
}

static bool matches(const RegistrySnapshot *s, size_t i, const ListingFilter *filter) {
        const UnitState *state = s->states[i];

        return (!filter->machine_id || str_eq(filter->machine_id, state->machine)) &&
               (!filter->unit_name || str_eq(filter->unit_name, state->unit));
}

static int render(const RegistrySnapshot *s, size_t i, json_t **ret) {
        return api_unit_state_to_json(s->states[i], ret);
}

static const ListingType state_type = {
        .resource = "states",
        .mask = REGISTRY_STATE,
        .count = count,
        .matches = matches,
        .render = render,
};

static const char *first_or_null(const Strv *v) {
        return v->n > 0 && !str_empty(v->items[0]) ? v->items[0] : NULL;
}

void state_list(ApiRequest *q) {
        _cleanup_(strv_done) Strv machines = STRV_INIT, units = STRV_INIT;
        ListingFilter filter;

        if (request_arguments(q, "machineID", &machines) < 0 ||
            request_arguments(q, "unitName", &units) < 0) {
                request_fail(q, -ENOMEM, NULL);
                return;
        }
        filter = (ListingFilter){ .machine_id = first_or_null(&machines),
                                  .unit_name = first_or_null(&units) };
        listing_serve(q, &state_type, &filter);
}

static void on_read(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        _cleanup_(registry_snapshot_freep) RegistrySnapshot *s = snapshot;
        _cleanup_json_ json_t *j = NULL;
        ApiRequest *q = userdata;

        if (r >= 0)
                r = s->n_states > 0 ? api_unit_state_to_json(s->states[0], &j) : -ENOENT;
        if (r == -ENOENT)
                request_reply_error(q, 404, "unit state does not exist");
        else if (r < 0)
                request_fail(q, r, error);
        else
                request_reply_json(q, 200, j);
}

void state_get(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (unit_name_validate(q->name, NULL) < 0) {
                request_reply_error(q, 404, "unit state does not exist");
                return;
        }
        r = registry_read(q->api->options.registry, REGISTRY_STATE, q->name, on_read, q, &q->call,
                          &error);
        if (r < 0)
                request_fail(q, r, &error);
}
