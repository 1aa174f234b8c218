#include "ctl/wait.h"

#include "ctl/fleet.h"
#include "ctl/render.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_client.h"

#define FILTER_UNITS_MAX 100 /* more than that: listen to all, the URL would get too long */

typedef struct Item {
        const WaitUnit *unit;
        WatchedUnit view;
        bool dirty;              /* what we know may be out of date: ask */
        uint64_t events;         /* how many were applied */
        bool reported;           /* the goal was reached, and said */
        bool finished;           /* nothing more to wait for */
        bool failed;             /* finished, badly */
        bool restart_told;       /* that it failed and is started again */
        uint64_t reached_usec;   /* when it was reported */
        uint64_t uncertain_usec; /* since when; 0 = it is not */
        char *told_reason;       /* the last one that was printed */
} Item;

typedef struct Wait {
        Context *c;
        const WaitOptions *options;
        Item *items;
        size_t n, n_finished, n_failed;
        Map *by_name; /* to Item, borrowed */
        MachineList machines;
        WaitResult *result;

        ClientStream *stream;
        bool stream_ended, polling;
        unsigned stream_status;
        Error contact_error; /* why the last attempt to reach fleetd failed */
        uint64_t lost_usec;  /* since when there is no contact; 0 = there is */
        bool lost_told;
        sd_event_source *timer; /* wakes the loop: deadlines, polling, retries */
        uint64_t start_usec, next_poll_usec;
} Wait;

void wait_result_done(WaitResult *r) {
        error_done(&r->error);
        *r = (WaitResult){ 0 };
}

bool wait_wanted(const Options *o) {
        return !o->no_block;
}

/* ---- learning --------------------------------------------------------------------------------- */

static void mark_all_dirty(Wait *w) {
        for (size_t i = 0; i < w->n; i++)
                w->items[i].dirty = !w->items[i].finished;
}

static void on_line(ClientStream *s, const char *line, size_t size, void *userdata) {
        _cleanup_json_ json_t *event = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        Wait *w = userdata;
        const char *name;
        Item *item;

        (void) s;
        if (json_parse(line, size, &event, &e) < 0) {
                log_debug("an event cannot be read: %s", error_text(&e));
                mark_all_dirty(w);
                return;
        }
        /* The first line: from here on nothing is missed, so now is the time to look. */
        if (!json_object_get(event, "kind")) {
                w->lost_usec = 0;
                mark_all_dirty(w);
                return;
        }
        name = json_string_value(json_object_get(event, "unit"));
        item = name ? map_get(w->by_name, name) : NULL;
        if (!item || item->finished)
                return;
        item->events++;
        if (watched_unit_apply_event(&item->view, event, &e) < 0) {
                log_debug("an event cannot be understood: %s", error_text(&e));
                item->dirty = true;
        }
}

static void on_end(ClientStream *s, unsigned status, const Error *error, void *userdata) {
        Wait *w = userdata;

        (void) s;
        w->stream_ended = true;
        w->stream_status = status;
        if (error)
                error_copy(&w->contact_error, error);
        else
                (void) error_set(&w->contact_error, -ECONNRESET, "fleetd closed the connection");
}

static int events_path(const Wait *w, char **ret) {
        Buf b = BUF_INIT;
        int r;

        r = buf_append_str(&b, "/events");
        for (size_t i = 0; i < w->n && w->n <= FILTER_UNITS_MAX && r == 0; i++) {
                _cleanup_free_ char *escaped = http_url_escape(w->items[i].unit->name);

                r = escaped ? buf_printf(&b, "%cunit=%s", i ? '&' : '?', escaped) : -ENOMEM;
        }
        *ret = r < 0 ? NULL : buf_steal(&b);
        buf_done(&b);
        return *ret ? 0 : -ENOMEM;
}

static int open_stream(Wait *w) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = events_path(w, &path);
        if (r < 0)
                return r;
        w->stream_ended = false;
        return client_stream_new(w->c->client, path, on_line, on_end, w, &w->stream,
                                 &w->contact_error);
}

static void lost_contact(Wait *w) {
        if (w->lost_usec == 0)
                w->lost_usec = clock_boottime_usec();
        w->next_poll_usec = clock_boottime_usec() + WAIT_POLL_USEC;
        /* One failed attempt is nothing to speak of: fleetd may just be restarting. */
        if (!w->lost_told && clock_boottime_usec() - w->lost_usec > WAIT_WINDOW_USEC) {
                err_line(&w->c->output, "Lost contact with fleetd (%s), waiting for it",
                         error_text(&w->contact_error));
                w->lost_told = true;
        }
}

