/*
 * The few things we do with sd-event everywhere: timers that are armed and disarmed, work for the
 * next turn of the loop, and waiting longer after each failure.
 *
 * Times are CLOCK_BOOTTIME, relative. Handlers never return an error to the loop: a failing source
 * would be switched off silently (sd_event_add_time(3)).
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"

typedef void (*EventFn)(void *userdata);

/* A source that is off until armed. `description` is a literal. The owner drops it with event_drop(). */
int event_timer_new(sd_event *event, const char *description, EventFn fn, void *userdata,
                    sd_event_source **ret);
/* Fires once; USEC_INFINITY disarms. 0, or -ESTALE when the loop has ended, which most callers ignore. */
int event_timer_arm(sd_event_source *timer, uint64_t in_usec);
void event_timer_disarm(sd_event_source *timer);   /* accepts NULL */
bool event_timer_is_armed(sd_event_source *timer); /* accepts NULL */

/* A source that is off until triggered; then fn runs once in the next turn of the loop. */
int event_defer_new(sd_event *event, const char *description, EventFn fn, void *userdata,
                    sd_event_source **ret);
int event_defer_trigger(sd_event_source *defer);

/* Switches the source off and drops it; accepts NULL, returns NULL. */
sd_event_source *event_drop(sd_event_source *source);

static inline void event_dropp(sd_event_source **source) {
        *source = event_drop(*source);
}

/* How long to wait before the next attempt: doubling from min to max, with jitter from the seed. */
typedef struct Backoff {
        uint64_t min_usec, max_usec;
        uint64_t current_usec; /* 0 after a success */
        uint64_t random;
} Backoff;

#define BACKOFF_INIT(min, max, seed)                                                               \
        ((Backoff){ .min_usec = (min), .max_usec = (max), .random = (seed) | 1 })

uint64_t
backoff_next(Backoff *b); /* delay before the next attempt: between half and all of the step */
void backoff_reset(Backoff *b);
