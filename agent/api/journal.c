/* GET /journal/N: a unit's output, as a stream of lines (specs/api_doc.h). */
#include "agent/api/handlers.h"

#include "agent/api/unit_view.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "specs/unit_name.h"

typedef struct Journal {
        DriverLogOptions options;
        char *machine; /* asked for, or NULL */
        AgentLog *log;
        bool broken;          /* a line could not be sent: none is sent any more */
        sd_event_source *end; /* ends the stream outside the driver's calls */
} Journal;

static void *journal_free(void *p) {
        Journal *j = p;

        if (!j)
                return NULL;
        j->log = agent_log_free(j->log);
        j->end = event_drop(j->end);
        j->machine = mem_free(j->machine);
        return mem_free(j);
}

/* Programs write what they like: bytes that are no UTF-8 become U+FFFD. The caller owns it. */
static char *to_utf8(const char *text, size_t size) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        while (size > 0) {
                size_t n = 1;

                while (n < 4 && n < size && !str_is_utf8(text, n))
                        n++;
                if (str_is_utf8(text, n)) {
                        if (buf_append(&b, text, n) < 0)
                                return NULL;
                } else {
                        n = 1;
                        if (buf_append_str(&b, "\xEF\xBF\xBD") < 0)
                                return NULL;
                }
                text += n;
                size -= n;
        }
        return buf_steal(&b);
}

static json_t *format_line(const DriverLogLine *line) {
        const char *stream = line->is_stderr ? "stderr" : "stdout";
        _cleanup_free_ char *text = NULL;

        if (str_is_utf8(line->text, line->size))
                return json_pack("{s:I,s:s,s:s%}", "t", (json_int_t) line->realtime_usec, "stream",
                                 stream, "text", line->text, line->size);
        text = to_utf8(line->text, line->size);
        return text ? json_pack("{s:I,s:s,s:s}", "t", (json_int_t) line->realtime_usec, "stream",
                                stream, "text", text)
                    : NULL;
}

static void on_line(const DriverLogLine *line, void *userdata) {
        ApiRequest *q = userdata;
        Journal *j = q->data;
        _cleanup_json_ json_t *doc = j->broken ? NULL : format_line(line);

        if (j->broken || (doc && request_stream_json(q, doc) >= 0))
                return;
        /* A peer that does not read loses the stream, not we our memory. */
        j->broken = true;
        (void) event_defer_trigger(j->end);
}

static void send_error(ApiRequest *q, int r, const Error *error) {
        _cleanup_error_ Error words = ERROR_INIT;
        _cleanup_json_ json_t *doc = NULL;

        error_copy(&words, error);
        error_fill(&words, r);
        doc = json_pack("{s:s}", "error", error_text(&words));
        if (doc)
                (void) request_stream_json(q, doc); /* it ends in either case */
}

static void on_log_end(int r, const Error *error, void *userdata) {
        ApiRequest *q = userdata;
        Journal *j = q->data;

        if (r < 0 && !j->broken)
                send_error(q, r, error);
        j->broken = true;
        (void) event_defer_trigger(j->end);
}

static void on_end(void *userdata) {
        request_stream_end(userdata);
}

/* ---- which machine --------------------------------------------------------------------------- */

static void begin(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        Journal *j = q->data;
        int r;

        if (!agent_has_unit(q->api->options.agent, q->name)) {
                request_reply_error(q, 404, "unit is not loaded on any machine");
                return;
        }
        r = event_defer_new(q->api->options.event, "journal-end", on_end, q, &j->end);
        if (r < 0) {
                request_fail(q, r, NULL);
                return;
        }
        if (request_stream(q) < 0)
                return;
        r = agent_logs(q->api->options.agent, q->name, &j->options, on_line, on_log_end, q, &j->log,
                       &error);
        if (r < 0) {
                send_error(q, r, &error);
                request_stream_end(q);
        }
}

/* The machine to ask: the one named, else this one if it has the unit, else the first that has it. */
static const char *choose_machine(const ApiRequest *q, const RegistrySnapshot *s) {
        const Journal *j = q->data;
        const char *own = q->api->machine_id;

        if (j->machine)
                return j->machine;
        if (agent_has_unit(q->api->options.agent, q->name))
                return own;
        return s->n_states > 0 ? s->states[0]->machine : NULL;
}

static void on_read(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        _cleanup_(registry_snapshot_freep) RegistrySnapshot *s = snapshot;
        _cleanup_free_ char *text = NULL;
        ApiRequest *q = userdata;
        const char *machine;

        if (r < 0) {
                request_fail(q, r, error);
                return;
        }
        q->call = registry_call_free(q->call);
        if (!registry_snapshot_unit(s, q->name) &&
            !agent_has_unit(q->api->options.agent, q->name)) {
                request_reply_error(q, 404, "unit does not exist");
                return;
        }
        machine = choose_machine(q, s);
        if (!machine)
                request_reply_error(q, 404, "unit is not loaded on any machine");
        else if (str_eq(machine, q->api->machine_id))
                begin(q);
        else {
                text = str_printf("the journal of %s is on machine %s: ask the fleetd there",
                                  q->name, machine);
                request_reply_error(q, 501, text ? text : "");
        }
}

/* ---- arguments ------------------------------------------------------------------------------- */

static int parse_number(ApiRequest *q, const char *name, uint64_t *value) {
        const char *text = http_exchange_argument(q->x, name);
        _cleanup_free_ char *words = NULL;

        if (!text || str_to_u64(text, value) >= 0)
                return 0;
        words = str_printf("invalid value for %s: expect a number", name);
        request_reply_error(q, 400, words ? words : "");
        return -EINVAL;
}

/* < 0: it has been answered. */
static int parse_arguments(ApiRequest *q, Journal *j) {
        const char *follow = http_exchange_argument(q->x, "follow");
        const char *machine = http_exchange_argument(q->x, "machine");

        j->options.lines = UINT64_MAX;
        if (parse_number(q, "lines", &j->options.lines) < 0 ||
            parse_number(q, "since", &j->options.since_usec) < 0 ||
            parse_number(q, "until", &j->options.until_usec) < 0)
                return -EINVAL;
        if (!str_empty(follow) && str_to_bool(follow, &j->options.follow) < 0) {
                request_reply_error(q, 400, "invalid value for follow: expect 0 or 1");
                return -EINVAL;
        }
        if (!str_empty(machine) && str_replace(&j->machine, machine) < 0) {
                request_fail(q, -ENOMEM, NULL);
                return -ENOMEM;
        }
        return 0;
}

void journal_get(ApiRequest *q) {
        _cleanup_error_ Error error = ERROR_INIT;
        Journal *j;
        int r;

        if (unit_name_validate(q->name, NULL) < 0) {
                request_reply_error(q, 404, "unit does not exist");
                return;
        }
        j = mem_new(Journal);
        if (!j) {
                request_fail(q, -ENOMEM, NULL);
                return;
        }
        request_set_data(q, j, journal_free);
        if (parse_arguments(q, j) < 0)
                return;
        r = registry_read(q->api->options.registry, REGISTRY_UNIT | REGISTRY_STATE, q->name,
                          on_read, q, &q->call, &error);
        if (r < 0)
                request_fail(q, r, &error);
}
