#include "ctl/command.h"
#include "ctl/fleet.h"
#include "ctl/journal_text.h"
#include "ctl/status_text.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"

#define STATUS_LINES 10

/* What the blocks of all units need. */
typedef struct Shown {
        Context *c;
        MachineList machines;
        bool plain; /* the original fleetd: no journal */
        bool any;   /* a block was printed */
} Shown;

/* Asks for the last lines of a unit on a machine. */
static int journal_request(const UnitState *state, ClientRequest *q) {
        _cleanup_free_ char *unit = http_url_escape(state->unit);
        _cleanup_free_ char *machine = http_url_escape(str_or(state->machine, ""));

        if (!unit || !machine)
                return -ENOMEM;
        q->method = "GET";
        q->path = str_printf("/journal/%s?lines=%d&machine=%s", unit, STATUS_LINES, machine);
        return q->path ? 0 : -ENOMEM;
}

static int render_lines(const JournalSource *source, const ClientRequest *q, Buf *out) {
        int r = 0;

        for (const char *p = q->answer; *p && r == 0;) {
                size_t size = strcspn(p, "\n");
                _cleanup_json_ json_t *j = NULL;
                JournalLine line;

                if (size > 0 && json_parse(p, size, &j, NULL) == 0 &&
                    journal_line_from_json(j, &line, NULL) == 0) {
                        r = line.error ? buf_printf(out, "(journal: %s)\n", line.error)
                                       : journal_line_render(&line, source, JOURNAL_SHORT, out);
                }
                p += size + (p[size] == '\n');
        }
        return r;
}

static int append_journal(Shown *shown, const UnitState *state, Buf *out) {
        _cleanup_(client_request_done) ClientRequest q = { 0 };
        _cleanup_(buf_done) Buf lines = BUF_INIT;
        _cleanup_error_ Error e = ERROR_INIT;
        JournalSource source = { .unit = state->unit,
                                 .machine = str_or(state->machine, ""),
                                 .terminal = shown->c->output.out_terminal };
        int r;

        if (shown->plain)
                return 0;
        r = journal_request(state, &q);
        if (r == 0)
                r = client_run(shown->c->client, &q, 1);
        if (r < 0)
                return r;
        if (q.r == 0 && q.status == 404)
                return 0; /* it is not loaded there, and has said nothing */
        if (client_request_check(&q, &e) < 0)
                return buf_printf(out, "\n(journal: %s)\n", error_text(&e));
        r = render_lines(&source, &q, &lines);
        if (r == 0 && lines.size > 0)
                r = buf_printf(out, "\n%s", buf_str(&lines));
        return r;
}

/* One block: the unit on one machine. */
static int show_state(Shown *shown, const json_t *status, const UnitState *state) {
        _cleanup_(buf_done) Buf out = BUF_INIT;
        _cleanup_error_ Error e = ERROR_INIT;
        const Machine *m = machine_list_find(&shown->machines, state->machine);
        StatusText text = { .status = status,
                            .state = state,
                            .ip = m ? m->public_ip : NULL,
                            .now_usec = clock_realtime_usec(),
                            .colour = shown->c->output.colour };
        int r;

        r = shown->any ? buf_append_char(&out, '\n') : 0;
        if (r == 0)
                r = status_text_render(&text, &out, &e);
        if (r == 0)
                r = append_journal(shown, state, &out);
        if (r < 0) {
                (void) error_fill(&e, r);
                err_line(&shown->c->output, "Error showing unit: %s", error_text(&e));
                return 1;
        }
        shown->any = true;
        out_data(&shown->c->output, buf_str(&out), out.size);
        return status_text_rc(state);
}

static int not_loaded(Shown *shown, const char *name, const json_t *status) {
        const char *reason = json_string_value(json_object_get(status, "reason"));

        err_line(&shown->c->output, "Unit %s does not appear to be loaded.", name);
        if (reason)
                err_line(&shown->c->output, "Unit %s cannot be placed: %s", name, reason);
        return 1;
}

static int show_unit(Shown *shown, const char *name, const json_t *status) {
        const json_t *states = json_object_get(status, "states");
        int rc = 0;

        if (!status) {
                err_line(&shown->c->output, "Unit %s does not exist.", name);
                return 1;
        }
        if (json_array_size(states) == 0)
                return not_loaded(shown, name, status);

        for (size_t i = 0; i < json_array_size(states); i++) {
                _cleanup_(unit_state_freep) UnitState *state = NULL;
                _cleanup_error_ Error e = ERROR_INIT;
                int r = 1;

                if (unit_state_from_json(json_array_get(states, i), &state, &e) < 0)
                        err_line(&shown->c->output, "Error showing unit: %s", error_text(&e));
                else
                        r = show_state(shown, status, state);
                rc = rc ? rc : r;
        }
        return rc;
}

static int gather(Shown *shown, Strv *names, JsonList *status, Error *reterr) {
        Context *c = shown->c;
        int r;

        r = context_unit_names(c, names, NULL, reterr);
        if (r < 0)
                return r;
        r = fleet_get_status(c->client, names, status, reterr);
        if (r == FLEET_NOT_FOUND) {
                shown->plain = true;
                r = fleet_get_plain_status(c->client, names, status, reterr);
        }
        return r < 0 ? r : fleet_list_machines(c->client, &shown->machines, reterr);
}

int cmd_status(Context *c) {
        _cleanup_(strv_done) Strv names = STRV_INIT;
        _cleanup_(json_list_done) JsonList status = { 0 };
        _cleanup_error_ Error e = ERROR_INIT;
        Shown shown = { .c = c };
        int rc;

        if (c->arguments.n == 0)
                return 0;
        rc = context_connect(c);
        if (rc != 0)
                return rc;
        if (gather(&shown, &names, &status, &e) < 0) {
                err_line(&c->output, "Error retrieving units: %s", error_text(&e));
                rc = 1;
        }
        for (size_t i = 0; i < status.n; i++) {
                int r = show_unit(&shown, names.items[i], status.items[i]);

                rc = rc ? rc : r;
        }
        machine_list_done(&shown.machines);
        return rc;
}
