#include "ctl/options.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define FIELD(member) offsetof(Options, member)
#define OPTION_NAME_MAX 64

static const OptionSpec globals[] = {
        { "driver", 0, OPTION_STRING, FIELD(driver), "API", "NAME",
          "how to reach the cluster: API (etcd is no longer possible)" },
        { "endpoint", 0, OPTION_STRING, FIELD(endpoint), "unix:///var/run/fleet.sock", "URL",
          "where fleetd's API is: unix:///PATH, http://HOST:PORT or https://HOST:PORT" },
        { "etcd-key-prefix", 0, OPTION_STRING, FIELD(etcd_key_prefix), "/_coreos.com/fleet/",
          "PREFIX", "keyspace for the etcd driver, which is no longer possible" },
        { "key-file", 0, OPTION_STRING, FIELD(key_file), "", "FILE",
          "private key for an https endpoint" },
        { "cert-file", 0, OPTION_STRING, FIELD(cert_file), "", "FILE",
          "certificate for an https endpoint" },
        { "ca-file", 0, OPTION_STRING, FIELD(ca_file), "", "FILE",
          "who may have signed the server's certificate (default: the system's)" },
        { "known-hosts-file", 0, OPTION_STRING, FIELD(known_hosts_file), "~/.fleetctl/known_hosts",
          "FILE", "for --tunnel: where known SSH host keys are kept" },
        { "strict-host-key-checking", 0, OPTION_BOOL, FIELD(strict_host_key_checking), "true", NULL,
          "for --tunnel: refuse unknown SSH host keys" },
        { "ssh-timeout", 0, OPTION_SECONDS, FIELD(ssh_timeout), "10.0", "SECONDS",
          "for --tunnel: how long an SSH connection may take to be made" },
        { "ssh-username", 0, OPTION_STRING, FIELD(ssh_username), "core", "USER",
          "for --tunnel: user name for SSH connections" },
        { "tunnel", 0, OPTION_STRING, FIELD(tunnel), "", "HOST[:PORT]",
          "reach the endpoint through SSH on this host (not available yet)" },
        { "request-timeout", 0, OPTION_SECONDS, FIELD(request_timeout), "3.0", "SECONDS",
          "how long one request may take (if given; else 60 s)" },
        { "debug", 0, OPTION_BOOL, FIELD(debug), "false", NULL,
          "say on stderr what is asked of fleetd" },
        { "version", 0, OPTION_BOOL, FIELD(version), "false", NULL,
          "print the version (as first argument)" },
        { "help", 'h', OPTION_BOOL, FIELD(help), "false", NULL,
          "print this help, or that of a command" },
        { "experimental-api", 0, OPTION_BOOL, FIELD(experimental_api), "true", NULL, NULL },
        { "etcd-keyfile", 0, OPTION_STRING, FIELD(etcd_keyfile), "", "FILE", NULL },
        { "etcd-certfile", 0, OPTION_STRING, FIELD(etcd_certfile), "", "FILE", NULL },
        { "etcd-cafile", 0, OPTION_STRING, FIELD(etcd_cafile), "", "FILE", NULL },
        { 0 },
};

const OptionSpec *options_global(void) {
        return globals;
}

const OptionSpec *option_find(const OptionSpec *table, const char *name, size_t size) {
        for (const OptionSpec *s = table; s->name; s++) {
                if (strlen(s->name) == size && memcmp(s->name, name, size) == 0)
                        return s;
                if (size == 1 && s->letter && s->letter == name[0])
                        return s;
        }
        return NULL;
}

static const OptionSpec *find_in_tables(const OptionSpec *const *tables, const char *name,
                                        size_t size) {
        for (; *tables; tables++) {
                const OptionSpec *s = option_find(*tables, name, size);

                if (s)
                        return s;
        }
        return NULL;
}

static int unknown_flag(const char *argument, const char *name, size_t size, Error *reterr) {
        if (argument[1] != '-' && size == 1)
                return error_set(reterr, -EINVAL, "unknown shorthand flag: '%c' in -%c", name[0],
                                 name[0]);
        return error_set(reterr, -EINVAL, "unknown flag: %.*s%.*s", argument[1] == '-' ? 2 : 1,
                         "--", (int) MIN(size, (size_t) OPTION_NAME_MAX), name);
}