/* The stream has ended: there is none on this server, or it has to be opened again. */
static void end_stream(Wait *w) {
        w->stream = client_stream_free(w->stream);
        w->stream_ended = false;
        if (w->stream_status == 404) {
                w->polling = true;
                w->next_poll_usec = 0;
                mark_all_dirty(w);
        } else
                lost_contact(w);
}

/* The dirty items: their names, and how many events each had seen when we asked. */
typedef struct Question {
        Strv names;
        size_t *indices;
        uint64_t *events;
} Question;

static void question_done(Question *q) {
        strv_done(&q->names);
        mem_free(q->indices);
        mem_free(q->events);
}

static int collect_dirty(Wait *w, Question *q) {
        q->indices = mem_new_array(size_t, w->n);
        q->events = mem_new_array(uint64_t, w->n);
        if (!q->indices || !q->events)
                return -ENOMEM;
        for (size_t i = 0; i < w->n; i++) {
                if (!w->items[i].dirty)
                        continue;
                q->indices[q->names.n] = i;
                q->events[q->names.n] = w->items[i].events;
                if (strv_push(&q->names, w->items[i].unit->name) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Asks for the units that are dirty. Negative: no answer, see contact_error. */
static int refresh(Wait *w) {
        _cleanup_(question_done) Question q = { 0 };
        _cleanup_(json_list_done) JsonList status = { 0 };
        bool plain = w->polling;
        int r;

        r = collect_dirty(w, &q);
        if (r < 0 || q.names.n == 0)
                return r;
        r = plain ? FLEET_NOT_FOUND
                  : fleet_get_status(w->c->client, &q.names, &status, &w->contact_error);
        if (r == FLEET_NOT_FOUND) {
                plain = true;
                r = fleet_get_plain_status(w->c->client, &q.names, &status, &w->contact_error);
        }
        for (size_t i = 0; r == 0 && i < q.names.n; i++) {
                Item *item = w->items + q.indices[i];

                /* An event overtook the answer: which of them is newer? Ask again. */
                if (item->events != q.events[i])
                        continue;
                item->dirty = false;
                r = watched_unit_apply_status(&item->view, status.items[i], plain,
                                              &w->contact_error);
        }
        if (r == 0 && w->polling)
                w->lost_usec = 0;
        return r;
}

/* ---- saying ----------------------------------------------------------------------------------- */

/* Appends " on <8>.../IP" (B3.5: always, if it is placed). */
static int append_place(Wait *w, const char *machine, Buf *b) {
        const Machine *m;
        int r;

        if (!machine)
                return 0;
        m = machine_list_find(&w->machines, machine);
        if (!m) {
                MachineList fresh = { 0 };

                if (fleet_list_machines(w->c->client, &fresh, NULL) == 0) {
                        machine_list_done(&w->machines);
                        w->machines = fresh;
                }
                m = machine_list_find(&w->machines, machine);
        }
        r = buf_append_str(b, " on ");
        return r < 0 ? r : render_machine(machine, m ? m->public_ip : NULL, false, b);
}

static const char *goal_word(WatchGoal goal) {
        switch (goal) {
        case WATCH_LAUNCHED:
                return desired_state_to_string(DESIRED_LAUNCHED);
        case WATCH_LOADED:
                return desired_state_to_string(DESIRED_LOADED);
        case WATCH_INACTIVE:
                return desired_state_to_string(DESIRED_INACTIVE);
        case WATCH_GONE:
                return "gone";
        }
        return "";
}

static int report(Wait *w, Item *item) {
        _cleanup_(buf_done) Buf place = BUF_INIT;
        _cleanup_free_ char *machine = NULL;
        int r;

        if (w->options->goal == WATCH_GONE) {
                out_line(&w->c->output, "Destroyed %s", item->unit->name);
                out_flush(&w->c->output);
                return 0;
        }
        /* Events may change the view while we ask for the machine. */
        r = item->view.machine && w->options->goal != WATCH_INACTIVE
                    ? str_replace(&machine, item->view.machine)
                    : 0;
        if (r == 0)
                r = append_place(w, machine, &place);
        out_line(&w->c->output, "Unit %s %s%s", item->unit->name, goal_word(w->options->goal),
                 buf_str(&place));
        out_flush(&w->c->output);
        return r;
}

static void finish(Wait *w, Item *item) {
        item->finished = true;
        item->dirty = false;
        w->n_finished++;
}

static void fail(Wait *w, Item *item, const Error *e) {
        err_line(&w->c->output, "Error waiting for units: %s", error_text(e));
        if (w->n_failed++ == 0) {
                error_copy(&w->result->error, e);
                w->result->started = item->reported;
        }
        item->failed = true;
        finish(w, item);
}

/* What keeps it from its goal, told once for each different text. */
static int tell_reason(Wait *w, Item *item) {
        const UnitState *s = watched_unit_state(&item->view);
        bool placed = s && !watched_unit_is_loaded(s);
        const char *reason = placed ? s->message : item->view.reason;

        if (str_empty(reason) || str_eq(reason, item->told_reason))
                return 0;
        err_line(&w->c->output, "Unit %s cannot be %s: %s", item->unit->name,
                 placed ? "loaded" : "placed", reason);
        return str_replace(&item->told_reason, reason);
}

static void tell_restart(Wait *w, Item *item) {
        const UnitState *s = watched_unit_state(&item->view);
        _cleanup_free_ char *why = NULL;

        if (item->restart_told || !s || !str_eq(s->sub, "auto-restart") ||
            str_eq(str_or(s->result, "success"), "success"))
                return;
        why = watched_unit_explain(s);
        err_line(&w->c->output, "Unit %s failed (%s) and will be started again", item->unit->name,
                 str_or(why, "failed"));
        item->restart_told = true;
}

/* ---- deciding --------------------------------------------------------------------------------- */

/* Inactive for a while, and the server cannot say why: a oneshot has done its work, another has not come up. */
static void check_uncertain(Wait *w, Item *item, uint64_t now_usec, Error *e) {
        if (item->uncertain_usec == 0)
                item->uncertain_usec = now_usec;
        if (now_usec - item->uncertain_usec < WAIT_UNCERTAIN_USEC)
                return;
        if (e->code == 0 && item->unit->oneshot) {
                finish(w, item);
                return;
        }
        if (e->code == 0)
                (void) error_set(e, -ETIMEDOUT,
                                 "Failed to find an active unit %s within 2s, err: Failed to fetch "
                                 "states within 2s",
                                 item->unit->name);
        fail(w, item, e);
}

static int check_item(Wait *w, Item *item, uint64_t now_usec) {
        _cleanup_error_ Error e = ERROR_INIT;
        WatchProgress p = WATCH_REACHED;
        int r;

        if (!item->reported) {
                p = watched_unit_check(&item->view, w->options->goal, &e);
                if (p == WATCH_PENDING && w->options->goal <= WATCH_LOADED)
                        return tell_reason(w, item);
                if (p == WATCH_REACHED) {
                        r = report(w, item);
                        if (r < 0)
                                return r;
                        item->reported = true;
                        item->reached_usec = now_usec;
                }
        }
        if (p == WATCH_REACHED && w->options->then_active)
                p = watched_unit_check_active(&item->view, item->unit->since_before_usec, &e);

        if (p != WATCH_UNCERTAIN)
                item->uncertain_usec = 0;
        if (p == WATCH_REACHED)
                finish(w, item);
        else if (p == WATCH_FAILED)
                fail(w, item, &e);
        else if (p == WATCH_UNCERTAIN)
                check_uncertain(w, item, now_usec, &e);
        else
                tell_restart(w, item);
        return 0;
}

/* When the item's time is up; USEC_INFINITY = never. */
static uint64_t item_deadline(const Wait *w, const Item *item) {
        if (w->options->attempts == 0)
                return USEC_INFINITY;
        return (item->reported ? item->reached_usec : w->start_usec) +
               MIN(w->options->attempts, (uint64_t) UINT32_MAX) * WAIT_WINDOW_USEC;
}

static void time_out(Wait *w, Item *item) {
        _cleanup_error_ Error e = ERROR_INIT;
        uint64_t seconds = w->options->attempts * (WAIT_WINDOW_USEC / USEC_PER_SEC);

        if (item->reported)
                (void) error_set(&e, -ETIMEDOUT,
                                 "Failed to find an active unit %s within %llus, err: Failed to "
                                 "fetch states within %llus",
                                 item->unit->name, (unsigned long long) seconds,
                                 (unsigned long long) seconds);
        else
                (void) error_set(&e, -ETIMEDOUT, "timed out waiting for unit %s to report state %s",
                                 item->unit->name, goal_word(w->options->goal));
        fail(w, item, &e);
}

static int check_all(Wait *w) {
        uint64_t now_usec = clock_boottime_usec();
        int r;

        for (size_t i = 0; i < w->n; i++) {
                Item *item = w->items + i;

                if (item->finished)
                        continue;
                r = check_item(w, item, now_usec);
                if (r < 0)
                        return r;
                if (!item->finished && now_usec >= item_deadline(w, item))
                        time_out(w, item);
        }
        return 0;
}

/* ---- running ---------------------------------------------------------------------------------- */

static void show_progress(Wait *w) {
        _cleanup_free_ char *text = NULL;
        const Item *item = NULL;
        const UnitState *s;

        if (!w->c->output.err_terminal)
                return;
        for (size_t i = 0; i < w->n && !item; i++)
                if (!w->items[i].finished)
                        item = w->items + i;
        if (!item)
                return;
        s = watched_unit_state(&item->view);
        text = str_printf("%zu of %zu done, waiting for %s to be %s (%s%s%s)", w->n_finished, w->n,
                          item->unit->name, item->reported ? "active" : goal_word(w->options->goal),
                          s ? str_or(s->active, "unknown") : "not on a machine", s ? ", " : "",
                          s ? str_or(s->sub, "unknown") : "");
        if (text)
                output_progress(&w->c->output, text);
}

static void on_timer(void *userdata) {
        (void) userdata; /* it only has to wake the loop */
}

/* Sleeps until something happens or the next time that counts. */
static int sleep_until_next(Wait *w) {
        uint64_t now_usec = clock_boottime_usec(), next_usec = USEC_INFINITY;
        int r;

        if (w->polling || !w->stream)
                next_usec = w->next_poll_usec;
        for (size_t i = 0; i < w->n; i++) {
                const Item *item = w->items + i;

                if (item->finished)
                        continue;
                next_usec = MIN(next_usec, item_deadline(w, item));
                if (item->uncertain_usec)
                        next_usec = MIN(next_usec, item->uncertain_usec + WAIT_UNCERTAIN_USEC);
        }
        r = event_timer_arm(w->timer, next_usec == USEC_INFINITY ? USEC_INFINITY
                                      : next_usec > now_usec     ? next_usec - now_usec
                                                                 : 1);
        return r < 0 ? r : client_turn(w->c->client);
}

/* Gets the connection going and the dirty units asked for. Negative: give up. */
static int learn(Wait *w) {
        uint64_t now_usec;
        int r = 0;

        if (w->stream_ended)
                end_stream(w);
        now_usec = clock_boottime_usec();
        if (w->lost_usec && now_usec - w->lost_usec > WAIT_CONTACT_USEC)
                return w->contact_error.code ? w->contact_error.code : -ECONNRESET;

        if (w->polling && now_usec >= w->next_poll_usec) {
                w->next_poll_usec = now_usec + WAIT_POLL_USEC;
                mark_all_dirty(w);
        } else if (!w->polling && !w->stream && now_usec >= w->next_poll_usec) {
                r = open_stream(w);
                if (r < 0)
                        return r;
        }
        /* Before the stream is complete (its first line makes them dirty) there is nothing to ask. */
        r = refresh(w);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                lost_contact(w);
        return 0;
}

static bool any_dirty(const Wait *w) {
        for (size_t i = 0; i < w->n; i++)
                if (w->items[i].dirty)
                        return true;
        return false;
}

static int run(Wait *w) {
        int r;

        for (;;) {
                r = learn(w);
                if (r < 0)
                        return r;
                r = check_all(w);
                if (r < 0)
                        return r;
                if (w->n_finished == w->n)
                        return 0;
                /* An answer that an event overtook is asked for again at once. */
                if (any_dirty(w) && w->lost_usec == 0)
                        continue;
                show_progress(w);
                r = sleep_until_next(w);
                if (r < 0)
                        return r;
        }
}

static int wait_init(Wait *w, const WaitUnit *units, size_t n) {
        int r;

        w->start_usec = clock_boottime_usec();
        w->by_name = map_new(NULL);
        w->items = mem_new_array(Item, n);
        if (!w->by_name || !w->items)
                return -ENOMEM;
        for (; w->n < n; w->n++) {
                Item *item = w->items + w->n;

                item->unit = units + w->n;
                r = watched_unit_init(&item->view, units[w->n].name);
                if (r < 0)
                        return r;
                r = map_put(w->by_name, units[w->n].name, item);
                if (r < 0) {
                        w->n++;
                        return r;
                }
        }
        return event_timer_new(client_event(w->c->client), "wait", on_timer, NULL, &w->timer);
}

static void wait_done(Wait *w) {
        client_stream_free(w->stream);
        event_drop(w->timer);
        for (size_t i = 0; i < w->n; i++) {
                watched_unit_done(&w->items[i].view);
                mem_free(w->items[i].told_reason);
        }
        mem_free(w->items);
        map_free(w->by_name);
        machine_list_done(&w->machines);
        error_done(&w->contact_error);
}

int wait_for_units(Context *c, const WaitOptions *options, const WaitUnit *units, size_t n,
                   WaitResult *ret) {
        _cleanup_(wait_done) Wait w = { .c = c, .options = options, .result = ret };
        int r;

        *ret = (WaitResult){ 0 };
        if (n == 0)
                return 0;
        r = wait_init(&w, units, n);
        if (r == 0)
                r = run(&w);
        if (r < 0) {
                if (w.contact_error.code)
                        error_copy(&ret->error, &w.contact_error);
                else
                        (void) error_fill(&ret->error, r);
                err_line(&c->output, "Error waiting for units: %s", error_text(&ret->error));
                return 1;
        }
        return w.n_failed > 0;
}
