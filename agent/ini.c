#include "agent/ini.h"

#include <ctype.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

typedef struct IniParser {
        const char *path;
        const char *text;
        size_t size;
        size_t position;
        unsigned line;       /* of what is read next */
        unsigned first_line; /* of what is in `logical` */
        Buf logical;         /* a line with its continuations */
        char *section;
} IniParser;

static void ini_parser_done(IniParser *p) {
        buf_done(&p->logical);
        p->section = mem_free(p->section);
}

/* Appends the next physical line; ret_more: it ended in a backslash. */
static int append_physical_line(IniParser *p, bool continuation, bool *ret_more) {
        const char *start = p->text + p->position;
        const char *newline = memchr(start, '\n', p->size - p->position);
        size_t length = newline ? (size_t) (newline - start) : p->size - p->position;

        p->position += length + (newline ? 1 : 0);
        p->line++;
        while (length > 0 && isspace((unsigned char) start[length - 1]))
                length--;
        while (continuation && length > 0 && isspace((unsigned char) *start)) {
                start++;
                length--;
        }

        *ret_more = length > 0 && start[length - 1] == '\\';
        return buf_append(&p->logical, start, *ret_more ? length - 1 : length);
}

/* 1 = there is a line in p->logical, 0 = the end. */
static int next_logical_line(IniParser *p) {
        bool more = p->position < p->size;
        int r;

        if (!more)
                return 0;

        buf_clear(&p->logical);
        p->first_line = p->line + 1;
        for (bool continuation = false; more; continuation = true) {
                r = append_physical_line(p, continuation, &more);
                if (r < 0)
                        return r;
                more = more && p->position < p->size;
        }
        return 1;
}

static void lower_case(char *s) {
        for (; *s; s++)
                *s = (char) tolower((unsigned char) *s);
}

static int parse_section(IniParser *p, char *line, Error *reterr) {
        char *end = strchr(line, ']');

        if (!end || str_trim(end + 1)[0] != '\0')
                return error_set_at(reterr, -EINVAL, p->path, p->first_line, 0,
                                    "'%s' is not a section header", line);
        *end = '\0';
        line = str_trim(line + 1);
        lower_case(line);
        return str_replace(&p->section, line);
}

/* The value in quotes with nothing but a comment behind it, or NULL if it is not written so. */
static char *quoted_value(char *value) {
        char *end = value[0] == '"' || value[0] == '\'' ? strchr(value + 1, value[0]) : NULL;
        char *rest;

        if (!end)
                return NULL;
        rest = str_trim(end + 1);
        if (rest[0] != '\0' && rest[0] != '#' && rest[0] != ';')
                return NULL;
        *end = '\0';
        return value + 1;
}

static int parse_assignment(IniParser *p, char *line, IniFn fn, void *userdata, Error *reterr) {
        char *equals = strchr(line, '='), *key, *value, *quoted;

        if (!equals)
                return error_set_at(reterr, -EINVAL, p->path, p->first_line, 0,
                                    "'%s' is neither a comment, a section nor key=value", line);
        *equals = '\0';
        key = str_trim(line);
        if (key[0] == '\0' || strpbrk(key, " \t"))
                return error_set_at(reterr, -EINVAL, p->path, p->first_line, 0,
                                    "'%s' is not the name of a key", key);

        lower_case(key);
        value = str_trim(equals + 1);
        quoted = quoted_value(value);
        if (!quoted) {
                value[strcspn(value, "#;")] = '\0';
                value = str_trim(value);
        }
        return fn(str_or(p->section, ""), key, quoted ? quoted : value, p->first_line, userdata);
}

static int parse_line(IniParser *p, IniFn fn, void *userdata, Error *reterr) {
        _cleanup_free_ char *copy = str_dup(buf_str(&p->logical));
        char *line;

        if (!copy)
                return -ENOMEM;
        line = str_trim(copy);
        if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
                return 0;
        if (line[0] == '[')
                return parse_section(p, line, reterr);
        return parse_assignment(p, line, fn, userdata, reterr);
}

int ini_parse(const char *path, const char *text, size_t size, IniFn fn, void *userdata,
              Error *reterr) {
        _cleanup_(ini_parser_done) IniParser p = { .path = path, .text = text, .size = size };
        int r;

        if (size > INI_SIZE_MAX)
                return error_set_at(reterr, -EFBIG, path, 0, 0, "longer than %zu bytes",
                                    INI_SIZE_MAX);
        if (memchr(text, '\0', size))
                return error_set_at(reterr, -EINVAL, path, 0, 0, "holds a NUL byte");

        for (;;) {
                r = next_logical_line(&p);
                if (r <= 0)
                        return r;
                r = parse_line(&p, fn, userdata, reterr);
                if (r < 0)
                        return r;
        }
}
