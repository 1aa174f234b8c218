#include "lib/base/error.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"

_printf_(3, 0) static void fill(Error *e, int code, const char *fmt, va_list ap) {
        char *text = str_vprintf(fmt, ap);

        /* The old text may be among the arguments, so it goes last. */
        error_done(e);
        e->code = code;
        e->text = text;
}

int error_set(Error *e, int code, const char *fmt, ...) {
        va_list ap;

        assert(code < 0);
        if (!e)
                return code;

        va_start(ap, fmt);
        fill(e, code, fmt, ap);
        va_end(ap);
        return code;
}

int error_set_at(Error *e, int code, const char *path, unsigned line, unsigned column,
                 const char *fmt, ...) {
        va_list ap;
        char *copy;

        assert(code < 0);
        if (!e)
                return code;

        copy = str_dup(path);
        va_start(ap, fmt);
        fill(e, code, fmt, ap);
        va_end(ap);
        e->path = copy;
        e->line = line;
        e->column = column;
        return code;
}

int error_prefix(Error *e, const char *fmt, ...) {
        _cleanup_free_ char *prefix = NULL;
        va_list ap;
        char *text;

        if (!e || e->code == 0)
                return 0;

        va_start(ap, fmt);
        prefix = str_vprintf(fmt, ap);
        va_end(ap);
        text = prefix ? str_printf("%s: %s", prefix, error_text(e)) : NULL;
        if (text) {
                mem_free(e->text);
                e->text = text;
        }
        return e->code;
}

int error_fill(Error *e, int code) {
        assert(code < 0);
        if (e && e->code == 0)
                e->code = code;

        return code;
}

void error_copy(Error *to, const Error *from) {
        if (!to || to == from)
                return;

        error_done(to);
        if (!from)
                return;

        *to = (Error){
                .code = from->code,
                .text = str_dup(from->text),
                .path = str_dup(from->path),
                .line = from->line,
                .column = from->column,
        };
}

const char *error_text(const Error *e) {
        if (!e || e->code == 0)
                return "unknown error";
        if (e->text)
                return e->text;

        const char *words = strerrordesc_np(-e->code);
        return words ? words : "unknown error";
}

char *error_format(const Error *e) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        int r = 0;

        if (e && e->path)
                r = buf_printf(&b, "%s:", e->path);
        if (r >= 0 && e && e->line > 0)
                r = buf_printf(&b, e->path ? "%u:" : "line %u:", e->line);
        if (r >= 0 && e && e->line > 0 && e->column > 0)
                r = buf_printf(&b, "%u:", e->column);
        if (r >= 0 && b.size > 0)
                r = buf_append_char(&b, ' ');
        if (r >= 0)
                r = buf_append_str(&b, error_text(e));

        return r < 0 ? NULL : buf_steal(&b);
}

void error_done(Error *e) {
        mem_free(e->text);
        mem_free(e->path);
        *e = ERROR_INIT;
}
