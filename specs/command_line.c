#include "specs/command_line.h"

#include <limits.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "specs/command_words.h"

void command_line_done(CommandLine *c) {
        mem_free(c->path);
        strv_done(&c->argv);
        *c = (CommandLine){ 0 };
}

CommandLine *command_lines_free(CommandLine *lines, size_t n) {
        for (size_t i = 0; lines && i < n; i++)
                command_line_done(&lines[i]);

        return mem_free(lines);
}

/* What is being read: the commands so far, and their arguments together. */
typedef struct Parser {
        WordReader words;
        CommandLine *lines;
        size_t n, capacity;
        size_t n_arguments;
} Parser;

static void parser_done(Parser *p) {
        (void) command_lines_free(p->lines, p->n);
        *p = (Parser){ 0 };
}

/* ---- the executable ---------------------------------------------------------------------------- */

static int fail_at(Error *reterr, unsigned column, const char *words, const char *subject) {
        return error_set_at(reterr, -EINVAL, NULL, 0, column, "%s: '%.256s'", words, subject);
}

static bool has_special_characters(const char *path) {
        for (const char *s = path; *s; s++)
                if ((unsigned char) *s < ' ' || strchr("\"'\\\x7f", *s))
                        return true;

        return false;
}

/* No component is longer than a file name may be. */
static bool components_fit(const char *path) {
        while (*path) {
                size_t n = strcspn(path, "/");

                if (n > NAME_MAX)
                        return false;
                path += n;
                path += strspn(path, "/");
        }
        return true;
}

/* Path or name of what is executed, once its specifiers are expanded. */
static int check_path(const char *path, unsigned column, Error *reterr) {
        if (path[0] == '\0')
                return error_set_at(reterr, -EINVAL, NULL, 0, column, "empty path in command line");
        if (has_special_characters(path))
                return fail_at(reterr, column, "executable name contains special characters", path);
        if (str_has_suffix(path, "/"))
                return fail_at(reterr, column, "executable path specifies a directory", path);
        if (!components_fit(path) || strlen(path) >= PATH_MAX)
                return fail_at(reterr, column, "executable path is too long", path);
        if ((path[0] != '/' && strchr(path, '/')) || str_eq(path, ".") || str_eq(path, ".."))
                return fail_at(reterr, column, "neither an executable name nor an absolute path",
                               path);
        return 0;
}

/* "/usr//bin/./sh" is "/usr/bin/sh". The caller owns it; NULL = out of memory. */
static char *simplify_path(const char *path) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        if (path[0] != '/')
                return str_dup(path);

        while (*(path += strspn(path, "/")) != '\0') {
                size_t n = strcspn(path, "/");

                if ((n != 1 || *path != '.') &&
                    (buf_append_char(&b, '/') < 0 || buf_append(&b, path, n) < 0))
                        return NULL;
                path += n;
        }
        return b.size > 0 ? buf_steal(&b) : str_dup("/");
}

/* Reads the prefixes; what is left is the path. */
static const char *read_prefixes(const char *s, unsigned *flags) {
        bool no_setuid = false; /* a single '!' */

        for (;; s++) {
                const unsigned privileges = COMMAND_FULL_PRIVILEGES | COMMAND_NO_SETUID;

                if (*s == '-' && !(*flags & COMMAND_IGNORE_FAILURE))
                        *flags |= COMMAND_IGNORE_FAILURE;
                else if (*s == '@' && !(*flags & COMMAND_ARGV0))
                        *flags |= COMMAND_ARGV0;
                else if (*s == ':' && !(*flags & COMMAND_NO_VARIABLES))
                        *flags |= COMMAND_NO_VARIABLES;
                else if (*s == '+' && !(*flags & privileges))
                        *flags |= COMMAND_FULL_PRIVILEGES;
                else if (*s == '!' && !(*flags & privileges)) {
                        *flags |= COMMAND_NO_SETUID;
                        no_setuid = true;
                } else if (*s == '!' && no_setuid)
                        no_setuid = false; /* "!!": no third one */
                else
                        return s;
        }
}

/* ---- one command ------------------------------------------------------------------------------- */

/* Takes the word. */
static int add_argument(Parser *p, CommandLine *c, char *word) {
        int r;

        r = ++p->n_arguments > COMMAND_LINE_ARGUMENTS_MAX
                    ? error_set_at(p->words.reterr, -EINVAL, NULL, 0,
                                   word_reader_column(&p->words, p->words.at),
                                   "too many arguments (max %d)", COMMAND_LINE_ARGUMENTS_MAX)
                    : strv_take(&c->argv, word);
        if (r < 0)
                mem_free(word);
        return r;
}

