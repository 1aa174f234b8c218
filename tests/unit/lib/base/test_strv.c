#include "lib/base/strv.h"

#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

START_TEST(test_push) {
        _cleanup_(strv_done) Strv v = STRV_INIT;

        ck_assert_ptr_null(v.items);
        ck_assert_int_eq(strv_push(&v, "a"), 0);
        ck_assert_int_eq(strv_push_n(&v, "bcd", 2), 0);
        ck_assert_int_eq(strv_push_printf(&v, "%d", 3), 0);
        ck_assert_int_eq(strv_take(&v, str_dup("own")), 0);
        ck_assert_uint_eq(v.n, 4);
        ck_assert_str_eq(v.items[1], "bc");
        ck_assert_str_eq(v.items[2], "3");
        ck_assert_ptr_null(v.items[4]);
        ck_assert(strv_contains(&v, "own") && !strv_contains(&v, "b"));
}
END_TEST

START_TEST(test_split_and_join) {
        static const char *const cases[][2] = {
                { "", "" },
                { "  ", "" },
                { "a", "a" },
                { " a  b\tc ", "a|b|c" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_done) Strv v = STRV_INIT;
                _cleanup_free_ char *joined = NULL;

                ck_assert_int_eq(strv_split(&v, cases[i][0], " \t"), 0);
                joined = strv_join(&v, "|");
                ck_assert_str_eq(joined, cases[i][1]);
        }
}
END_TEST

START_TEST(test_sort_and_uniq) {
        _cleanup_(strv_done) Strv v = STRV_INIT, empty = STRV_INIT;
        _cleanup_free_ char *joined = NULL;

        strv_sort(&empty);
        strv_uniq(&empty);
        ck_assert_uint_eq(empty.n, 0);

        ck_assert_int_eq(strv_split(&v, "b a B b a b", " "), 0);
        strv_sort(&v);
        strv_uniq(&v);
        joined = strv_join(&v, " ");
        ck_assert_str_eq(joined, "B a b");
        ck_assert_ptr_null(v.items[3]);
}
END_TEST

START_TEST(test_copy_and_equal) {
        _cleanup_(strv_done) Strv a = STRV_INIT, b = STRV_INIT;

        ck_assert(strv_equal(&a, &b));
        ck_assert_int_eq(strv_split(&a, "x y", " "), 0);
        ck_assert(!strv_equal(&a, &b));
        ck_assert_int_eq(strv_copy(&a, &b), 0);
        ck_assert(strv_equal(&a, &b));
        ck_assert_int_eq(strv_push(&b, "z"), 0);
        ck_assert(!strv_equal(&a, &b));
}
END_TEST

START_TEST(test_out_of_memory) {
        _cleanup_(strv_done) Strv a = STRV_INIT, b = STRV_INIT;
        char *mine = str_dup("mine");

        ck_assert_int_eq(strv_split(&a, "x y", " "), 0);
        for (uint64_t n = 1; n <= 3; n++) {
                alloc_fail_after(n);
                ck_assert_int_eq(strv_copy(&a, &b), -ENOMEM);
                alloc_fail_after(0);
                ck_assert_uint_eq(b.n, 0);
        }
        alloc_fail_after(1);
        ck_assert_int_eq(strv_take(&b, mine), -ENOMEM);
        ck_assert_int_eq(strv_push(&b, "x"), -ENOMEM);
        ck_assert_int_eq(strv_push_printf(&b, "x"), -ENOMEM);
        ck_assert_ptr_null(strv_join(&a, " "));
        alloc_fail_after(0);
        mem_free(mine); /* not taken */
}
END_TEST

TEST_MAIN("strv", test_push, test_split_and_join, test_sort_and_uniq, test_copy_and_equal,
          test_out_of_memory);
