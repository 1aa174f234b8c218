/*
 * CurlLibrary: libcurl's functions, found at run time. It is loaded when it is first needed because it
 * brings a third of a daemon's start-up time and memory with it (TLS, LDAP, Kerberos …), and fleetctl
 * over a local socket can do without. It stays loaded until the process ends.
 *
 * Only lib/http includes this.
 */
#pragma once

#include <curl/curl.h>

#include "lib/base/base.h"
#include "lib/base/error.h"

typedef struct CurlLibrary {
        CURLcode (*global_init_mem)(long flags, curl_malloc_callback m, curl_free_callback f,
                                    curl_realloc_callback r, curl_strdup_callback s,
                                    curl_calloc_callback c);
        CURL *(*easy_init)(void);
        void (*easy_cleanup)(CURL *easy);
        CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
        CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
        const char *(*easy_strerror)(CURLcode code);
        struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
        void (*slist_free_all)(struct curl_slist *list);
        CURLM *(*multi_init)(void);
        CURLMcode (*multi_cleanup)(CURLM *multi);
        CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
        CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
        CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
        CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t fd, int events, int *running);
        CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t fd, void *data);
        CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
        const char *(*multi_strerror)(CURLMcode code);
} CurlLibrary;

/* The library, loaded now if it was not yet; borrowed for ever. -ENOENT (not installed) or -EIO, with words. */
int curl_library_get(const CurlLibrary **ret, Error *reterr);

/* Loads from a shared object of that name, without initialising it. For curl_library_get() and tests. */
int curl_library_load(const char *soname, CurlLibrary *ret, Error *reterr);
