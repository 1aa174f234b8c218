/*
 * What unit_file.c and unit_file_parse.c share: appending an option that is known to be good.
 */
#pragma once

#include "specs/unit_file.h"

/* Bytes of a text that somebody else owns. */
typedef struct TextSpan {
        const char *data;
        size_t size;
} TextSpan;

typedef struct UnitOptionText {
        TextSpan section, name, value;
        unsigned line; /* 0 = not from a file */
} UnitOptionText;

/*
 * Copies the option behind the others; if the one before it in its section ends in a lone backslash,
 * onto that one, because so the text will be read. 0, -EFBIG (too many, too large; with the line) or -ENOMEM.
 */
int unit_file_append(UnitFile *u, const UnitOptionText *o, Error *reterr);

/* Gives values that still end in a lone backslash the newline that the text will have there. 0 or -ENOMEM. */
int unit_file_end_backslashes(UnitFile *u);
