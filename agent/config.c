#include "agent/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ini.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"

/* The longest span of seconds we take from a float; no lease is longer either. */
#define CONFIG_SECONDS_MAX (365.0 * 24 * 3600)
#define CONFIG_DURATION_MAX (365 * 24 * 3600 * USEC_PER_SEC)
#define CONFIG_TTL_MIN (100 * USEC_PER_MSEC)

typedef enum ConfigType {
        CONFIG_STRING,
        CONFIG_BOOL,
        CONFIG_UINT,
        CONFIG_SECONDS,
        CONFIG_DURATION,
        CONFIG_LIST,
        CONFIG_METADATA,
        CONFIG_POLICY,
        CONFIG_DRIVER,
        CONFIG_RETIRED, /* accepted, has no meaning any more */
} ConfigType;

typedef struct ConfigKey {
        const char *name;
        ConfigType type;
        size_t offset;
        const char *initial;
        uint64_t min, max; /* CONFIG_UINT, CONFIG_DURATION (µs) */
        const char *idle;  /* why it is accepted, and has no effect; NULL = it has */
} ConfigKey;

#define NO_ETCD "this fleetd does not use etcd"
#define NO_SYSTEMD "this fleetd has no systemd driver"

#define KEY(member, key_type, value)                                                               \
        {                                                                                          \
                .name = #member, .type = (key_type), .offset = offsetof(Config, member),           \
                .initial = (value)                                                                 \
        }
#define KEY_USEC(member, key_type, value)                                                          \
        {                                                                                          \
                .name = #member, .type = (key_type), .offset = offsetof(Config, member##_usec),    \
                .initial = (value)                                                                 \
        }
#define KEY_IDLE(member, key_type, value, why)                                                     \
        {                                                                                          \
                .name = #member, .type = (key_type), .offset = offsetof(Config, member),           \
                .initial = (value), .idle = (why)                                                  \
        }
#define KEY_DURATION(member, value, least)                                                         \
        {                                                                                          \
                .name = #member, .type = CONFIG_DURATION,                                          \
                .offset = offsetof(Config, member##_usec), .initial = (value), .min = (least),     \
                .max = CONFIG_DURATION_MAX                                                         \
        }
#define KEY_UINT(member, value, least, most)                                                       \
        {                                                                                          \
                .name = #member, .type = CONFIG_UINT, .offset = offsetof(Config, member),          \
                .initial = (value), .min = (least), .max = (most)                                  \
        }
#define KEY_RETIRED(key)                                                                           \
        { .name = (key), .type = CONFIG_RETIRED }

static const ConfigKey config_keys[] = {
        KEY_UINT(verbosity, "0", 0, 100),
        KEY_IDLE(etcd_servers, CONFIG_LIST, "http://127.0.0.1:2379,http://127.0.0.1:4001", NO_ETCD),
        KEY_IDLE(etcd_username, CONFIG_STRING, "", NO_ETCD),
        KEY_IDLE(etcd_password, CONFIG_STRING, "", NO_ETCD),
        KEY_IDLE(etcd_keyfile, CONFIG_STRING, "", NO_ETCD),
        KEY_IDLE(etcd_certfile, CONFIG_STRING, "", NO_ETCD),
        KEY_IDLE(etcd_cafile, CONFIG_STRING, "", NO_ETCD),
        KEY(etcd_key_prefix, CONFIG_STRING, "/_coreos.com/fleet/"),
        { .name = "etcd_request_timeout",
          .type = CONFIG_SECONDS,
          .offset = offsetof(Config, etcd_request_timeout_usec),
          .initial = "1.0",
          .idle = NO_ETCD },
        KEY_USEC(engine_reconcile_interval, CONFIG_SECONDS, "2.0"),
        KEY(public_ip, CONFIG_STRING, ""),
        KEY(metadata, CONFIG_METADATA, ""),
        KEY_DURATION(agent_ttl, "30s", CONFIG_TTL_MIN),
        KEY_IDLE(units_directory, CONFIG_STRING, "/run/fleet/units/", NO_SYSTEMD),
        KEY_IDLE(systemd_user, CONFIG_BOOL, "false", NO_SYSTEMD),
        KEY_UINT(token_limit, "100", 1, UINT16_MAX),
        KEY(disable_engine, CONFIG_BOOL, "false"),
        KEY_RETIRED("enable_grpc"),
        KEY_RETIRED("disable_watches"),
        KEY_RETIRED("verify_units"),
        KEY_RETIRED("authorized_keys_file"),
        KEY(listen, CONFIG_LIST, "unix:///run/fleet.sock"),
        KEY(state_directory, CONFIG_STRING, "/var/lib/fleet"),
        KEY(standalone, CONFIG_BOOL, "false"),
        KEY(driver, CONFIG_DRIVER, "auto"),
        KEY(docker_socket, CONFIG_STRING, "unix:///var/run/docker.sock"),
        KEY_UINT(docker_parallelism, "8", 1, 256),
        KEY(shutdown_policy, CONFIG_POLICY, "stop"),
        KEY(machine_id, CONFIG_STRING, ""),
        KEY_DURATION(grace, "0s", 0),
};

/* A value as it was found; what is wrong with it is said only if nothing overrides it. */
typedef struct ConfigValue {
        char *value;
        unsigned line; /* 0 = from the environment or built in */
} ConfigValue;

typedef struct ConfigParser {
        const char *path;
        ConfigValue values[ELEMENTSOF(config_keys)];
        Strv *warnings;
} ConfigParser;

static void config_parser_done(ConfigParser *p) {
        for (size_t i = 0; i < ELEMENTSOF(config_keys); i++)
                p->values[i].value = mem_free(p->values[i].value);
}

int config_parse_bool(const char *s, bool *ret) {
        static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
        static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                if (str_eq(s, yes[i]) || str_eq(s, no[i])) {
                        *ret = str_eq(s, yes[i]);
                        return 0;
                }
        }
        return -EINVAL;
}

