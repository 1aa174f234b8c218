/* Ports of `docker run`: -p and --expose, as the CLI's nat package reads them. */
#include <ctype.h>

#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

typedef struct PortSpec {
        char *ip;         /* "" = all */
        char *host;       /* "" = any */
        const char *port; /* what is in the container; points into text */
        size_t port_size;
        char protocol[8];
        unsigned first, last; /* in the container */
        unsigned host_first, host_last;
} PortSpec;

static void port_spec_done(PortSpec *p) {
        p->ip = mem_free(p->ip);
        p->host = mem_free(p->host);
}

/* "80/udp": the protocol behind the slash, in lower case, tcp if there is none. */
static int split_protocol(const char *s, PortSpec *spec, Error *reterr) {
        const char *slash = strchr(s, '/');
        const char *protocol = slash && slash[1] ? slash + 1 : "tcp";
        size_t n = strlen(protocol);

        spec->port = s;
        spec->port_size = slash ? (size_t) (slash - s) : strlen(s);
        if (n >= sizeof(spec->protocol))
                return error_set(reterr, -EINVAL, "invalid protocol '%s'", protocol);
        for (size_t i = 0; i <= n; i++)
                spec->protocol[i] = (char) tolower((unsigned char) protocol[i]);
        if (!str_eq(spec->protocol, "tcp") && !str_eq(spec->protocol, "udp") &&
            !str_eq(spec->protocol, "sctp"))
                return error_set(reterr, -EINVAL, "invalid protocol '%s'", protocol);
        return 0;
}

/* Address without the brackets of IPv6. */
static int split_address(const char *s, size_t size, PortSpec *spec, Error *reterr) {
        bool bracketed = size >= 2 && s[0] == '[' && s[size - 1] == ']';

        spec->ip = bracketed ? str_ndup(s + 1, size - 2) : str_ndup(s, size);
        if (!spec->ip)
                return -ENOMEM;
        if (spec->ip[0] == '\0')
                return 0;
        if (!bracketed && strchr(spec->ip, ':'))
                return error_set(reterr, -EINVAL, "invalid IP address '%s'", spec->ip);
        return docker_value_ip(spec->ip, reterr);
}

/* [[ip:][host]:]container */
static int port_spec_split(const char *s, PortSpec *spec, Error *reterr) {
        const char *last = strrchr(s, ':'), *before = NULL;
        int r;

        if (last)
                for (const char *p = s; p < last; p++)
                        if (*p == ':')
                                before = p;
        r = split_protocol(last ? last + 1 : s, spec, reterr);
        if (r < 0)
                return r;
        r = split_address(s, before ? (size_t) (before - s) : 0, spec, reterr);
        if (r < 0)
                return r;
        spec->host = !last ? str_dup("")
                           : str_ndup(before ? before + 1 : s,
                                      (size_t) (last - (before ? before + 1 : s)));
        return spec->host ? 0 : -ENOMEM;
}

static int port_spec_parse(const char *s, PortSpec *spec, Error *reterr) {
        int r;

        r = port_spec_split(s, spec, reterr);
        if (r < 0)
                return r;
        if (spec->port_size == 0)
                return error_set(reterr, -EINVAL, "no container port in '%s'", s);
        r = docker_value_port_range(spec->port, spec->port_size, &spec->first, &spec->last);
        if (r < 0)
                return error_set(reterr, r, "invalid container port in '%s'", s);
        if (spec->host[0] == '\0')
                return 0;
        r = docker_value_port_range(spec->host, strlen(spec->host), &spec->host_first,
                                    &spec->host_last);
        if (r < 0)
                return error_set(reterr, r, "invalid host port '%s'", spec->host);
        if (spec->last != spec->first &&
            spec->last - spec->first != spec->host_last - spec->host_first)
                return error_set(reterr, -EINVAL, "the port ranges in '%s' differ in length", s);
        return 0;
}

static int expose(json_t *body, const PortSpec *spec, unsigned port, char **ret_key) {
        json_t *exposed = docker_json_object(body, "ExposedPorts");
        char *key = str_printf("%u/%s", port, spec->protocol);
        int r = -ENOMEM;

        if (key && exposed)
                r = docker_json_set(exposed, key, json_object());
        if (r < 0) {
                mem_free(key);
                return r;
        }
        *ret_key = key;
        return 0;
}

static int publish_port(json_t *body, const PortSpec *spec, unsigned offset) {
        json_t *host = docker_json_object(body, "HostConfig");
        json_t *bindings = host ? docker_json_object(host, "PortBindings") : NULL;
        _cleanup_free_ char *key = NULL, *port = NULL;
        int r;

        r = expose(body, spec, spec->first + offset, &key);
        if (r < 0)
                return r;
        if (spec->host[0] == '\0')
                port = str_dup("");
        else if (spec->first == spec->last && spec->host_first != spec->host_last)
                port = str_printf("%u-%u", spec->host_first, spec->host_last);
        else
                port = str_printf("%u", spec->host_first + offset);
        if (!port || !bindings)
                return -ENOMEM;
        return docker_json_append(docker_json_array(bindings, key),
                                  json_pack("{s:s, s:s}", "HostIp", spec->ip, "HostPort", port));
}

/* "target=80,published=8080,protocol=udp" becomes "8080:80/udp"; other keys say nothing here. */
static int long_form(const char *s, char **ret, Error *reterr) {
        _cleanup_(strv_done) Strv fields = STRV_INIT;
        const char *target = "", *published = "", *protocol = "tcp";
        int r;

        r = strv_split(&fields, s, ",");
        if (r < 0)
                return r;
        for (size_t i = 0; i < fields.n; i++) {
                const char *f = fields.items[i], *v;

                if ((v = str_after_prefix(f, "target=")))
                        target = v;
                else if ((v = str_after_prefix(f, "published=")))
                        published = v;
                else if ((v = str_after_prefix(f, "protocol=")))
                        protocol = v;
                else if (!strchr(f, '='))
                        return error_set(reterr, -EINVAL, "'%s' is not KEY=VALUE", f);
                else if (!str_after_prefix(f, "mode="))
                        return error_set(reterr, -EINVAL, "unexpected key in '%s'", f);
        }
        *ret = str_printf("%s:%s/%s", published, target, protocol);
        return *ret ? 0 : -ENOMEM;
}

int docker_value_publish(const char *s, json_t *body, Error *reterr) {
        _cleanup_(port_spec_done) PortSpec spec = { 0 };
        _cleanup_free_ char *converted = NULL;
        int r;

        if (strchr(s, '=')) {
                r = long_form(s, &converted, reterr);
                if (r < 0)
                        return r;
        }
        r = port_spec_parse(converted ? converted : s, &spec, reterr);
        for (unsigned i = 0; r >= 0 && i <= spec.last - spec.first; i++)
                r = publish_port(body, &spec, i);
        return r;
}

int docker_value_expose(const char *s, json_t *body, Error *reterr) {
        PortSpec spec = { 0 };
        int r;

        if (strchr(s, ':'))
                return error_set(reterr, -EINVAL, "'%s' is not PORT[-PORT][/PROTOCOL]", s);
        r = split_protocol(s, &spec, reterr);
        if (r < 0)
                return r;
        r = docker_value_port_range(spec.port, spec.port_size, &spec.first, &spec.last);
        if (r < 0)
                return error_set(reterr, r, "invalid port in '%s'", s);
        for (unsigned i = spec.first; r >= 0 && i <= spec.last; i++) {
                _cleanup_free_ char *key = NULL;

                r = expose(body, &spec, i, &key);
        }
        return r;
}
