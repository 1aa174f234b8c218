/*
 * From our HttpRequest to curl's options. Knows no loop and no callback.
 */
#pragma once

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/http/curl_library.h"
#include "lib/http/http_client.h"

/*
 * Sets everything but callbacks on the easy handle, which copies it. The caller owns *headers, which
 * must outlive the transfer, also after a failure. 0, -EINVAL (bad method, URL or header) or -ENOMEM.
 */
int http_request_apply(const HttpRequest *request, const CurlLibrary *curl, CURL *easy,
                       struct curl_slist **headers, Error *reterr);
