#include "ctl/status_text.h"

#include <inttypes.h>
#include <time.h>

#include "ctl/render.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

#define RC_NOT_ACTIVE 3 /* systemctl(1), LSB */
#define HASH_SHORT 7
#define LABEL_WIDTH 9
#define CONTAINER_ID 64 /* hex digits; 12 of them are enough for docker and its users */
#define CONTAINER_SHORT 12

#define GREEN "\033[1;32m"
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN "\033[0m"

int status_text_rc(const UnitState *state) {
        return state && (str_eq(state->active, "active") || str_eq(state->active, "reloading"))
                       ? 0
                       : RC_NOT_ACTIVE;
}

/* What the words of docs, strings and NULL alike, are: "" if absent. */
static const char *word(const json_t *status, const char *key) {
        return str_or(json_string_value(json_object_get(status, key)), "");
}

static const char *colour_of(const UnitState *state) {
        const char *active = state ? str_or(state->active, "") : "";

        if (str_eq(active, "active") || str_eq(active, "reloading"))
                return GREEN;
        if (str_eq(active, "failed"))
                return RED;
        return str_eq(active, "activating") || str_eq(active, "deactivating") ? YELLOW : "";
}

static int label(const char *name, Buf *out) {
        return buf_printf(out, "%*s: ", LABEL_WIDTH, name);
}

static int line(const char *name, const char *value, Buf *out) {
        int r;

        if (str_empty(value))
                return 0;
        r = label(name, out);
        return r < 0 ? r : buf_printf(out, "%s\n", value);
}

static int render_title(const StatusText *s, Buf *out) {
        const char *colour = s->colour ? colour_of(s->state) : "",
                   *description = word(s->status, "description");

        return buf_printf(out, "%s%s%s %s%s%s\n", colour,
                          s->state && str_eq(s->state->active, "failed")      ? "×"
                          : s->state && !str_eq(s->state->active, "inactive") ? "●"
                                                                              : "○",
                          *colour ? PLAIN : "", word(s->status, "unit"), *description ? " - " : "",
                          description);
}

static int render_loaded(const StatusText *s, Buf *out) {
        const char *hash = word(s->status, "hash");
        int r;

        r = label("Loaded", out);
        if (r == 0)
                r = buf_printf(out, "%s (%s%.*s; wanted: %s)\n",
                               s->state ? str_or(s->state->load, "unknown") : "not loaded",
                               *hash ? "unit " : "unit", HASH_SHORT, hash,
                               str_or(word(s->status, "desiredState"), "inactive"));
        if (r == 0 && s->state && *hash && s->state->hash[0] && !str_eq(hash, s->state->hash))
                r = buf_printf(out, "%*s  (the machine still has unit %.*s)\n", LABEL_WIDTH, "",
                               HASH_SHORT, s->state->hash);
        return r;
}

/* " since Sat 2026-11-21 10:00:00 UTC; 5min ago" */
static int append_since(uint64_t since_usec, uint64_t now_usec, Buf *out) {
        time_t t = (time_t) (since_usec / USEC_PER_SEC);
        _cleanup_free_ char *span = NULL;
        char text[64] = "";
        struct tm tm;

        if (since_usec == 0)
                return 0;
        if (localtime_r(&t, &tm))
                (void) strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm);
        span = now_usec < since_usec + USEC_PER_SEC
                       ? str_dup("0s")
                       : timespan_format((now_usec - since_usec) / USEC_PER_SEC * USEC_PER_SEC);
        if (!span)
                return -ENOMEM;
        return buf_printf(out, " since %s; %s ago", text, span);
}

static int render_active(const StatusText *s, Buf *out) {
        const UnitState *u = s->state;
        const char *colour = s->colour ? colour_of(u) : "";
        int r;

        r = label("Active", out);
        if (r == 0)
                r = buf_printf(out, "%s%s%s (", colour,
                               u ? str_or(u->active, "unknown") : "inactive", *colour ? PLAIN : "");
        if (r == 0 && u && !str_empty(u->result) && !str_eq(u->result, "success"))
                r = buf_printf(out, "Result: %s; ", u->result);
        if (r == 0)
                r = buf_printf(out, "%s)", u ? str_or(u->sub, "unknown") : "dead");
        if (r == 0 && u)
                r = append_since(u->since_usec, s->now_usec, out);
        return r < 0 ? r : buf_append_char(out, '\n');
}

/* "3f2a9c0b1d2e (code=exited, status=1)" */
static int render_main(const UnitState *u, Buf *out) {
        const char *id = str_or(u->main_id, "none");
        int r;

        if (str_empty(u->main_id) && u->exit_code < 0 && u->exit_signal == 0)
                return 0;
        r = label("Main", out);
        if (r == 0)
                r = buf_append(out, id, strlen(id) == CONTAINER_ID ? CONTAINER_SHORT : strlen(id));
        if (r == 0 && u->exit_signal > 0) {
                const char *name = sigabbrev_np(u->exit_signal);

                r = name ? buf_printf(out, " (code=killed, signal=%s)", name)
                         : buf_printf(out, " (code=killed, signal=%d)", u->exit_signal);
        } else if (r == 0 && u->exit_code >= 0)
                r = buf_printf(out, " (code=exited, status=%d)", u->exit_code);
        return r < 0 ? r : buf_append_char(out, '\n');
}

static int render_machine_lines(const StatusText *s, Buf *out) {
        const UnitState *u = s->state;
        int r;

        r = label("Machine", out);
        if (r == 0)
                r = render_machine(u->machine, s->ip, false, out);
        if (r == 0)
                r = buf_append_char(out, '\n');
        if (r == 0)
                r = line("Driver", u->driver, out);
        if (r == 0)
                r = render_main(u, out);
        if (r == 0 && u->restarts > 0)
                r = buf_printf(out, "%*s: %" PRIu64 "\n", LABEL_WIDTH, "Restarts", u->restarts);
        return r < 0 ? r : line("Message", u->message, out);
}

int status_text_render(const StatusText *s, Buf *out, Error *reterr) {
        int r;

        if (str_empty(word(s->status, "unit")))
                return error_set(reterr, -EINVAL, "fleetd's status names no unit");
        r = render_title(s, out);
        if (r == 0)
                r = render_loaded(s, out);
        if (r == 0)
                r = render_active(s, out);
        if (r == 0 && s->state)
                r = render_machine_lines(s, out);
        if (r == 0)
                r = line("Reason", word(s->status, "reason"), out);
        return r < 0 ? error_fill(reterr, r) : 0;
}
