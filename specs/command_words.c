#include "specs/command_words.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "specs/command_line.h"

unsigned word_reader_column(const WordReader *w, const char *at) {
        return (unsigned) (at - w->text) + 1;
}

static int fail(const WordReader *w, const char *at, const char *words) {
        return error_set_at(w->reterr, -EINVAL, NULL, 0, word_reader_column(w, at), "%s", words);
}

static bool is_separator(char c) {
        return c != '\0' && strchr(COMMAND_WHITESPACE, c);
}

/* ---- escapes ----------------------------------------------------------------------------------- */

/* A number of exactly n digits; -EINVAL if they are not all there. */
static int read_digits(const char *s, size_t n, unsigned base, uint32_t *ret) {
        uint32_t value = 0;

        for (size_t i = 0; i < n; i++) {
                unsigned digit;

                if (s[i] >= '0' && s[i] <= '9')
                        digit = (unsigned) (s[i] - '0');
                else if ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'f')
                        digit = (unsigned) ((s[i] | 0x20) - 'a') + 10;
                else
                        return -EINVAL;
                if (digit >= base)
                        return -EINVAL;
                value = value * base + digit;
        }

        *ret = value;
        return 0;
}

/* systemd asks of \U, but not of \u, that it is none of the non-characters. */
static bool is_character(uint32_t c, bool is_short) {
        bool in_range = c > 0 && c <= 0x10ffff && (c & 0xfffff800) != 0xd800;

        return in_range && (is_short || ((c < 0xfdd0 || c > 0xfdef) && (c & 0xfffe) != 0xfffe));
}

static size_t encode_utf8(uint32_t c, char out[4]) {
        if (c < 0x80) {
                out[0] = (char) c;
                return 1;
        }
        if (c < 0x800) {
                out[0] = (char) (0xc0 | c >> 6);
                out[1] = (char) (0x80 | (c & 0x3f));
                return 2;
        }
        if (c < 0x10000) {
                out[0] = (char) (0xe0 | c >> 12);
                out[1] = (char) (0x80 | (c >> 6 & 0x3f));
                out[2] = (char) (0x80 | (c & 0x3f));
                return 3;
        }
        out[0] = (char) (0xf0 | c >> 18);
        out[1] = (char) (0x80 | (c >> 12 & 0x3f));
        out[2] = (char) (0x80 | (c >> 6 & 0x3f));
        out[3] = (char) (0x80 | (c & 0x3f));
        return 4;
}

/* A byte (\xHH, \nnn) or a character (\uHHHH, \UHHHHHHHH). */
static int read_number_escape(const char *s, size_t *ret_read, char out[4], size_t *ret_size) {
        bool byte = *s == 'x' || (*s >= '0' && *s <= '7'), octal = *s != 'x' && byte;
        size_t digits = *s == 'U' ? 8 : *s == 'u' ? 4 : *s == 'x' ? 2 : 3;
        uint32_t value;
        int r;

        if (!byte && *s != 'u' && *s != 'U')
                return -EINVAL;

        r = read_digits(octal ? s : s + 1, digits, octal ? 8 : 16, &value);
        if (r < 0)
                return r;
        if (byte ? value == 0 || value > 0xff : !is_character(value, *s == 'u'))
                return -EINVAL;

        *ret_read = octal ? digits : digits + 1;
        if (byte) {
                out[0] = (char) value;
                *ret_size = 1;
        } else {
                *ret_size = encode_utf8(value, out);
        }
        return 0;
}

/* What stands behind a backslash: how much of it is read, and what it stands for. -EINVAL: no escape. */
static int read_escape(const char *s, size_t *ret_read, char out[4], size_t *ret_size) {
        static const char letters[] = "abfnrtv\\\"'s", values[] = "\a\b\f\n\r\t\v\\\"' ";
        const char *letter = *s ? strchr(letters, *s) : NULL;

        if (!letter)
                return read_number_escape(s, ret_read, out, ret_size);

        out[0] = values[letter - letters];
        *ret_read = *ret_size = 1;
        return 0;
}

/* w->at is behind the backslash, and not at the end. */
static int take_escape(WordReader *w, Buf *word) {
        size_t read = 1, size = 1;
        char out[4];
        int r;

        if (!(w->flags & WORDS_UNESCAPE)) {
                r = buf_append_char(word, *w->at++);
                return r;
        }

        if (read_escape(w->at, &read, out, &size) >= 0) {
                w->at += read;
                return buf_append(word, out, size);
        }
        if (!(w->flags & WORDS_KEEP_UNKNOWN))
                return fail(w, w->at - 1, "unknown escape sequence");

        r = buf_append_char(word, '\\');
        if (r >= 0)
                r = buf_append_char(word, *w->at++);
        return r;
}

/* ---- words ------------------------------------------------------------------------------------- */

/* A backslash, and nothing behind it. */
static int take_last_backslash(const WordReader *w, Buf *word, char quote) {
        if ((w->flags & WORDS_KEEP_UNKNOWN) && !quote)
                return buf_append_char(word, '\\');
        if (w->flags & WORDS_UNBALANCED)
                return 0;

        return fail(w, w->at - 1, "nothing follows the backslash");
}

static int read_word(WordReader *w, Buf *word) {
        const char *opened = NULL; /* where the quote is that is open */
        int r;

        while (*w->at && (opened || !is_separator(*w->at))) {
                char c = *w->at++;

                if (c == '\\' && *w->at == '\0')
                        return take_last_backslash(w, word, opened ? *opened : 0);
                if (c == '\\')
                        r = take_escape(w, word);
                else if (opened ? c == *opened : c == '\'' || c == '"') {
                        opened = opened ? NULL : w->at - 1;
                        continue;
                } else
                        r = buf_append_char(word, c);
                if (r < 0)
                        return r;
        }

        if (opened && !(w->flags & WORDS_UNBALANCED))
                return fail(w, opened, "unbalanced quotes");
        return 0;
}

int word_reader_next(WordReader *w, char **ret) {
        _cleanup_(buf_done) Buf word = BUF_INIT;
        char *text;
        int r;

        w->at += strspn(w->at, COMMAND_WHITESPACE);
        if (*w->at == '\0')
                return 0;

        r = read_word(w, &word);
        if (r < 0)
                return r;

        text = buf_steal(&word);
        if (!text)
                return -ENOMEM;

        w->at += strspn(w->at, COMMAND_WHITESPACE);
        *ret = text;
        return 1;
}

int word_reader_all(WordReader *w, Strv *words) {
        for (;;) {
                _cleanup_free_ char *word = NULL;
                int r;

                r = word_reader_next(w, &word);
                if (r <= 0)
                        return r;

                r = strv_take(words, word);
                if (r < 0)
                        return r;
                word = NULL;
        }
}

int command_words(const char *s, bool escapes, Strv *words, Error *reterr) {
        WordReader w = {
                .text = s, .at = s, .flags = escapes ? WORDS_UNESCAPE : 0, .reterr = reterr
        };

        return word_reader_all(&w, words);
}
