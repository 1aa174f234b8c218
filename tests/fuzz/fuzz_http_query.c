/* Percent-decoding and query arguments: any bytes, and what comes out must be consistent. */
#include "lib/base/alloc.h"
#include "lib/http/http_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = mem_dup(data, size);
        _cleanup_free_ char *plain = NULL, *escaped = NULL, *again = NULL, *value = NULL;
        _cleanup_free_ char *empty = NULL;

        assert(text);
        if (http_url_unescape(text, strlen(text), &plain) == 0) {
                /* What was decoded survives being encoded. */
                escaped = http_url_escape(plain);
                assert(escaped);
                assert(http_url_unescape(escaped, strlen(escaped), &again) == 0);
                assert(strcmp(plain, again) == 0);
        }

        assert(http_query_argument(text, "a", &value) == 0);
        assert(!value || strlen(value) <= size);
        assert(http_query_argument(text, "", &empty) == 0);
        return 0;
}
