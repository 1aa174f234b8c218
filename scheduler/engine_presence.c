#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "scheduler/engine_internal.h"

/*
 * Which machines are gone. A machine whose key is not there is silent; it is gone when our contact with
 * the store was unbroken for agent_ttl, so that it had all that time to register. If more than half of
 * the machines (and at least two) would go at once, that is taken for a failure of our own, and held.
 */

/* How often agent_ttl a loss of many machines is held back. */
#define HOLD_TTLS 3

void engine_machine_seen(Engine *e, const char *id) {
        if (map_remove(e->silent, id))
                log_full(LOG_LEVEL_INFO, (&(const LogFields){ .machine = id }),
                         "engine: machine %s is back", id);
}

int engine_machine_absent(Engine *e, const char *id) {
        EngineSilent *s;
        int r;

        if (map_get(e->silent, id))
                return 0;

        s = mem_new(EngineSilent);
        if (!s)
                return -ENOMEM;
        s->since_usec = clock_boottime_usec();
        r = map_put(e->silent, id, s);
        if (r < 0)
                mem_free(s);
        return r;
}

/* When nobody who lives could still be missing; USEC_INFINITY = not to be said now. */
static uint64_t certain_at(const Engine *e) {
        uint64_t since = election_contact_since(e->election);

        return since == USEC_INFINITY ? USEC_INFINITY : since + e->options.agent_ttl_usec;
}

static bool is_mass_loss(const Engine *e) {
        size_t silent = map_count(e->silent);

        return silent >= 2 && silent * 2 > silent + map_count(e->machines);
}

/* When those that are silent may be taken for gone. */
static uint64_t verdict_at(Engine *e, uint64_t now) {
        uint64_t at = certain_at(e);

        if (!is_mass_loss(e)) {
                e->held_since_usec = 0;
                return at;
        }
        if (e->held_since_usec == 0) {
                _cleanup_free_ char *grace = timespan_format(HOLD_TTLS * e->options.agent_ttl_usec);

                e->held_since_usec = now;
                log_error(
                        "engine: %zu of %zu machines are silent at once: that looks like a failure "
                        "of our own; nothing is moved for %s",
                        map_count(e->silent), map_count(e->silent) + map_count(e->machines),
                        grace ? grace : "a while");
        }
        at = MAX(at, e->held_since_usec + HOLD_TTLS * e->options.agent_ttl_usec);
        return at;
}

static int declare_gone(Engine *e) {
        _cleanup_(strv_done) Strv ids = STRV_INIT;
        int r;

        r = map_keys_sorted(e->silent, &ids);
        for (size_t i = 0; r >= 0 && i < ids.n; i++) {
                log_full(LOG_LEVEL_NOTICE, (&(const LogFields){ .machine = ids.items[i] }),
                         "engine: machine %s is gone", ids.items[i]);
                e->metrics.failures_machine_away++;
                r = core_machine_remove(e->core, ids.items[i]);
        }
        map_clear(e->silent);
        return r;
}

int engine_presence_check(Engine *e) {
        uint64_t now = clock_boottime_usec(), at;

        if (map_count(e->silent) == 0) {
                e->held_since_usec = 0;
                event_timer_disarm(e->presence_timer);
                return 0;
        }

        at = verdict_at(e, now);
        if (at <= now)
                return declare_gone(e);

        /* Contact that is broken is asked about again when it could have been good for long enough. */
        (void) event_timer_arm(e->presence_timer,
                               at == USEC_INFINITY ? e->options.agent_ttl_usec : at - now);
        return 0;
}

void engine_presence_timer(void *userdata) {
        engine_wake(userdata);
}
