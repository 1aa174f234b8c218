/* Image references: "[registry/]name[:tag][@digest]" (the grammar of distribution's reference package). */
#include <ctype.h>

#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static bool is_tag(const char *s, size_t size) {
        if (size == 0 || size > 128 || (!isalnum((unsigned char) s[0]) && s[0] != '_'))
                return false;
        for (size_t i = 0; i < size; i++)
                if (!isalnum((unsigned char) s[i]) && !strchr("_.-", s[i]))
                        return false;
        return true;
}

static bool is_digest(const char *s) {
        const char *colon = strchr(s, ':');
        size_t hex = colon ? strspn(colon + 1, "0123456789abcdefABCDEF") : 0;

        return colon && colon != s && isalpha((unsigned char) s[0]) && hex >= 32 &&
               colon[1 + hex] == '\0';
}

/* Lower case letters and digits, in between one of . _ __ or dashes. */
static bool is_component(const char *s, size_t size) {
        size_t i = 0;

        while (i < size) {
                size_t start = i;

                while (i < size && (islower((unsigned char) s[i]) || isdigit((unsigned char) s[i])))
                        i++;
                if (i == start)
                        return false;
                if (i == size)
                        return true;
                if (s[i] == '-')
                        while (i < size && s[i] == '-')
                                i++;
                else if (s[i] == '_' && i + 1 < size && s[i + 1] == '_')
                        i += 2;
                else if (s[i] == '_' || s[i] == '.')
                        i++;
                else
                        return false;
        }
        return false;
}

static bool is_domain(const char *s, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (!isalnum((unsigned char) s[i]) && !strchr(".-:[]", s[i]))
                        return false;
        return size > 0;
}

/* Is the first part a registry, or part of the name? It needs a dot, a port, or to be localhost. */
static bool looks_like_domain(const char *s, size_t size) {
        bool upper = false;

        for (size_t i = 0; i < size; i++)
                upper = upper || isupper((unsigned char) s[i]);
        return memchr(s, '.', size) || memchr(s, ':', size) ||
               (size == 9 && memcmp(s, "localhost", 9) == 0) || upper;
}

static bool is_path(const char *s, size_t size) {
        const char *p = s, *end = s + size, *slash = memchr(s, '/', size);

        if (slash && looks_like_domain(s, (size_t) (slash - s))) {
                if (!is_domain(s, (size_t) (slash - s)))
                        return false;
                p = slash + 1;
        }
        for (;;) {
                slash = memchr(p, '/', (size_t) (end - p));
                if (!is_component(p, (size_t) ((slash ? slash : end) - p)))
                        return false;
                if (!slash)
                        return true;
                p = slash + 1;
        }
}

int docker_value_image(const char *s, char **ret_name, char **ret_tag, Error *reterr) {
        const char *digest = strchr(s, '@'), *slash, *colon;
        size_t size = digest ? (size_t) (digest - s) : strlen(s);
        size_t name_size = size;
        _cleanup_free_ char *name = NULL, *tag = NULL;

        slash = memrchr(s, '/', size);
        colon = memrchr(s, ':', size);
        if (colon && (!slash || colon > slash))
                name_size = (size_t) (colon - s);
        else
                colon = NULL;
        if (name_size == 0 || !is_path(s, name_size) ||
            (colon && !is_tag(colon + 1, size - name_size - 1)) ||
            (digest && !is_digest(digest + 1)))
                return error_set(reterr, -EINVAL, "invalid image reference '%s'", s);
        name = str_ndup(s, name_size);
        tag = digest  ? str_dup(digest + 1)
              : colon ? str_ndup(colon + 1, size - name_size - 1)
                      : str_dup("latest");
        if (!name || !tag)
                return -ENOMEM;
        *ret_name = TAKE_PTR(name);
        *ret_tag = TAKE_PTR(tag);
        return 0;
}
