#include "ctl/endpoint.h"

#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

static int check_driver(const Options *o, Error *reterr) {
        if (strcasecmp(o->driver, "etcd") == 0)
                return error_set(
                        reterr, -ENOTSUP,
                        "the driver \"etcd\" is not available: fleetctl speaks to fleetd's API "
                        "only, see --endpoint");
        if (strcasecmp(o->driver, "API") != 0)
                return error_set(reterr, -EINVAL, "unrecognized driver \"%s\"", o->driver);
        if (!str_empty(o->tunnel))
                return error_set(
                        reterr, -ENOTSUP,
                        "--tunnel \"%s\": tunnels are not supported yet; run fleetctl on that "
                        "machine, or use an https endpoint",
                        o->tunnel);
        return 0;
}

static int parse_unix(const char *url, const char *scheme, const char *rest, Endpoint *e,
                      Error *reterr) {
        if (rest[0] != '/') {
                size_t n = strcspn(rest, "/");

                return error_set(reterr, -EINVAL,
                                 "unable to connect to host \"%.*s\" with scheme \"%s\"", (int) n,
                                 rest, scheme);
        }
        if (rest[1] == '\0')
                return error_set(reterr, -EINVAL, "endpoint \"%s\" names no socket", url);
        e->unix_socket = str_dup(rest);
        e->base_url = str_dup("http://domain-sock");
        return e->unix_socket && e->base_url ? 0 : error_fill(reterr, -ENOMEM);
}

/* NULL if the option is not set. -errno with words if the file cannot be read. */
static int tls_file(const char *option, const char *path, const char **ret, Error *reterr) {
        *ret = str_empty(path) ? NULL : path;
        if (*ret && access(path, R_OK) < 0)
                return error_set(reterr, -errno, "--%s %s: %s", option, path, strerror(errno));
        return 0;
}

static int parse_tls(const Options *o, Endpoint *e, Error *reterr) {
        int r;

        r = tls_file("ca-file", o->ca_file, &e->ca_file, reterr);
        if (r == 0)
                r = tls_file("cert-file", o->cert_file, &e->cert_file, reterr);
        if (r == 0)
                r = tls_file("key-file", o->key_file, &e->key_file, reterr);
        if (r < 0)
                return r;
        if (!e->cert_file != !e->key_file)
                return error_set(reterr, -EINVAL,
                                 "--cert-file and --key-file go together: one of them is missing");
        return 0;
}

static int parse_tcp(const char *url, const char *scheme, const char *rest, const Options *o,
                     Endpoint *e, Error *reterr) {
        size_t n = strlen(url);

        if (rest[0] == '\0' || rest[0] == '/')
                return error_set(reterr, -EINVAL, "endpoint \"%s\" names no host", url);
        while (n > 0 && url[n - 1] == '/')
                n--;
        e->base_url = str_ndup(url, n);
        if (!e->base_url)
                return error_fill(reterr, -ENOMEM);
        return str_eq(scheme, "https") ? parse_tls(o, e, reterr) : 0;
}

static int parse_url(const char *url, const Options *o, Endpoint *e, Error *reterr) {
        static const char *const schemes[] = { "unix", "file", "http", "https" };
        const char *separator = strstr(url, "://");

        if (!separator || separator == url)
                return error_set(reterr, -EINVAL, "URL scheme undefined");

        for (size_t i = 0; i < ELEMENTSOF(schemes); i++) {
                const char *rest = str_after_prefix(url, schemes[i]);

                if (rest != separator)
                        continue;
                return i < 2 ? parse_unix(url, schemes[i], separator + 3, e, reterr)
                             : parse_tcp(url, schemes[i], separator + 3, o, e, reterr);
        }
        return error_set(reterr, -EINVAL,
                         "URL scheme undefined: \"%.*s\" is none of unix, file, "
                         "http, https",
                         (int) (separator - url), url);
}

int endpoint_parse(const Options *options, Endpoint *ret, char **ret_warning, Error *reterr) {
        _cleanup_(endpoint_done) Endpoint e = { 0 };
        _cleanup_free_ char *warning = NULL;
        size_t first = strcspn(options->endpoint, ",");
        int r;

        r = check_driver(options, reterr);
        if (r < 0)
                return r;

        e.text = str_ndup(options->endpoint, first);
        if (!e.text)
                return error_fill(reterr, -ENOMEM);
        if (options->endpoint[first]) {
                warning = str_printf("multiple endpoints provided but only the first (%s) is used",
                                     e.text);
                if (!warning)
                        return error_fill(reterr, -ENOMEM);
        }
        r = parse_url(e.text, options, &e, reterr);
        if (r < 0)
                return r;

        *ret_warning = TAKE_PTR(warning);
        *ret = e;
        e = (Endpoint){ 0 };
        return 0;
}

void endpoint_done(Endpoint *e) {
        mem_free(e->text);
        mem_free(e->base_url);
        mem_free(e->unix_socket);
        *e = (Endpoint){ 0 };
}
