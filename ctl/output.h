/*
 * Output: results on stdout, everything else on stderr, and one line of progress on a terminal.
 *
 * A reader who goes away (`fleetctl list-units | head`) is no error: output is dropped from then on.
 * Any other failure to write is said at the end. Embedded by its owner; knows nothing of units.
 */
#pragma once

#include <stdio.h>

#include "lib/base/base.h"

typedef struct Output {
        FILE *out, *err; /* borrowed */
        bool out_terminal, err_terminal;
        bool colour;         /* stdout is a terminal that may be coloured */
        bool progress_shown; /* the cursor is behind a line of progress */
        int error;           /* first failure to write, negative errno */
} Output;

void output_init(Output *o, FILE *out, FILE *err);

/* A line on stdout or stderr; the newline is added. */
void out_line(Output *o, const char *fmt, ...) _printf_(2, 3);
void err_line(Output *o, const char *fmt, ...) _printf_(2, 3);

void out_data(Output *o, const void *data, size_t size);
void out_flush(Output *o);

/* Nobody reads any more: whoever produces without end stops. */
bool out_is_closed(const Output *o);

/* Replaces the line of progress (terminals only; cut to their width). Other output removes it. */
void output_progress(Output *o, const char *text);

/* Flushes. Returns rc, or 1 (with a line on stderr) if something could not be written. */
int output_finish(Output *o, int rc);
