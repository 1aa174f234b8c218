#include "scheduler/election.h"

#include <inttypes.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

#define RETRY_MIN_USEC (50 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (2 * USEC_PER_SEC)

struct Election {
        ElectionOptions options;
        char *machine_id, *version;
        RegistryFollow *follow;
        RegistryCall *acquiring, *releasing;
        StoreCall *leasing;
        sd_event_source *timer; /* the next attempt, or the next renewal */
        Backoff backoff;
        int64_t lease;    /* 0 = none */
        uint64_t renewed; /* when the last good renewal was sent */
        uint64_t asked;   /* when the one under way was */
        int64_t leader;   /* create revision of our key; 0 = we do not lead */
        uint64_t contact_since;
        bool resigned;
        void (*resigned_fn)(void *userdata);
        void *resigned_userdata;
};

static void attempt(Election *e);

uint64_t election_contact_since(const Election *e) {
        return e->contact_since;
}

static void note_contact(Election *e, bool good) {
        if (!good)
                e->contact_since = USEC_INFINITY;
        else if (e->contact_since == USEC_INFINITY)
                e->contact_since = clock_boottime_usec();
}

static void forget_calls(Election *e) {
        e->acquiring = registry_call_free(e->acquiring);
        e->leasing = store_call_free(e->leasing);
}

static void retry(Election *e) {
        forget_calls(e);
        e->lease = 0;
        (void) event_timer_arm(e->timer, backoff_next(&e->backoff));
}

static void failed(Election *e, int r, const Error *error, const char *what) {
        log_warning("engine: %s: %s; trying again", what, error ? error_text(error) : strerror(-r));
        note_contact(e, false);
        retry(e);
}

/* The handler may free e: touch nothing behind it. */
static void depose(Election *e, const char *why) {
        if (e->leader == 0)
                return;

        log_notice("engine: this machine leads no more: %s", why);
        e->leader = 0;
        e->options.handler->deposed(e->options.userdata);
}

/* ---- renewing ---- */

static void on_renewed(int r, int64_t lease _unused_, uint64_t ttl_usec _unused_,
                       const Error *error, void *userdata) {
        Election *e = userdata;
        uint64_t now = clock_boottime_usec();

        e->leasing = store_call_free(e->leasing);
        if (r >= 0) {
                note_contact(e, true);
                e->renewed = e->asked;
                (void) event_timer_arm(e->timer, e->options.ttl_usec / 3);
                return;
        }

        note_contact(e, r == -ENOKEY); /* that is an answer, too */
        if (r == -ENOKEY || now - e->renewed >= e->options.ttl_usec) {
                retry(e);
                depose(e, r == -ENOKEY ? "its lease has expired" : "its lease cannot be renewed");
                return;
        }
        log_warning("engine: renewing the leader's lease: %s; trying again", error_text(error));
        (void) event_timer_arm(e->timer, e->options.ttl_usec / 12);
}

static void renew(Election *e) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        e->asked = clock_boottime_usec();
        e->leasing = store_call_free(e->leasing);
        r = store_lease_renew(registry_store(e->options.registry), e->lease, on_renewed, e,
                              &e->leasing, &error);
        if (r < 0)
                on_renewed(r, e->lease, 0, &error, e);
}

/* ---- standing ---- */

static void on_acquired(int r, const char *holder, int64_t create_revision, const Error *error,
                        void *userdata) {
        Election *e = userdata;

        e->acquiring = registry_call_free(e->acquiring);
        if (r < 0) {
                failed(e, r, error, "standing for leader");
                return;
        }

        note_contact(e, true);
        backoff_reset(&e->backoff);
        if (!str_eq(holder, e->machine_id)) {
                log_info("engine: machine %s leads, this one stands by", holder);
                e->lease = 0; /* unused, it expires */
                return;
        }

        log_notice("engine: this machine leads");
        e->leader = create_revision;
        (void) event_timer_arm(e->timer, e->options.ttl_usec / 3);
        e->options.handler->elected(create_revision, e->options.userdata);
}

