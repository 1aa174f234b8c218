#include "agent/presence.h"

#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/event/event.h"

#define PRESENCE_RETRY_MIN_USEC (100 * USEC_PER_MSEC)
#define PRESENCE_RETRY_MAX_USEC (10 * USEC_PER_SEC)

struct Presence {
        Registry *registry;
        uint64_t ttl_usec;         /* asked for */
        uint64_t granted_ttl_usec; /* by the store */
        void (*lease_changed)(int64_t lease, void *userdata);
        void *userdata;

        Machine *machine;
        json_t *document; /* of `machine`, to see changes */
        int64_t lease;    /* 0 = none */
        bool registered, document_changed, failing;

        StoreCall *lease_call;
        RegistryCall *put_call;
        sd_event_source *next; /* the renewal, or the next attempt */
        Backoff backoff;

        void (*left)(int r, void *userdata);
        void *left_userdata;
};

static void step(Presence *p);

static Store *store(Presence *p) {
        return registry_store(p->registry);
}

static void set_registered(Presence *p, bool registered) {
        if (p->registered == registered)
                return;
        p->registered = registered;
        p->lease_changed(registered ? p->lease : 0, p->userdata);
}

static void forget_lease(Presence *p) {
        p->lease_call = store_call_free(p->lease_call);
        p->put_call = registry_call_free(p->put_call);
        p->lease = 0;
        set_registered(p, false);
}

static void retry_later(Presence *p, const char *what, int r, const Error *error) {
        _cleanup_error_ Error words = ERROR_INIT;

        error_copy(&words, error);
        error_fill(&words, r);
        if (!p->failing)
                log_warning("cannot %s, trying again until it works: %s", what, error_text(&words));
        p->failing = true;
        (void) event_timer_arm(p->next, backoff_next(&p->backoff));
}

static void went_well(Presence *p) {
        if (p->failing)
                log_notice("the machine is registered again");
        p->failing = false;
        backoff_reset(&p->backoff);
        (void) event_timer_arm(p->next, MAX(p->granted_ttl_usec / 3, USEC_PER_MSEC));
}

static void on_granted(int r, int64_t lease, uint64_t ttl_usec, const Error *error,
                       void *userdata) {
        Presence *p = userdata;

        p->lease_call = store_call_free(p->lease_call);
        if (r < 0) {
                retry_later(p, "get a lease", r, error);
                return;
        }
        p->lease = lease;
        p->granted_ttl_usec = ttl_usec;
        step(p);
}

static void on_renewed(int r, int64_t lease _unused_, uint64_t ttl_usec, const Error *error,
                       void *userdata) {
        Presence *p = userdata;

        p->lease_call = store_call_free(p->lease_call);
        if (r == -ENOKEY) {
                log_notice("the machine's lease has run out: registering again");
                forget_lease(p);
                step(p);
                return;
        }
        if (r < 0) {
                retry_later(p, "renew the machine's lease", r, error);
                return;
        }
        p->granted_ttl_usec = ttl_usec;
        went_well(p);
}

static void on_put(int r, int64_t revision _unused_, const Error *error, void *userdata) {
        Presence *p = userdata;

        p->put_call = registry_call_free(p->put_call);
        if (r == -ENOKEY) {
                forget_lease(p);
                step(p);
                return;
        }
        if (r != 0) {
                p->document_changed = true;
                retry_later(p, "register the machine", r, error);
                return;
        }
        set_registered(p, true);
        went_well(p);
        if (p->document_changed)
                step(p);
}

static void put_document(Presence *p) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (p->put_call)
                return;
        p->document_changed = false;
        r = registry_machine_put(p->registry, p->machine, p->lease, on_put, p, &p->put_call,
                                 &error);
        if (r < 0) {
                p->document_changed = true;
                retry_later(p, "register the machine", r, &error);
        }
}

static void ask_lease(Presence *p) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (p->lease_call)
                return;
        if (p->lease == 0)
                r = store_lease_grant(store(p), p->ttl_usec, on_granted, p, &p->lease_call, &error);
        else
                r = store_lease_renew(store(p), p->lease, on_renewed, p, &p->lease_call, &error);
        if (r < 0)
                retry_later(p, "ask for a lease", r, &error);
}

