/* fleet.conf, query strings and paths: any bytes; what is understood is consistent. */
#include "agent/api/query.h"
#include "agent/config.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path) {
        _cleanup_free_ char *clean = query_clean_path(path), *again = NULL;

        assert(clean && clean[0] == '/' && !strstr(clean, "//"));
        again = query_clean_path(clean);
        assert(str_eq(clean, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const no_environment[] = { NULL };
        _cleanup_free_ char *text = mem_dup(data, size);
        _cleanup_(strv_done) Strv warnings = STRV_INIT, values = STRV_INIT;
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        assert(text);
        r = config_parse("fuzz", text, size, no_environment, &config, &warnings, &error);
        assert(r == 0 || (r < 0 && error.text));
        assert(r < 0 || (config->token_limit > 0 && config->token_limit <= UINT16_MAX));
        assert(query_values(text, "a", &values) == 0);
        check_path(text);
        return 0;
}
