#include "lib/base/buf.h"

#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

START_TEST(test_append) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        ck_assert_str_eq(buf_str(&b), "");
        ck_assert_int_eq(buf_append(&b, NULL, 0), 0);
        ck_assert_int_eq(buf_append(&b, "a\0b", 3), 0);
        ck_assert_int_eq(buf_append_str(&b, "cd"), 0);
        ck_assert_int_eq(buf_append_char(&b, '!'), 0);
        ck_assert_int_eq(buf_printf(&b, "%03d", 7), 0);
        ck_assert_uint_eq(b.size, 9);
        ck_assert_mem_eq(b.data, "a\0bcd!007", 10);
}
END_TEST

START_TEST(test_large) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        for (int i = 0; i < 100000; i++)
                ck_assert_int_eq(buf_append_char(&b, (char) ('a' + i % 26)), 0);
        ck_assert_uint_eq(b.size, 100000);
        ck_assert_int_eq(b.data[99999], 'a' + 99999 % 26);
        ck_assert_int_eq(b.data[100000], 0);
}
END_TEST

START_TEST(test_limit) {
        _cleanup_(buf_done) Buf b = { .limit = 5 };

        ck_assert_int_eq(buf_append_str(&b, "hello"), 0);
        ck_assert_int_eq(buf_append_char(&b, '!'), -EFBIG);
        ck_assert_int_eq(buf_printf(&b, "%d", 1), -EFBIG);
        ck_assert_str_eq(buf_str(&b), "hello");
        ck_assert_int_eq(buf_append(&b, "x", SIZE_MAX), -ENOMEM);
        buf_clear(&b);
        ck_assert_str_eq(buf_str(&b), "");
        ck_assert_int_eq(buf_append_str(&b, "again"), 0);
}
END_TEST

START_TEST(test_consume) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        buf_consume(&b, 0);
        ck_assert_int_eq(buf_append_str(&b, "hello"), 0);
        buf_consume(&b, 2);
        ck_assert_str_eq(buf_str(&b), "llo");
        buf_consume(&b, 3);
        ck_assert_str_eq(buf_str(&b), "");
        ck_assert_uint_eq(b.size, 0);
}
END_TEST

START_TEST(test_steal) {
        _cleanup_(buf_done) Buf b = BUF_INIT;
        _cleanup_free_ char *empty = buf_steal(&b), *text = NULL;

        ck_assert_str_eq(empty, "");
        ck_assert_int_eq(buf_append_str(&b, "x"), 0);
        text = buf_steal(&b);
        ck_assert_str_eq(text, "x");
        ck_assert_str_eq(buf_str(&b), "");
}
END_TEST

START_TEST(test_out_of_memory) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        alloc_fail_after(1);
        ck_assert_int_eq(buf_append_str(&b, "x"), -ENOMEM);
        ck_assert_int_eq(buf_printf(&b, "x"), -ENOMEM);
        ck_assert_ptr_null(buf_steal(&b));
        alloc_fail_after(0);
        ck_assert_uint_eq(b.size, 0);
}
END_TEST

TEST_MAIN("buf", test_append, test_large, test_limit, test_consume, test_steal, test_out_of_memory);
