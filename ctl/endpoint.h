/*
 * Endpoint: where the API is, out of --endpoint and its companions (FLEET.md B3.1).
 */
#pragma once

#include "ctl/options.h"
#include "lib/base/base.h"
#include "lib/base/error.h"

typedef struct Endpoint {
        char *text;                                 /* as the user wrote it: for messages */
        char *base_url;                             /* without a slash at the end */
        char *unix_socket;                          /* path, or NULL */
        const char *ca_file, *cert_file, *key_file; /* borrowed from the options, or NULL */
} Endpoint;

/*
 * Checks driver, tunnel, endpoint and TLS files of the options. -EINVAL or -ENOTSUP in fleet's words;
 * *ret_warning (owned by the caller) is NULL, or what the user should know.
 */
int endpoint_parse(const Options *options, Endpoint *ret, char **ret_warning, Error *reterr);
void endpoint_done(Endpoint *e);
