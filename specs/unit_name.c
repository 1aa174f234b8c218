#include "specs/unit_name.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

/* ---- which names there may be ------------------------------------------------------------------ */

static const char *const types[] = {
        "automount", "busname",  "device", "mount", "path",   "scope", "service",
        "slice",     "snapshot", "socket", "swap",  "target", "timer",
};
static const char *const template_types[] = { "path", "service", "socket", "target", "timer" };

static bool is_one_of(const char *s, const char *const *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (str_eq(s, words[i]))
                        return true;

        return false;
}

static bool is_name_char(char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (c != '\0' && strchr(":_.\\@-", c));
}

/* Bytes of the UTF-8 character at s, 0 if it is none. */
static size_t character_size(const char *s) {
        size_t left = strnlen(s, 4);

        for (size_t n = 1; n <= left; n++)
                if (str_is_utf8(s, n))
                        return n;

        return 0;
}

/* As Go's %q writes a character. */
static int refuse_character(const char *s, Error *reterr) {
        static const char controls[] = "\a\b\t\n\v\f\r";
        static const char letters[] = "abtnvfr";
        const char *control = strchr(controls, *s);
        size_t n = character_size(s);
        char shown[8] = "\xef\xbf\xbd"; /* U+FFFD */

        if (control) {
                shown[0] = '\\';
                shown[1] = letters[control - controls];
                shown[2] = '\0';
        } else if (*s == '\'') {
                memcpy(shown, "\\'", 3);
        } else if ((unsigned char) *s < ' ' || *s == 0x7f) {
                static const char hex[] = "0123456789abcdef";

                memcpy(shown, "\\x00", 5);
                shown[2] = hex[*s >> 4];
                shown[3] = hex[*s & 0xf];
        } else if (n > 0) {
                memcpy(shown, s, n);
                shown[n] = '\0';
        }
        return error_set(reterr, -EINVAL, "invalid character '%s' in unit name", shown);
}

int unit_name_validate(const char *name, Error *reterr) {
        const char *dot;

        if (name[0] == '\0')
                return error_set(reterr, -EINVAL, "unit name cannot be empty");
        if (strlen(name) > UNIT_NAME_MAX)
                return error_set(reterr, -EINVAL, "unit name exceeds maximum length (%d)",
                                 UNIT_NAME_MAX);

        dot = strrchr(name, '.');
        if (!dot)
                return error_set(reterr, -EINVAL, "unit name must contain \".\"");
        if (dot[1] == '\0')
                return error_set(reterr, -EINVAL, "unit name cannot end in \".\"");
        if (!is_one_of(dot + 1, types, ELEMENTSOF(types)))
                return error_set(reterr, -EINVAL, "invalid unit type: \"%s\"", dot + 1);
        if (strchr(name, '@') && !is_one_of(dot + 1, template_types, ELEMENTSOF(template_types)))
                return error_set(reterr, -EINVAL, "invalid unit type for template: \"%s\"",
                                 dot + 1);

        for (const char *s = name; s < dot; s++)
                if (!is_name_char(*s))
                        return refuse_character(s, reterr);

        if (name[0] == '@')
                return error_set(reterr, -EINVAL, "unit name cannot start in \"@\"");

        return 0;
}

/* ---- parts ------------------------------------------------------------------------------------- */

/* Fills the parts; the caller drops them if one is missing. */
static int split(const char *name, UnitName *n) {
        const char *dot = strrchr(name, '.'), *end = dot ? dot : name + strlen(name);
        const char *at = memchr(name, '@', (size_t) (end - name));

        n->full = str_dup(name);
        n->name = str_ndup(name, (size_t) (end - name));
        n->prefix = str_ndup(name, (size_t) ((at ? at : end) - name));
        if (!n->full || !n->name || !n->prefix)
                return -ENOMEM;

        n->type = n->full + (dot ? (size_t) (dot + 1 - name) : strlen(name));
        if (!at)
                return 0;

        n->template_name = str_printf("%s@%s", n->prefix, end);
        if (!n->template_name)
                return -ENOMEM;
        if (at + 1 == end)
                return 0;

        n->instance = str_ndup(at + 1, (size_t) (end - at - 1));
        return n->instance ? 0 : -ENOMEM;
}

int unit_name_parse(const char *name, UnitName *ret) {
        _cleanup_(unit_name_done) UnitName n = { 0 };
        int r;

        r = split(name, &n);
        if (r < 0)
                return r;

        *ret = n;
        n = (UnitName){ 0 };
        return 0;
}

