/* What api_doc.h promises of requests: page tokens and the operations of PATCH /machines. */
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"

/* ---- page tokens ------------------------------------------------------------------------------- */

char *page_token_format(const PageToken *t) {
        const unsigned char bytes[] = { (unsigned char) (t->limit & 0xff),
                                        (unsigned char) (t->limit >> 8),
                                        (unsigned char) (t->page & 0xff),
                                        (unsigned char) (t->page >> 8) };

        return base64url_encode(bytes, sizeof(bytes));
}

int page_token_parse(const char *s, uint16_t limit, PageToken *ret, Error *reterr) {
        _cleanup_free_ void *data = NULL;
        const unsigned char *b;
        size_t size = 0, bad = 0;
        PageToken t;
        int r;

        r = base64url_decode(s, &data, &size, &bad);
        if (r == -EINVAL)
                return error_set(reterr, r, "illegal base64 data at input byte %zu", bad);
        if (r < 0)
                return r;
        if (size < 4)
                return error_set(reterr, -EINVAL, size == 0 ? "EOF" : "unexpected EOF");

        b = data;
        t = (PageToken){ .limit = (uint16_t) (b[0] | b[1] << 8),
                         .page = (uint16_t) (b[2] | b[3] << 8) };
        if (t.limit != limit)
                return error_set(reterr, -EINVAL, "token limit must be %u", limit);
        if (t.page == 0)
                return error_set(reterr, -EINVAL, "token page must be greater than zero");

        *ret = t;
        return 0;
}

/* ---- PATCH /machines --------------------------------------------------------------------------- */

MachinePatch *machine_patches_free(MachinePatch *p, size_t n) {
        for (size_t i = 0; p && i < n; i++) {
                mem_free(p[i].machine_id);
                mem_free(p[i].key);
                mem_free(p[i].value);
        }
        return mem_free(p);
}

typedef struct Patches {
        MachinePatch *items;
        size_t n;
} Patches;

static void patches_done(Patches *p) {
        p->items = machine_patches_free(p->items, p->n);
        p->n = 0;
}

/* ^/([^/]+)/metadata/([A-Za-z0-9_.-]+)$ */
static int parse_path(const char *path, MachinePatch *p, Error *reterr) {
        size_t id = path[0] == '/' ? strcspn(path + 1, "/") : 0;
        const char *key = id > 0 ? str_after_prefix(path + 1 + id, "/metadata/") : NULL;

        if (str_empty(key) || key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                              "0123456789_.-")] != '\0')
                return error_set(reterr, -EINVAL, "machine metadata path invalid");

        p->machine_id = str_ndup(path + 1, id);
        p->key = str_dup(key);
        return p->machine_id && p->key ? 0 : -ENOMEM;
}

/* "v" as documented, {"value":"v"} as fleet 1.0 took it; "" if there is none. */
static int get_value(const json_t *operation, const char **ret, Error *reterr) {
        const json_t *value = json_object_get(operation, "value");

        if (json_is_object(value))
                value = json_object_get(value, "value");
        if (value && !json_is_string(value) && !json_is_null(value))
                return error_set(reterr, -EINVAL,
                                 "json: the value of an operation is not a string");

        *ret = json_is_string(value) ? json_string_value(value) : "";
        return 0;
}

static int get_member(const json_t *operation, const char *key, const char **ret, Error *reterr) {
        const json_t *member = json_object_get(operation, key);

        if (member && !json_is_string(member) && !json_is_null(member))
                return error_set(reterr, -EINVAL, "json: the %s of an operation is not a string",
                                 key);

        *ret = json_is_string(member) ? json_string_value(member) : "";
        return 0;
}

static int parse_operation(const json_t *j, MachinePatch *p, Error *reterr) {
        const char *op, *path, *value = "";
        bool remove;
        int r;

        if (!json_is_object(j))
                return error_set(reterr, -EINVAL, "json: an operation is not an object");

        r = get_member(j, "op", &op, reterr);
        if (r >= 0)
                r = get_member(j, "path", &path, reterr);
        if (r >= 0)
                r = get_value(j, &value, reterr);
        if (r < 0)
                return r;

        remove = str_eq(op, "remove");
        if (!remove && !str_eq(op, "add") && !str_eq(op, "replace"))
                return error_set(reterr, -EINVAL, "invalid op: expect add, remove, or replace");

        r = parse_path(path, p, reterr);
        if (r < 0)
                return r;
        if (!remove && *value == '\0')
                return error_set(reterr, -EINVAL, "invalid value: add and replace require a value");

        p->value = str_dup(remove ? "" : value);
        return p->value ? 0 : -ENOMEM;
}

int machine_patches_parse(const char *body, size_t size, MachinePatch **ret, size_t *ret_n,
                          Error *reterr) {
        _cleanup_(patches_done) Patches patches = { 0 };
        _cleanup_json_ json_t *j = NULL;
        size_t n;
        int r;

        r = json_parse(body, size, &j, reterr);
        if (r < 0)
                return r;
        if (!json_is_array(j) && !json_is_null(j))
                return error_set(reterr, -EINVAL, "json: the body is not an array of operations");

        n = json_array_size(j);
        if (n > MACHINE_PATCHES_MAX)
                return error_set(reterr, -EINVAL, "too many operations (max %d)",
                                 MACHINE_PATCHES_MAX);

        patches.items = mem_new_array(MachinePatch, n);
        if (!patches.items)
                return -ENOMEM;

        patches.n = n;
        for (size_t i = 0; i < n; i++) {
                r = parse_operation(json_array_get(j, i), &patches.items[i], reterr);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(patches.items);
        *ret_n = n;
        return 0;
}
