#include "specs/unit_file.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "specs/unit_file_text.h"

UnitFile *unit_file_new(void) {
        return mem_new(UnitFile);
}

UnitFile *unit_file_free(UnitFile *u) {
        if (!u)
                return NULL;

        for (size_t i = 0; i < u->n_options; i++) {
                mem_free(u->options[i].section);
                mem_free(u->options[i].name);
                mem_free(u->options[i].value);
        }
        mem_free(u->options);
        return mem_free(u);
}

/*
 * `\` before white space continues nothing, but once that is trimmed the text reads as if it did
 * (fleet wrote "ExecStart=/bin/a \" and the next option as one command for systemd). So do we, at once:
 * what is validated is what will run.
 */
static bool ends_in_lone_backslash(const char *value) {
        return str_has_suffix(value, "\\");
}

static UnitOption *last_of_section(const UnitFile *u, TextSpan section) {
        for (size_t i = u->n_options; i > 0; i--) {
                UnitOption *o = &u->options[i - 1];

                if (strlen(o->section) == section.size &&
                    memcmp(o->section, section.data, section.size) == 0)
                        return o;
        }
        return NULL;
}

static int extend_value(UnitOption *o, TextSpan name, TextSpan value) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        char *joined;

        if (buf_append_str(&b, o->value) < 0 || buf_append_char(&b, '\n') < 0 ||
            buf_append(&b, name.data, name.size) < 0 || buf_append_char(&b, '=') < 0 ||
            buf_append(&b, value.data, value.size) < 0)
                return -ENOMEM;

        joined = buf_steal(&b);
        if (!joined)
                return -ENOMEM;

        mem_free(o->value);
        o->value = joined;
        return 0;
}

static int push_option(UnitFile *u, const UnitOptionText *o) {
        _cleanup_free_ char *section = mem_dup(o->section.data, o->section.size);
        _cleanup_free_ char *name = mem_dup(o->name.data, o->name.size);
        _cleanup_free_ char *value = mem_dup(o->value.data, o->value.size);
        int r;

        if (!section || !name || !value)
                return -ENOMEM;

        r = mem_grow(&u->options, &u->capacity, u->n_options + 1, sizeof(UnitOption));
        if (r < 0)
                return r;

        u->options[u->n_options++] = (UnitOption){
                .section = TAKE_PTR(section),
                .name = TAKE_PTR(name),
                .value = TAKE_PTR(value),
                .line = o->line,
        };
        return 0;
}

int unit_file_append(UnitFile *u, const UnitOptionText *o, Error *reterr) {
        UnitOption *before = last_of_section(u, o->section);
        size_t bytes = o->name.size + o->value.size + strlen("=\n\n");
        int r;

        if (u->n_options >= UNIT_FILE_OPTIONS_MAX)
                return error_set_at(reterr, -EFBIG, NULL, o->line, 0, "too many options (max %d)",
                                    UNIT_FILE_OPTIONS_MAX);
        if (!before)
                bytes += o->section.size + strlen("[]\n\n");
        if (bytes > UNIT_FILE_SIZE_MAX - u->text_bytes)
                return error_set_at(reterr, -EFBIG, NULL, o->line, 0,
                                    "unit file too large (max %zu bytes)", UNIT_FILE_SIZE_MAX);

        if (!before || !ends_in_lone_backslash(before->value))
                r = push_option(u, o);
        else if (u->n_joined++ < UNIT_FILE_JOINED_MAX)
                r = extend_value(before, o->name, o->value);
        else
                r = error_set_at(reterr, -EFBIG, NULL, o->line, 0,
                                 "too many lines end in a backslash and white space (max %d)",
                                 UNIT_FILE_JOINED_MAX);
        if (r < 0)
                return r;

        u->text_bytes += bytes;
        return 0;
}

int unit_file_end_backslashes(UnitFile *u) {
        for (size_t i = 0; i < u->n_options; i++) {
                UnitOption *o = &u->options[i];
                char *ended;

                if (!ends_in_lone_backslash(o->value))
                        continue;

                ended = str_printf("%s\n", o->value);
                if (!ended)
                        return -ENOMEM;

                mem_free(o->value);
                o->value = ended;
        }
        return 0;
}

