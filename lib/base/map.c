#include "lib/base/map.h"

#include <sys/random.h>

#include "lib/base/alloc.h"

/* Chains in an index table; entries never move while they live, a removed slot is used again. */
typedef struct Entry {
        char *key; /* NULL = free slot */
        void *value;
        uint64_t hash;
        uint32_t next; /* next of the chain or of the free list; NONE = end */
} Entry;

#define NONE UINT32_MAX

struct Map {
        void *(*free_value)(void *);
        uint64_t seed;
        uint32_t *buckets;
        size_t n_buckets; /* a power of two, or 0 */
        Entry *entries;
        size_t n_slots, capacity;
        uint32_t free_slots;
        size_t n;
};

/* FNV-1a over a random start: names come from users, who must not be able to choose collisions. */
static uint64_t hash_of(const Map *m, const char *key) {
        uint64_t h = m->seed;

        for (const unsigned char *p = (const unsigned char *) key; *p; p++)
                h = (h ^ *p) * UINT64_C(0x100000001b3);

        return h ^ (h >> 29);
}

Map *map_new(void *(*free_value)(void *) ) {
        Map *m = mem_new(Map);

        if (!m)
                return NULL;

        m->free_value = free_value;
        m->free_slots = NONE;
        /* A map with a known seed still works; it is only easier to slow down. */
        if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) != sizeof(m->seed))
                m->seed = UINT64_C(0xcbf29ce484222325);
        return m;
}

static void drop_value(Map *m, void *value) {
        if (m->free_value && value)
                (void) m->free_value(value);
}

void map_clear(Map *m) {
        for (size_t i = 0; i < m->n_slots; i++) {
                if (!m->entries[i].key)
                        continue;
                mem_free(m->entries[i].key);
                drop_value(m, m->entries[i].value);
        }

        m->entries = mem_free(m->entries);
        m->buckets = mem_free(m->buckets);
        m->n_slots = m->capacity = m->n_buckets = m->n = 0;
        m->free_slots = NONE;
}

Map *map_free(Map *m) {
        if (!m)
                return NULL;

        map_clear(m);
        return mem_free(m);
}

static uint32_t *find(const Map *m, const char *key, uint64_t h) {
        uint32_t *at;

        if (m->n_buckets == 0)
                return NULL;

        at = &m->buckets[h & (m->n_buckets - 1)];
        while (*at != NONE) {
                Entry *e = &m->entries[*at];

                if (e->hash == h && strcmp(e->key, key) == 0)
                        return at;
                at = &e->next;
        }
        return NULL;
}

void *map_get(const Map *m, const char *key) {
        uint32_t *at = find(m, key, hash_of(m, key));

        return at ? m->entries[*at].value : NULL;
}

static int rehash(Map *m, size_t n_buckets) {
        uint32_t *buckets = mem_new_array(uint32_t, n_buckets);

        if (!buckets)
                return -ENOMEM;

        memset(buckets, 0xff, n_buckets * sizeof(uint32_t)); /* NONE */
        for (size_t i = 0; i < m->n_slots; i++) {
                Entry *e = &m->entries[i];

                if (!e->key)
                        continue;
                e->next = buckets[e->hash & (n_buckets - 1)];
                buckets[e->hash & (n_buckets - 1)] = (uint32_t) i;
        }

        mem_free(m->buckets);
        m->buckets = buckets;
        m->n_buckets = n_buckets;
        return 0;
}

static int take_slot(Map *m, uint32_t *ret) {
        int r;

        if (m->free_slots != NONE) {
                *ret = m->free_slots;
                m->free_slots = m->entries[*ret].next;
                return 0;
        }

        if (m->n_slots >= NONE - 1)
                return -ENOMEM;

        r = mem_grow(&m->entries, &m->capacity, m->n_slots + 1, sizeof(Entry));
        if (r < 0)
                return r;

        *ret = (uint32_t) m->n_slots++;
        return 0;
}

int map_put(Map *m, const char *key, void *value) {
        uint64_t h = hash_of(m, key);
        uint32_t *at = find(m, key, h), slot;
        char *copy;
        int r;

        assert(value);
        if (at) {
                Entry *e = &m->entries[*at];

                if (e->value != value)
                        drop_value(m, e->value);
                e->value = value;
                return 0;
        }

        if (m->n + 1 > m->n_buckets) {
                r = rehash(m, m->n_buckets == 0 ? 8 : m->n_buckets * 2);
                if (r < 0)
                        return r;
        }

        copy = str_dup(key);
        if (!copy)
                return -ENOMEM;

        r = take_slot(m, &slot);
        if (r < 0) {
                mem_free(copy);
                return r;
        }

        at = &m->buckets[h & (m->n_buckets - 1)];
        m->entries[slot] = (Entry){ .key = copy, .value = value, .hash = h, .next = *at };
        *at = slot;
        m->n++;
        return 0;
}

void *map_steal(Map *m, const char *key) {
        uint32_t *at = find(m, key, hash_of(m, key)), slot;
        void *value;
        Entry *e;

        if (!at)
                return NULL;

        slot = *at;
        e = &m->entries[slot];
        *at = e->next;
        value = e->value;
        mem_free(e->key);
        *e = (Entry){ .next = m->free_slots };
        m->free_slots = slot;
        m->n--;
        return value;
}

bool map_remove(Map *m, const char *key) {
        void *value = map_steal(m, key);

        drop_value(m, value);
        return value != NULL;
}

size_t map_count(const Map *m) {
        return m ? m->n : 0;
}

int map_keys_sorted(const Map *m, Strv *ret) {
        _cleanup_(strv_done) Strv keys = STRV_INIT;
        const char *key;
        void *value;
        int r;

        MAP_FOREACH (key, value, m) {
                r = strv_push(&keys, key);
                if (r < 0)
                        return r;
        }

        strv_sort(&keys);
        *ret = keys;
        keys = STRV_INIT;
        return 0;
}

bool map_next(const Map *m, size_t *position, const char **ret_key, void **ret_value) {
        if (!m)
                return false;

        while (*position < m->n_slots) {
                const Entry *e = &m->entries[(*position)++];

                if (!e->key)
                        continue;
                *ret_key = e->key;
                *ret_value = e->value;
                return true;
        }
        return false;
}
