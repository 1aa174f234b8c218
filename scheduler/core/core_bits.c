#include "lib/base/alloc.h"
#include "scheduler/core/core_internal.h"

/* Bit sets that can open and close a gap, for a machine that comes or goes in the middle. */

int core_bits_reserve(CoreBits *b, size_t n) {
        size_t words = BITS_WORDS(n), capacity = b->capacity;
        int r;

        if (words <= capacity)
                return 0;

        r = mem_grow(&b->words, &capacity, words, sizeof(uint64_t));
        if (r < 0)
                return r;

        for (size_t i = b->capacity; i < capacity; i++)
                b->words[i] = 0;
        b->capacity = capacity;
        return 0;
}

void core_bits_insert(CoreBits *b, size_t i, size_t n) {
        size_t w = i / 64;
        uint64_t below = (UINT64_C(1) << (i % 64)) - 1;

        for (size_t k = BITS_WORDS(n) - 1; k > w; k--)
                b->words[k] = b->words[k] << 1 | b->words[k - 1] >> 63;
        b->words[w] = (b->words[w] & below) | (b->words[w] & ~below) << 1;
}

void core_bits_remove(CoreBits *b, size_t i, size_t n) {
        size_t w = i / 64, last = BITS_WORDS(n) - 1;
        uint64_t below = (UINT64_C(1) << (i % 64)) - 1;

        b->words[w] = (b->words[w] & below) | (b->words[w] >> 1 & ~below);
        for (size_t k = w; k < last; k++) {
                b->words[k] |= b->words[k + 1] << 63;
                b->words[k + 1] >>= 1;
        }
}

void core_bits_done(CoreBits *b) {
        mem_free(b->words);
        *b = (CoreBits){ 0 };
}

int core_units_add(CoreUnits *u, CoreUnit *unit) {
        int r;

        r = mem_grow(&u->items, &u->capacity, u->n + 1, sizeof(CoreUnit *));
        if (r < 0)
                return r;

        u->items[u->n++] = unit;
        return 0;
}

void core_units_remove(CoreUnits *u, const CoreUnit *unit) {
        for (size_t i = u->n; i-- > 0;)
                if (u->items[i] == unit) {
                        u->items[i] = u->items[--u->n];
                        return;
                }
}

void *core_units_free(void *units) {
        CoreUnits *u = units;

        mem_free(u->items);
        return mem_free(u);
}
