/* /units: the units there are, and what their owners want of them (FLEET.md B4). */
#include "agent/api/handlers.h"
#include "agent/api/unit_view.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"
#include "specs/unit_name.h"

static int set_strings(ApiUnit *api, const RegistryUnit *u, const UnitView *v) {
        int r;

        r = str_replace(&api->desired_state, desired_state_to_string(u->desired));
        if (r >= 0)
                r = str_replace(&api->current_state, v->current);
        if (r >= 0)
                r = str_replace(&api->machine_id, v->machine);
        return r;
}

static int render_unit(const RegistrySnapshot *s, const RegistryUnit *u, json_t **ret) {
        _cleanup_(api_unit_freep) ApiUnit *api = api_unit_new(u->name);
        _cleanup_(unit_view_done) UnitView v = { 0 };
        int r;

        if (!api)
                return -ENOMEM;
        r = unit_view_init(s, u, &v);
        if (r >= 0)
                r = set_strings(api, u, &v);
        if (r < 0)
                return r;
        unit_file_free(api->options);
        api->options = TAKE_PTR(v.file);
        return api_unit_to_json(api, ret);
}

static size_t count(const RegistrySnapshot *s) {
        return s->n_units;
}

/* A unit whose content is lost is not there, as in the original. */
static bool matches(const RegistrySnapshot *s, size_t i, const ListingFilter *filter _unused_) {
        return map_get(s->contents, s->units[i].hash);
}

static int render(const RegistrySnapshot *s, size_t i, json_t **ret) {
        return render_unit(s, &s->units[i], ret);
}

static const ListingType units_type = {
        .resource = "units",
        .mask = UNIT_VIEW_MASK,
        .count = count,
        .matches = matches,
        .render = render,
};

void units_list(ApiRequest *q) {
        listing_serve(q, &units_type, NULL);
}

static void on_read(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        _cleanup_(registry_snapshot_freep) RegistrySnapshot *s = snapshot;
        _cleanup_json_ json_t *j = NULL;
        const RegistryUnit *u = NULL;
        ApiRequest *q = userdata;

        if (r >= 0) {
                u = registry_snapshot_unit(s, q->name);
                r = u ? render_unit(s, u, &j) : -ENOENT;
        }
        request_reply_unit(q, r, error, j);
}

void units_get(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (unit_name_validate(q->name, NULL) < 0) {
                request_reply_error(q, 404, "unit does not exist");
                return;
        }
        r = registry_read(q->api->options.registry, UNIT_VIEW_MASK, q->name, on_read, q, &q->call,
                          &error);
        if (r < 0)
                request_fail(q, r, &error);
}