void unit_name_done(UnitName *n) {
        mem_free(n->full);
        mem_free(n->name);
        mem_free(n->prefix);
        mem_free(n->instance);
        mem_free(n->template_name);
        *n = (UnitName){ 0 };
}

/* Behind the first '@', or NULL; what follows the last dot does not count. */
static const char *instance_of(const char *name, const char **ret_end) {
        const char *dot = strrchr(name, '.'), *at = strchr(name, '@');

        *ret_end = dot ? dot : name + strlen(name);
        return at && at < *ret_end ? at + 1 : NULL;
}

bool unit_name_is_template(const char *name) {
        const char *end, *instance = instance_of(name, &end);

        return instance && instance == end;
}

char *unit_name_from_argument(const char *argument) {
        const char *end = argument + strlen(argument), *base, *dot;

        while (end > argument && end[-1] == '/')
                end--;
        for (base = end; base > argument && base[-1] != '/'; base--)
                ;

        _cleanup_free_ char *name = str_ndup(base, (size_t) (end - base));

        if (!name)
                return NULL;

        dot = strrchr(name, '.');
        if (dot && is_one_of(dot + 1, types, ELEMENTSOF(types)))
                return TAKE_PTR(name);

        return str_printf("%s.service", name);
}

/* ---- systemd-escape(1) ------------------------------------------------------------------------- */

static int take_text(Buf *b, char **ret) {
        char *text = buf_steal(b);

        if (!text)
                return -ENOMEM;

        *ret = text;
        return 0;
}

int unit_name_escape(const char *s, char **ret) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        int r;

        for (const char *p = s; *p; p++) {
                bool plain = is_name_char(*p) && !strchr("-\\@", *p);

                if (*p == '/')
                        r = buf_append_char(&b, '-');
                else if (plain && (*p != '.' || p != s))
                        r = buf_append_char(&b, *p);
                else
                        r = buf_printf(&b, "\\x%02x", (unsigned char) *p);
                if (r < 0)
                        return r;
        }
        return take_text(&b, ret);
}

/* The components of a path with one '/' between them, without "." ones; -EINVAL for "..". */
static int simplify_path(const char *s, char **ret) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        int r = 0;

        while (*(s += strspn(s, "/")) != '\0') {
                size_t n = strcspn(s, "/");

                if (n == 2 && memcmp(s, "..", 2) == 0)
                        return -EINVAL;
                if (n != 1 || *s != '.') {
                        if (b.size > 0)
                                r = buf_append_char(&b, '/');
                        if (r >= 0)
                                r = buf_append(&b, s, n);
                        if (r < 0)
                                return r;
                }
                s += n;
        }
        return take_text(&b, ret);
}

int unit_name_escape_path(const char *s, char **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = simplify_path(s, &path);
        if (r < 0)
                return r;

        return path[0] == '\0' ? unit_name_escape("/", ret) : unit_name_escape(path, ret);
}

/* "xNN" behind a backslash. */
static int unescape_hex(const char *s, char *ret) {
        int high, low;

        if (s[0] != 'x')
                return -EINVAL;
        high = str_hex_digit(s[1]);
        if (high < 0)
                return -EINVAL;
        low = str_hex_digit(s[2]);
        if (low < 0 || (high == 0 && low == 0))
                return -EINVAL;

        *ret = (char) (high << 4 | low);
        return 0;
}

int unit_name_unescape(const char *s, char **ret) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        int r;

        while (*s) {
                char c = *s == '-' ? '/' : *s;

                if (*s++ == '\\') {
                        r = unescape_hex(s, &c);
                        if (r < 0)
                                return r;
                        s += 3;
                }
                r = buf_append_char(&b, c);
                if (r < 0)
                        return r;
        }
        return take_text(&b, ret);
}

int unit_name_unescape_path(const char *s, char **ret) {
        _cleanup_free_ char *path = NULL, *simple = NULL;
        char *absolute;
        int r;

        if (str_eq(s, "-"))
                return unit_name_unescape(s, ret);

        r = unit_name_unescape(s, &path);
        if (r < 0)
                return r;

        /* Only what escaping a path can have made. */
        r = simplify_path(path, &simple);
        if (r < 0)
                return r;
        if (path[0] == '\0' || !str_eq(path, simple))
                return -EINVAL;

        absolute = str_printf("/%s", path);
        if (!absolute)
                return -ENOMEM;

        *ret = absolute;
        return 0;
}
