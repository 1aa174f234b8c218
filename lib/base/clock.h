/*
 * Time: reading the clocks, and the three ways in which people write time down.
 *
 * Only owners of a loop read a clock; decisions get `now_usec` as an argument.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"

uint64_t clock_realtime_usec(void); /* since the epoch: what people see */
uint64_t clock_boottime_usec(void); /* never jumps, counts suspend: leases, deadlines */

/* "2026-11-21T10:00:00.123456Z" (RFC 3339, UTC). The caller owns it; NULL = out of memory. */
char *clock_format_rfc3339(uint64_t realtime_usec);

/*
 * RFC 3339 with up to nanoseconds and any offset, as the Engine API writes it; what is before 1970
 * (the Engine's "0001-01-01T00:00:00Z" means never) becomes 0. 0 or -EINVAL.
 */
int clock_parse_rfc3339(const char *s, uint64_t *ret_realtime_usec);

/*
 * systemd.time(7) spans: "5min 20s", "1h", "90" (of default_unit_usec each), "500ms", "infinity"
 * (USEC_INFINITY). 0, -EINVAL or -ERANGE, with words.
 */
int timespan_parse(const char *s, uint64_t default_unit_usec, uint64_t *ret_usec, Error *reterr);

/* "1min 30s", "2h 5min", "350ms": at most two units. The caller owns it; NULL = out of memory. */
char *timespan_format(uint64_t usec);

/* Go's time.ParseDuration ("30s", "1m30s", "500ms", "1.5h"; fleet.conf's agent_ttl). 0, -EINVAL or -ERANGE. */
int go_duration_parse(const char *s, uint64_t *ret_usec, Error *reterr);
