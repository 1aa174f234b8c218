#include "lib/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "lib/base/str.h"

enum {
        TEXT_MAX_BYTES = 4096,                  /* longer text is cut */
        ESCAPED_MAX_BYTES = 4 * TEXT_MAX_BYTES, /* every byte may become \xNN */
        FIELD_MAX_BYTES = 512,
};

typedef enum LogTarget { TARGET_UNKNOWN, TARGET_STDERR, TARGET_JOURNAL } LogTarget;

static LogLevel max_level = LOG_LEVEL_INFO;
static LogTarget target;

void log_set_level(LogLevel max) {
        max_level = max;
}

bool log_enabled(LogLevel level) {
        return level <= max_level;
}

/* systemd.exec(5): $JOURNAL_STREAM holds device and inode of the stream that leads to the journal. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        struct stat st;
        char ours[64];

        if (str_empty(stream) || fstat(STDERR_FILENO, &st) < 0)
                return false;

        (void) snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long) st.st_dev,
                        (unsigned long long) st.st_ino);
        return str_eq(stream, ours);
}

/* How many bytes of a good UTF-8 text at s are a control character: 0, 1, or 2 (U+0080 to U+009F). */
static size_t control_length(const char *s) {
        unsigned char c = (unsigned char) s[0];

        if (c < 0x20 || c == 0x7f)
                return 1;
        if (c == 0xc2 && (unsigned char) s[1] < 0xa0)
                return 2;

        return 0;
}

/* Writes text into `out` (room for four times its size and a NUL), control characters escaped. */
static size_t escape(const char *text, char *out) {
        static const char hex[] = "0123456789abcdef";
        bool utf8 = str_is_utf8(text, strlen(text));
        size_t n = 0;

        while (*text) {
                size_t bad = utf8 || (*text & 0x80) == 0 ? control_length(text) : 1;

                if (bad == 0)
                        out[n++] = *text++;

                for (; bad > 0; bad--, text++) {
                        unsigned char c = (unsigned char) *text;

                        out[n++] = '\\';
                        if (c == '\n' || c == '\t') {
                                out[n++] = c == '\n' ? 'n' : 't';
                                continue;
                        }
                        out[n++] = 'x';
                        out[n++] = hex[c >> 4];
                        out[n++] = hex[c & 15];
                }
        }

        out[n] = '\0';
        return n;
}

static const char *level_name(LogLevel level) {
        switch (level) {
        case LOG_LEVEL_ERROR:
                return "ERROR";
        case LOG_LEVEL_WARNING:
                return "WARN";
        case LOG_LEVEL_NOTICE:
        case LOG_LEVEL_INFO:
                return "INFO";
        case LOG_LEVEL_DEBUG:
                return "DEBUG";
        }
        return "INFO";
}

static void to_stderr(LogLevel level, const char *file, int line, const char *text, size_t size) {
        const char *slash = strrchr(file, '/');
        char head[128];
        size_t head_size = (size_t) snprintf(head, sizeof(head), "%s %s:%d: ", level_name(level),
                                             slash ? slash + 1 : file, line);
        struct iovec parts[] = {
                { .iov_base = head, .iov_len = MIN(head_size, sizeof(head) - 1) },
                { .iov_base = (void *) (uintptr_t) text, .iov_len = size },
                { .iov_base = (char[]){ '\n' }, .iov_len = 1 },
        };

        /* One call, so that lines of several writers stay whole. Nobody is left to tell of a failure. */
        if (writev(STDERR_FILENO, parts, ELEMENTSOF(parts)) < 0)
                return;
}

/* Appends "NAME=value" to the entry; a NULL value is left out, a long one cut. */
static void add_field(struct iovec *entry, size_t *n, char store[FIELD_MAX_BYTES], const char *name,
                      const char *value) {
        int size;

        if (!value)
                return;

        size = snprintf(store, FIELD_MAX_BYTES, "%s=%s", name, value);
        if (size < 0)
                return;

        entry[(*n)++] = (struct iovec){
                .iov_base = store,
                .iov_len = MIN((size_t) size, (size_t) FIELD_MAX_BYTES - 1),
        };
}

/* `message` is "MESSAGE=" and the text. */
static int to_journal(LogLevel level, const char *file, int line, const LogFields *fields,
                      struct iovec message) {
        char numbers[2][16], store[7][FIELD_MAX_BYTES];
        struct iovec entry[8] = { message };
        size_t n = 1;

        (void) snprintf(numbers[0], sizeof(numbers[0]), "%d", (int) level);
        (void) snprintf(numbers[1], sizeof(numbers[1]), "%d", line);
        add_field(entry, &n, store[0], "PRIORITY", numbers[0]);
        add_field(entry, &n, store[1], "CODE_FILE", file);
        add_field(entry, &n, store[2], "CODE_LINE", numbers[1]);
        add_field(entry, &n, store[3], "SYSLOG_IDENTIFIER", program_invocation_short_name);
        add_field(entry, &n, store[4], "UNIT", fields ? fields->unit : NULL);
        add_field(entry, &n, store[5], "MACHINE", fields ? fields->machine : NULL);
        add_field(entry, &n, store[6], "DRIVER", fields ? fields->driver : NULL);
        return sd_journal_sendv(entry, (int) n);
}

void log_write(LogLevel level, const char *file, int line, const LogFields *fields, const char *fmt,
               ...) {
        static const char prefix[] = "MESSAGE=";
        char text[TEXT_MAX_BYTES], out[sizeof(prefix) + ESCAPED_MAX_BYTES];
        char *message = out + sizeof(prefix) - 1;
        int saved = errno, n;
        size_t size;
        va_list ap;

        va_start(ap, fmt);
        n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (n < 0)
                text[0] = '\0';
        else if ((size_t) n >= sizeof(text))
                memcpy(text + sizeof(text) - 4, "...", 4);

        memcpy(out, prefix, sizeof(prefix) - 1);
        size = escape(text, message);
        if (target == TARGET_UNKNOWN)
                target = stderr_is_journal() ? TARGET_JOURNAL : TARGET_STDERR;

        if (target != TARGET_JOURNAL ||
            to_journal(level, file, line, fields,
                       (struct iovec){ .iov_base = out, .iov_len = sizeof(prefix) - 1 + size }) < 0)
                to_stderr(level, file, line, message, size);
        errno = saved;
}
