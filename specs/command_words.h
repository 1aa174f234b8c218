/*
 * CommandWords: taking one word after the other out of a line, as systemd's extract_first_word() does.
 *
 * Internal to command_line.c, command_expand.c and command_words().
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/strv.h"

#define COMMAND_WHITESPACE " \t\n\r"

typedef enum WordFlags {
        WORDS_UNESCAPE = 1 << 0,     /* C escapes; without it a backslash just goes away */
        WORDS_KEEP_UNKNOWN = 1 << 1, /* what is no escape stays as it is; else it is an error */
        WORDS_UNBALANCED = 1 << 2,   /* a quote may be left open; else it is an error */
} WordFlags;

typedef struct WordReader {
        const char *text; /* the whole, for columns */
        const char *at;
        unsigned flags;
        Error *reterr;
} WordReader;

/* 1 = a word (the caller owns it); 0 = there is none left; -EINVAL (with the column) or -ENOMEM. Leaves `at`
 * at the word behind. */
int word_reader_next(WordReader *w, char **ret);

/* Appends all words that are left. 0, or as word_reader_next(). */
int word_reader_all(WordReader *w, Strv *words);

unsigned word_reader_column(const WordReader *w, const char *at);
