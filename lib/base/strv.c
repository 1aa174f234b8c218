#include "lib/base/strv.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

int strv_take(Strv *v, char *s) {
        int r;

        r = mem_grow(&v->items, &v->capacity, v->n + 2, sizeof(char *));
        if (r < 0)
                return r;

        v->items[v->n++] = s;
        v->items[v->n] = NULL;
        return 0;
}

static int take_or_free(Strv *v, char *s) {
        int r = s ? strv_take(v, s) : -ENOMEM;

        if (r < 0)
                mem_free(s);
        return r;
}

int strv_push(Strv *v, const char *s) {
        return take_or_free(v, str_dup(s));
}

int strv_push_n(Strv *v, const char *s, size_t n) {
        return take_or_free(v, str_ndup(s, n));
}

int strv_push_printf(Strv *v, const char *fmt, ...) {
        va_list ap;
        char *s;

        va_start(ap, fmt);
        s = str_vprintf(fmt, ap);
        va_end(ap);
        return take_or_free(v, s);
}

int strv_copy(const Strv *v, Strv *ret) {
        _cleanup_(strv_done) Strv copy = STRV_INIT;
        int r;

        for (size_t i = 0; i < v->n; i++) {
                r = strv_push(&copy, v->items[i]);
                if (r < 0)
                        return r;
        }

        *ret = copy;
        copy = STRV_INIT;
        return 0;
}

int strv_split(Strv *v, const char *s, const char *separators) {
        int r;

        for (;;) {
                s += strspn(s, separators);
                if (*s == '\0')
                        return 0;

                size_t n = strcspn(s, separators);

                r = strv_push_n(v, s, n);
                if (r < 0)
                        return r;
                s += n;
        }
}

char *strv_join(const Strv *v, const char *separator) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        for (size_t i = 0; i < v->n; i++)
                if ((i > 0 && buf_append_str(&b, separator) < 0) ||
                    buf_append_str(&b, v->items[i]) < 0)
                        return NULL;

        return buf_steal(&b);
}

bool strv_contains(const Strv *v, const char *s) {
        for (size_t i = 0; i < v->n; i++)
                if (str_eq(v->items[i], s))
                        return true;

        return false;
}

bool strv_equal(const Strv *a, const Strv *b) {
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (!str_eq(a->items[i], b->items[i]))
                        return false;

        return true;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(Strv *v) {
        if (v->n > 1)
                qsort(v->items, v->n, sizeof(char *), compare);
}

void strv_uniq(Strv *v) {
        size_t kept = 0;

        for (size_t i = 0; i < v->n; i++) {
                if (kept > 0 && str_eq(v->items[kept - 1], v->items[i])) {
                        mem_free(v->items[i]);
                        continue;
                }
                v->items[kept++] = v->items[i];
        }

        v->n = kept;
        if (v->items)
                v->items[kept] = NULL;
}

void strv_done(Strv *v) {
        for (size_t i = 0; i < v->n; i++)
                mem_free(v->items[i]);

        mem_free(v->items);
        *v = STRV_INIT;
}
