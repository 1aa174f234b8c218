#include "lib/json/json.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

static void release(void *p) {
        mem_free(p);
}

/* jansson wants its allocator before its first call: before main, then. */
__attribute__((constructor)) static void use_our_heap(void) {
        json_set_alloc_funcs(mem_alloc, release);
}

/* Deepest nesting of arrays and objects in the text; what is in strings does not count. */
static size_t depth_of(const char *text, size_t size) {
        size_t depth = 0, deepest = 0;
        bool quoted = false;

        for (size_t i = 0; i < size; i++) {
                char c = text[i];

                if (quoted && c == '\\')
                        i++;
                else if (c == '"')
                        quoted = !quoted;
                else if (!quoted && (c == '[' || c == '{'))
                        deepest = MAX(deepest, ++depth);
                else if (!quoted && (c == ']' || c == '}') && depth > 0)
                        depth--;
        }
        return deepest;
}

int json_parse(const char *text, size_t size, json_t **ret, Error *reterr) {
        uint64_t failures = alloc_failures();
        json_error_t e;
        json_t *j;

        /* Before jansson sees it: both its parser and its destructor recurse. */
        if (depth_of(text, size) > JSON_DEPTH_MAX)
                return error_set(reterr, -EINVAL, "nested deeper than %d", JSON_DEPTH_MAX);

        j = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
        /* jansson calls some of these "invalid token". */
        if (!j && alloc_failures() != failures)
                return error_fill(reterr, -ENOMEM);
        if (!j)
                return error_set_at(reterr, -EINVAL, NULL, e.line > 0 ? (unsigned) e.line : 0,
                                    e.column > 0 ? (unsigned) e.column : 0, "not JSON: %s",
                                    json_error_code(&e) == json_error_null_character
                                            ? "a string holds a NUL byte"
                                            : e.text);

        *ret = j;
        return 0;
}

/*
 * What Go's encoder writes differently from jansson at s, and how many bytes of s that stands for;
 * NULL if they agree. `escape` has room for it.
 */
static const char *as_go(const char *s, char escape[8], size_t *ret_size) {
        static const char hex[] = "0123456789abcdef";
        unsigned char c = (unsigned char) s[0];

        *ret_size = 1;
        if (c == '<' || c == '>' || c == '&') {
                memcpy(escape, "\\u00", 4);
                escape[4] = hex[c >> 4];
                escape[5] = hex[c & 15];
                escape[6] = '\0';
                return escape;
        }

        if (c == 0xe2 && (memcmp(s, "\xe2\x80\xa8", 3) == 0 || memcmp(s, "\xe2\x80\xa9", 3) == 0)) {
                *ret_size = 3;
                return s[2] == '\xa8' ? "\\u2028" : "\\u2029";
        }

        if (c != '\\')
                return NULL;

        *ret_size = 2;
        if (s[1] == 'b')
                return "\\u0008";
        if (s[1] == 'f')
                return "\\u000c";
        if (s[1] != 'u')
                return NULL;

        *ret_size = 6;
        for (size_t i = 0; i < 6; i++)
                escape[i] = s[i] >= 'A' && s[i] <= 'F' ? (char) (s[i] + ('a' - 'A')) : s[i];
        escape[6] = '\0';
        return escape;
}

static int convert(const char *s, Buf *b) {
        char escape[8];
        int r = 0;

        while (r >= 0 && *s) {
                size_t plain = strcspn(s, "<>&\\\xe2"), used;
                const char *other;

                r = buf_append(b, s, plain);
                s += plain;
                if (r < 0 || *s == '\0')
                        break;

                other = as_go(s, escape, &used);
                r = other ? buf_append_str(b, other) : buf_append(b, s, used);
                s += used;
        }
        return r;
}

char *json_format(const json_t *j) {
        _cleanup_free_ char *text = NULL;
        _cleanup_(buf_done) Buf b = BUF_INIT;

        text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        if (!text)
                return NULL;
        if (text[strcspn(text, "<>&\\\xe2")] == '\0')
                return TAKE_PTR(text);

        return convert(text, &b) < 0 ? NULL : buf_steal(&b);
}

/* The member, or NULL: absent and null are one, as in Go's decoder. */
static json_t *member(const json_t *object, const char *key) {
        json_t *v = json_object_get(object, key);

        return json_is_null(v) ? NULL : v;
}

static int wrong_type(Error *reterr, const char *key, const char *what) {
        return error_set(reterr, -EINVAL, "'%s' is not %s", key, what);
}

int json_get_string(const json_t *object, const char *key, const char **ret, Error *reterr) {
        json_t *v = member(object, key);

        if (v && !json_is_string(v))
                return wrong_type(reterr, key, "a string");

        *ret = json_string_value(v);
        return 0;
}

int json_get_u64(const json_t *object, const char *key, uint64_t *ret, Error *reterr) {
        json_t *v = member(object, key);

        if (v && (!json_is_integer(v) || json_integer_value(v) < 0))
                return wrong_type(reterr, key, "a whole number from 0");

        *ret = v ? (uint64_t) json_integer_value(v) : 0;
        return 0;
}

int json_get_bool(const json_t *object, const char *key, bool *ret, Error *reterr) {
        json_t *v = member(object, key);

        if (v && !json_is_boolean(v))
                return wrong_type(reterr, key, "true or false");

        *ret = json_is_true(v);
        return 0;
}

int json_get_object(const json_t *object, const char *key, json_t **ret, Error *reterr) {
        json_t *v = member(object, key);

        if (v && !json_is_object(v))
                return wrong_type(reterr, key, "an object");

        *ret = v;
        return 0;
}

int json_get_array(const json_t *object, const char *key, json_t **ret, Error *reterr) {
        json_t *v = member(object, key);

        if (v && !json_is_array(v))
                return wrong_type(reterr, key, "a list");

        *ret = v;
        return 0;
}

int json_need_string(const json_t *object, const char *key, const char **ret, Error *reterr) {
        const char *s;
        int r;

        r = json_get_string(object, key, &s, reterr);
        if (r < 0)
                return r;
        if (!s)
                return error_set(reterr, -EINVAL, "'%s' is missing", key);

        *ret = s;
        return 0;
}

int json_set_string(json_t *object, const char *key, const char *value) {
        if (str_empty(value))
                return 0;
        if (!str_is_utf8(value, strlen(value)))
                return -EINVAL;

        return json_object_set_new(object, key, json_string(value)) < 0 ? -ENOMEM : 0;
}

int json_set_u64(json_t *object, const char *key, uint64_t value) {
        if (value == 0)
                return 0;

        value = MIN(value, (uint64_t) INT64_MAX);
        return json_object_set_new(object, key, json_integer((json_int_t) value)) < 0 ? -ENOMEM : 0;
}

const char *json_unknown_key(const json_t *object, const char *const *known) {
        /* jansson's iterators take a mutable object, but only read it. */
        json_t *o = (json_t *) (uintptr_t) object;
        const char *key;
        json_t *value;

        json_object_foreach(o, key, value) {
                const char *const *k = known;

                while (*k && !str_eq(*k, key))
                        k++;
                if (!*k)
                        return key;
        }
        return NULL;
}
