/* What command_line.h promises of environments: looking up, setting, reading an EnvironmentFile=. */
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "specs/command_line.h"

bool environment_name_is_valid(const char *name, size_t size) {
        for (size_t i = 0; i < size; i++) {
                char c = name[i];
                bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

                if (!letter && (i == 0 || c < '0' || c > '9'))
                        return false;
        }
        return size > 0;
}

const char *environment_get_n(const Strv *environment, const char *name, size_t size) {
        for (size_t i = environment->n; i > 0; i--) {
                const char *item = environment->items[i - 1];

                if (strncmp(item, name, size) == 0 && item[size] == '=')
                        return item + size + 1;
        }
        return NULL;
}

const char *environment_get(const Strv *environment, const char *name) {
        return environment_get_n(environment, name, strlen(name));
}

int environment_set(Strv *environment, const char *assignment) {
        size_t size = strcspn(assignment, "=");

        if (assignment[size] != '=' || !environment_name_is_valid(assignment, size))
                return -EINVAL;

        for (size_t i = environment->n; i > 0; i--)
                if (strncmp(environment->items[i - 1], assignment, size + 1) == 0)
                        return str_replace(&environment->items[i - 1], assignment);

        return strv_push(environment, assignment);
}

/* ---- EnvironmentFile= -------------------------------------------------------------------------- */

typedef struct FileParser {
        const char *at, *end;
        unsigned line;
        Buf name, value;
        Strv *items, *warnings;
} FileParser;

static bool is_newline(char c) {
        return c == '\n' || c == '\r';
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || is_newline(c);
}

static char take(FileParser *p) {
        p->line += *p->at == '\n';
        return *p->at++;
}

/* To behind the end of the line; a backslash protects the character behind it. */
static void skip_comment(FileParser *p) {
        while (p->at < p->end) {
                char c = take(p);

                if (is_newline(c))
                        return;
                if (c == '\\' && p->at < p->end)
                        (void) take(p);
        }
}

static int read_single_quoted(FileParser *p) {
        while (p->at < p->end) {
                char c = take(p);
                int r;

                if (c == '\'')
                        return 0;
                r = buf_append_char(&p->value, c);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* As a shell reads it: the backslash goes only before what it has to protect, and before a newline. */
static int read_double_quoted(FileParser *p) {
        while (p->at < p->end) {
                char c = take(p);
                int r = 0;

                if (c == '"')
                        return 0;
                if (c != '\\') {
                        r = buf_append_char(&p->value, c);
                } else if (p->at < p->end) {
                        c = take(p);
                        if (!strchr("\"\\`$\n", c))
                                r = buf_append_char(&p->value, '\\');
                        if (r >= 0 && c != '\n')
                                r = buf_append_char(&p->value, c);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

/* From the first character that is neither blank nor quote: to the end of the line. */
static int read_plain(FileParser *p) {
        size_t kept =
                p->value.size; /* up to the last character that is not blank, or is protected */

        while (p->at < p->end) {
                char c = take(p);
                int r = 0;

                if (is_newline(c))
                        break;
                if (c != '\\') {
                        r = buf_append_char(&p->value, c);
                        if (!is_blank(c))
                                kept = p->value.size;
                } else {
                        c = p->at < p->end ? take(p) : '\n';
                        if (!is_newline(c))
                                r = buf_append_char(&p->value, c);
                        kept = p->value.size;
                }
                if (r < 0)
                        return r;
        }

        while (p->value.size > kept)
                p->value.data[--p->value.size] = '\0';
        return 0;
}

/* Quoted parts may follow each other; a plain one goes on to the end of the line. */
static int read_value(FileParser *p) {
        while (p->at < p->end) {
                int r = 0;

                if (*p->at == '\'') {
                        p->at++;
                        r = read_single_quoted(p);
                } else if (*p->at == '"') {
                        p->at++;
                        r = read_double_quoted(p);
                } else if (!is_blank(*p->at)) {
                        return read_plain(p);
                } else if (is_newline(take(p))) {
                        return 0;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static int warn(const FileParser *p, unsigned line, const char *words, const char *subject) {
        return p->warnings ? strv_push_printf(p->warnings, "line %u: %s: '%.256s'", line, words,
                                              subject)
                           : 0;
}

/* Up to the '=' that is not its first character; false at the end of a line without one. */
static int read_name(FileParser *p, bool *ret_found) {
        int r;

        *ret_found = false;
        r = buf_append_char(&p->name, take(p));
        while (r >= 0 && p->at < p->end) {
                char c = take(p);

                if (is_newline(c))
                        return 0;
                if (c == '=') {
                        *ret_found = true;
                        return 0;
                }
                r = buf_append_char(&p->name, c);
        }
        return r;
}

static int read_assignment(FileParser *p) {
        unsigned line = p->line;
        bool found;
        int r;

        buf_clear(&p->name);
        buf_clear(&p->value);
        r = read_name(p, &found);
        if (r < 0)
                return r;

        while (p->name.size > 0 && is_blank(p->name.data[p->name.size - 1]))
                p->name.data[--p->name.size] = '\0';
        if (!found)
                return warn(p, line, "not an assignment", buf_str(&p->name));

        r = read_value(p);
        if (r < 0)
                return r;
        if (!environment_name_is_valid(buf_str(&p->name), p->name.size))
                return warn(p, line, "not a name for a variable", buf_str(&p->name));

        return strv_push_printf(p->items, "%s=%s", buf_str(&p->name), buf_str(&p->value));
}

static int check_text(const char *text, size_t size, Error *reterr) {
        const char *end = text + size;
        unsigned line = 1;

        for (const char *s = text, *next; s < end; s = next, line++) {
                const char *newline = memchr(s, '\n', (size_t) (end - s));

                next = newline ? newline + 1 : end;
                if (memchr(s, '\0', (size_t) (next - s)))
                        return error_set_at(reterr, -EINVAL, NULL, line, 0,
                                            "environment file contains a NUL byte");
                if (!str_is_utf8(s, (size_t) (next - s)))
                        return error_set_at(reterr, -EINVAL, NULL, line, 0,
                                            "environment file is not valid UTF-8");
        }
        return 0;
}

static void file_parser_done(FileParser *p) {
        buf_done(&p->name);
        buf_done(&p->value);
}

int environment_file_parse(const char *text, size_t size, Strv *ret, Strv *warnings,
                           Error *reterr) {
        _cleanup_(file_parser_done) FileParser p = {
                .at = text,
                .end = text,
                .line = 1,
                .items = ret,
                .warnings = warnings,
        };
        int r;

        if (size > 0) {
                r = check_text(text, size, reterr);
                if (r < 0)
                        return r;
                p.end = text + size;
        }

        while (p.at < p.end) {
                r = 0;
                if (*p.at == '#' || *p.at == ';')
                        skip_comment(&p);
                else if (is_blank(*p.at))
                        (void) take(&p);
                else
                        r = read_assignment(&p);
                if (r < 0)
                        return r;
        }
        return 0;
}
