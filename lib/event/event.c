#include "lib/event/event.h"

#include "lib/base/alloc.h"

/*
 * How much later than asked a timer may fire, so that neighbours share a wake-up: a 64th of the wait,
 * at most 10 ms. sd-event makes use of the whole span (sd_event_add_time(3)), so short waits must say.
 */
enum { ACCURACY_DIVISOR = 64, ACCURACY_MAX_USEC = 10 * 1000 };

typedef struct Callback {
        EventFn fn;
        void *userdata;
} Callback;

static void callback_free(void *userdata) {
        mem_free(userdata);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Callback *c = userdata;

        c->fn(c->userdata);
        return 0;
}

static int on_defer(sd_event_source *source _unused_, void *userdata) {
        Callback *c = userdata;

        c->fn(c->userdata);
        return 0;
}

/* Ties c's life to the source's, and switches it off until somebody wants it. */
static int finish(sd_event_source *source, const char *description, Callback *c,
                  sd_event_source **ret) {
        int r;

        r = sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_description(source, description);
        if (r < 0) {
                event_drop(source);
                mem_free(c);
                return r;
        }

        (void) sd_event_source_set_destroy_callback(source, callback_free);
        *ret = source;
        return 0;
}

static Callback *callback_new(EventFn fn, void *userdata) {
        Callback *c = mem_new(Callback);

        if (c)
                *c = (Callback){ .fn = fn, .userdata = userdata };
        return c;
}

int event_timer_new(sd_event *event, const char *description, EventFn fn, void *userdata,
                    sd_event_source **ret) {
        _cleanup_free_ Callback *c = callback_new(fn, userdata);
        sd_event_source *source = NULL;
        int r;

        if (!c)
                return -ENOMEM;

        r = sd_event_add_time_relative(event, &source, CLOCK_BOOTTIME, 0, ACCURACY_MAX_USEC,
                                       on_time, c);
        if (r < 0)
                return r;

        return finish(source, description, TAKE_PTR(c), ret);
}

int event_timer_arm(sd_event_source *timer, uint64_t in_usec) {
        uint64_t accuracy = in_usec / ACCURACY_DIVISOR;
        int r;

        if (in_usec == USEC_INFINITY)
                return sd_event_source_set_enabled(timer, SD_EVENT_OFF);

        accuracy = MIN(accuracy, (uint64_t) ACCURACY_MAX_USEC);
        r = sd_event_source_set_time_accuracy(timer, accuracy + 1); /* 0 = 250 ms */
        if (r >= 0)
                r = sd_event_source_set_time_relative(timer, in_usec);
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

void event_timer_disarm(sd_event_source *timer) {
        if (timer)
                (void) sd_event_source_set_enabled(timer, SD_EVENT_OFF);
}

bool event_timer_is_armed(sd_event_source *timer) {
        return timer && sd_event_source_get_enabled(timer, NULL) > 0;
}

int event_defer_new(sd_event *event, const char *description, EventFn fn, void *userdata,
                    sd_event_source **ret) {
        _cleanup_free_ Callback *c = callback_new(fn, userdata);
        sd_event_source *source = NULL;
        int r;

        if (!c)
                return -ENOMEM;

        r = sd_event_add_defer(event, &source, on_defer, c);
        if (r < 0)
                return r;

        return finish(source, description, TAKE_PTR(c), ret);
}

int event_defer_trigger(sd_event_source *defer) {
        return sd_event_source_set_enabled(defer, SD_EVENT_ONESHOT);
}

sd_event_source *event_drop(sd_event_source *source) {
        return sd_event_source_disable_unref(source);
}

/* xorshift64: jitter needs no better one. */
static uint64_t next_random(uint64_t *state) {
        uint64_t x = *state;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        return *state = x;
}

uint64_t backoff_next(Backoff *b) {
        uint64_t step = b->current_usec;

        assert(b->min_usec > 0 && b->min_usec <= b->max_usec);
        if (step == 0)
                step = b->min_usec;
        else
                step = step > b->max_usec / 2 ? b->max_usec : step * 2;

        b->current_usec = step;
        return step - next_random(&b->random) % (step / 2 + 1);
}

void backoff_reset(Backoff *b) {
        b->current_usec = 0;
}
