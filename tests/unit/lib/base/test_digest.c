#include "lib/base/digest.h"

#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

START_TEST(test_sha1) {
        static const struct {
                const char *text, *hex;
        } cases[] = {
                { "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
                { "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
                { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char hex[SHA1_HEX_SIZE];

                sha1_hex(cases[i].text, strlen(cases[i].text), hex);
                ck_assert_str_eq(hex, cases[i].hex);
        }
}
END_TEST

/* RFC 4648, section 10. */
START_TEST(test_base64_vectors) {
        static const char *const cases[][2] = {
                { "", "" },
                { "f", "Zg==" },
                { "fo", "Zm8=" },
                { "foo", "Zm9v" },
                { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" },
                { "foobar", "Zm9vYmFy" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *encoded = base64_encode(cases[i][0], strlen(cases[i][0]));
                _cleanup_free_ void *decoded = NULL;
                size_t size;

                ck_assert_str_eq(encoded, cases[i][1]);
                ck_assert_int_eq(base64_decode(encoded, &decoded, &size, NULL), 0);
                ck_assert_uint_eq(size, strlen(cases[i][0]));
                ck_assert_mem_eq(decoded, cases[i][0], size);
        }
}
END_TEST

START_TEST(test_base64_alphabets) {
        static const unsigned char data[] = { 0xfb, 0xff, 0xfe, 0x00 };
        _cleanup_free_ char *plain = base64_encode(data, 4), *url = base64url_encode(data, 4);
        _cleanup_free_ void *decoded = NULL;
        size_t size, bad = 99;

        ck_assert_str_eq(plain, "+//+AA==");
        ck_assert_str_eq(url, "-__-AA==");
        ck_assert_int_eq(base64url_decode(url, &decoded, &size, NULL), 0);
        ck_assert_uint_eq(size, 4);
        ck_assert_mem_eq(decoded, data, 4);

        decoded = mem_free(decoded);
        ck_assert_int_eq(base64_decode(url, &decoded, &size, &bad), -EINVAL);
        ck_assert_uint_eq(bad, 0);
        ck_assert_ptr_null(decoded);
}
END_TEST

START_TEST(test_base64_newlines) {
        _cleanup_free_ void *decoded = NULL;
        size_t size;

        ck_assert_int_eq(base64_decode("\nZm\r\n9vY\ng\n=\r\n=\n", &decoded, &size, NULL), 0);
        ck_assert_uint_eq(size, 4);
        ck_assert_mem_eq(decoded, "foob", 4);
}
END_TEST

/* The offsets are those that Go's encoding/base64 reports. */
START_TEST(test_base64_invalid) {
        static const struct {
                const char *text;
                size_t bad;
        } cases[] = {
                { "!!!!", 0 },  { "====", 0 },     { "x===", 1 },        { "=AAA", 0 },
                { "A=AA", 1 },  { "AA=A", 2 },     { "AA==A", 4 },       { "AAA=AAAA", 4 },
                { "AAAAA", 4 }, { "AAAAAA", 4 },   { "A=", 1 },          { "AA=", 3 },
                { "AAA", 0 },   { "AAAAAA=", 7 },  { "YWJjZA=====", 8 }, { "A!\n", 1 },
                { "AA A", 2 },  { "AAAA\xff", 4 }, { "A", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                void *decoded = NULL;
                size_t size, bad = 99;
                int r = base64_decode(cases[i].text, &decoded, &size, &bad);

                ck_assert_msg(r == -EINVAL, "%s", cases[i].text);
                ck_assert_msg(bad == cases[i].bad, "%s: %zu", cases[i].text, bad);
                ck_assert_ptr_null(decoded);
        }
}
END_TEST

START_TEST(test_out_of_memory) {
        void *decoded = NULL;
        size_t size;

        alloc_fail_after(1);
        ck_assert_ptr_null(base64_encode("x", 1));
        ck_assert_ptr_null(base64url_encode("x", 1));
        ck_assert_int_eq(base64_decode("Zg==", &decoded, &size, NULL), -ENOMEM);
        alloc_fail_after(0);
}
END_TEST

TEST_MAIN("digest", test_sha1, test_base64_vectors, test_base64_alphabets, test_base64_newlines,
          test_base64_invalid, test_out_of_memory);
