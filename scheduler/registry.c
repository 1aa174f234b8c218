#include "scheduler/registry.h"

#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "scheduler/registry_internal.h"

/* ---- life ---- */

static void *free_string(void *s) {
        return mem_free(s);
}

int registry_new(Store *store, const RegistryOptions *options, Registry **ret) {
        _cleanup_(registry_freep) Registry *r = NULL;
        size_t n;

        assert(store && options && options->prefix && ret);
        r = mem_new(Registry);
        if (!r)
                return -ENOMEM;

        *r = (Registry){ .store = store, .options = *options };
        list_init(&r->calls);
        list_init(&r->follows);
        n = strlen(options->prefix);
        r->prefix = str_printf("%s%s", options->prefix,
                               n > 0 && options->prefix[n - 1] != '/' ? "/" : "");
        r->malformed = map_new(free_string);
        if (!r->prefix || !r->malformed)
                return -ENOMEM;

        r->options.prefix = r->prefix;
        *ret = TAKE_PTR(r);
        return 0;
}

static void call_clear(RegistryCall *c) {
        c->store_call = store_call_free(c->store_call);
        if (c->state_free)
                c->state_free(c->state);
        c->state = NULL;
        c->state_free = NULL;
}

static void call_detach(RegistryCall *c) {
        call_clear(c);
        list_remove(&c->calls);
        c->registry = NULL;
        if (c->orphaned)
                mem_free(c);
}

Registry *registry_free(Registry *r) {
        if (!r)
                return NULL;

        while (r->calls.next && !list_is_empty(&r->calls))
                call_detach(CONTAINER_OF(r->calls.next, RegistryCall, calls));
        if (r->follows.next)
                registry_follows_free(r);
        map_free(r->malformed);
        mem_free(r->prefix);
        return mem_free(r);
}

Store *registry_store(Registry *r) {
        return r->store;
}

/* ---- calls ---- */

RegistryCall *registry_call_new(Registry *r, bool writes, void *state, void (*state_free)(void *),
                                void *userdata) {
        RegistryCall *c = mem_new(RegistryCall);

        if (!c) {
                if (state_free)
                        state_free(state);
                return NULL;
        }

        *c = (RegistryCall){
                .registry = r,
                .writes = writes,
                .state = state,
                .state_free = state_free,
                .userdata = userdata,
        };
        list_append(&r->calls, &c->calls);
        return c;
}

int registry_call_fail(RegistryCall *c, int r, Error *reterr) {
        if (c) {
                c->orphaned = true;
                call_detach(c);
        }
        return error_fill(reterr, r);
}

bool registry_call_end(RegistryCall *c, RegistryTelling *ret) {
        bool wanted = !c->orphaned;

        *ret = (RegistryTelling){ .call = *c };
        c->store_call = NULL;
        c->state = NULL;
        c->state_free = NULL;
        call_detach(c);
        return wanted;
}

void registry_call_told(RegistryTelling *t) {
        call_clear(&t->call);
}

RegistryCall *registry_call_free(RegistryCall *c) {
        if (!c)
                return NULL;
        if (!c->registry)
                return mem_free(c);

        c->orphaned = true;
        if (!c->writes)
                call_detach(c);
        return NULL;
}

/* ---- keys and what is wrong with them ---- */

char *registry_key(const Registry *r, const char *folder, const char *a, const char *b) {
        return str_printf("%s%s%s%s%s", r->prefix, folder, a, b ? "/" : "", b ? b : "");
}

void registry_malformed(Registry *r, const StoreKv *kv, const Error *error) {
        _cleanup_free_ char *revision = str_printf("%" PRIi64, kv->mod_revision);

        if (!revision || str_eq(map_get(r->malformed, kv->key), revision))
                return;
        if (map_count(r->malformed) >= REGISTRY_MALFORMED_MAX)
                map_clear(r->malformed);
        if (map_put(r->malformed, kv->key, revision) >= 0)
                (void) TAKE_PTR(revision);
        if (r->options.malformed_fn)
                r->options.malformed_fn(kv->key, error, r->options.userdata);
}
