/*
 * TimeSpec: points in time as people type them (systemd.time(7), the simple half of it).
 *
 * Pure: the present is an argument. Times without a zone are local.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"

/*
 * "2026-11-21 10:00[:00]", "2026-11-21", "10:00[:00]" (today), RFC 3339 with a zone, "now", "today",
 * "yesterday", "-10min", "+1h", "10min ago", "@1700000000[.5]". 0 or -EINVAL with words.
 */
int time_spec_parse(const char *s, uint64_t now_usec, uint64_t *ret_usec, Error *reterr);
