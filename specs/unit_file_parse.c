/* What unit_file.h promises of reading: files, and options from the API. */
#include "lib/base/str.h"
#include "specs/unit_file.h"
#include "specs/unit_file_text.h"

typedef struct Parser {
        const char *at, *end;
        unsigned line;
        bool in_section;
        TextSpan section;
        UnitFile *unit;
        Error *reterr;
} Parser;

static int fail(Parser *p, int code, const char *words) {
        return error_set_at(p->reterr, code, NULL, p->line, 0, "%s", words);
}

/* ---- white space as Unicode and Go see it ------------------------------------------------------ */

/* Bytes of the white space character that s (not at its end) starts with; 0 = it starts with another. */
static size_t space_at(const char *s, const char *end) {
        const unsigned char *p = (const unsigned char *) s;
        size_t n = (size_t) (end - s);

        if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
                return 1;
        if (n >= 2 && p[0] == 0xc2 && (p[1] == 0x85 || p[1] == 0xa0))
                return 2;
        if (n < 3)
                return 0;

        uint32_t c = (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];
        bool space = c == 0xe19a80 ||                    /* U+1680 */
                     (c >= 0xe28080 && c <= 0xe2808a) || /* U+2000 to U+200A */
                     c == 0xe280a8 || c == 0xe280a9 ||   /* U+2028, U+2029 */
                     c == 0xe280af || c == 0xe2819f ||   /* U+202F, U+205F */
                     c == 0xe38080;                      /* U+3000 */

        return space ? 3 : 0;
}

static size_t space_before(const char *s, const char *end) {
        for (size_t n = 1; n <= 3 && n <= (size_t) (end - s); n++)
                if (space_at(end - n, end) == n)
                        return n;

        return 0;
}

static TextSpan trim(const char *s, const char *end) {
        size_t n;

        while (s < end && (n = space_at(s, end)) > 0)
                s += n;
        while (s < end && (n = space_before(s, end)) > 0)
                end -= n;

        return (TextSpan){ s, (size_t) (end - s) };
}

/* ---- lines ------------------------------------------------------------------------------------- */

static const char *line_end(const char *s, const char *end) {
        const char *newline = memchr(s, '\n', (size_t) (end - s));

        return newline ? newline : end;
}

/* Behind the newline that line_end() found. */
static void next_line(Parser *p, const char *eol) {
        p->at = eol < p->end ? eol + 1 : eol;
        p->line++;
}

static bool ends_in_backslash(const char *s, const char *eol) {
        return eol > s && eol[-1] == '\\';
}

/* From '#' or ';' to the end of the line; one that ends in a backslash takes the next line along. */
static void skip_comment(Parser *p) {
        bool continued;

        do {
                const char *eol = line_end(p->at, p->end);

                continued = ends_in_backslash(p->at, eol) && eol < p->end;
                next_line(p, eol);
        } while (continued);
}

/* ---- what stands in a file --------------------------------------------------------------------- */

static int parse_section(Parser *p) {
        const char *name = p->at + 1, *eol = line_end(p->at, p->end);
        const char *close = memchr(name, ']', (size_t) (eol - name));

        if (!close)
                return fail(p, -EINVAL, "unable to find end of section");

        TextSpan garbage = trim(close + 1, eol);

        if (garbage.size > 0)
                return error_set_at(p->reterr, -EINVAL, NULL, p->line, 0,
                                    "found garbage after section name %.*s: \"%.*s\"",
                                    (int) MIN((size_t) (close - name), (size_t) 256), name,
                                    (int) MIN(garbage.size, (size_t) 256), garbage.data);

        p->section = (TextSpan){ name, (size_t) (close - name) };
        p->in_section = true;
        next_line(p, eol);
        return 0;
}

/*
 * The value from p->at on, with the lines that continue it. A blank line (or the end) ends it, and
 * then the newline in front of that one stays: "a \" and a newline.
 */
static TextSpan read_value(Parser *p) {
        const char *start = p->at, *line = start, *eol = line_end(start, p->end);
        bool blank = false;

        while (!blank && eol < p->end && ends_in_backslash(line, eol)) {
                next_line(p, eol);
                line = p->at;
                eol = line_end(line, p->end);
                blank = trim(line, eol).size == 0;
        }
        next_line(p, eol);

        TextSpan value = trim(start, eol);

        value.size += blank; /* the newline behind the backslash */
        return value;
}

static int parse_option(Parser *p) {
        const char *eol = line_end(p->at, p->end);
        const char *equals = memchr(p->at, '=', (size_t) (eol - p->at));
        UnitOptionText o = { .section = p->section, .line = p->line };

        if (!equals || memchr(p->at, '\r', (size_t) (equals - p->at)))
                return fail(p, -EINVAL, "unexpected newline encountered while parsing option name");

        o.name = trim(p->at, equals);
        p->at = equals + 1;
        o.value = read_value(p);
        return unit_file_append(p->unit, &o, p->reterr);
}

