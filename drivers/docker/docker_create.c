#include "drivers/docker/docker_create.h"

#include <ctype.h>
#include <strings.h>

#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "specs/command_line.h"

int docker_create_begin(DockerParse *p) {
        p->command->body = json_pack("{s:{s:i, s:s, s:{s:s}}}", "HostConfig", "MemorySwappiness",
                                     -1, "NetworkMode", "default", "RestartPolicy", "Name", "no");
        if (!p->command->body)
                return -ENOMEM;
        p->host_config = json_object_get(p->command->body, "HostConfig");
        return 0;
}

/* Calls fn on each collected word; what fails is named by its flag. */
static int each(DockerParse *p, DockerWords words, const char *flag,
                int (*fn)(DockerParse *p, const char *s, Error *reterr), Error *reterr) {
        for (size_t i = 0; i < p->words[words].n; i++) {
                int r = fn(p, p->words[words].items[i], reterr);

                if (r < 0 && r != -ENOMEM)
                        (void) error_prefix(reterr, "flag '--%s' of 'docker %s'", flag,
                                            docker_verb_to_string(p->command->verb));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Reads a file the command names, and calls fn for each line that is not empty and no comment. */
static int each_line(DockerParse *p, const char *path,
                     int (*fn)(DockerParse *p, const char *line, Error *reterr), Error *reterr) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (p->options->mode != DOCKER_PARSE_FULL || !p->options->read_file)
                return 0;
        r = p->options->read_file(path, DOCKER_FILE_MAX_BYTES, &text, NULL);
        if (r < 0)
                return error_set(reterr, r, "cannot read '%s': %s", path, strerror(-r));
        for (char *line = text, *next; line && *line; line = next) {
                size_t n = strcspn(line, "\n");

                next = line[n] ? line + n + 1 : NULL;
                line[n] = '\0';
                if (n > 0 && line[n - 1] == '\r')
                        line[n - 1] = '\0';
                line += strspn(line, " \t\v\f\r");
                if (*line == '\0' || *line == '#')
                        continue;
                r = fn(p, line, reterr);
                if (r < 0) {
                        (void) error_prefix(reterr, "%s", path);
                        return r;
                }
        }
        return 0;
}

/* ---- environment and labels -------------------------------------------------------------------- */

/* NAME alone takes the value that the unit's environment has. */
static int push_environment(DockerParse *p, const char *s, bool keep_unset) {
        json_t *list = docker_json_array(p->command->body, "Env");
        const char *value = NULL;
        _cleanup_free_ char *text = NULL;

        if (strchr(s, '='))
                return docker_json_append(list, json_string(s));
        if (p->options->environment)
                value = environment_get(p->options->environment, s);
        if (!value)
                return keep_unset ? docker_json_append(list, json_string(s)) : 0;
        text = str_printf("%s=%s", s, value);
        return text ? docker_json_append(list, json_string(text)) : -ENOMEM;
}

static int check_key(const char *s, Error *reterr) {
        size_t n = strcspn(s, "=");

        if (n == 0)
                return error_set(reterr, -EINVAL, "no name in '%s'", s);
        for (size_t i = 0; i < n; i++)
                if (isspace((unsigned char) s[i]))
                        return error_set(reterr, -EINVAL, "white space in the name '%.*s'", (int) n,
                                         s);
        return 0;
}

static int env_line(DockerParse *p, const char *line, Error *reterr) {
        int r;

        r = check_key(line, reterr);
        return r < 0 ? r : push_environment(p, line, false);
}

static int env_file(DockerParse *p, const char *path, Error *reterr) {
        return each_line(p, path, env_line, reterr);
}

/* Of several -e for one name the last counts, at the place of the first. */
static int add_env(DockerParse *p, Error *reterr) {
        const Strv *words = &p->words[DOCKER_WORDS_ENV];
        int r;

        for (size_t i = 0; i < words->n; i++) {
                const char *s = words->items[i];
                size_t n = strcspn(s, "=");
                bool repeated = false;

                if (n == 0)
                        return error_set(reterr, -EINVAL,
                                         "flag '--env' of 'docker %s': no name in '%s'",
                                         docker_verb_to_string(p->command->verb), s);
                for (size_t j = 0; j < i && !repeated; j++)
                        repeated = strcspn(words->items[j], "=") == n &&
                                   strncmp(words->items[j], s, n) == 0;
                if (repeated)
                        continue;
                for (size_t j = i + 1; j < words->n; j++)
                        if (strcspn(words->items[j], "=") == n &&
                            strncmp(words->items[j], s, n) == 0)
                                s = words->items[j];
                r = push_environment(p, s, true);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int set_label(DockerParse *p, const char *s) {
        json_t *labels = docker_json_object(p->command->body, "Labels");
        const char *equals = strchr(s, '=');
        _cleanup_free_ char *key = equals ? str_ndup(s, (size_t) (equals - s)) : str_dup(s);

        if (!labels || !key)
                return -ENOMEM;
        return docker_json_set(labels, key, json_string(equals ? equals + 1 : ""));
}

static int label_line(DockerParse *p, const char *line, Error *reterr) {
        int r;

        r = check_key(line, reterr);
        return r < 0 || !strchr(line, '=') ? r : set_label(p, line);
}

static int label_file(DockerParse *p, const char *path, Error *reterr) {
        return each_line(p, path, label_line, reterr);
}

static int label(DockerParse *p, const char *s, Error *reterr) {
        int r;

        r = check_key(s, reterr);
        return r < 0 ? r : set_label(p, s);
}

/* ---- ports, volumes, devices -------------------------------------------------------------------- */

static int publish(DockerParse *p, const char *s, Error *reterr) {
        return docker_value_publish(s, p->command->body, reterr);
}

static int expose(DockerParse *p, const char *s, Error *reterr) {
        return docker_value_expose(s, p->command->body, reterr);
}

static int volume(DockerParse *p, const char *s, Error *reterr) {
        size_t colons = 0;
        json_t *volumes;

        for (const char *c = s; *c; c++)
                colons += *c == ':';
        if (colons > 2 || s[0] == '\0' || s[0] == ':')
                return error_set(reterr, -EINVAL, "'%s' is not [SOURCE:]TARGET[:OPTIONS]", s);
        if (s[0] == '.')
                return error_set(reterr, -EINVAL, "'%s': a unit has no directory to start from", s);
        if (colons > 0)
                return docker_json_append(docker_json_array(p->host_config, "Binds"),
                                          json_string(s));
        volumes = docker_json_object(p->command->body, "Volumes");
        return volumes ? docker_json_set(volumes, s, json_object()) : -ENOMEM;
}

static int tmpfs(DockerParse *p, const char *s, _unused_ Error *reterr) {
        json_t *object = docker_json_object(p->host_config, "Tmpfs");
        const char *colon = strchr(s, ':');
        _cleanup_free_ char *path = colon ? str_ndup(s, (size_t) (colon - s)) : str_dup(s);

        if (!object || !path)
                return -ENOMEM;
        return docker_json_set(object, path, json_string(colon ? colon + 1 : ""));
}

static int mount(DockerParse *p, const char *s, Error *reterr) {
        json_t *j;
        int r;

        r = docker_value_mount(s, &j, reterr);
        return r < 0 ? r : docker_json_append(docker_json_array(p->host_config, "Mounts"), j);
}

static int device(DockerParse *p, const char *s, Error *reterr) {
        json_t *j;
        int r;

        r = docker_value_device(s, &j, reterr);
        return r < 0 ? r : docker_json_append(docker_json_array(p->host_config, "Devices"), j);
}

/* ---- networks ----------------------------------------------------------------------------------- */

typedef struct Network {
        const char *mode;
        json_t *endpoint; /* owned */
} Network;

static int endpoint_add(Network *n, const char *list, const char *value) {
        return docker_json_append(docker_json_array(n->endpoint, list), json_string(value));
}

static int endpoint_address(Network *n, const char *key, const char *value, Error *reterr) {
        json_t *ipam = docker_json_object(n->endpoint, "IPAMConfig");
        int r;

        r = docker_value_ip(value, reterr);
        if (r < 0)
                return r;
        if (!ipam)
                return -ENOMEM;
        if (str_eq(key, "LinkLocalIPs"))
                return docker_json_append(docker_json_array(ipam, key), json_string(value));
        return docker_json_set(ipam, key, json_string(value));
}

/* One field of "name=net,alias=a,ip=1.2.3.4,driver-opt=k=v". */
static int network_field(Network *n, const char *field, Error *reterr) {
        const char *v, *equals;
        _cleanup_free_ char *key = NULL;
        json_t *options;

        if ((v = str_after_prefix(field, "name="))) {
                n->mode = v;
                return 0;
        }
        if ((v = str_after_prefix(field, "alias=")))
                return endpoint_add(n, "Aliases", v);
        if ((v = str_after_prefix(field, "ip=")))
                return endpoint_address(n, "IPv4Address", v, reterr);
        if ((v = str_after_prefix(field, "ip6=")))
                return endpoint_address(n, "IPv6Address", v, reterr);
        if ((v = str_after_prefix(field, "link-local-ip=")))
                return endpoint_address(n, "LinkLocalIPs", v, reterr);
        v = str_after_prefix(field, "driver-opt=");
        equals = v ? strchr(v, '=') : NULL;
        if (!equals)
                return error_set(reterr, -EINVAL, "unexpected field '%s'", field);
        key = str_ndup(v, (size_t) (equals - v));
        options = docker_json_object(n->endpoint, "DriverOpts");
        if (!key || !options)
                return -ENOMEM;
        return docker_json_set(options, key, json_string(equals + 1));
}

static int network_parse(DockerParse *p, Network *n, Strv *fields, Error *reterr) {
        const Strv *words = &p->words[DOCKER_WORDS_NETWORK];
        int r = 0;

        n->mode = "default";
        if (words->n > 1)
                return error_set(reterr, -EINVAL, "more than one --network is not supported");
        if (words->n == 0)
                return 0;
        n->mode = words->items[0];
        if (!strchr(n->mode, '='))
                return 0;
        r = docker_value_csv(words->items[0], fields, reterr);
        for (size_t i = 0; r >= 0 && i < fields->n; i++)
                r = network_field(n, fields->items[i], reterr);
        if (r >= 0 && str_eq(n->mode, words->items[0]))
                r = error_set(reterr, -EINVAL, "no name= in '%s'", words->items[0]);
        return r;
}

static int network_flags(DockerParse *p, Network *n, Error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < p->words[DOCKER_WORDS_ALIAS].n; i++)
                r = endpoint_add(n, "Aliases", p->words[DOCKER_WORDS_ALIAS].items[i]);
        for (size_t i = 0; r >= 0 && i < p->words[DOCKER_WORDS_LINK_LOCAL].n; i++)
                r = endpoint_address(n, "LinkLocalIPs", p->words[DOCKER_WORDS_LINK_LOCAL].items[i],
                                     reterr);
        if (r >= 0 && p->ip)
                r = endpoint_address(n, "IPv4Address", p->ip, reterr);
        if (r >= 0 && p->ip6)
                r = endpoint_address(n, "IPv6Address", p->ip6, reterr);
        return r;
}

static bool is_user_defined(const char *mode) {
        return !str_eq(mode, "default") && !str_eq(mode, "bridge") && !str_eq(mode, "host") &&
               !str_eq(mode, "none") && !str_after_prefix(mode, "container:");
}

static int link(DockerParse *p, const char *s, Error *reterr) {
        const char *colon = strchr(s, ':');

        if (s[0] == '\0' || (colon && strchr(colon + 1, ':')))
                return error_set(reterr, -EINVAL, "'%s' is not CONTAINER[:ALIAS]", s);
        return docker_json_append(docker_json_array(p->host_config, "Links"), json_string(s));
}

static int network_build(DockerParse *p, Network *n, Strv *fields, Error *reterr) {
        const json_t *links = json_object_get(p->host_config, "Links");
        int r;

        n->endpoint = json_object();
        if (!n->endpoint)
                return -ENOMEM;
        r = network_parse(p, n, fields, reterr);
        if (r < 0)
                return r;
        r = network_flags(p, n, reterr);
        if (r < 0)
                return r;
        if (json_object_size(n->endpoint) > 0 && !is_user_defined(n->mode))
                return error_set(reterr, -EINVAL,
                                 "aliases and addresses need a network of their own, not '%s'",
                                 n->mode);
        if (links && is_user_defined(n->mode))
                r = docker_json_set(n->endpoint, "Links", json_deep_copy(links));
        if (r >= 0)
                r = docker_json_set(p->host_config, "NetworkMode", json_string(n->mode));
        if (r >= 0 && json_object_size(n->endpoint) > 0)
                r = docker_json_set(p->command->body, "NetworkingConfig",
                                    json_pack("{s:{s:O}}", "EndpointsConfig", n->mode,
                                              n->endpoint));
        return r;
}

static int add_network(DockerParse *p, Error *reterr) {
        _cleanup_(strv_done) Strv fields = STRV_INIT;
        Network n = { 0 };
        int r;

        r = network_build(p, &n, &fields, reterr);
        json_decref(n.endpoint);
        if (r < 0 && r != -ENOMEM)
                (void) error_prefix(reterr, "flag '--network' of 'docker %s'",
                                    docker_verb_to_string(p->command->verb));
        return r;
}

/* ---- security, logs, health, streams ------------------------------------------------------------ */

static int seccomp(DockerParse *p, const char *path, json_t *list, Error *reterr) {
        _cleanup_free_ char *text = NULL, *compact = NULL, *option = NULL;
        _cleanup_json_ json_t *profile = NULL;
        size_t size;
        int r;

        if (p->options->mode != DOCKER_PARSE_FULL || !p->options->read_file)
                return 0;
        r = p->options->read_file(path, DOCKER_FILE_MAX_BYTES, &text, &size);
        if (r < 0)
                return error_set(reterr, r, "cannot read seccomp profile '%s': %s", path,
                                 strerror(-r));
        r = json_parse(text, size, &profile, reterr);
        if (r < 0)
                return error_prefix(reterr, "seccomp profile '%s'", path);
        compact = json_dumps(profile, JSON_COMPACT);
        option = compact ? str_printf("seccomp=%s", compact) : NULL;
        return option ? docker_json_append(list, json_string(option)) : -ENOMEM;
}

static int security(DockerParse *p, const char *s, Error *reterr) {
        json_t *list = docker_json_array(p->host_config, "SecurityOpt");
        const char *file = str_after_prefix(s, "seccomp=");

        if (str_eq(s, "systempaths=unconfined")) {
                if (json_array_size(list) == 0)
                        (void) json_object_del(p->host_config, "SecurityOpt");
                if (docker_json_set(p->host_config, "MaskedPaths", json_array()) < 0)
                        return -ENOMEM;
                return docker_json_set(p->host_config, "ReadonlyPaths", json_array());
        }
        if (!str_eq(s, "no-new-privileges") && !strpbrk(s, "=:"))
                return error_set(reterr, -EINVAL, "invalid security option '%s'", s);
        if (!file)
                file = str_after_prefix(s, "seccomp:");
        if (!file || str_eq(file, "unconfined") || str_eq(file, "builtin"))
                return docker_json_append(list, json_string(s));
        return seccomp(p, file, list, reterr);
}

static int add_log_config(DockerParse *p, Error *reterr) {
        const Strv *options = &p->words[DOCKER_WORDS_LOG_OPT];
        json_t *config, *map;

        if (!p->log_driver && options->n == 0)
                return 0;
        if (str_eq(p->log_driver, "none") && options->n > 0)
                return error_set(reterr, -EINVAL, "--log-opt does not go with --log-driver=none");
        config = docker_json_object(p->host_config, "LogConfig");
        if (!config ||
            (p->log_driver && docker_json_set(config, "Type", json_string(p->log_driver)) < 0))
                return -ENOMEM;
        for (size_t i = 0; i < options->n; i++) {
                const char *s = options->items[i], *equals = strchr(s, '=');
                _cleanup_free_ char *key = equals ? str_ndup(s, (size_t) (equals - s)) : str_dup(s);

                map = docker_json_object(config, "Config");
                if (!key || !map ||
                    docker_json_set(map, key, json_string(equals ? equals + 1 : "")) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int put_positive(json_t *object, const char *key, int64_t value) {
        return value > 0 ? docker_json_set(object, key, json_integer(value)) : 0;
}

static int add_health(DockerParse *p, Error *reterr) {
        const DockerHealth *h = &p->health;
        json_t *j;
        int r = 0;

        if (h->none && h->set)
                return error_set(reterr, -EINVAL,
                                 "--no-healthcheck does not go with --health-* flags");
        if (h->none)
                return docker_json_set(p->command->body, "Healthcheck",
                                       json_pack("{s:[s]}", "Test", "NONE"));
        if (!h->set)
                return 0;
        j = docker_json_object(p->command->body, "Healthcheck");
        if (!j)
                return -ENOMEM;
        if (!str_empty(h->command))
                r = docker_json_set(j, "Test", json_pack("[ss]", "CMD-SHELL", h->command));
        if (r < 0 || (r = put_positive(j, "Interval", h->interval_ns)) < 0 ||
            (r = put_positive(j, "Timeout", h->timeout_ns)) < 0 ||
            (r = put_positive(j, "StartPeriod", h->start_period_ns)) < 0)
                return r;
        return put_positive(j, "Retries", h->retries);
}

static int put_true(json_t *object, const char *key, bool value) {
        return value ? docker_json_set(object, key, json_true()) : 0;
}

/* Which streams the CLI would attach. We read the output from the logs; the document is the CLI's. */
static int add_streams(DockerParse *p, Error *reterr) {
        const Strv *attach = &p->words[DOCKER_WORDS_ATTACH];
        bool in = p->interactive, out = attach->n == 0, err = attach->n == 0;
        bool detach = p->command->detach;
        json_t *body = p->command->body;
        int r;

        for (size_t i = 0; i < attach->n; i++) {
                const char *s = attach->items[i];

                if (strcasecmp(s, "stdin") == 0)
                        in = true;
                else if (strcasecmp(s, "stdout") == 0)
                        out = true;
                else if (strcasecmp(s, "stderr") == 0)
                        err = true;
                else
                        return error_set(reterr, -EINVAL,
                                         "flag '--attach' of 'docker %s': '%s' is no stream",
                                         docker_verb_to_string(p->command->verb), s);
        }
        if (detach && attach->n > 0)
                return error_set(reterr, -EINVAL, "--attach does not go with --detach");
        r = put_true(body, "AttachStdin", in && !detach);
        if (r < 0 || (r = put_true(body, "AttachStdout", out && !detach)) < 0 ||
            (r = put_true(body, "AttachStderr", err && !detach)) < 0 ||
            (r = put_true(body, "OpenStdin", p->interactive)) < 0)
                return r;
        return put_true(body, "StdinOnce", p->interactive && !detach);
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static int add_args(DockerParse *p, char *const *args, size_t n_args) {
        int r;

        r = docker_json_set(p->command->body, "Image", json_string(p->command->image));
        for (size_t i = 0; r >= 0 && i < n_args; i++)
                r = docker_json_append(docker_json_array(p->command->body, "Cmd"),
                                       json_string(args[i]));
        if (r >= 0 && p->command->cidfile)
                r = docker_json_set(p->host_config, "ContainerIDFile",
                                    json_string(p->command->cidfile));
        return r;
}

int docker_create_build(DockerParse *p, char *const *args, size_t n_args, Error *reterr) {
        static const struct {
                DockerWords words;
                const char *flag;
                int (*fn)(DockerParse *p, const char *s, Error *reterr);
        } steps[] = {
                { DOCKER_WORDS_ENV_FILE, "env-file", env_file },
                { DOCKER_WORDS_LABEL_FILE, "label-file", label_file },
                { DOCKER_WORDS_LABEL, "label", label },
                { DOCKER_WORDS_PUBLISH, "publish", publish },
                { DOCKER_WORDS_EXPOSE, "expose", expose },
                { DOCKER_WORDS_VOLUME, "volume", volume },
                { DOCKER_WORDS_TMPFS, "tmpfs", tmpfs },
                { DOCKER_WORDS_MOUNT, "mount", mount },
                { DOCKER_WORDS_DEVICE, "device", device },
                { DOCKER_WORDS_LINK, "link", link },
                { DOCKER_WORDS_SECURITY, "security-opt", security },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                r = each(p, steps[i].words, steps[i].flag, steps[i].fn, reterr);
                if (r < 0)
                        return r;
        }
        if ((r = add_env(p, reterr)) < 0 || (r = add_network(p, reterr)) < 0 ||
            (r = add_log_config(p, reterr)) < 0 || (r = add_health(p, reterr)) < 0 ||
            (r = add_streams(p, reterr)) < 0)
                return r;
        return add_args(p, args, n_args);
}
