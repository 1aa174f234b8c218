/*
 * The status of a unit, laid out like systemctl's.
 *
 * Pure: the documents and the present go in, text comes out.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/json/json.h"
#include "specs/unit_state.h"

typedef struct StatusText {
        const json_t *status;   /* the document of GET /status/UNIT */
        const UnitState *state; /* on one machine; NULL = it is on none */
        const char *ip;         /* of that machine, or NULL */
        uint64_t now_usec;
        bool colour;
} StatusText;

/* Appends the block, without lines of the journal. 0, -ENOMEM, or -EINVAL with words (a bad document). */
int status_text_render(const StatusText *s, Buf *out, Error *reterr);

/* systemctl's exit code: 0 = active, 3 = not. */
int status_text_rc(const UnitState *state);