static void on_granted(int r, int64_t lease, uint64_t ttl_usec _unused_, const Error *error,
                       void *userdata) {
        _cleanup_error_ Error own = ERROR_INIT;
        Election *e = userdata;

        e->leasing = store_call_free(e->leasing);
        if (r >= 0) {
                e->lease = lease;
                e->renewed = e->asked;
                r = registry_leader_acquire(e->options.registry, e->machine_id, e->version, lease,
                                            on_acquired, e, &e->acquiring, &own);
        }
        if (r < 0)
                failed(e, r, own.code ? &own : error, "getting the leader's lease");
}

static void attempt(Election *e) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        if (e->resigned || e->leader != 0 || e->leasing || e->acquiring)
                return;

        event_timer_disarm(e->timer);
        e->asked = clock_boottime_usec();
        r = store_lease_grant(registry_store(e->options.registry), e->options.ttl_usec, on_granted,
                              e, &e->leasing, &error);
        if (r < 0)
                failed(e, r, &error, "getting the leader's lease");
}

static void on_timer(void *userdata) {
        Election *e = userdata;

        if (e->leader != 0)
                renew(e);
        else
                attempt(e);
}

/* What is older than our own key is the past. */
static void on_leader(RegistryFollow *f _unused_, bool snapshot _unused_,
                      const RegistryChange *changes, size_t n, int64_t revision, void *userdata) {
        const RegistryChange *last = n > 0 ? &changes[n - 1] : NULL;
        bool vacant = !last || last->deleted;
        Election *e = userdata;

        if (e->leader != 0) {
                if (vacant ? revision < e->leader : last->leader_revision <= e->leader)
                        return;
                retry(e);
                if (!vacant)
                        event_timer_disarm(e->timer); /* nothing to hope for until that one goes */
                depose(e, vacant ? "its key is gone" : "another engine leads");
                return;
        }
        if (vacant)
                attempt(e);
}

static const RegistryFollowHandler follow_handler = { .changed = on_leader };

/* ---- life ---- */

int election_new(const ElectionOptions *options, Election **ret, Error *reterr) {
        _cleanup_(election_freep) Election *e = NULL;
        int r;

        e = mem_new(Election);
        if (!e)
                return error_fill(reterr, -ENOMEM);

        *e = (Election){
                .options = *options,
                .machine_id = str_dup(options->machine_id),
                .version = str_dup(options->version),
                .backoff = BACKOFF_INIT(RETRY_MIN_USEC, RETRY_MAX_USEC, clock_boottime_usec()),
                .contact_since = USEC_INFINITY,
        };
        if (!e->machine_id || !e->version)
                return error_fill(reterr, -ENOMEM);

        r = event_timer_new(options->event, "engine-election", on_timer, e, &e->timer);
        if (r >= 0)
                r = registry_follow(options->registry, options->event, REGISTRY_LEADER, NULL,
                                    &follow_handler, e, &e->follow, reterr);
        if (r < 0)
                return error_fill(reterr, r);

        attempt(e);
        *ret = TAKE_PTR(e);
        return 0;
}

Election *election_free(Election *e) {
        if (!e)
                return NULL;

        forget_calls(e);
        registry_call_free(e->releasing);
        registry_follow_free(e->follow);
        event_drop(e->timer);
        mem_free(e->machine_id);
        mem_free(e->version);
        return mem_free(e);
}

void election_lost(Election *e) {
        e->leader = 0;
        retry(e);
}

static void on_released(int r, int64_t revision _unused_, const Error *error, void *userdata) {
        Election *e = userdata;

        e->releasing = registry_call_free(e->releasing);
        if (r < 0)
                log_warning("engine: giving the leader key back: %s; it goes with its lease",
                            error_text(error));
        if (e->resigned_fn)
                e->resigned_fn(e->resigned_userdata);
}

void election_resign(Election *e, void (*fn)(void *userdata), void *userdata) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        e->resigned = true;
        e->leader = 0;
        e->resigned_fn = fn;
        e->resigned_userdata = userdata;
        forget_calls(e);
        event_timer_disarm(e->timer);
        registry_call_free(e->releasing);
        e->releasing = NULL;
        r = registry_leader_release(e->options.registry, e->machine_id, on_released, e,
                                    &e->releasing, &error);
        if (r < 0)
                on_released(r, 0, &error, e);
}
