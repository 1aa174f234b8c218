/*
 * The parts of RFC 3986 we need: percent-encoding both ways, and arguments out of a query.
 */
#pragma once

#include "lib/base/base.h"

/* Percent-encodes what RFC 3986 does not call unreserved ('/' too). The caller owns it; NULL = out of memory. */
char *http_url_escape(const char *s);

/* Percent-decodes; -EINVAL for a broken escape or an encoded NUL, or -ENOMEM. The caller owns *ret. */
int http_url_unescape(const char *s, size_t size, char **ret);

/*
 * First value of an argument of "a=1&b=2" (';' separates, too), decoded, '+' being a space; *ret is
 * NULL if it is not there. A pair with a broken escape is passed over, as Go's url.ParseQuery does.
 * The caller owns *ret. 0 or -ENOMEM.
 */
int http_query_argument(const char *query, const char *name, char **ret);
