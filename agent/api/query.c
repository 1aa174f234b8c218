#include "agent/api/query.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/http/http_server.h"

/* Decodes one side of a pair: '+' is a space here. */
static int decode(const char *s, size_t size, char **ret) {
        _cleanup_free_ char *copy = str_ndup(s, size);

        if (!copy)
                return -ENOMEM;
        for (char *c = copy; *c; c++)
                if (*c == '+')
                        *c = ' ';
        return http_url_unescape(copy, size, ret);
}

/* 1 = a value of that name was appended, 0 = not this pair. */
static int take_pair(const char *pair, size_t size, const char *name, Strv *values) {
        const char *equals = memchr(pair, '=', size);
        size_t key_size = equals ? (size_t) (equals - pair) : size;
        _cleanup_free_ char *key = NULL, *value = NULL;
        int r;

        r = decode(pair, key_size, &key);
        if (r < 0)
                return r;
        if (!str_eq(key, name))
                return 0;
        r = equals ? decode(equals + 1, size - key_size - 1, &value) : decode("", 0, &value);
        if (r < 0)
                return r;
        r = strv_take(values, value);
        if (r < 0)
                return r;
        value = NULL;
        return 1;
}

int query_values(const char *query, const char *name, Strv *values) {
        while (*query) {
                size_t n = strcspn(query, "&");

                if (n > 0 && take_pair(query, n, name, values) == -ENOMEM)
                        return -ENOMEM;
                query += n + (query[n] == '&');
        }
        return 0;
}

static void drop_last_segment(Buf *b) {
        while (b->size > 0 && b->data[--b->size] != '/')
                ;
        if (b->data)
                b->data[b->size] = '\0';
}

char *query_clean_path(const char *path) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        size_t length = strlen(path);
        bool directory = length > 0 && path[length - 1] == '/';

        while (*path) {
                size_t n;

                path += strspn(path, "/");
                n = strcspn(path, "/");
                if (n == 2 && strncmp(path, "..", 2) == 0)
                        drop_last_segment(&b);
                else if (n > 0 && !(n == 1 && *path == '.') &&
                         (buf_append_char(&b, '/') < 0 || buf_append(&b, path, n) < 0))
                        return NULL;
                path += n;
        }
        if ((directory || b.size == 0) && buf_append_char(&b, '/') < 0)
                return NULL;
        return buf_steal(&b);
}

int query_append_html(Buf *b, const char *s) {
        static const struct {
                char c;
                const char *entity;
        } table[] = {
                { '<', "&lt;" },  { '>', "&gt;" },   { '&', "&amp;" },
                { '"', "&#34;" }, { '\'', "&#39;" },
        };
        int r = 0;

        for (; *s && r >= 0; s++) {
                const char *entity = NULL;

                for (size_t i = 0; i < ELEMENTSOF(table); i++)
                        if (*s == table[i].c)
                                entity = table[i].entity;
                r = entity ? buf_append_str(b, entity) : buf_append_char(b, *s);
        }
        return r;
}