/* fleet's lists: JSON arrays of strings and plain commas both work. */
static int parse_list(const char *s, Strv *ret) {
        _cleanup_(strv_done) Strv parts = STRV_INIT, list = STRV_INIT;
        int r;

        r = strv_split(&parts, s, ",");
        for (size_t i = 0; r >= 0 && i < parts.n; i++) {
                char *item = parts.items[i];
                size_t n;

                item += strspn(item, " \t[\"");
                n = strlen(item);
                while (n > 0 && strchr(" \t]\"", item[n - 1]))
                        n--;
                if (n > 0)
                        r = strv_push_n(&list, item, n);
        }
        if (r < 0)
                return r;
        strv_done(ret);
        *ret = list;
        list = STRV_INIT;
        return 0;
}

static int parse_seconds(const char *s, uint64_t *ret_usec) {
        double seconds;
        int r;

        r = str_to_double(s, &seconds);
        if (r < 0)
                return r;
        if (!isfinite(seconds) || seconds <= 0 || seconds > CONFIG_SECONDS_MAX)
                return -ERANGE;
        *ret_usec = (uint64_t) (seconds * (double) USEC_PER_SEC);
        return 0;
}

static int parse_uint(const ConfigKey *key, const char *s, uint64_t *ret) {
        uint64_t number;
        int r;

        r = str_to_u64(s, &number);
        if (r < 0)
                return r;
        if (number < key->min || number > key->max)
                return -ERANGE;
        *ret = number;
        return 0;
}

static int parse_metadata(const char *s, Metadata *ret, Strv *warnings) {
        _cleanup_(strv_done) Strv bad = STRV_INIT;
        Metadata m = { 0 };
        int r;

        r = metadata_parse(s, &m, &bad);
        if (r < 0)
                return r;
        for (size_t i = 0; i < bad.n && r >= 0; i++)
                r = strv_push_printf(warnings, "metadata: '%s' has no '=' and is left out",
                                     bad.items[i]);
        metadata_done(ret);
        *ret = m;
        return r;
}

