/*
 * Any bytes as a body of the HTTP API or a document of the store: what is accepted is written and read
 * again to the same bytes.
 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/api_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

#define CHECK_DOCUMENT(name, T, from, to, release)                                                 \
        static char *name##_once(const json_t *j) {                                                \
                _cleanup_error_ Error e = ERROR_INIT;                                              \
                _cleanup_json_ json_t *out = NULL;                                                 \
                T *doc = NULL;                                                                     \
                                                                                                   \
                if (from(j, &doc, &e) < 0) {                                                       \
                        must(e.text != NULL);                                                      \
                        return NULL;                                                               \
                }                                                                                  \
                must(to(doc, &out) == 0);                                                          \
                (void) release(doc);                                                               \
                return json_format(out);                                                           \
        }                                                                                          \
        static void name(const json_t *j) {                                                        \
                _cleanup_free_ char *first = name##_once(j), *second = NULL;                       \
                _cleanup_json_ json_t *again = NULL;                                               \
                                                                                                   \
                if (!first)                                                                        \
                        return;                                                                    \
                must(json_parse(first, strlen(first), &again, NULL) == 0);                         \
                second = name##_once(again);                                                       \
                must(second &&str_eq(first, second));                                              \
        }                                                                                          \
        struct fuzz_needs_a_semicolon

CHECK_DOCUMENT(check_unit, ApiUnit, api_unit_from_json, api_unit_to_json, api_unit_free);
CHECK_DOCUMENT(check_api_state, UnitState, api_unit_state_from_json, api_unit_state_to_json,
               unit_state_free);
CHECK_DOCUMENT(check_api_machine, Machine, api_machine_from_json, api_machine_to_json,
               machine_free);
CHECK_DOCUMENT(check_state, UnitState, unit_state_from_json, unit_state_to_json, unit_state_free);
CHECK_DOCUMENT(check_machine, Machine, machine_from_json, machine_to_json, machine_free);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *body = (const char *) data;
        _cleanup_free_ char *message = api_error_parse(body, size);
        _cleanup_error_ Error e = ERROR_INIT;
        _cleanup_json_ json_t *j = NULL;
        MachinePatch *patches = NULL;
        size_t n = 0;

        if (machine_patches_parse(body, size, &patches, &n, &e) < 0)
                must(e.text != NULL);
        for (size_t i = 0; i < n; i++)
                must(patches[i].machine_id[0] && patches[i].key[0] && patches[i].value);
        (void) machine_patches_free(patches, n);

        if (json_parse(body, size, &j, NULL) < 0)
                return 0;
        check_unit(j);
        check_api_state(j);
        check_api_machine(j);
        check_state(j);
        check_machine(j);
        return 0;
}
