/*
 * The setters behind the table of service_keys.c: each reads one value into its field of ServiceConfig,
 * or refuses it with the line. Private to drivers/service.
 *
 * Values are systemd's: an empty one takes a list back to empty, and changes nothing otherwise.
 */
#pragma once

#include "drivers/service/service_keys.h"

#define SERVICE_SETTER(name)                                                                       \
        int service_set_##name(ServiceParser *p, const UnitOption *o, const char *value,           \
                               void *field)

SERVICE_SETTER(type);
SERVICE_SETTER(restart);
SERVICE_SETTER(kill_mode);
SERVICE_SETTER(timeout_mode);
SERVICE_SETTER(bool);
SERVICE_SETTER(burst);
SERVICE_SETTER(signal);
SERVICE_SETTER(exit_set);
SERVICE_SETTER(bus_name); /* its presence makes Type=dbus the default */

/* Durations: `span` as it is; the timeouts read 0 as no timeout at all. */
SERVICE_SETTER(span);
SERVICE_SETTER(timeout);
SERVICE_SETTER(timeout_start);
SERVICE_SETTER(timeout_both);
SERVICE_SETTER(timeout_abort);

/* Lists. */
SERVICE_SETTER(exec); /* the field is ServiceConfig.commands[kind] */
SERVICE_SETTER(environment);
SERVICE_SETTER(environment_file);
SERVICE_SETTER(condition);
SERVICE_SETTER(names); /* names of variables */
SERVICE_SETTER(unset); /* names, or whole assignments */

/* Accepted with the one value that changes nothing, else refused. */
SERVICE_SETTER(no_action);
SERVICE_SETTER(exit_type);
SERVICE_SETTER(standard_input);
SERVICE_SETTER(refused);

/* Puts the specifiers of a whole value in; words as service_set_error(). The caller owns *ret. */
int service_set_expand(ServiceParser *p, const UnitOption *o, const char *s, char **ret);

/* The option's words for an error, with its line: "line N: Key=value …". Returns -EINVAL. */
int service_set_error(ServiceParser *p, const UnitOption *o, const char *fmt, ...) _printf_(3, 4);
