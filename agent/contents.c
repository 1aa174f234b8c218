#include "agent/contents.h"

#include "lib/base/alloc.h"
#include "lib/base/map.h"
#include "lib/base/strv.h"

typedef struct ContentEntry {
        Contents *contents;
        char hash[SHA1_HEX_SIZE];
        UnitFile *file;     /* NULL while it is being fetched */
        RegistryCall *call; /* while it is being fetched */
        Strv waiting;       /* the units that want it, while it is being fetched */
} ContentEntry;

struct Contents {
        Registry *registry;
        ContentsFn fn;
        void *userdata;
        Map *entries; /* hash -> ContentEntry */
};

static void *content_entry_free(void *p) {
        ContentEntry *e = p;

        if (!e)
                return NULL;
        e->call = registry_call_free(e->call);
        e->file = unit_file_free(e->file);
        strv_done(&e->waiting);
        return mem_free(e);
}

int contents_new(Registry *registry, ContentsFn fn, void *userdata, Contents **ret) {
        _cleanup_(contents_freep) Contents *c = mem_new(Contents);

        if (!c)
                return -ENOMEM;
        *c = (Contents){ .registry = registry, .fn = fn, .userdata = userdata };
        c->entries = map_new(content_entry_free);
        if (!c->entries)
                return -ENOMEM;
        *ret = TAKE_PTR(c);
        return 0;
}

Contents *contents_free(Contents *c) {
        if (!c)
                return NULL;
        c->entries = map_free(c->entries);
        return mem_free(c);
}

const UnitFile *contents_get(const Contents *c, const char *hash) {
        const ContentEntry *e = map_get(c->entries, hash);

        return e ? e->file : NULL;
}

static void on_content(int r, const char *text, const Error *error, void *userdata) {
        ContentEntry *e = userdata;
        Contents *c = e->contents;
        _cleanup_(strv_done) Strv waiting = e->waiting;
        _cleanup_error_ Error why = ERROR_INIT;
        char hash[SHA1_HEX_SIZE];

        memcpy(hash, e->hash, sizeof(hash));
        e->waiting = STRV_INIT;
        e->call = registry_call_free(e->call);
        error_copy(&why, error);
        if (r == 0 && text)
                r = unit_file_parse(text, strlen(text), &e->file, &why);
        if (r == 0 && !e->file)
                r = -ENOENT;
        if (r < 0) {
                error_fill(&why, r);
                map_remove(c->entries, hash);
        }
        for (size_t i = 0; i < waiting.n; i++)
                c->fn(waiting.items[i], hash, r, &why, c->userdata);
}

static int entry_new(Contents *c, const char *hash, ContentEntry **ret) {
        ContentEntry *e;
        int r;

        if (map_count(c->entries) >= CONTENTS_MAX)
                contents_clear(c);

        e = mem_new(ContentEntry);
        if (!e)
                return -ENOMEM;
        e->contents = c;
        memcpy(e->hash, hash, MIN(strlen(hash), sizeof(e->hash) - 1));
        r = map_put(c->entries, hash, e);
        if (r < 0) {
                content_entry_free(e);
                return r;
        }
        *ret = e;
        return 0;
}

int contents_fetch(Contents *c, const char *unit, const char *hash, Error *reterr) {
        ContentEntry *e = map_get(c->entries, hash);
        int r;

        if (e && !e->file)
                return strv_push(&e->waiting, unit);

        r = entry_new(c, hash, &e);
        if (r < 0)
                return r;
        r = strv_push(&e->waiting, unit);
        if (r >= 0)
                r = registry_content_get(c->registry, hash, on_content, e, &e->call, reterr);
        if (r < 0)
                map_remove(c->entries, hash);
        return r;
}

void contents_clear(Contents *c) {
        const char *hash;
        ContentEntry *e;

        MAP_FOREACH (hash, e, c->entries)
                if (e->file)
                        map_remove(c->entries, hash);
}
