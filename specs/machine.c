#include "specs/machine.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"

/* ---- metadata ---------------------------------------------------------------------------------- */

/* Where the key is (true), or would have to be put. */
static bool find(const Metadata *m, const char *key, size_t *ret) {
        size_t low = 0, high = m->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(m->items[middle].key, key);

                if (order == 0) {
                        *ret = middle;
                        return true;
                }
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        *ret = low;
        return false;
}

int metadata_set(Metadata *m, const char *key, const char *value) {
        _cleanup_free_ char *k = NULL, *v = NULL;
        size_t at;
        int r;

        if (find(m, key, &at))
                return str_replace(&m->items[at].value, value);

        k = str_dup(key);
        v = str_dup(value);
        if (!k || !v)
                return -ENOMEM;

        r = mem_grow(&m->items, &m->capacity, m->n + 1, sizeof(*m->items));
        if (r < 0)
                return r;

        memmove(&m->items[at + 1], &m->items[at], (m->n - at) * sizeof(*m->items));
        m->items[at] = (struct MetadataItem){ .key = TAKE_PTR(k), .value = TAKE_PTR(v) };
        m->n++;
        return 0;
}

const char *metadata_get(const Metadata *m, const char *key) {
        size_t at;

        return find(m, key, &at) ? m->items[at].value : NULL;
}

void metadata_remove(Metadata *m, const char *key) {
        size_t at;

        if (!find(m, key, &at))
                return;

        mem_free(m->items[at].key);
        mem_free(m->items[at].value);
        m->n--;
        memmove(&m->items[at], &m->items[at + 1], (m->n - at) * sizeof(*m->items));
}

void metadata_done(Metadata *m) {
        for (size_t i = 0; i < m->n; i++) {
                mem_free(m->items[i].key);
                mem_free(m->items[i].value);
        }
        mem_free(m->items);
        *m = (Metadata){ 0 };
}

static void hand_over(Metadata *from, Metadata *to) {
        *to = *from;
        *from = (Metadata){ 0 };
}

int metadata_copy(const Metadata *m, Metadata *ret) {
        _cleanup_(metadata_done) Metadata copy = { 0 };
        int r;

        for (size_t i = 0; i < m->n; i++) {
                r = metadata_set(&copy, m->items[i].key, m->items[i].value);
                if (r < 0)
                        return r;
        }

        hand_over(&copy, ret);
        return 0;
}

bool metadata_equal(const Metadata *a, const Metadata *b) {
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (!str_eq(a->items[i].key, b->items[i].key) ||
                    !str_eq(a->items[i].value, b->items[i].value))
                        return false;

        return true;
}