/* Reads the flag in args[*i] and moves *i to the last argument that belongs to it. */
static int split_flag(const OptionSpec *const *tables, char *const *args, size_t n_args, size_t *i,
                      OptionsParsed *p, Error *reterr) {
        const char *name = args[*i] + (args[*i][1] == '-' ? 2 : 1), *equals = strchr(name, '=');
        size_t size = equals ? (size_t) (equals - name) : strlen(name);
        const OptionSpec *spec = size ? find_in_tables(tables, name, size) : NULL;
        const char *value;
        int r;

        if (!spec)
                return unknown_flag(args[*i], name, size, reterr);
        if (equals)
                value = equals + 1;
        else if (spec->type == OPTION_BOOL)
                value = "true";
        else if (*i + 1 < n_args)
                value = args[++*i];
        else
                return error_set(reterr, -EINVAL, "flag needs an argument: --%s", spec->name);

        r = mem_grow(&p->given, &p->capacity, p->n_given + 1, sizeof(*p->given));
        if (r < 0)
                return error_fill(reterr, r);
        p->given[p->n_given++] = (OptionGiven){ .spec = spec, .value = value };
        return 0;
}

int options_split(const OptionSpec *const *tables, char *const *args, size_t n_args,
                  OptionsParsed *ret, Error *reterr) {
        _cleanup_(options_parsed_done) OptionsParsed p = { 0 };
        bool only_arguments = false;
        int r;

        if (n_args > OPTION_ARGUMENTS_MAX)
                return error_set(reterr, -E2BIG, "more than %d arguments", OPTION_ARGUMENTS_MAX);

        for (size_t i = 0; i < n_args; i++) {
                if (only_arguments || args[i][0] != '-' || args[i][1] == '\0')
                        r = strv_push(&p.positional, args[i]);
                else if (str_eq(args[i], "--")) {
                        only_arguments = true;
                        r = 0;
                } else
                        r = split_flag(tables, args, n_args, &i, &p, reterr);
                if (r < 0)
                        return error_fill(reterr, r);
        }
        *ret = p;
        p = (OptionsParsed){ 0 };
        return 0;
}

void options_parsed_done(OptionsParsed *p) {
        mem_free(p->given);
        strv_done(&p->positional);
        *p = (OptionsParsed){ 0 };
}

static int bad_value(const OptionSpec *spec, const char *value, const char *wanted, Error *reterr) {
        return error_set(reterr, -EINVAL, "invalid argument \"%s\" for --%s: %s", value, spec->name,
                         wanted);
}

int option_set(Options *o, const OptionSpec *spec, const char *value, Error *reterr) {
        void *field = (char *) o + spec->offset;

        switch (spec->type) {
        case OPTION_BOOL:
                if (str_to_bool(value, field) < 0)
                        return bad_value(spec, value, "expected true or false", reterr);
                return 0;
        case OPTION_STRING:
                *(const char **) field = value;
                return 0;
        case OPTION_NUMBER:
                if (str_to_u64(value, field) < 0)
                        return bad_value(spec, value, "expected a whole number", reterr);
                return 0;
        case OPTION_SECONDS: {
                double seconds;

                if (str_to_double(value, &seconds) < 0 || !isfinite(seconds) || seconds < 0)
                        return bad_value(spec, value, "expected seconds", reterr);
                *(double *) field = seconds;
                if (spec->offset == FIELD(request_timeout))
                        o->request_timeout_given = true;
                return 0;
        }
        }
        assert(false);
        return -EINVAL;
}

void options_set_defaults(Options *o, const OptionSpec *table) {
        bool given = o->request_timeout_given;

        for (const OptionSpec *s = table; s->name; s++) {
                int r = option_set(o, s, s->fallback, NULL);

                assert(r == 0); /* our own table */
                (void) r;
        }
        o->request_timeout_given = given;
}

int options_set_environment(Options *o, Error *reterr) {
        for (const OptionSpec *s = globals; s->name; s++) {
                char name[OPTION_NAME_MAX] = "FLEETCTL_";
                size_t n = strlen(name);
                const char *value;
                int r;

                for (const char *c = s->name; *c && n < sizeof(name) - 1; c++)
                        name[n++] = *c == '-' ? '_' : (char) toupper((unsigned char) *c);
                name[n] = '\0';
                value = getenv(name);
                if (str_empty(value) || str_eq(s->name, "help") || str_eq(s->name, "version"))
                        continue;

                r = option_set(o, s, value, reterr);
                if (r < 0) {
                        error_prefix(reterr, "%s", name);
                        return r;
                }
        }
        return 0;
}
