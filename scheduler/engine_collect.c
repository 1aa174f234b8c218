#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "scheduler/engine_internal.h"

/* Contents that nobody refers to any more: noted when a reference goes, removed between passes. */

/* In one call to the registry. */
#define COLLECT_MAX 256

int engine_collect_note(Engine *e, const char *hash) {
        const EngineContent *c = engine_content(e, hash);

        return hash[0] == '\0' || (c && c->units + c->places > 0) ? 0
                                                                  : strv_push(&e->garbage, hash);
}

static void on_collected(int r, int64_t revision _unused_, const Error *error, void *userdata) {
        Engine *e = userdata;

        e->collecting = registry_call_free(e->collecting);
        if (r < 0)
                log_warning("engine: removing unused contents: %s; the next leader does it",
                            error_text(error));
        else if (e->garbage.n > 0)
                engine_wake(e);
}

static void on_listed(int r, const char *const *hashes, size_t n, const Error *error,
                      void *userdata) {
        Engine *e = userdata;

        e->collecting = registry_call_free(e->collecting);
        if (r < 0) {
                log_warning("engine: looking for unused contents: %s; the next leader does it",
                            error_text(error));
                return;
        }
        for (size_t i = 0; i < n; i++)
                if (engine_collect_note(e, hashes[i]) < 0)
                        return;
        if (e->garbage.n > 0)
                engine_wake(e);
}

void engine_collect_run(Engine *e) {
        const char *hashes[COLLECT_MAX];
        size_t n = 0, taken;
        int r;

        if (e->collecting)
                return;
        if (!e->listed) {
                e->listed = true;
                r = registry_content_list(e->options.registry, on_listed, e, &e->collecting, NULL);
                if (r < 0)
                        log_warning("engine: looking for unused contents: %s; the next leader does "
                                    "it",
                                    strerror(-r));
                return;
        }

        strv_sort(&e->garbage);
        strv_uniq(&e->garbage);
        taken = MIN(e->garbage.n, (size_t) COLLECT_MAX);
        for (size_t i = 0; i < taken; i++) {
                const EngineContent *c = engine_content(e, e->garbage.items[i]);

                if (!c || c->units + c->places == 0) /* it may be wanted again */
                        hashes[n++] = e->garbage.items[i];
        }
        if (n > 0) {
                r = registry_collect(e->options.registry, hashes, n, e->units_revision, e->leader,
                                     on_collected, e, &e->collecting, NULL);
                if (r < 0)
                        log_warning("engine: removing unused contents: %s; the next leader does it",
                                    strerror(-r));
        }
        for (size_t i = 0; i < taken; i++)
                mem_free(e->garbage.items[i]);
        e->garbage.n -= taken;
        if (e->garbage.items)
                memmove(e->garbage.items, e->garbage.items + taken,
                        (e->garbage.n + 1) * sizeof(char *));
}
