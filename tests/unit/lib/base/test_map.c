#include "lib/base/map.h"

#include <stdio.h>

#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

static void *drop(void *p) {
        return mem_free(p);
}

START_TEST(test_put_get_remove) {
        _cleanup_(map_freep) Map *m = map_new(drop);
        char *b = str_dup("2");

        ck_assert_ptr_null(map_get(m, "a"));
        ck_assert_uint_eq(map_count(NULL), 0);
        ck_assert_int_eq(map_put(m, "a", str_dup("1")), 0);
        ck_assert_int_eq(map_put(m, "a", b), 0); /* the first value is dropped */
        ck_assert_int_eq(map_put(m, "a", b), 0); /* the same one is not */
        ck_assert_str_eq(map_get(m, "a"), "2");
        ck_assert_uint_eq(map_count(m), 1);
        ck_assert(map_remove(m, "a"));
        ck_assert(!map_remove(m, "a"));
        ck_assert_ptr_null(map_get(m, "a"));
        ck_assert_int_eq(map_put(m, "", str_dup("empty")), 0);
        b = map_steal(m, "");
        ck_assert_str_eq(b, "empty");
        mem_free(b);
        ck_assert_ptr_null(map_steal(m, ""));
}
END_TEST

START_TEST(test_many) {
        _cleanup_(map_freep) Map *m = map_new(drop);
        char key[32];

        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 5000; i++) {
                        (void) snprintf(key, sizeof(key), "unit-%d.service", i);
                        ck_assert_int_eq(map_put(m, key, str_dup(key)), 0);
                }
                ck_assert_uint_eq(map_count(m), 5000);
                for (int i = 0; i < 5000; i++) {
                        (void) snprintf(key, sizeof(key), "unit-%d.service", i);
                        ck_assert_str_eq(map_get(m, key), key);
                        if (i % 2 == round % 2)
                                ck_assert(map_remove(m, key));
                }
                ck_assert_uint_eq(map_count(m), 2500);
        }
        map_clear(m);
        ck_assert_uint_eq(map_count(m), 0);
        ck_assert_ptr_null(map_get(m, "unit-1.service"));
        ck_assert_int_eq(map_put(m, "again", str_dup("x")), 0);
}
END_TEST

START_TEST(test_foreach) {
        _cleanup_(map_freep) Map *m = map_new(NULL);
        const char *key, *other;
        unsigned n = 0, pairs = 0;
        void *value, *also;
        int mark;

        for (int i = 0; i < 10; i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "%d", i);
                ck_assert_int_eq(map_put(m, name, &mark), 0);
        }
        MAP_FOREACH (key, value, m)
                MAP_FOREACH (other, also, m)
                        pairs += strcmp(key, other) < 0;
        ck_assert_uint_eq(pairs, 45);

        MAP_FOREACH (key, value, m) {
                ck_assert_ptr_eq(value, &mark);
                ck_assert(map_remove(m, key));
                n++;
        }
        ck_assert_uint_eq(n, 10);
        ck_assert_uint_eq(map_count(m), 0);
        MAP_FOREACH (key, value, (const Map *) NULL)
                n++;
        ck_assert_uint_eq(n, 10);
}
END_TEST

START_TEST(test_keys_sorted) {
        _cleanup_(map_freep) Map *m = map_new(NULL);
        _cleanup_(strv_done) Strv keys = STRV_INIT;
        _cleanup_free_ char *joined = NULL;
        int mark;

        ck_assert_int_eq(map_put(m, "b", &mark), 0);
        ck_assert_int_eq(map_put(m, "a@10", &mark), 0);
        ck_assert_int_eq(map_put(m, "a@2", &mark), 0);
        ck_assert_int_eq(map_keys_sorted(m, &keys), 0);
        joined = strv_join(&keys, " ");
        ck_assert_str_eq(joined, "a@10 a@2 b");
}
END_TEST

START_TEST(test_out_of_memory) {
        _cleanup_(map_freep) Map *m = map_new(NULL);
        _cleanup_(strv_done) Strv keys = STRV_INIT;
        int mark, r;

        alloc_fail_after(1);
        ck_assert_ptr_null(map_new(NULL));
        alloc_fail_after(0);

        for (uint64_t n = 1;; n++) {
                alloc_fail_after(n);
                r = map_put(m, "key", &mark);
                alloc_fail_after(0);
                if (r == 0)
                        break;
                ck_assert_int_eq(r, -ENOMEM);
                ck_assert_uint_eq(map_count(m), 0);
                ck_assert_ptr_null(map_get(m, "key"));
        }
        alloc_fail_after(1);
        ck_assert_int_eq(map_keys_sorted(m, &keys), -ENOMEM);
        alloc_fail_after(0);
        ck_assert_uint_eq(keys.n, 0);
}
END_TEST

TEST_MAIN("map", test_put_get_remove, test_many, test_foreach, test_keys_sorted,
          test_out_of_memory);
