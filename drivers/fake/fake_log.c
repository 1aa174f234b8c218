#include "drivers/fake/fake_internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

struct DriverLog {
        ListLink link;
        FakeDriver *driver; /* NULL = it is gone */
        char *unit;
        DriverLogOptions options;
        DriverLogLineFn line_fn;
        DriverLogEndFn end_fn;
        void *userdata;
        uint64_t next; /* number of the next line */
        bool ended;
        sd_event_source *defer;
};

int fake_unit_log(FakeUnit *u, const char *fmt, ...) {
        va_list ap;
        char *text;
        int r;

        r = mem_grow(&u->lines, &u->lines_capacity, u->n_lines + 1, sizeof(FakeLine));
        if (r < 0)
                return r;

        va_start(ap, fmt);
        text = str_vprintf(fmt, ap);
        va_end(ap);
        if (!text)
                return -ENOMEM;

        if (u->n_lines == FAKE_LOG_LINES_MAX) {
                mem_free(u->lines[0].text);
                memmove(u->lines, u->lines + 1, (u->n_lines - 1) * sizeof(FakeLine));
                u->n_lines--;
                u->first_line++;
        }
        u->lines[u->n_lines++] = (FakeLine){ .realtime_usec = clock_realtime_usec(), .text = text };

        LIST_FOREACH (DriverLog, l, &u->driver->logs, link)
                if (str_eq(l->unit, u->name))
                        (void) event_defer_trigger(l->defer);
        return 0;
}

DriverLog *fake_log_free(DriverLog *l) {
        if (!l)
                return NULL;

        list_remove(&l->link);
        l->defer = event_drop(l->defer);
        mem_free(l->unit);
        return mem_free(l);
}
DEFINE_CLEANUP(DriverLog, fake_log_free);

static bool is_wanted(const DriverLog *l, const FakeLine *line) {
        const DriverLogOptions *o = &l->options;

        return line->realtime_usec >= o->since_usec &&
               (o->until_usec == 0 || line->realtime_usec <= o->until_usec);
}

/* Number of the first of the last `lines` wanted ones. */
static uint64_t first_wanted(const DriverLog *l, const FakeUnit *u) {
        uint64_t n = 0;

        for (size_t i = u->n_lines; i-- > 0;)
                if (is_wanted(l, &u->lines[i]) && ++n > l->options.lines)
                        return u->first_line + i + 1;

        return u->first_line;
}

static void deliver(DriverLog *l, const FakeUnit *u) {
        l->next = MAX(l->next, u->first_line);
        for (; l->next < u->first_line + u->n_lines; l->next++) {
                const FakeLine *line = &u->lines[l->next - u->first_line];

                if (is_wanted(l, line))
                        l->line_fn(&(DriverLogLine){ .realtime_usec = line->realtime_usec,
                                                     .text = line->text,
                                                     .size = strlen(line->text) },
                                   l->userdata);
        }
}

/* The owner may free the log from end_fn, not from line_fn. */
static void on_deliver(void *userdata) {
        DriverLog *l = userdata;
        const FakeUnit *u = l->driver ? map_get(l->driver->units, l->unit) : NULL;

        if (l->ended)
                return;
        if (u)
                deliver(l, u);
        if (u && l->options.follow)
                return;

        l->ended = true;
        l->end_fn(0, NULL, l->userdata);
}

int fake_logs(Driver *driver, const char *unit, const DriverLogOptions *options,
              DriverLogLineFn line_fn, DriverLogEndFn end_fn, void *userdata, DriverLog **ret,
              Error *reterr) {
        FakeDriver *d = CONTAINER_OF(driver, FakeDriver, base);
        _cleanup_(fake_log_freep) DriverLog *l = NULL;
        const FakeUnit *u = map_get(d->units, unit);
        int r;

        if (!u)
                return error_set(reterr, -ESRCH, "'%s' is not loaded", unit);

        l = mem_new(DriverLog);
        if (!l)
                return error_fill(reterr, -ENOMEM);

        *l = (DriverLog){ .driver = d,
                          .unit = str_dup(unit),
                          .options = *options,
                          .line_fn = line_fn,
                          .end_fn = end_fn,
                          .userdata = userdata };
        if (!l->unit)
                return error_fill(reterr, -ENOMEM);

        r = event_defer_new(d->event, "fake-log", on_deliver, l, &l->defer);
        if (r >= 0)
                r = event_defer_trigger(l->defer);
        if (r < 0)
                return error_fill(reterr, r);

        l->next = first_wanted(l, u);
        list_append(&d->logs, &l->link);
        *ret = TAKE_PTR(l);
        return 0;
}

/* The unit is unloaded: who follows gets what is left, and the end. */
void fake_logs_forget(FakeDriver *d, const char *unit) {
        LIST_FOREACH (DriverLog, l, &d->logs, link) {
                if (unit && !str_eq(unit, l->unit))
                        continue;

                if (unit) {
                        deliver(l, map_get(d->units, unit));
                        (void) event_defer_trigger(l->defer);
                } else {
                        l->defer = event_drop(l->defer);
                }
                list_remove(&l->link);
                l->driver = NULL;
        }
}
