/* What command_line.h promises of variables: `$NAME`, `${NAME}` and `$$` at start. */
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "specs/command_line.h"
#include "specs/command_words.h"

static int note_unset(const char *name, size_t size, Strv *unset) {
        return unset ? strv_push_n(unset, name, size) : 0;
}

/* `$NAME`, a word of its own: the words of the value, whose quotes count. */
static int expand_word(const char *name, const Strv *environment, Strv *ret, Strv *unset) {
        const char *value = environment_get(environment, name);
        WordReader w = { .text = value, .at = value, .flags = WORDS_UNBALANCED };

        return value ? word_reader_all(&w, ret) : note_unset(name, strlen(name), unset);
}

/*
 * What begins with "${": the value, if a '}' follows. What does not end, or is a shell's "${NAME:...",
 * stays as it is. Returns how much of s is read.
 */
static int expand_braces(const char *s, const Strv *environment, Buf *b, Strv *unset,
                         size_t *ret_read) {
        size_t end = strcspn(s, "}:"), size = end - 2;
        const char *value;

        *ret_read = s[end] == '\0' ? end : end + 1;
        if (s[end] != '}')
                return buf_append(b, s, *ret_read);

        value = environment_get_n(environment, s + 2, size);
        return value ? buf_append_str(b, value) : note_unset(s + 2, size, unset);
}

/* `${NAME}` and `$$` inside a word; any other `$` is one. */
static int expand_inside(const char *s, const Strv *environment, Buf *b, Strv *unset) {
        int r = 0;

        while (*s && r >= 0) {
                size_t read = 1;

                if (s[0] == '$' && s[1] == '{') {
                        r = expand_braces(s, environment, b, unset, &read);
                } else {
                        r = buf_append_char(b, *s);
                        read = s[0] == '$' && s[1] == '$' ? 2 : 1;
                }
                s += read;
        }
        return r;
}

static int expand_argument(const char *s, const Strv *environment, Strv *ret, Strv *unset) {
        _cleanup_(buf_done) Buf b = { .limit = COMMAND_LINE_EXPANDED_MAX };
        int r;

        if (s[0] == '$' && s[1] != '{' && s[1] != '$')
                return expand_word(s + 1, environment, ret, unset);

        r = expand_inside(s, environment, &b, unset);
        if (r < 0)
                return r == -EFBIG ? -E2BIG : r;

        return strv_push(ret, buf_str(&b));
}

/* Adds what items from `first` on are long. */
static size_t add_lengths(const Strv *v, size_t first, size_t bytes) {
        for (size_t i = first; i < v->n; i++)
                bytes += strlen(v->items[i]) + 1;

        return bytes;
}

int command_line_expand(const CommandLine *c, const Strv *environment, Strv *ret, Strv *unset) {
        _cleanup_(strv_done) Strv argv = STRV_INIT;
        size_t bytes = 0;
        int r;

        for (size_t i = 0; i < c->argv.n; i++) {
                size_t before = argv.n;
                bool keep = (c->flags & COMMAND_NO_VARIABLES) ||
                            (i == 0 && !(c->flags & COMMAND_ARGV0));

                r = keep ? strv_push(&argv, c->argv.items[i])
                         : expand_argument(c->argv.items[i], environment, &argv, unset);
                if (r < 0)
                        return r;

                bytes = add_lengths(&argv, before, bytes);
                if (bytes > COMMAND_LINE_EXPANDED_MAX)
                        return -E2BIG;
        }

        /* An argv[0] that came to nothing. */
        if (argv.n == 0) {
                r = strv_push(&argv, c->path);
                if (r < 0)
                        return r;
        }

        *ret = argv;
        argv = STRV_INIT;
        return 0;
}
