/*
 * Included before each file that clang-tidy looks at: its analyzer does not see into another file, so it
 * does not know that these return the (negative) code they are given.
 */
#pragma once

#include "lib/base/error.h"

#define error_set(e, code, ...) ((void) error_set(e, code, __VA_ARGS__), assert((code) < 0), (code))
#define error_set_at(e, code, ...)                                                                 \
        ((void) error_set_at(e, code, __VA_ARGS__), assert((code) < 0), (code))
#define error_fill(e, code) ((void) error_fill(e, code), assert((code) < 0), (code))
