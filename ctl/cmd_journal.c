#include <inttypes.h>

#include "ctl/command.h"
#include "ctl/draft.h"
#include "ctl/fleet.h"
#include "ctl/journal_text.h"
#include "ctl/time_spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/http/http_client.h"
#include "specs/unit_name.h"

/* A stream of lines that is being printed. */
typedef struct Reader {
        Context *c;
        JournalFormat format;
        JournalSource source;
        Buf out;
        bool ended;
        int rc;
} Reader;

static void on_line(ClientStream *s, const char *text, size_t size, void *userdata) {
        _cleanup_json_ json_t *j = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        Reader *reader = userdata;
        JournalLine line;
        int r;

        (void) s;
        r = json_parse(text, size, &j, &e);
        if (r == 0)
                r = journal_line_from_json(j, &line, &e);
        if (r < 0) {
                err_line(&reader->c->output, "Error reading journal: %s", error_text(&e));
                return;
        }
        if (line.error) {
                err_line(&reader->c->output, "Error reading journal: %s", line.error);
                reader->rc = 1;
                return;
        }
        buf_clear(&reader->out);
        r = journal_line_render(&line, &reader->source, reader->format, &reader->out);
        if (r < 0) {
                err_line(&reader->c->output, "Error reading journal: %s", strerror(-r));
                return;
        }
        out_data(&reader->c->output, buf_str(&reader->out), reader->out.size);
}

static void on_end(ClientStream *s, unsigned status, const Error *error, void *userdata) {
        Reader *reader = userdata;

        (void) s;
        reader->ended = true;
        if (!error)
                return;
        reader->rc = 1;
        /* A 404 without words: the original fleetd has no such path. */
        if (status == 404 && str_after_prefix(error_text(error), "googleapi: Error 404"))
                err_line(&reader->c->output, "Unit %s does not appear to be running.",
                         reader->source.unit);
        else
                err_line(&reader->c->output, "Error reading journal: %s", error_text(error));
}

static int append_time(const char *key, const char *text, Buf *path, Error *reterr) {
        uint64_t usec;
        int r;

        if (str_empty(text))
                return 0;
        r = time_spec_parse(text, clock_realtime_usec(), &usec, reterr);
        if (r < 0) {
                error_prefix(reterr, "--%s", key);
                return r;
        }
        return buf_printf(path, "&%s=%" PRIu64, key, usec);
}

static int journal_path(const Context *c, const char *name, const char *machine, char **ret,
                        Error *reterr) {
        _cleanup_free_ char *unit = http_url_escape(name), *id = http_url_escape(machine);
        _cleanup_(buf_done) Buf path = BUF_INIT;
        int r;

        if (!unit || !id)
                return -ENOMEM;
        r = buf_printf(&path, "/journal/%s?lines=%" PRIu64 "%s", unit, c->options.lines,
                       c->options.follow ? "&follow=1" : "");
        if (r == 0 && *id)
                r = buf_printf(&path, "&machine=%s", id);
        if (r == 0)
                r = append_time("since", c->options.since, &path, reterr);
        if (r == 0)
                r = append_time("until", c->options.until, &path, reterr);
        if (r < 0)
                return r;
        *ret = buf_steal(&path);
        return *ret ? 0 : -ENOMEM;
}

static int read_journal(Reader *reader, const char *path) {
        _cleanup_(client_stream_freep) ClientStream *stream = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        Context *c = reader->c;
        int r;

        r = client_stream_new(c->client, path, on_line, on_end, reader, &stream, &e);
        while (r >= 0 && !reader->ended && !out_is_closed(&c->output)) {
                out_flush(&c->output);
                r = client_turn(c->client);
        }
        if (r < 0) {
                (void) error_fill(&e, r);
                err_line(&c->output, "Error reading journal: %s", error_text(&e));
                return 1;
        }
        return reader->rc;
}

/* The whole id of the machine that --machine means; "" if there is no such machine. */
static int find_machine(Context *c, char **ret, Error *reterr) {
        _cleanup_(machine_list_done) MachineList machines = { 0 };
        const char *found = "";
        size_t matches = 0;
        int r;

        r = fleet_list_machines(c->client, &machines, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < machines.n; i++) {
                if (!str_after_prefix(machines.items[i]->id, c->options.machine))
                        continue;
                found = machines.items[i]->id;
                matches++;
        }
        *ret = str_dup(matches == 1 ? found : "");
        return *ret ? 0 : error_fill(reterr, -ENOMEM);
}

/* Where to read: *ret_machine, owned by the caller. Returns an exit code, after saying why. */
static int choose_machine(Context *c, const ApiUnit *unit, char **ret_machine) {
        _cleanup_error_ Error e = ERROR_INIT;

        if (!str_empty(c->options.machine)) {
                if (find_machine(c, ret_machine, &e) < 0) {
                        err_line(&c->output, "Error retrieving machines: %s", error_text(&e));
                        return 1;
                }
                if (!str_empty(*ret_machine))
                        return 0;
                err_line(&c->output, "No machine, or more than one, begins with %s.",
                         c->options.machine);
                return 1;
        }
        if (draft_is_global(unit)) {
                err_line(&c->output, "Unable to retrieve journal of global unit %s.", unit->name);
                err_line(&c->output, "It runs on several machines: choose one with --machine.");
                return 1;
        }
        if (str_empty(unit->machine_id)) {
                err_line(&c->output, "Unit %s does not appear to be running.", unit->name);
                return 1;
        }
        *ret_machine = str_dup(unit->machine_id);
        return *ret_machine ? 0 : 1;
}

static int show(Context *c, const ApiUnit *unit, JournalFormat format) {
        _cleanup_free_ char *machine = NULL, *path = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        Reader reader = { .c = c, .format = format };
        int r;

        r = choose_machine(c, unit, &machine);
        if (r != 0)
                return r;
        r = journal_path(c, unit->name, machine, &path, &e);
        if (r < 0) {
                (void) error_fill(&e, r);
                err_line(&c->output, "Error reading journal: %s", error_text(&e));
                return 1;
        }
        reader.source = (JournalSource){ .unit = unit->name,
                                         .machine = machine,
                                         .terminal = c->output.out_terminal };
        r = read_journal(&reader, path);
        buf_done(&reader.out);
        return r;
}

int cmd_journal(Context *c) {
        _cleanup_(api_unit_freep) ApiUnit *unit = NULL;
        _cleanup_free_ char *name = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        JournalFormat format;
        int r;

        if (c->arguments.n != 1) {
                err_line(&c->output, "One unit file must be provided.");
                return 1;
        }
        if (journal_format_from_string(c->options.output, &format) < 0) {
                err_line(&c->output,
                         "Invalid output format: \"%s\" is none of short, short-iso, cat, json",
                         c->options.output);
                return 1;
        }
        r = context_connect(c);
        if (r != 0)
                return r;

        name = unit_name_from_argument(c->arguments.items[0]);
        r = name ? fleet_get_unit(c->client, name, &unit, &e) : -ENOMEM;
        if (r == FLEET_NOT_FOUND) {
                err_line(&c->output, "Unit %s does not exist.", name);
                return 1;
        }
        if (r < 0) {
                (void) error_fill(&e, r);
                err_line(&c->output, "Error reading journal: %s", error_text(&e));
                return 1;
        }
        return show(c, unit, format);
}
