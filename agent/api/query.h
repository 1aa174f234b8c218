/*
 * Query: the text around an API request: query strings, and paths as Go's ServeMux cleans them. PURE.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/buf.h"
#include "lib/base/strv.h"

/* Appends the decoded values of `name` in "a=1&b=2"; broken pairs are left out, as Go does. 0 or -ENOMEM. */
int query_values(const char *query, const char *name, Strv *values);

/* `path` without empty, "." and ".." segments; a slash at the end stays. The caller owns it. */
char *query_clean_path(const char *path);

/* Appends s with <, >, &, " and ' escaped for HTML. */
int query_append_html(Buf *b, const char *s);
