/* /machines: the machines there are, and patching their metadata (FLEET.md B4). */
#include "agent/api/handlers.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"

static size_t count(const RegistrySnapshot *s) {
        return s->n_machines;
}

static int render(const RegistrySnapshot *s, size_t i, json_t **ret) {
        return api_machine_to_json(s->machines[i], ret);
}

static const ListingType machines_type = {
        .resource = "machines",
        .mask = REGISTRY_MACHINE,
        .count = count,
        .render = render,
};

void machines_list(ApiRequest *q) {
        listing_serve(q, &machines_type, NULL);
}

/* The operations of one request, put together per machine. */
typedef struct Patches {
        RegistryMetadataPatch *machines;
        Metadata *metadata; /* what machines[i].patch points to */
        size_t n;
        MachinePatch *operations; /* machine names are borrowed from here */
        size_t n_operations;
} Patches;

static void *patches_free(void *p) {
        Patches *patches = p;

        if (!patches)
                return NULL;
        for (size_t i = 0; i < patches->n; i++)
                metadata_done(&patches->metadata[i]);
        patches->metadata = mem_free(patches->metadata);
        patches->machines = mem_free(patches->machines);
        machine_patches_free(patches->operations, patches->n_operations);
        return mem_free(patches);
}

static Metadata *metadata_of(Patches *p, const char *machine) {
        for (size_t i = 0; i < p->n; i++)
                if (str_eq(p->machines[i].machine, machine))
                        return &p->metadata[i];
        p->machines[p->n] = (RegistryMetadataPatch){ .machine = machine,
                                                     .patch = &p->metadata[p->n] };
        return &p->metadata[p->n++];
}

static int group_by_machine(Patches *p) {
        int r;

        p->machines = mem_new_array(RegistryMetadataPatch, p->n_operations + 1);
        p->metadata = mem_new_array(Metadata, p->n_operations + 1);
        if (!p->machines || !p->metadata)
                return -ENOMEM;
        for (size_t i = 0; i < p->n_operations; i++) {
                const MachinePatch *o = &p->operations[i];

                r = metadata_set(metadata_of(p, o->machine_id), o->key, o->value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void on_patched(int r, int64_t revision _unused_, const Error *error, void *userdata) {
        ApiRequest *q = userdata;

        if (r != 0)
                request_fail(q, r < 0 ? r : -EAGAIN, error);
        else
                request_reply_empty(q, 204, "application/json");
}

void machines_patch(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        Patches *p = mem_new(Patches);
        size_t size;
        const char *body = http_exchange_body(q->x, &size);
        int r;

        if (!p) {
                request_fail(q, -ENOMEM, NULL);
                return;
        }
        request_set_data(q, p, patches_free);
        r = machine_patches_parse(body, size, &p->operations, &p->n_operations, &error);
        if (r < 0 && r != -ENOMEM) {
                request_reply_error(q, 400, error_text(&error));
                return;
        }
        if (r >= 0)
                r = group_by_machine(p);
        if (r >= 0 && p->n == 0) {
                request_reply_empty(q, 204, "application/json");
                return;
        }
        if (r >= 0)
                r = registry_metadata_patch(q->api->options.registry, p->machines, p->n, on_patched,
                                            q, &q->call, &error);
        if (r < 0)
                request_fail(q, r, &error);
}
