#include "agent/ini.h"

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "tests/lib/suite.h"

static int collect(const char *section, const char *key, const char *value, unsigned line,
                   void *userdata) {
        return buf_printf(userdata, "%u:%s%s%s=%s|", line, section, section[0] ? "." : "", key,
                          value);
}

START_TEST(test_lines) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                { "", "" },
                { "\n \n# c\n; c\n   # c\n", "" },
                { "a=b", "1:a=b|" },
                { "a=b\r\nc=d\r\n", "1:a=b|2:c=d|" },
                { "  Key  =  some value  ", "1:key=some value|" },
                { "a=\"x # y; z\"", "1:a=x # y; z|" },
                { "a='x # \"y\"'", "1:a=x # \"y\"|" },
                { "a=\"x\" # why", "1:a=x|" },
                { "a=\"x", "1:a=\"x|" },
                { "a=\"x\" y", "1:a=\"x\" y|" },
                { "a=b # c", "1:a=b|" },
                { "a=b;c", "1:a=b|" },
                { "a=", "1:a=|" },
                { "a=#x", "1:a=|" },
                { "a=\"\"", "1:a=|" },
                { "a=b=c", "1:a=b=c|" },
                { "a=b\\\n  c\nd=e", "1:a=bc|3:d=e|" },
                { "a=b\\", "1:a=b|" },
                { "[Section]\na=b\n[ Other ]  \nC=d", "2:section.a=b|4:other.c=d|" },
                { "etcd_servers=[\"http://a:1\",\"http://b:2\"]",
                  "1:etcd_servers=[\"http://a:1\",\"http://b:2\"]|" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error error = ERROR_INIT;
                Buf b = BUF_INIT;
                int r = ini_parse("f", cases[i].text, strlen(cases[i].text), collect, &b, &error);

                ck_assert_msg(r == 0, "case %zu: %s", i, error_text(&error));
                ck_assert_str_eq(buf_str(&b), cases[i].expected);
                buf_done(&b);
        }
}
END_TEST

START_TEST(test_bad_lines) {
        static const struct {
                const char *text;
                unsigned line;
                const char *words;
        } cases[] = {
                { "a=b\nnonsense\n", 2,
                  "'nonsense' is neither a comment, a section nor key=value" },
                { "[open\n", 1, "'[open' is not a section header" },
                { "[a] b\n", 1, "'[a] b' is not a section header" },
                { "=x\n", 1, "'' is not the name of a key" },
                { "two words=x\n", 1, "'two words' is not the name of a key" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error error = ERROR_INIT;
                Buf b = BUF_INIT;

                ck_assert_int_eq(ini_parse("f", cases[i].text, strlen(cases[i].text), collect, &b,
                                           &error),
                                 -EINVAL);
                ck_assert_uint_eq(error.line, cases[i].line);
                ck_assert_str_eq(error_text(&error), cases[i].words);
                buf_done(&b);
        }
}
END_TEST

START_TEST(test_nul_and_size) {
        _cleanup_error_ Error error = ERROR_INIT;
        _cleanup_free_ char *large = mem_zalloc(INI_SIZE_MAX + 1);
        Buf b = BUF_INIT;

        ck_assert_int_eq(ini_parse("f", "a=\0b", 4, collect, &b, &error), -EINVAL);
        ck_assert_str_eq(error_text(&error), "holds a NUL byte");
        ck_assert_int_eq(ini_parse("f", large, INI_SIZE_MAX + 1, collect, &b, &error), -EFBIG);
        buf_done(&b);
}
END_TEST

static int refuse(const char *section _unused_, const char *key _unused_,
                  const char *value _unused_, unsigned line _unused_, void *userdata _unused_) {
        return -ENOMEM;
}

START_TEST(test_callback_ends_parsing) {
        ck_assert_int_eq(ini_parse("f", "a=b\nnonsense", 12, refuse, NULL, NULL), -ENOMEM);
}
END_TEST

TEST_MAIN("ini", test_lines, test_bad_lines, test_nul_and_size, test_callback_ends_parsing);
