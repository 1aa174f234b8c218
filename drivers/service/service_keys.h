/*
 * ServiceKey: every key of [Unit] and [Service] that systemd 252 knows, and what becomes of it here.
 *
 * A key is followed (it has a `set` that fills ServiceConfig), or looked at and refused where its value
 * would have meant something that cannot be had (a `set` and a `why`), or it means nothing for what runs
 * here (`why` says so): it was about the process that systemd itself started, which for old units was
 * the engine's command-line client, or it is between units, which nobody acts upon yet.
 * Private to drivers/service.
 */
#pragma once

#include "drivers/service/service_config.h"

/* What a setter gets: the option with its value trimmed and joined. */
typedef struct ServiceParser {
        ServiceConfig *config;
        const SpecifierHost *host;
        Error *reterr;
        bool type_given, start_timeout_given, abort_timeout_given, bus_name_given;
} ServiceParser;

typedef struct ServiceKey {
        const char *name;
        /* `field` points into the config at `offset`. 0, -EINVAL (with words and line) or -ENOMEM. */
        int (*set)(ServiceParser *p, const UnitOption *o, const char *value, void *field);
        size_t offset;
        const char *why; /* NULL = followed */
} ServiceKey;

/* Keys of "Unit" or "Service"; NULL for one that systemd does not know. */
const ServiceKey *service_key_find(const char *section, const char *name);

/* The known key of that section whose spelling is closest, or NULL if none is close. */
const char *service_key_nearest(const char *section, const char *name);

/* All of a section ("Unit" or "Service"). */
const ServiceKey *service_keys(const char *section, size_t *ret_n);