/* Before the first section everything but comments is skipped, up to a '['. */
static int parse_next(Parser *p) {
        size_t skip = p->in_section ? space_at(p->at, p->end) : 1;

        if (*p->at == '[')
                return parse_section(p);
        if (*p->at == '#' || *p->at == ';') {
                skip_comment(p);
                return 0;
        }
        if (skip == 0)
                return parse_option(p);

        p->line += *p->at == '\n';
        p->at += skip;
        return 0;
}

/* ---- the text as such -------------------------------------------------------------------------- */

static int check_line(Parser *p, const char *line, size_t before, size_t size) {
        if (before + size > UNIT_FILE_LINE_MAX)
                return error_set_at(p->reterr, -EFBIG, NULL, p->line, 0,
                                    "line too long (max %zu bytes)", UNIT_FILE_LINE_MAX);
        if (memchr(line, '\0', size))
                return fail(p, -EINVAL, "unit file contains a NUL byte");
        if (!str_is_utf8(line, size))
                return fail(p, -EINVAL, "unit file is not valid UTF-8");

        return 0;
}

static int check_text(Parser *p, const char *text, size_t size) {
        const char *end = text + size, *next;
        int r;

        for (const char *s = text; s < end; s = next) {
                const char *eol = line_end(s, end);

                next = eol < end ? eol + 1 : end;
                if ((size_t) (next - text) > UNIT_FILE_SIZE_MAX)
                        return error_set_at(p->reterr, -EFBIG, NULL, p->line, 0,
                                            "unit file too large (max %zu bytes)",
                                            UNIT_FILE_SIZE_MAX);
                r = check_line(p, s, 0, (size_t) (eol - s));
                if (r < 0)
                        return r;
                p->line++;
        }
        return 0;
}

int unit_file_parse(const char *text, size_t size, UnitFile **ret, Error *reterr) {
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new();
        int r;

        if (!u)
                return -ENOMEM;

        Parser p = { .line = 1, .unit = u, .reterr = reterr };

        if (size > 0) {
                r = check_text(&p, text, size);
                if (r < 0)
                        return r;

                p.at = text;
                p.end = text + size;
                p.line = 1;
        }
        while (p.at < p.end) {
                r = parse_next(&p);
                if (r < 0)
                        return r;
        }

        r = unit_file_end_backslashes(u);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(u);
        return 0;
}

/* ---- options from the API ---------------------------------------------------------------------- */

/* Would the parser read it as one value? A newline must follow a backslash and come before no blank line. */
static bool value_is_whole(TextSpan v) {
        const char *end = v.data + v.size, *s = v.data, *eol;

        for (; (eol = line_end(s, end)) < end; s = eol + 1) {
                const char *after = line_end(eol + 1, end);

                if (!ends_in_backslash(s, eol))
                        return false;
                if (eol + 1 < end && trim(eol + 1, after).size == 0)
                        return false;
        }
        return true;
}

/* White space off; but a newline behind a last backslash says that a blank line ended the value. */
static TextSpan trim_value(const char *value) {
        TextSpan v = trim(value, value + strlen(value));

        if (v.size > 0 && v.data[v.size - 1] == '\\' && v.data[v.size] == '\n')
                v.size++;
        return v;
}

static bool name_is_good(TextSpan name) {
        if (memchr(name.data, '=', name.size) || memchr(name.data, '\n', name.size) ||
            memchr(name.data, '\r', name.size))
                return false;

        return name.size == 0 || !memchr("#;[", name.data[0], 3);
}

/* Each line as it will stand in the text; `before` is what stands in front of the value. */
static int check_lines(TextSpan value, size_t before, Error *reterr) {
        Parser p = { .reterr = reterr };
        const char *end = value.data + value.size, *s = value.data, *eol;
        int r;

        for (;; s = eol + 1, before = 0) {
                eol = line_end(s, end);
                r = check_line(&p, s, before, (size_t) (eol - s));
                if (r < 0 || eol == end)
                        return r;
        }
}

int unit_file_add(UnitFile *u, const char *section, const char *name, const char *value,
                  Error *reterr) {
        UnitOptionText o = {
                .section = { section, strlen(section) },
                .name = trim(name, name + strlen(name)),
                .value = trim_value(value),
        };
        int r;

        r = check_lines(o.section, strlen("[]"), reterr);
        if (r >= 0)
                r = check_lines(o.name, 0, reterr);
        if (r >= 0)
                r = check_lines(o.value, o.name.size + strlen("="), reterr);
        if (r < 0)
                return r;

        if (strpbrk(section, "]\n"))
                return error_set(reterr, -EINVAL, "invalid section name '%.256s'", section);
        if (!name_is_good(o.name))
                return error_set(reterr, -EINVAL, "invalid option name '%.256s'", name);
        if (!value_is_whole(o.value))
                return error_set(
                        reterr, -EINVAL,
                        "value of option '%.256s' has a newline that no backslash continues", name);

        return unit_file_append(u, &o, reterr);
}
