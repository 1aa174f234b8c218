#include "lib/http/curl_library.h"

#include "tests/lib/suite.h"

START_TEST(test_loads_once) {
        const CurlLibrary *a = NULL, *b = NULL;

        ck_assert_int_eq(curl_library_get(&a, NULL), 0);
        ck_assert_int_eq(curl_library_get(&b, NULL), 0);
        ck_assert_ptr_eq(a, b);
        ck_assert_str_eq(a->easy_strerror(CURLE_OK), "No error");
}
END_TEST

START_TEST(test_missing) {
        _cleanup_error_ Error e = ERROR_INIT;
        CurlLibrary library = { 0 };

        ck_assert_int_eq(curl_library_load("libnowhere.so.4", &library, &e), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error_text(&e), "cannot load libcurl: libnowhere.so.4"));
        ck_assert(!library.easy_init);
}
END_TEST

START_TEST(test_not_curl) {
        _cleanup_error_ Error e = ERROR_INIT;
        CurlLibrary library = { 0 };

        ck_assert_int_eq(curl_library_load("libjansson.so.4", &library, &e), -EIO);
        ck_assert_str_eq(error_text(&e), "'libjansson.so.4' is not a libcurl we know: "
                                         "no 'curl_global_init_mem'");
        ck_assert(!library.easy_init);
}
END_TEST

TEST_MAIN("curl_library", test_loads_once, test_missing, test_not_curl);