int metadata_merge(Metadata *m, const Metadata *patch) {
        int r;

        for (size_t i = 0; i < patch->n; i++) {
                const struct MetadataItem *item = &patch->items[i];

                if (item->value[0] == '\0') {
                        metadata_remove(m, item->key);
                        continue;
                }
                r = metadata_set(m, item->key, item->value);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One "k=v"; `item` is changed. */
static int parse_item(char *item, Metadata *m, Strv *bad) {
        _cleanup_free_ char *whole = str_dup(item);
        char *equals = strchr(item, '='), *key;

        if (!whole)
                return -ENOMEM;
        if (equals)
                *equals = '\0';

        key = str_trim(item);
        if (equals && key[0] != '\0')
                return metadata_set(m, key, str_trim(equals + 1));

        /* Nothing at all between two commas is no mistake worth a word. */
        if (!bad || (!equals && key[0] == '\0'))
                return 0;
        return strv_push(bad, str_trim(whole));
}

int metadata_parse(const char *s, Metadata *ret, Strv *bad) {
        _cleanup_(metadata_done) Metadata m = { 0 };
        _cleanup_(strv_done) Strv items = STRV_INIT;
        int r;

        r = strv_split(&items, s, ",");
        if (r < 0)
                return r;

        for (size_t i = 0; i < items.n; i++) {
                r = parse_item(items.items[i], &m, bad);
                if (r < 0)
                        return r;
        }

        hand_over(&m, ret);
        return 0;
}

char *metadata_format(const Metadata *m) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        for (size_t i = 0; i < m->n; i++)
                if (buf_printf(&b, "%s%s=%s", i > 0 ? "," : "", m->items[i].key,
                               m->items[i].value) < 0)
                        return NULL;

        return buf_steal(&b);
}

int metadata_from_json(const json_t *object, Metadata *ret, Error *reterr) {
        _cleanup_(metadata_done) Metadata m = { 0 };
        const char *key;
        json_t *value;
        int r;

        if (!json_is_object(object))
                return error_set(reterr, -EINVAL, "'metadata' is not an object");

        /* Iterating changes nothing, but jansson's macro wants it writable. */
        json_object_foreach((json_t *) (uintptr_t) object, key, value) {
                if (!json_is_string(value))
                        return error_set(reterr, -EINVAL, "metadata '%.256s' is not a string", key);
                r = metadata_set(&m, key, json_string_value(value));
                if (r < 0)
                        return r;
        }

        hand_over(&m, ret);
        return 0;
}

int metadata_to_json(const Metadata *m, json_t **ret) {
        _cleanup_json_ json_t *j = json_object();

        if (!j)
                return -ENOMEM;

        for (size_t i = 0; i < m->n; i++)
                if (json_object_set_new(j, m->items[i].key, json_string(m->items[i].value)) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(j);
        return 0;
}

/* ---- machine ----------------------------------------------------------------------------------- */

Machine *machine_new(const char *id) {
        _cleanup_(machine_freep) Machine *m = mem_new(Machine);

        if (!m)
                return NULL;

        m->id = str_dup(id);
        return m->id ? TAKE_PTR(m) : NULL;
}

Machine *machine_free(Machine *m) {
        if (!m)
                return NULL;

        mem_free(m->id);
        mem_free(m->public_ip);
        mem_free(m->version);
        metadata_done(&m->metadata);
        strv_done(&m->drivers);
        return mem_free(m);
}

static int drivers_to_json(const Strv *drivers, json_t *j) {
        json_t *list = json_array();

        /* The setter takes the list, also when it is NULL and fails. */
        if (json_object_set_new(j, "drivers", list) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < drivers->n; i++)
                if (json_array_append_new(list, json_string(drivers->items[i])) < 0)
                        return -ENOMEM;

        return 0;
}

int machine_to_json(const Machine *m, json_t **ret) {
        _cleanup_json_ json_t *j = json_object();
        json_t *metadata;
        int r;

        if (!j)
                return -ENOMEM;

        r = json_set_string(j, "id", m->id);
        if (r >= 0)
                r = json_set_string(j, "publicIP", m->public_ip);
        if (r >= 0)
                r = json_set_string(j, "version", m->version);
        if (r >= 0)
                r = json_set_u64(j, "cpus", m->cpus);
        if (r >= 0)
                r = json_set_u64(j, "memoryBytes", m->memory_bytes);
        if (r >= 0)
                r = drivers_to_json(&m->drivers, j);
        if (r >= 0)
                r = metadata_to_json(&m->metadata, &metadata);
        if (r >= 0 && json_object_set_new(j, "metadata", metadata) < 0)
                r = -ENOMEM;
        if (r < 0)
                return r;

        *ret = TAKE_PTR(j);
        return 0;
}

static int read_text(const json_t *j, const char *key, char **ret, Error *reterr) {
        const char *text = NULL;
        int r;

        r = json_get_string(j, key, &text, reterr);
        if (r < 0 || str_empty(text))
                return r;

        return str_replace(ret, text);
}

static int read_drivers(const json_t *j, Machine *m, Error *reterr) {
        json_t *list = NULL;
        int r;

        r = json_get_array(j, "drivers", &list, reterr);
        if (r < 0)
                return r;

        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *name = json_array_get(list, i);

                if (!json_is_string(name))
                        return error_set(reterr, -EINVAL, "'drivers' holds what is not a string");
                r = strv_push(&m->drivers, json_string_value(name));
                if (r < 0)
                        return r;
        }
        strv_sort(&m->drivers);
        return 0;
}

static int read_metadata(const json_t *j, Machine *m, Error *reterr) {
        json_t *metadata = NULL;
        int r;

        r = json_get_object(j, "metadata", &metadata, reterr);
        if (r < 0 || !metadata)
                return r;

        return metadata_from_json(metadata, &m->metadata, reterr);
}

int machine_from_json(const json_t *j, Machine **ret, Error *reterr) {
        _cleanup_(machine_freep) Machine *m = NULL;
        const char *id;
        int r;

        if (!json_is_object(j))
                return error_set(reterr, -EINVAL, "machine is not an object");

        r = json_need_string(j, "id", &id, reterr);
        if (r < 0)
                return r;
        if (str_empty(id))
                return error_set(reterr, -EINVAL, "'id' is empty");

        m = machine_new(id);
        if (!m)
                return -ENOMEM;

        r = read_text(j, "publicIP", &m->public_ip, reterr);
        if (r >= 0)
                r = read_text(j, "version", &m->version, reterr);
        if (r >= 0)
                r = json_get_u64(j, "cpus", &m->cpus, reterr);
        if (r >= 0)
                r = json_get_u64(j, "memoryBytes", &m->memory_bytes, reterr);
        if (r >= 0)
                r = read_drivers(j, m, reterr);
        if (r >= 0)
                r = read_metadata(j, m, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}
