/*
 * Ini: the lines of fleet.conf, by the rules of the original (FLEET.md B2).
 *
 * Comments begin with `#` or `;`; `key="v"`, `key='v'`, `key=v` (ends at the first `#` or `;`); a
 * trailing backslash continues the line; keys and section names are lower-cased. PURE; knows no keys.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"

#define INI_SIZE_MAX (1 * MIB)

/* section is "" for the global one. All borrowed. A negative return ends the parsing with it. */
typedef int (*IniFn)(const char *section, const char *key, const char *value, unsigned line,
                     void *userdata);

/* -EINVAL with the line for one that is none of the above; path is for the error only. */
int ini_parse(const char *path, const char *text, size_t size, IniFn fn, void *userdata,
              Error *reterr);
