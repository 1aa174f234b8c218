#include "lib/base/error.h"

#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

START_TEST(test_set) {
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_int_eq(error_set(NULL, -EIO, "nobody listens"), -EIO);
        ck_assert_int_eq(error_set(&e, -EIO, "'%s' broke", "it"), -EIO);
        ck_assert_int_eq(e.code, -EIO);
        ck_assert_str_eq(error_text(&e), "'it' broke");
        ck_assert_int_eq(error_set(&e, -ENOENT, "was: %s", e.text), -ENOENT);
        ck_assert_str_eq(error_text(&e), "was: 'it' broke");
}
END_TEST

START_TEST(test_text_of_codes) {
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_str_eq(error_text(NULL), "unknown error");
        ck_assert_str_eq(error_text(&e), "unknown error");
        ck_assert_int_eq(error_fill(&e, -ENOENT), -ENOENT);
        ck_assert_str_eq(error_text(&e), "No such file or directory");
        ck_assert_int_eq(error_fill(&e, -EIO), -EIO);
        ck_assert_int_eq(e.code, -ENOENT); /* the first one stays */
        ck_assert_int_eq(error_fill(NULL, -EIO), -EIO);
        e.code = -123456;
        ck_assert_str_eq(error_text(&e), "unknown error");
}
END_TEST

START_TEST(test_format) {
        static const struct {
                const char *path;
                unsigned line, column;
                const char *text;
        } cases[] = {
                { "a.service", 3, 7, "a.service:3:7: bad" },
                { "a.service", 3, 0, "a.service:3: bad" },
                { "a.service", 0, 7, "a.service: bad" },
                { NULL, 3, 7, "line 3:7: bad" },
                { NULL, 3, 0, "line 3: bad" },
                { NULL, 0, 0, "bad" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error e = ERROR_INIT;
                _cleanup_free_ char *text = NULL;

                ck_assert_int_eq(error_set_at(&e, -EINVAL, cases[i].path, cases[i].line,
                                              cases[i].column, "bad"),
                                 -EINVAL);
                text = error_format(&e);
                ck_assert_str_eq(text, cases[i].text);
        }
}
END_TEST

START_TEST(test_prefix) {
        _cleanup_error_ Error e = ERROR_INIT;

        ck_assert_int_eq(error_prefix(NULL, "x"), 0);
        ck_assert_int_eq(error_prefix(&e, "x"), 0);
        (void) error_set(&e, -EIO, "bad");
        ck_assert_int_eq(error_prefix(&e, "unit '%s'", "a"), -EIO);
        ck_assert_str_eq(error_text(&e), "unit 'a': bad");
        alloc_fail_after(1);
        ck_assert_int_eq(error_prefix(&e, "more"), -EIO);
        alloc_fail_after(0);
        ck_assert_str_eq(error_text(&e), "unit 'a': bad");
}
END_TEST

START_TEST(test_copy) {
        _cleanup_error_ Error a = ERROR_INIT, b = ERROR_INIT;

        (void) error_set_at(&a, -EINVAL, "p", 1, 2, "bad");
        error_copy(&b, &a);
        error_copy(&b, &b);
        ck_assert_int_eq(b.code, -EINVAL);
        ck_assert_str_eq(b.path, "p");
        ck_assert_str_eq(b.text, "bad");
        ck_assert_uint_eq(b.column, 2);
        error_copy(&b, NULL);
        ck_assert_int_eq(b.code, 0);
        error_copy(NULL, &a);
}
END_TEST

START_TEST(test_out_of_memory) {
        _cleanup_error_ Error e = ERROR_INIT;

        alloc_fail_after(1);
        ck_assert_int_eq(error_set_at(&e, -EIO, "p", 1, 1, "words"), -EIO);
        ck_assert_ptr_null(error_format(&e));
        alloc_fail_after(0);
        ck_assert_str_eq(error_text(&e), "Input/output error");
}
END_TEST

TEST_MAIN("error", test_set, test_text_of_codes, test_format, test_prefix, test_copy,
          test_out_of_memory);
