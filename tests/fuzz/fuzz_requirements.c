/*
 * Any text as a unit's name (its first line) and its file: validation, requirements, globs, specifiers
 * and escaping.
 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/glob.h"
#include "specs/requirements.h"
#include "specs/specifier.h"
#include "specs/unit_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

static void check_name(const char *name) {
        _cleanup_free_ char *escaped = NULL, *plain = NULL, *path = NULL, *from_path = NULL;
        _cleanup_free_ char *argument = unit_name_from_argument(name), *expanded = NULL;
        _cleanup_(unit_name_done) UnitName n = { 0 };
        _cleanup_error_ Error e = ERROR_INIT;

        must(unit_name_parse(name, &n) == 0 && argument);
        if (unit_name_validate(name, &e) < 0)
                must(e.text != NULL);
        else
                must(str_eq(n.full, name) && n.type[0]);

        must(unit_name_escape(name, &escaped) == 0);
        must(unit_name_unescape(escaped, &plain) == 0);
        must(str_eq(plain, name));
        if (unit_name_escape_path(name, &path) == 0)
                must(unit_name_unescape_path(path, &from_path) == 0);
        (void) specifier_expand(name, name, NULL, &expanded, NULL);
        (void) glob_match(name, name);
}

static void check_file(const char *name, const UnitFile *u) {
        _cleanup_(requirements_freep) Requirements *q = NULL;
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        _cleanup_error_ Error e = ERROR_INIT;

        if (requirements_parse(name, u, &q, &warnings, &e) < 0) {
                must(e.text != NULL);
                return;
        }
        if (requirements_validate(q, &e) < 0)
                must(e.text != NULL);
        for (size_t i = 0; i < q->conflicts.n; i++)
                (void) glob_match(q->conflicts.items[i], name);
        for (size_t i = 0; i < q->n_metadata; i++)
                must(q->metadata[i].values.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = mem_dup(data, size);
        _cleanup_(unit_file_freep) UnitFile *u = NULL;
        size_t first = strcspn(text, "\n");
        _cleanup_free_ char *name = str_ndup(text, first);

        check_name(name);
        if (unit_file_parse(text + first, size - first, &u, NULL) == 0)
                check_file(name, u);
        return 0;
}
