/*
 * Any text as a page token: what is accepted is written as a token that says the same. Errors that the
 * API writes can be read by the client.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint16_t limit = size >= 2 ? (uint16_t) (data[0] | data[1] << 8) : 100;
        _cleanup_free_ char *text = size >= 2 ? mem_dup(data + 2, size - 2) : mem_dup(data, size);
        _cleanup_free_ char *body = NULL, *message = NULL;
        _cleanup_error_ Error e = ERROR_INIT;
        PageToken t, again;

        if (page_token_parse(text, limit, &t, &e) == 0) {
                _cleanup_free_ char *token = page_token_format(&t);

                must(t.limit == limit && t.page > 0);
                must(page_token_parse(token, limit, &again, NULL) == 0);
                must(again.limit == t.limit && again.page == t.page);
                return 0;
        }

        must(e.text != NULL);
        body = api_error_format(400, error_text(&e));
        message = api_error_parse(body, strlen(body));
        must(str_eq(message, error_text(&e)));
        return 0;
}