static int read_path(Parser *p, CommandLine *c) {
        unsigned column = word_reader_column(&p->words, p->words.at);
        _cleanup_free_ char *word = NULL;
        const char *path;
        char *argument;
        int r;

        r = word_reader_next(&p->words, &word);
        if (r < 0)
                return r;

        path = read_prefixes(word, &c->flags);
        if (*path && strchr("-@:+!", *path))
                return fail_at(p->words.reterr, column, "prefixes repeat or exclude each other",
                               word);

        /* With specifiers in it there is not more to say yet. */
        if (!strchr(path, '%')) {
                r = check_path(path, column, p->words.reterr);
                if (r < 0)
                        return r;
        }

        c->path = simplify_path(path);
        if (!c->path)
                return -ENOMEM;
        if (c->flags & COMMAND_ARGV0)
                return 0;

        argument = str_dup(path);
        return argument ? add_argument(p, c, argument) : -ENOMEM;
}

static bool is_word(const char *at, const char *word) {
        const char *behind = str_after_prefix(at, word);

        return behind && (*behind == '\0' || strchr(COMMAND_WHITESPACE, *behind));
}

/* Up to the end, or behind a `;` of its own. Quoted or as `\;` it is an argument. */
static int read_arguments(Parser *p, CommandLine *c) {
        WordReader *w = &p->words;

        for (;;) {
                char *word;
                int r;

                if (is_word(w->at, ";")) {
                        w->at++;
                        return 0;
                }
                if (is_word(w->at, "\\;")) {
                        w->at += 2 + strspn(w->at + 2, COMMAND_WHITESPACE);
                        word = str_dup(";");
                        r = word ? 1 : -ENOMEM;
                } else
                        r = word_reader_next(w, &word);
                if (r <= 0)
                        return r;

                r = add_argument(p, c, word);
                if (r < 0)
                        return r;
        }
}

static int read_command(Parser *p) {
        unsigned column = word_reader_column(&p->words, p->words.at);
        CommandLine *c;
        int r;

        r = mem_grow(&p->lines, &p->capacity, p->n + 1, sizeof(CommandLine));
        if (r < 0)
                return r;

        c = &p->lines[p->n++];
        *c = (CommandLine){ 0 };
        r = read_path(p, c);
        if (r >= 0)
                r = read_arguments(p, c);
        if (r < 0)
                return r;
        if (c->argv.n == 0)
                return error_set_at(p->words.reterr, -EINVAL, NULL, 0, column,
                                    "'@' needs a path and a zeroth argument");

        return 0;
}

int command_line_parse(const char *s, CommandLine **ret, size_t *ret_n, Error *reterr) {
        _cleanup_(parser_done) Parser p = {
                .words = { .text = s,
                           .at = s,
                           .flags = WORDS_UNESCAPE | WORDS_KEEP_UNKNOWN,
                           .reterr = reterr },
        };
        int r;

        while (*(p.words.at += strspn(p.words.at, COMMAND_WHITESPACE)) != '\0') {
                r = read_command(&p);
                if (r < 0)
                        return r;
        }

        *ret_n = p.n;
        *ret = TAKE_PTR(p.lines);
        return 0;
}

/* ---- specifiers -------------------------------------------------------------------------------- */

static int expand(char **s, const char *unit_name, const SpecifierHost *host, Error *reterr) {
        char *expanded;
        int r;

        r = specifier_expand(*s, unit_name, host, &expanded, reterr);
        if (r < 0)
                return r;

        mem_free(*s);
        *s = expanded;
        return 0;
}

int command_line_expand_specifiers(CommandLine *c, const char *unit_name, const SpecifierHost *host,
                                   Error *reterr) {
        char *path;
        int r;

        r = expand(&c->path, unit_name, host, reterr);
        if (r >= 0)
                r = check_path(c->path, 0, reterr);
        if (r < 0)
                return r;

        path = simplify_path(c->path);
        if (!path)
                return -ENOMEM;
        mem_free(c->path);
        c->path = path;

        for (size_t i = 0; i < c->argv.n; i++) {
                r = expand(&c->argv.items[i], unit_name, host, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
