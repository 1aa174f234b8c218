/*
 * Any text as a command line, its environment (behind a first NUL byte) and an environment file:
 * splitting, specifiers and variables.
 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "specs/command_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

static void expand(CommandLine *c, const Strv *environment) {
        static const SpecifierHost host = { .hostname = "box.example", .machine_id = "m" };
        _cleanup_(strv_done) Strv argv = STRV_INIT, unset = STRV_INIT;
        _cleanup_error_ Error e = ERROR_INIT;

        must(command_line_expand(c, environment, &argv, &unset) == 0);
        must(argv.n > 0);
        if (command_line_expand_specifiers(c, "u@i-j.service", &host, &e) < 0)
                must(e.text != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = mem_dup(data, size);
        _cleanup_(strv_done) Strv items = STRV_INIT, environment = STRV_INIT, words = STRV_INIT;
        size_t first = strlen(text), n = 0;
        _cleanup_error_ Error e = ERROR_INIT;
        CommandLine *lines = NULL;

        if (first < size &&
            environment_file_parse(text + first + 1, size - first - 1, &items, NULL, &e) < 0)
                must(e.text && e.line > 0);
        for (size_t i = 0; i < items.n && i < 100; i++)
                must(environment_set(&environment, items.items[i]) == 0);

        error_done(&e);
        if (command_line_parse(text, &lines, &n, &e) < 0)
                must(e.text && e.column > 0 && e.column <= first + 1);
        else
                for (size_t i = 0; i < n; i++) {
                        must(lines[i].path[0] != '\0' && lines[i].argv.n > 0);
                        expand(&lines[i], &environment);
                }
        (void) command_lines_free(lines, n);

        (void) command_words(text, true, &words, NULL);
        (void) command_words(text, false, &words, NULL);
        return 0;
}