static int parse_policy(const char *s, ShutdownPolicy *ret) {
        if (!str_eq(s, "stop") && !str_eq(s, "keep"))
                return -EINVAL;
        *ret = str_eq(s, "keep") ? SHUTDOWN_KEEP : SHUTDOWN_STOP;
        return 0;
}

static int parse_duration(const ConfigKey *key, const char *s, uint64_t *ret, Error *reterr) {
        uint64_t usec = 0;
        int r;

        r = str_is_utf8(s, strlen(s)) ? go_duration_parse(s, &usec, reterr)
                                      : error_set(reterr, -EINVAL, "the value is not UTF-8");
        if (r >= 0 && (usec < key->min || usec > key->max))
                r = error_set(reterr, -ERANGE, "'%s' is not between %" PRIu64 "ms and %" PRIu64 "h",
                              s, key->min / USEC_PER_MSEC, key->max / (3600 * USEC_PER_SEC));
        if (r < 0)
                return error_prefix(reterr, "Failed creating Server: %s", key->name), r;
        *ret = usec;
        return 0;
}

/* Whether this build has it is seen when it is asked for; "fake" is for tests. */
static int parse_driver(const char *s, char **ret) {
        static const char *const names[] = {
                "auto", "docker", "systemd", "rkt", "process", "fake"
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_eq(names[i], s))
                        return str_replace(ret, s);
        return -EINVAL;
}

static int config_set(Config *c, const ConfigKey *key, const char *value, Strv *warnings,
                      Error *reterr) {
        void *member = (char *) c + key->offset;

        /* Nothing that we store or show could hold it. */
        if (!str_is_utf8(value, strlen(value)) && key->type != CONFIG_DURATION)
                return -EINVAL;

        switch (key->type) {
        case CONFIG_STRING:
                return str_replace(member, value);
        case CONFIG_BOOL:
                return config_parse_bool(value, member);
        case CONFIG_UINT:
                return parse_uint(key, value, member);
        case CONFIG_SECONDS:
                return parse_seconds(value, member);
        case CONFIG_DURATION:
                return parse_duration(key, value, member, reterr);
        case CONFIG_LIST:
                return parse_list(value, member);
        case CONFIG_METADATA:
                return parse_metadata(value, member, warnings);
        case CONFIG_POLICY:
                return parse_policy(value, member);
        case CONFIG_DRIVER:
                return parse_driver(value, member);
        case CONFIG_RETIRED:
                return strv_push_printf(warnings, "%s is no longer supported and has no effect",
                                        key->name);
        }
        return -EINVAL;
}

static const ConfigKey *find_key(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(config_keys); i++)
                if (str_eq(config_keys[i].name, name))
                        return &config_keys[i];
        return NULL;
}

static int take_value(ConfigParser *p, const ConfigKey *key, const char *value, unsigned line) {
        ConfigValue *v = &p->values[key - config_keys];

        v->line = line;
        return str_replace(&v->value, value);
}

static int on_file_value(const char *section, const char *key, const char *value, unsigned line,
                         void *userdata) {
        ConfigParser *p = userdata;
        const ConfigKey *known = find_key(key);

        if (section[0] != '\0')
                return 0;
        if (!known)
                return strv_push_printf(p->warnings, "%s:%u: unknown key '%s' is ignored", p->path,
                                        line, key);
        return take_value(p, known, value, line);
}

static int on_environment(ConfigParser *p, const char *assignment) {
        const char *rest = str_after_prefix(assignment, "FLEET_");
        const char *equals = rest ? strchr(rest, '=') : NULL;
        _cleanup_free_ char *name = NULL;
        const ConfigKey *key;

        if (!equals)
                return 0;
        name = str_ndup(rest, (size_t) (equals - rest));
        if (!name)
                return -ENOMEM;
        for (char *c = name; *c; c++)
                *c = (char) (isupper((unsigned char) *c) ? tolower((unsigned char) *c)
                             : *c == '_'                 ? '_'
                                                         : '?');
        key = find_key(name);
        return key ? take_value(p, key, equals + 1, 0) : 0;
}

