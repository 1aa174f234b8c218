/*
 * Log: lines for the operator of a daemon, on stderr or (when stderr is the journal's, see
 * $JOURNAL_STREAM in systemd.exec(5)) to the journal with structured fields.
 *
 * lib, specs, drivers and scheduler/core do not log above debug: they return what went wrong.
 */
#pragma once

#include <stdarg.h>

#include "lib/base/base.h"

typedef enum LogLevel {
        LOG_LEVEL_ERROR = 3, /* we give something up (the numbers are syslog's) */
        LOG_LEVEL_WARNING = 4,
        LOG_LEVEL_NOTICE = 5,
        LOG_LEVEL_INFO = 6,
        LOG_LEVEL_DEBUG = 7,
} LogLevel;

/* What a line is about; any member may be NULL. */
typedef struct LogFields {
        const char *unit;
        const char *machine;
        const char *driver;
} LogFields;

void log_set_level(LogLevel max); /* default: info */
bool log_enabled(LogLevel level);

/* Control characters in the text are escaped, so that what came from outside cannot forge a line. */
void log_write(LogLevel level, const char *file, int line, const LogFields *fields, const char *fmt,
               ...) _printf_(5, 6);

#define log_full(level, fields, ...)                                                               \
        (log_enabled(level) ? log_write((level), __FILE__, __LINE__, (fields), __VA_ARGS__)        \
                            : (void) 0)
#define log_error(...) log_full(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_full(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_notice(...) log_full(LOG_LEVEL_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) log_full(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_full(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)
#define log_unit(level, unit_name, ...)                                                            \
        log_full((level), (&(const LogFields){ .unit = (unit_name) }), __VA_ARGS__)
