#include "lib/event/event.h"

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "tests/lib/suite.h"

typedef struct Fixture {
        sd_event *event;
        sd_event_source *source;
        unsigned calls;
        bool done;
} Fixture;

static Fixture fixture_new(void) {
        Fixture f = { 0 };

        ck_assert_int_ge(sd_event_new(&f.event), 0);
        return f;
}

static void fixture_done(Fixture *f) {
        f->source = event_drop(f->source);
        f->event = sd_event_unref(f->event);
}

static void on_call(void *userdata) {
        Fixture *f = userdata;

        f->calls++;
        f->done = true;
}

static void on_call_drop(void *userdata) {
        Fixture *f = userdata;

        on_call(f);
        f->source = event_drop(f->source);
}

START_TEST(test_timer) {
        _cleanup_(fixture_done) Fixture f = fixture_new();
        uint64_t before = clock_boottime_usec();

        ck_assert_int_eq(event_timer_new(f.event, "test", on_call, &f, &f.source), 0);
        ck_assert(!event_timer_is_armed(f.source));
        suite_settle(f.event);
        ck_assert_uint_eq(f.calls, 0);

        ck_assert_int_ge(event_timer_arm(f.source, 5 * USEC_PER_MSEC), 0);
        ck_assert(event_timer_is_armed(f.source));
        suite_wait(f.event, &f.done);
        ck_assert_uint_ge(clock_boottime_usec() - before, 5 * USEC_PER_MSEC);
        ck_assert(!event_timer_is_armed(f.source));
        suite_settle(f.event);
        ck_assert_uint_eq(f.calls, 1);
}
END_TEST

START_TEST(test_timer_disarm) {
        _cleanup_(fixture_done) Fixture f = fixture_new();

        ck_assert_int_eq(event_timer_new(f.event, "test", on_call, &f, &f.source), 0);
        ck_assert_int_ge(event_timer_arm(f.source, 0), 0);
        event_timer_disarm(f.source);
        ck_assert(!event_timer_is_armed(f.source));
        ck_assert_int_ge(event_timer_arm(f.source, 0), 0);
        ck_assert_int_ge(event_timer_arm(f.source, USEC_INFINITY), 0);
        ck_assert(!event_timer_is_armed(f.source));
        suite_settle(f.event);
        ck_assert_uint_eq(f.calls, 0);

        event_timer_disarm(NULL);
        ck_assert(!event_timer_is_armed(NULL));
}
END_TEST

START_TEST(test_drop_in_handler) {
        _cleanup_(fixture_done) Fixture f = fixture_new();

        ck_assert_int_eq(event_timer_new(f.event, "test", on_call_drop, &f, &f.source), 0);
        ck_assert_int_ge(event_timer_arm(f.source, 0), 0);
        suite_wait(f.event, &f.done);
        ck_assert_ptr_null(f.source);

        f.done = false;
        ck_assert_int_eq(event_defer_new(f.event, "test", on_call_drop, &f, &f.source), 0);
        ck_assert_int_ge(event_defer_trigger(f.source), 0);
        suite_wait(f.event, &f.done);
        ck_assert_ptr_null(f.source);
        ck_assert_ptr_null(event_drop(NULL));
}
END_TEST

START_TEST(test_defer) {
        _cleanup_(fixture_done) Fixture f = fixture_new();

        ck_assert_int_eq(event_defer_new(f.event, "test", on_call, &f, &f.source), 0);
        suite_settle(f.event);
        ck_assert_uint_eq(f.calls, 0);

        ck_assert_int_ge(event_defer_trigger(f.source), 0);
        ck_assert_int_ge(event_defer_trigger(f.source), 0);
        ck_assert_uint_eq(f.calls, 0);
        suite_settle(f.event);
        ck_assert_uint_eq(f.calls, 1);

        ck_assert_int_ge(event_defer_trigger(f.source), 0);
        suite_settle(f.event);
        ck_assert_uint_eq(f.calls, 2);
}
END_TEST

START_TEST(test_backoff) {
        Backoff b = BACKOFF_INIT(100, 1000, 42), again = BACKOFF_INIT(100, 1000, 42);
        static const uint64_t steps[] = { 100, 200, 400, 800, 1000, 1000, 1000 };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                uint64_t delay = backoff_next(&b);

                ck_assert_uint_ge(delay, steps[i] / 2);
                ck_assert_uint_le(delay, steps[i]);
                ck_assert_uint_eq(delay, backoff_next(&again));
        }

        backoff_reset(&b);
        ck_assert_uint_le(backoff_next(&b), 100);
}
END_TEST

START_TEST(test_backoff_extremes) {
        Backoff one = BACKOFF_INIT(1, 1, 0), huge = BACKOFF_INIT(UINT64_MAX, UINT64_MAX, 7);

        for (size_t i = 0; i < 10; i++) {
                ck_assert_uint_eq(backoff_next(&one), 1);
                ck_assert_uint_ge(backoff_next(&huge), UINT64_MAX / 2);
        }
}
END_TEST

START_TEST(test_out_of_memory) {
        _cleanup_(fixture_done) Fixture f = fixture_new();

        alloc_fail_after(1);
        ck_assert_int_eq(event_timer_new(f.event, "test", on_call, &f, &f.source), -ENOMEM);
        ck_assert_int_eq(event_defer_new(f.event, "test", on_call, &f, &f.source), -ENOMEM);
        alloc_fail_after(0);
        ck_assert_ptr_null(f.source);
}
END_TEST

TEST_MAIN("event", test_timer, test_timer_disarm, test_drop_in_handler, test_defer, test_backoff,
          test_backoff_extremes, test_out_of_memory);