/* Does what is missing: a lease, then the document under it, then renewing. */
static void step(Presence *p) {
        if (!p->machine || p->left)
                return;
        if (p->lease != 0 && (!p->registered || p->document_changed))
                put_document(p);
        else
                ask_lease(p);
}

static void on_next(void *userdata) {
        step(userdata);
}

int presence_new(const PresenceOptions *options, Presence **ret) {
        _cleanup_(presence_freep) Presence *p = mem_new(Presence);
        uint64_t retry_max_usec;
        int r;

        if (!p)
                return -ENOMEM;
        retry_max_usec = MAX(options->ttl_usec / 3, 2 * PRESENCE_RETRY_MIN_USEC);
        *p = (Presence){
                .registry = options->registry,
                .ttl_usec = options->ttl_usec,
                .lease_changed = options->lease_changed,
                .userdata = options->userdata,
                .backoff = BACKOFF_INIT(PRESENCE_RETRY_MIN_USEC,
                                        MIN(retry_max_usec, PRESENCE_RETRY_MAX_USEC),
                                        (uint64_t) getpid()),
        };
        r = event_timer_new(options->event, "presence", on_next, p, &p->next);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

Presence *presence_free(Presence *p) {
        if (!p)
                return NULL;
        p->next = event_drop(p->next);
        p->lease_call = store_call_free(p->lease_call);
        p->put_call = registry_call_free(p->put_call);
        p->machine = machine_free(p->machine);
        json_decref(p->document);
        return mem_free(p);
}

int presence_set_machine(Presence *p, const Machine *m) {
        _cleanup_json_ json_t *document = NULL;
        _cleanup_(machine_freep) Machine *copy = NULL;
        int r;

        r = machine_to_json(m, &document);
        if (r >= 0)
                r = machine_from_json(document, &copy, NULL);
        if (r < 0)
                return r;
        if (p->document && json_equal(p->document, document))
                return 0;

        machine_free(p->machine);
        p->machine = TAKE_PTR(copy);
        json_decref(p->document);
        p->document = TAKE_PTR(document);
        p->document_changed = true;
        step(p);
        return 0;
}

const Machine *presence_machine(const Presence *p) {
        return p->machine;
}

void presence_set_ttl(Presence *p, uint64_t ttl_usec) {
        if (p->ttl_usec == ttl_usec)
                return;
        p->ttl_usec = ttl_usec;
        /* The old lease runs out by itself: revoking it would make the machine vanish for a moment. */
        if (p->lease == 0)
                return;
        forget_lease(p);
        step(p);
}

void presence_lease_lost(Presence *p) {
        forget_lease(p);
        step(p);
}

static void on_revoked(int r _unused_, int64_t lease _unused_, uint64_t ttl_usec _unused_,
                       const Error *error _unused_, void *userdata) {
        Presence *p = userdata;

        p->lease_call = store_call_free(p->lease_call);
        p->left(0, p->left_userdata);
}

static void on_removed(int r, int64_t revision _unused_, const Error *error, void *userdata) {
        Presence *p = userdata;

        p->put_call = registry_call_free(p->put_call);
        if (r < 0)
                log_warning("cannot remove the machine from the registry, its lease will: %s",
                            error_text(error));
        else if (p->lease != 0 &&
                 store_lease_revoke(store(p), p->lease, on_revoked, p, &p->lease_call, NULL) >= 0)
                return;
        p->left(r, p->left_userdata);
}

void presence_leave(Presence *p, void (*fn)(int r, void *userdata), void *userdata) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        event_timer_disarm(p->next);
        p->lease_call = store_call_free(p->lease_call);
        p->put_call = registry_call_free(p->put_call);
        p->left = fn;
        p->left_userdata = userdata;
        if (!p->machine) {
                fn(0, userdata);
                return;
        }
        r = registry_machine_remove(p->registry, p->machine->id, on_removed, p, &p->put_call,
                                    &error);
        if (r < 0) {
                log_warning("cannot remove the machine from the registry: %s", error_text(&error));
                fn(r, userdata);
        }
}
