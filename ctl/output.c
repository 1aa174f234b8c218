#include "ctl/output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/str.h"

#define TERMINAL_COLUMNS 80

static bool is_terminal(FILE *f) {
        return fileno(f) >= 0 && isatty(fileno(f)) && !str_eq(getenv("TERM"), "dumb");
}

void output_init(Output *o, FILE *out, FILE *err) {
        *o = (Output){ .out = out, .err = err };
        o->out_terminal = is_terminal(out);
        o->err_terminal = is_terminal(err);
        o->colour = o->out_terminal && str_empty(getenv("NO_COLOR"));
}

static void note_error(Output *o, bool failed) {
        if (failed && o->error == 0)
                o->error = errno > 0 ? -errno : -EIO;
}

static void clear_progress(Output *o) {
        if (!o->progress_shown)
                return;
        (void) fputs("\r\033[K", o->err);
        o->progress_shown = false;
}

void out_data(Output *o, const void *data, size_t size) {
        if (size == 0 || o->error)
                return;
        clear_progress(o);
        note_error(o, fwrite(data, 1, size, o->out) != size);
}

void out_flush(Output *o) {
        if (o->error == 0)
                note_error(o, fflush(o->out) != 0);
}

void out_line(Output *o, const char *fmt, ...) {
        va_list ap;

        if (o->error)
                return;
        clear_progress(o);
        va_start(ap, fmt);
        note_error(o, vfprintf(o->out, fmt, ap) < 0 || fputc('\n', o->out) == EOF);
        va_end(ap);
}

void err_line(Output *o, const char *fmt, ...) {
        va_list ap;

        /* What was said first shall be read first when both go to the same place. */
        out_flush(o);
        clear_progress(o);
        va_start(ap, fmt);
        (void) vfprintf(o->err, fmt, ap);
        (void) fputc('\n', o->err);
        va_end(ap);
        (void) fflush(o->err);
}

bool out_is_closed(const Output *o) {
        return o->error != 0;
}

/* How many bytes of s fill at most `columns` (one per character; good enough for names and states). */
static size_t fitting(const char *s, size_t columns) {
        size_t i = 0;

        for (; s[i]; i++)
                if (((unsigned char) s[i] & 0xc0) != 0x80 && columns-- == 0)
                        break;
        return i;
}

void output_progress(Output *o, const char *text) {
        struct winsize w = { 0 };
        size_t columns = TERMINAL_COLUMNS;

        if (!o->err_terminal)
                return;
        if (ioctl(fileno(o->err), TIOCGWINSZ, &w) == 0 && w.ws_col > 1)
                columns = w.ws_col;

        out_flush(o);
        (void) fprintf(o->err, "\r\033[K%.*s", (int) fitting(text, columns - 1), text);
        (void) fflush(o->err);
        o->progress_shown = true;
}

int output_finish(Output *o, int rc) {
        clear_progress(o);
        out_flush(o);
        (void) fflush(o->err);
        if (o->error == 0 || o->error == -EPIPE)
                return rc;
        err_line(o, "Error writing output: %s", strerror(-o->error));
        return rc == 0 ? 1 : rc;
}
