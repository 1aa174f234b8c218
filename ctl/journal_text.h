/*
 * What units wrote, a line at a time: reading the API's lines, writing them as journalctl would.
 *
 * Pure; times are shown in local time.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/json/json.h"

typedef enum JournalFormat {
        JOURNAL_SHORT,
        JOURNAL_SHORT_ISO,
        JOURNAL_CAT,
        JOURNAL_JSON,
} JournalFormat;

int journal_format_from_string(const char *s, JournalFormat *ret); /* 0 or -EINVAL */

/* Whose lines they are, and where they go. */
typedef struct JournalSource {
        const char *unit;
        const char *machine; /* id; "" = unknown */
        bool terminal;       /* control characters are made visible */
} JournalSource;

/* One line of GET /journal: {"t":…,"stream":…,"text":…} or {"error":…}. */
typedef struct JournalLine {
        uint64_t time_usec;
        bool is_stderr;
        const char *text;  /* borrowed from the document */
        const char *error; /* instead of the rest: why the stream ends; borrowed */
} JournalLine;

int journal_line_from_json(const json_t *j, JournalLine *ret, Error *reterr);

/* Appends the line, newline included. 0 or -ENOMEM. */
int journal_line_render(const JournalLine *line, const JournalSource *source, JournalFormat format,
                        Buf *out);
