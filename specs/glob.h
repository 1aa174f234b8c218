/*
 * Glob: Go's path.Match on whole names, which Conflicts= and Replaces= use (FLEET.md B7).
 */
#pragma once

#include "lib/base/base.h"

/* A malformed pattern matches nothing. No recursion, O(pattern * name). */
bool glob_match(const char *pattern, const char *name);
bool glob_is_pattern(const char *s); /* has *, ? or [ */
