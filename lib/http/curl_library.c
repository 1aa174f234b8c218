#include "lib/http/curl_library.h"

#include <dlfcn.h>

#include "lib/base/alloc.h"

#define SONAME "libcurl-gnutls.so.4"

static const struct {
        const char *name;
        size_t offset;
} symbols[] = {
        { "curl_global_init_mem", offsetof(CurlLibrary, global_init_mem) },
        { "curl_easy_init", offsetof(CurlLibrary, easy_init) },
        { "curl_easy_cleanup", offsetof(CurlLibrary, easy_cleanup) },
        { "curl_easy_setopt", offsetof(CurlLibrary, easy_setopt) },
        { "curl_easy_getinfo", offsetof(CurlLibrary, easy_getinfo) },
        { "curl_easy_strerror", offsetof(CurlLibrary, easy_strerror) },
        { "curl_slist_append", offsetof(CurlLibrary, slist_append) },
        { "curl_slist_free_all", offsetof(CurlLibrary, slist_free_all) },
        { "curl_multi_init", offsetof(CurlLibrary, multi_init) },
        { "curl_multi_cleanup", offsetof(CurlLibrary, multi_cleanup) },
        { "curl_multi_setopt", offsetof(CurlLibrary, multi_setopt) },
        { "curl_multi_add_handle", offsetof(CurlLibrary, multi_add_handle) },
        { "curl_multi_remove_handle", offsetof(CurlLibrary, multi_remove_handle) },
        { "curl_multi_socket_action", offsetof(CurlLibrary, multi_socket_action) },
        { "curl_multi_assign", offsetof(CurlLibrary, multi_assign) },
        { "curl_multi_info_read", offsetof(CurlLibrary, multi_info_read) },
        { "curl_multi_strerror", offsetof(CurlLibrary, multi_strerror) },
};

int curl_library_load(const char *soname, CurlLibrary *ret, Error *reterr) {
        void *handle = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
        CurlLibrary library;

        if (!handle)
                return error_set(reterr, -ENOENT, "cannot load libcurl: %s", dlerror());

        for (size_t i = 0; i < ELEMENTSOF(symbols); i++) {
                void *symbol = dlsym(handle, symbols[i].name);

                if (!symbol) {
                        (void) dlclose(handle);
                        return error_set(reterr, -EIO, "'%s' is not a libcurl we know: no '%s'",
                                         soname, symbols[i].name);
                }
                /* POSIX lets a function's address travel in a void pointer (dlsym(3)). */
                memcpy((char *) &library + symbols[i].offset, &symbol, sizeof(symbol));
        }

        *ret = library;
        return 0;
}

static void heap_free(void *p) {
        mem_free(p);
}

int curl_library_get(const CurlLibrary **ret, Error *reterr) {
        /* What dlopen() does is state of the process anyway; this only remembers it. */
        static CurlLibrary library;
        static bool loaded;
        CURLcode code;
        int r;

        if (!loaded) {
                r = curl_library_load(SONAME, &library, reterr);
                if (r < 0)
                        return r;

                code = library.global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, heap_free,
                                               mem_realloc, str_dup, mem_zalloc_array);
                if (code != CURLE_OK)
                        return error_set(reterr, -EIO, "cannot start libcurl: %s",
                                         library.easy_strerror(code));
                loaded = true;
        }

        *ret = &library;
        return 0;
}
