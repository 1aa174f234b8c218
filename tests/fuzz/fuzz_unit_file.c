/*
 * Any bytes as a unit file: what is accepted is read back from its text with the same options and the
 * same hash, both as a file and when its options come through the API.
 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/unit_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

static void check_same(const UnitFile *a, const UnitFile *b) {
        _cleanup_free_ char *text_a = NULL, *text_b = NULL;
        char hash_a[SHA1_HEX_SIZE], hash_b[SHA1_HEX_SIZE];

        must(unit_file_serialise(a, &text_a) == 0 && unit_file_serialise(b, &text_b) == 0);
        must(unit_file_hash(a, hash_a) == 0 && unit_file_hash(b, hash_b) == 0);
        must(str_eq(text_a, text_b) && str_eq(hash_a, hash_b));
        must(a->n_options == b->n_options && strlen(text_a) <= a->text_bytes);
}

/* Section by section, each option is the same. */
static void check_options(const UnitFile *a, const UnitFile *b) {
        for (size_t i = 0; i < a->n_options; i++) {
                const char *section = a->options[i].section;
                const UnitOption *o, *p;
                size_t at = 0, bt = 0;

                if (i > 0 && str_eq(section, a->options[i - 1].section))
                        continue;
                do {
                        o = unit_file_next(a, section, &at);
                        p = unit_file_next(b, section, &bt);
                        must(!o == !p);
                        must(!o || (str_eq(o->name, p->name) && str_eq(o->value, p->value)));
                } while (o);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(unit_file_freep) UnitFile *u = NULL, *again = NULL, *sent = unit_file_new();
        _cleanup_error_ Error e = ERROR_INIT;
        _cleanup_free_ char *text = NULL;

        if (unit_file_parse((const char *) data, size, &u, &e) < 0) {
                must(e.text != NULL && e.line > 0);
                return 0;
        }

        must(unit_file_serialise(u, &text) == 0);
        must(unit_file_parse(text, strlen(text), &again, NULL) == 0);
        check_same(u, again);
        check_options(u, again);

        for (size_t i = 0; i < u->n_options; i++) {
                const UnitOption *o = &u->options[i];
                _cleanup_free_ char *joined = unit_option_joined_value(o);

                must(joined && !strchr(joined, '\n'));
                must(unit_file_add(sent, o->section, o->name, o->value, NULL) == 0);
        }
        check_same(u, sent);
        return 0;
}
