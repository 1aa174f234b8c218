#include "lib/base/alloc.h"

#include "tests/lib/suite.h"

START_TEST(test_sizes) {
        _cleanup_free_ char *none = mem_alloc(0), *zero = mem_zalloc(16), *grown = NULL;

        ck_assert_ptr_nonnull(none);
        for (size_t i = 0; i < 16; i++)
                ck_assert_int_eq(zero[i], 0);

        grown = mem_realloc(NULL, 4);
        ck_assert_ptr_nonnull(grown);
        grown = mem_realloc(grown, 0);
        ck_assert_ptr_nonnull(grown);
        ck_assert_ptr_null(mem_free(NULL));
}
END_TEST

START_TEST(test_overflow) {
        ck_assert_ptr_null(mem_zalloc_array(SIZE_MAX, 2));
        ck_assert_ptr_null(mem_zalloc_array(SIZE_MAX / 2, 3));
        ck_assert_ptr_null(mem_dup("x", SIZE_MAX));
}
END_TEST

START_TEST(test_grow) {
        _cleanup_free_ int *items = NULL;
        size_t capacity = 0;

        ck_assert_int_eq(mem_grow(&items, &capacity, 1, sizeof(int)), 0);
        ck_assert_uint_eq(capacity, 4);
        items[3] = 42;
        ck_assert_int_eq(mem_grow(&items, &capacity, 4, sizeof(int)), 0);
        ck_assert_uint_eq(capacity, 4);
        ck_assert_int_eq(mem_grow(&items, &capacity, 100, sizeof(int)), 0);
        ck_assert_uint_eq(capacity, 128);
        ck_assert_int_eq(items[3], 42);
        ck_assert_int_eq(mem_grow(&items, &capacity, SIZE_MAX, sizeof(int)), -ENOMEM);
        ck_assert_int_eq(mem_grow(&items, &capacity, SIZE_MAX / 2, sizeof(int)), -ENOMEM);
        ck_assert_uint_eq(capacity, 128);
        ck_assert_int_eq(items[3], 42);
}
END_TEST

START_TEST(test_copies) {
        _cleanup_free_ char *copy = mem_dup("a\0b", 3), *empty = mem_dup(NULL, 0);
        _cleanup_free_ char *part = str_ndup("hello", 3), *all = str_ndup("hi", 10);
        _cleanup_free_ char *text = str_printf("%s-%d", "a", 7);

        ck_assert_mem_eq(copy, "a\0b", 4);
        ck_assert_str_eq(empty, "");
        ck_assert_str_eq(part, "hel");
        ck_assert_str_eq(all, "hi");
        ck_assert_str_eq(text, "a-7");
        ck_assert_ptr_null(str_dup(NULL));
}
END_TEST

START_TEST(test_replace) {
        _cleanup_free_ char *s = NULL;

        ck_assert_int_eq(str_replace(&s, "one"), 0);
        ck_assert_int_eq(str_replace(&s, s), 0);
        ck_assert_str_eq(s, "one");

        alloc_fail_after(1);
        ck_assert_int_eq(str_replace(&s, "two"), -ENOMEM);
        alloc_fail_after(0);
        ck_assert_str_eq(s, "one");
        ck_assert_int_eq(str_replace(&s, NULL), 0);
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(test_failures) {
        uint64_t count = alloc_count(), failures = alloc_failures();
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;

        alloc_fail_after(2);
        a = mem_alloc(1);
        b = mem_zalloc(1);
        c = str_printf("x");
        ck_assert_ptr_null(mem_realloc(NULL, 1));
        alloc_fail_after(0);
        ck_assert_ptr_nonnull(a);
        ck_assert_ptr_null(b);
        ck_assert_ptr_null(c);
        ck_assert_uint_eq(alloc_count() - count, 4);
        ck_assert_uint_eq(alloc_failures() - failures, 3);
        b = mem_alloc(1);
        ck_assert_ptr_nonnull(b);
}
END_TEST

TEST_MAIN("alloc", test_sizes, test_overflow, test_grow, test_copies, test_replace, test_failures);
