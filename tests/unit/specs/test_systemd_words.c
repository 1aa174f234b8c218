/*
 * Lines made at random, split, filled with variables and read as environment files by us and by the
 * functions of systemd 252 themselves, where its private library is installed.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "specs/command_line.h"
#include "specs/command_words.h"
#include "tests/lib/suite.h"

enum { ROUNDS = 20000, PIECES_MAX = 12 };

static const char library[] = "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so";

/* systemd's flags. */
enum { EXTRACT_CUNESCAPE = 1 << 1, EXTRACT_UNESCAPE_RELAX = 1 << 2, EXTRACT_UNQUOTE = 1 << 5 };

static struct {
        int (*extract_first_word)(const char **p, char **ret, const char *separators, int flags);
        char **(*replace_env_argv)(char **argv, char **env);
        int (*load_env_file)(FILE *f, const char *name, char ***ret);
} systemd;

/* Not quite random, so that a failure can be looked at again: xorshift from a fixed start. */
static uint64_t next_number(uint64_t *seed) {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        return *seed;
}

static char *make_line(uint64_t *seed, const char *const *pieces, size_t n) {
        _cleanup_(buf_done) Buf b = BUF_INIT;

        for (uint64_t left = 1 + next_number(seed) % PIECES_MAX; left > 0; left--)
                ck_assert_int_eq(buf_append_str(&b, pieces[next_number(seed) % n]), 0);
        return buf_steal(&b);
}

static const char *const words[] = {
        "a",    "/bin/x",      " ",           "  ",      "\t",      "\"",    "'",       "\\",
        "\\\\", "\\n",         "\\x41",       "\\x00",   "\\101",   "\\400", "\\u00e9", "\\s",
        "\\;",  ";",           " ; ",         "\\\"",    "\\'",     "$A",    "${A}",    "${B}",
        "$$",   "$",           "${",          "}",       "${A:-x}", "${Q}",  "$Q",      "$U",
        "${U}", "%i",          "\xc3\xa9",    "=",       "\\q",     "\\ ",   "$A.b",    "${A",
        "$B",   "\\U0001f433", "\\U0000fdd0", "\\ufdd0",
};

static void compare_words(const char *line, int flags, unsigned ours) {
        WordReader w = { .text = line, .at = line, .flags = ours };
        const char *p = line;
        int r;

        do {
                _cleanup_free_ char *wanted = NULL, *got = NULL;

                r = systemd.extract_first_word(&p, &wanted, NULL, flags);
                ck_assert_msg(word_reader_next(&w, &got) == r, "[%s] %d", line, r);
                ck_assert_msg(r <= 0 || str_eq(wanted, got), "[%s] '%s' '%s'", line, wanted, got);
        } while (r > 0);
}

START_TEST(test_words) {
        uint64_t seed = 1;

        for (size_t i = 0; i < ROUNDS; i++) {
                _cleanup_free_ char *line = make_line(&seed, words, ELEMENTSOF(words));

                compare_words(line, EXTRACT_UNQUOTE, 0);
                compare_words(line, EXTRACT_UNQUOTE | EXTRACT_CUNESCAPE, WORDS_UNESCAPE);
                compare_words(line, EXTRACT_UNQUOTE | EXTRACT_CUNESCAPE | EXTRACT_UNESCAPE_RELAX,
                              WORDS_UNESCAPE | WORDS_KEEP_UNKNOWN);
        }
}
END_TEST

START_TEST(test_variables) {
        static const char *const items[] = { "A=one", "B=", "A=1  '2 3' x", "Q=\"a b",
                                             "B=b\\ c \\" };
        _cleanup_(strv_done) Strv env = STRV_INIT;
        uint64_t seed = 2;

        for (size_t i = 0; i < ELEMENTSOF(items); i++)
                ck_assert_int_eq(strv_push(&env, items[i]), 0);

        for (size_t i = 0; i < ROUNDS; i++) {
                _cleanup_free_ char *line = make_line(&seed, words, ELEMENTSOF(words));
                char path[] = "x", *argv[] = { path, line, NULL };
                _cleanup_(strv_done) Strv got = STRV_INIT;
                CommandLine c = { .path = path, .argv = { .items = argv, .n = 2 } };
                char **wanted = systemd.replace_env_argv(argv, env.items);

                ck_assert_int_eq(command_line_expand(&c, &env, &got, NULL), 0);
                for (size_t k = 0; k <= got.n; k++) {
                        ck_assert_msg(str_eq(got.items[k], wanted[k]), "[%s] %s", line, wanted[k]);
                        mem_free(wanted[k]);
                }
                mem_free(wanted);
        }
}
END_TEST

static const char *const file_pieces[] = {
        "A",        "B=",   "=",     "C=x", "\n",   "\n",  "\r", "\"",           "'",
        "\\",       "\\\n", " ",     "\t",  "#",    "; x", "$",  "export D=1\n", "`",
        "\xc3\xa9", "a b",  "A=1\n", "\\$", "\\\\",
};

START_TEST(test_environment_files) {
        uint64_t seed = 3;

        for (size_t i = 0; i < ROUNDS; i++) {
                _cleanup_free_ char *text = make_line(&seed, file_pieces, ELEMENTSOF(file_pieces));
                _cleanup_(strv_done) Strv items = STRV_INIT, got = STRV_INIT, wanted = STRV_INIT;
                FILE *f = fmemopen(text, strlen(text), "r");
                char **list = NULL;

                ck_assert_int_eq(systemd.load_env_file(f, "x", &list), 0);
                ck_assert_int_eq(fclose(f), 0);
                /* systemd drops names that cannot be later, when it makes the environment. */
                for (size_t k = 0; list && list[k]; k++) {
                        if (environment_name_is_valid(list[k], strcspn(list[k], "=")))
                                ck_assert_int_eq(strv_push(&wanted, list[k]), 0);
                        mem_free(list[k]);
                }
                mem_free(list);

                ck_assert_int_eq(environment_file_parse(text, strlen(text), &items, NULL, NULL), 0);
                for (size_t k = 0; k < items.n; k++)
                        ck_assert_int_eq(environment_set(&got, items.items[k]), 0);
                strv_sort(&got);
                strv_sort(&wanted);
                ck_assert_msg(strv_equal(&got, &wanted), "[%s]", text);
        }
}
END_TEST

static bool load_systemd(void) {
        void *handle = dlopen(library, RTLD_NOW);

        if (!handle)
                return false;

        *(void **) &systemd.extract_first_word = dlsym(handle, "extract_first_word");
        *(void **) &systemd.replace_env_argv = dlsym(handle, "replace_env_argv");
        *(void **) &systemd.load_env_file = dlsym(handle, "load_env_file");
        return systemd.extract_first_word && systemd.replace_env_argv && systemd.load_env_file;
}

int main(void) {
        const TTest *const tests[] = { test_words, test_variables, test_environment_files };

        if (!load_systemd()) {
                printf("skipped: no %s to compare with\n", library);
                return 77;
        }
        return suite_run("systemd_words", tests, ELEMENTSOF(tests));
}