/* Sections in first-seen order: options of the same section share a group number. */
static int group_options(const UnitFile *u, size_t **ret_groups, size_t *ret_n) {
        _cleanup_free_ size_t *groups = mem_new_array(size_t, u->n_options);
        _cleanup_free_ const char **names = mem_new_array(const char *, u->n_options);
        size_t n = 0;

        if (!groups || !names)
                return -ENOMEM;

        for (size_t i = 0; i < u->n_options; i++) {
                const char *section = u->options[i].section;
                size_t g = 0;

                while (g < n && !str_eq(names[g], section))
                        g++;
                if (g == n)
                        names[n++] = section;
                groups[i] = g;
        }

        *ret_groups = TAKE_PTR(groups);
        *ret_n = n;
        return 0;
}

static int write_group(Buf *b, const UnitFile *u, const size_t *groups, size_t group) {
        bool first = true;
        int r;

        for (size_t i = 0; i < u->n_options; i++) {
                const UnitOption *o = &u->options[i];

                if (groups[i] != group)
                        continue;
                if (first) {
                        r = buf_printf(b, "%s[%s]\n", group > 0 ? "\n" : "", o->section);
                        if (r < 0)
                                return r;
                }

                first = false;
                r = buf_printf(b, "%s=%s\n%s", o->name, o->value,
                               ends_in_lone_backslash(o->value) ? "\n" : "");
                if (r < 0)
                        return r;
        }
        return 0;
}

int unit_file_serialise(const UnitFile *u, char **ret) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        _cleanup_free_ size_t *groups = NULL;
        size_t n;
        char *text;
        int r;

        r = group_options(u, &groups, &n);
        if (r < 0)
                return r;

        for (size_t g = 0; g < n; g++) {
                r = write_group(&b, u, groups, g);
                if (r < 0)
                        return r;
        }

        text = buf_steal(&b);
        if (!text)
                return -ENOMEM;

        *ret = text;
        return 0;
}

int unit_file_hash(const UnitFile *u, char ret[SHA1_HEX_SIZE]) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = unit_file_serialise(u, &text);
        if (r < 0)
                return r;

        sha1_hex(text, strlen(text), ret);
        return 0;
}

const char *unit_file_get(const UnitFile *u, const char *section, const char *name) {
        for (size_t i = u->n_options; i > 0; i--) {
                const UnitOption *o = &u->options[i - 1];

                if (str_eq(o->section, section) && str_eq(o->name, name))
                        return o->value;
        }
        return NULL;
}

const char *unit_file_get_first(const UnitFile *u, const char *section, const char *name) {
        size_t at = 0;
        const UnitOption *o;

        while ((o = unit_file_next(u, section, &at)))
                if (str_eq(o->name, name))
                        return o->value;

        return NULL;
}

bool unit_file_has_section(const UnitFile *u, const char *section) {
        size_t at = 0;

        return unit_file_next(u, section, &at) != NULL;
}

const UnitOption *unit_file_next(const UnitFile *u, const char *section, size_t *position) {
        while (*position < u->n_options) {
                const UnitOption *o = &u->options[(*position)++];

                if (str_eq(o->section, section))
                        return o;
        }
        return NULL;
}

static bool is_comment(const char *line) {
        line += strspn(line, " \t");
        return *line == '#' || *line == ';';
}

/* systemd.syntax(7): comment lines between continued ones are left out; the backslash is a space. */
char *unit_option_joined_value(const UnitOption *o) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        char *joined;

        for (const char *line = o->value; line;) {
                const char *newline = strchr(line, '\n');
                size_t size = newline ? (size_t) (newline - line) : strlen(line);
                bool continued = newline && size > 0 && line[size - 1] == '\\';

                if ((line == o->value || !is_comment(line)) &&
                    (buf_append(&b, line, size - (continued ? 1 : 0)) < 0 ||
                     (newline && buf_append_char(&b, ' ') < 0)))
                        return NULL;
                line = newline ? newline + 1 : NULL;
        }

        joined = buf_steal(&b);
        if (!joined)
                return NULL;

        /* What is continued by nothing leaves a space behind. */
        for (size_t n = strlen(joined); n > 0 && strchr(" \t\r", joined[n - 1]); n--)
                joined[n - 1] = '\0';
        return joined;
}
