/* JSON: what parses must format, and what was formatted must parse to the same text again. */
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *first = NULL, *second = NULL;
        _cleanup_json_ json_t *j = NULL, *again = NULL;
        _cleanup_error_ Error e = ERROR_INIT;

        if (json_parse((const char *) data, size, &j, &e) < 0) {
                assert(e.code < 0 && e.text);
                return 0;
        }

        first = json_format(j);
        assert(first);
        assert(!strpbrk(first, "<>&"));
        assert(json_parse(first, strlen(first), &again, NULL) == 0);
        second = json_format(again);
        assert(str_eq(first, second));
        return 0;
}
