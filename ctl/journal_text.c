#include "ctl/journal_text.h"

#include <inttypes.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define MACHINE_SHORT 8

int journal_format_from_string(const char *s, JournalFormat *ret) {
        static const char *const words[] = { "short", "short-iso", "cat", "json" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                if (!str_eq(s, words[i]))
                        continue;
                *ret = (JournalFormat) i;
                return 0;
        }
        return -EINVAL;
}

int journal_line_from_json(const json_t *j, JournalLine *ret, Error *reterr) {
        JournalLine line = { .text = "" };
        const char *stream = NULL;
        int r;

        r = json_get_string(j, "error", &line.error, reterr);
        if (r == 0 && !line.error)
                r = json_get_u64(j, "t", &line.time_usec, reterr);
        if (r == 0 && !line.error)
                r = json_get_string(j, "stream", &stream, reterr);
        if (r == 0 && !line.error)
                r = json_get_string(j, "text", &line.text, reterr);
        if (r < 0)
                return r;
        line.text = str_or(line.text, "");
        line.is_stderr = str_eq(stream, "stderr");
        *ret = line;
        return 0;
}

static int append_time(uint64_t time_usec, bool iso, Buf *out) {
        time_t t = (time_t) (time_usec / USEC_PER_SEC);
        char text[64] = "-";
        struct tm tm;

        if (localtime_r(&t, &tm)) {
                if (iso)
                        (void) strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm);
                else
                        (void) strftime(text, sizeof(text), "%b %d %H:%M:%S", &tm);
        }
        return buf_append_str(out, text);
}

/* Foreign text must not steer the terminal. */
static int append_text(const char *text, bool terminal, Buf *out) {
        int r = 0;

        if (!terminal)
                return buf_append_str(out, text);
        for (const char *p = text; *p && r == 0; p++) {
                unsigned char c = (unsigned char) *p;

                r = (c < ' ' && c != '\t') || c == 0x7f ? buf_printf(out, "\\x%02x", c)
                                                        : buf_append_char(out, *p);
        }
        return r;
}

/* The fields that journalctl -o json has. */
static int render_json(const JournalLine *line, const JournalSource *source, Buf *out) {
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ json_t *j = NULL;
        char time_text[32];

        (void) snprintf(time_text, sizeof(time_text), "%" PRIu64, line->time_usec);
        j = json_pack("{s:s, s:s, s:s, s:s}", "MESSAGE", line->text, "PRIORITY",
                      line->is_stderr ? "3" : "6", "_SYSTEMD_UNIT", source->unit,
                      "__REALTIME_TIMESTAMP", time_text);
        if (!j || json_set_string(j, "_MACHINE_ID", source->machine) < 0)
                return -ENOMEM;
        text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
        return text ? buf_printf(out, "%s\n", text) : -ENOMEM;
}

/* hello.service writes as "hello". */
static int append_origin(const JournalSource *source, Buf *out) {
        const char *dot = strrchr(source->unit, '.');
        int n = dot ? (int) (dot - source->unit) : (int) strlen(source->unit);

        return buf_printf(out, " %.*s%s%.*s: ", MACHINE_SHORT, source->machine,
                          str_empty(source->machine) ? "" : " ", n, source->unit);
}

int journal_line_render(const JournalLine *line, const JournalSource *source, JournalFormat format,
                        Buf *out) {
        int r = 0;

        if (format == JOURNAL_JSON)
                return render_json(line, source, out);
        if (format != JOURNAL_CAT) {
                r = append_time(line->time_usec, format == JOURNAL_SHORT_ISO, out);
                if (r == 0)
                        r = append_origin(source, out);
        }
        if (r == 0)
                r = append_text(line->text, source->terminal, out);
        return r < 0 ? r : buf_append_char(out, '\n');
}
