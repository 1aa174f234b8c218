/* GET /reasons: why units are not where their owners want them (specs/api_doc.h). */
#include "agent/api/handlers.h"

static int render(const RegistrySnapshot *s, json_t **ret) {
        _cleanup_json_ json_t *document = json_object(), *items = json_array();

        for (size_t i = 0; i < s->n_reasons; i++) {
                const RegistryReason *reason = &s->reasons[i];

                if (json_array_append_new(items, json_pack("{s:s,s:s}", "unit", reason->unit,
                                                           "text", reason->text)) < 0)
                        return -ENOMEM;
        }
        if (!document || !items)
                return -ENOMEM;
        if (json_array_size(items) > 0 && json_object_set(document, "reasons", items) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(document);
        return 0;
}

static void on_read(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        _cleanup_(registry_snapshot_freep) RegistrySnapshot *s = snapshot;
        _cleanup_json_ json_t *j = NULL;
        ApiRequest *q = userdata;

        if (r >= 0)
                r = render(s, &j);
        if (r < 0)
                request_fail(q, r, error);
        else
                request_reply_json(q, 200, j);
}

void reasons_list(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        r = registry_read(q->api->options.registry, REGISTRY_REASON, NULL, on_read, q, &q->call,
                          &error);
        if (r < 0)
                request_fail(q, r, &error);
}