static int warn_value(ConfigParser *p, const ConfigKey *key, const ConfigValue *v) {
        if (v->line > 0)
                return strv_push_printf(p->warnings,
                                        "%s:%u: '%s' is no value for %s, keeping the default '%s'",
                                        p->path, v->line, v->value, key->name, key->initial);
        return strv_push_printf(
                p->warnings, "FLEET environment: '%s' is no value for %s, keeping the default '%s'",
                v->value, key->name, key->initial);
}

/* A value that is given. */
static int apply_value(ConfigParser *p, Config *c, const ConfigKey *key, const ConfigValue *v,
                       Error *reterr) {
        int r;

        r = config_set(c, key, v->value, p->warnings, reterr);
        if (r == -ENOMEM || (r < 0 && key->type == CONFIG_DURATION))
                return r;
        if (r < 0)
                return warn_value(p, key, v);
        if (key->idle && !str_eq(v->value, key->initial))
                return strv_push_printf(p->warnings, "%s has no effect: %s", key->name, key->idle);
        return 0;
}

static int apply_values(ConfigParser *p, Config *c, Error *reterr) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(config_keys); i++) {
                const ConfigKey *key = &config_keys[i];
                const ConfigValue *v = &p->values[i];

                if (key->type != CONFIG_RETIRED) {
                        r = config_set(c, key, key->initial, p->warnings, reterr);
                        if (r < 0)
                                return r;
                }
                if (!v->value)
                        continue;
                r = apply_value(p, c, key, v, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_file(ConfigParser *p, const char *text, size_t size, Error *reterr) {
        _cleanup_error_ Error error = ERROR_INIT;
        int r;

        r = ini_parse(p->path, text, size, on_file_value, p, &error);
        if (r < 0)
                return error_set_at(reterr, r, p->path, error.line, 0,
                                    "Unable to use config file %s: line %u: %s", p->path,
                                    error.line, error_text(&error));
        return 0;
}

int config_parse(const char *path, const char *text, size_t size, const char *const *environment,
                 Config **ret, Strv *warnings, Error *reterr) {
        _cleanup_(config_parser_done) ConfigParser p = { .path = path, .warnings = warnings };
        _cleanup_(config_freep) Config *c = mem_new(Config);
        int r = 0;

        if (!c)
                return error_fill(reterr, -ENOMEM);
        if (text)
                r = parse_file(&p, text, size, reterr);
        for (size_t i = 0; r >= 0 && environment && environment[i]; i++)
                r = on_environment(&p, environment[i]);
        if (r >= 0)
                r = apply_values(&p, c, reterr);
        if (r < 0)
                return error_fill(reterr, r);

        *ret = TAKE_PTR(c);
        return 0;
}

int config_load(const char *path, Config **ret, Strv *warnings, Error *reterr) {
        const char *file = path ? path : CONFIG_DEFAULT_PATH;
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t size = 0;
        int r = 0;

        if (stat(file, &st) < 0)
                r = -errno;
        else if (S_ISDIR(st.st_mode))
                return error_set(reterr, -EISDIR, "Provided config %s is a directory, not a file",
                                 file);
        if (r == 0)
                r = fs_read_file(file, INI_SIZE_MAX, &text, &size);
        if (r == -ENOENT && !path)
                r = 0;
        if (r < 0)
                return error_set(reterr, r, "Unable to use config file %s: %s", file, strerror(-r));

        return config_parse(file, text, size, (const char *const *) environ, ret, warnings, reterr);
}

Config *config_free(Config *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(config_keys); i++)
                if (config_keys[i].type == CONFIG_STRING || config_keys[i].type == CONFIG_DRIVER)
                        mem_freep((char *) c + config_keys[i].offset);
        strv_done(&c->etcd_servers);
        strv_done(&c->listen);
        metadata_done(&c->metadata);
        return mem_free(c);
}
