#include "drivers/docker/docker_values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

int docker_json_set(json_t *object, const char *key, json_t *value) {
        if (!value)
                return -ENOMEM;
        return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

int docker_json_append(json_t *array, json_t *value) {
        if (!array) {
                json_decref(value);
                return -ENOMEM;
        }
        if (!value)
                return -ENOMEM;
        return json_array_append_new(array, value) < 0 ? -ENOMEM : 0;
}

static json_t *member(json_t *object, const char *key, json_t *(*make)(void) ) {
        json_t *j = json_object_get(object, key);

        if (j)
                return j;
        if (docker_json_set(object, key, make()) < 0)
                return NULL;
        return json_object_get(object, key);
}

json_t *docker_json_array(json_t *object, const char *key) {
        return member(object, key, json_array);
}

json_t *docker_json_object(json_t *object, const char *key) {
        return member(object, key, json_object);
}

int docker_value_bool(const char *s, bool *ret, Error *reterr) {
        static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
        static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++)
                if (str_eq(s, yes[i])) {
                        *ret = true;
                        return 0;
                }
        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                if (str_eq(s, no[i])) {
                        *ret = false;
                        return 0;
                }
        return error_set(reterr, -EINVAL, "'%s' is neither true nor false", s);
}

int docker_value_int(const char *s, int64_t min, int64_t max, int64_t *ret, Error *reterr) {
        char *end = NULL;
        long long v;

        if (s[0] == '\0' || isspace((unsigned char) s[0]))
                return error_set(reterr, -EINVAL, "'%s' is not a number", s);
        errno = 0;
        v = strtoll(s, &end, 0);
        if (*end != '\0' || end == s)
                return error_set(reterr, -EINVAL, "'%s' is not a number", s);
        if (errno == ERANGE || v < min || v > max)
                return error_set(reterr, -EINVAL, "'%s' is out of range", s);
        *ret = v;
        return 0;
}

static unsigned unit_shift(char c) {
        switch (tolower((unsigned char) c)) {
        case 'k':
                return 10;
        case 'm':
                return 20;
        case 'g':
                return 30;
        case 't':
                return 40;
        case 'p':
                return 50;
        default:
                return 0;
        }
}

/* go-units' RAMInBytes: number, one blank at most, unit, "i", "b". */
int docker_value_bytes(const char *s, int64_t *ret, Error *reterr) {
        size_t digits = strspn(s, "0123456789.");
        _cleanup_free_ char *number = NULL;
        const char *p = s + digits;
        unsigned shift;
        double v;

        number = str_ndup(s, digits);
        if (!number)
                return -ENOMEM;
        if (*p == ' ')
                p++;
        shift = unit_shift(*p);
        if (shift > 0)
                p++;
        if (*p == 'i' || *p == 'I')
                p++;
        if (*p == 'b' || *p == 'B')
                p++;
        if (*p != '\0' || digits == 0 || !isdigit((unsigned char) number[0]) ||
            number[digits - 1] == '.' || str_to_double(number, &v) < 0)
                return error_set(reterr, -EINVAL, "invalid size: '%s'", s);
        v *= (double) (UINT64_C(1) << shift);
        if (v >= 9.2e18)
                return error_set(reterr, -EINVAL, "invalid size: '%s'", s);
        *ret = (int64_t) v;
        return 0;
}

int docker_value_nano_cpus(const char *s, int64_t *ret, Error *reterr) {
        const char *dot = strchr(s, '.');
        size_t whole = strspn(s, "0123456789"), places = dot ? strspn(dot + 1, "0123456789") : 0;
        uint64_t v = 0;

        if (whole + places == 0 || whole > 9 || s[whole] != (dot ? '.' : '\0') ||
            (dot && dot[1 + places] != '\0'))
                return error_set(reterr, -EINVAL, "'%s' is not a number of CPUs", s);
        for (size_t i = 0; i < whole; i++)
                v = v * 10 + (uint64_t) (s[i] - '0');
        for (size_t i = 0; i < MAX(places, (size_t) 9); i++) {
                unsigned digit = i < places && dot ? (unsigned) (dot[1 + i] - '0') : 0;

                if (i < 9)
                        v = v * 10 + digit;
                else if (digit != 0)
                        return error_set(reterr, -EINVAL, "'%s' is too precise", s);
        }
        *ret = (int64_t) v;
        return 0;
}

static bool duration_unit(const char **s, double *ret_ns) {
        static const struct {
                const char *name;
                double ns;
        } units[] = {
                { "ns", 1 },   { "us", 1e3 }, { "\302\265s", 1e3 }, { "\316\274s", 1e3 },
                { "ms", 1e6 }, { "s", 1e9 },  { "m", 60e9 },        { "h", 3600e9 },
        };

        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                const char *after = str_after_prefix(*s, units[i].name);

                if (!after)
                        continue;
                *ret_ns = units[i].ns;
                *s = after;
                return true;
        }
        return false;
}

int docker_value_duration_ns(const char *s, int64_t *ret, Error *reterr) {
        const char *p = s;
        bool negative = *p == '-';
        double sum = 0;

        if (*p == '-' || *p == '+')
                p++;
        if (str_eq(p, "0")) {
                *ret = 0;
                return 0;
        }
        if (*p == '\0')
                return error_set(reterr, -EINVAL, "'%s' is not a duration", s);
        while (*p != '\0') {
                size_t n = strspn(p, "0123456789.");
                _cleanup_free_ char *number = str_ndup(p, n);
                double v, ns;

                if (!number)
                        return -ENOMEM;
                p += n;
                if (n == 0 || str_to_double(number, &v) < 0)
                        return error_set(reterr, -EINVAL, "'%s' is not a duration", s);
                if (!duration_unit(&p, &ns))
                        return error_set(reterr, -EINVAL, "'%s' lacks a unit (ms, s, m, h)", s);
                sum += v * ns;
        }
        if (sum >= 9.2e18)
                return error_set(reterr, -EINVAL, "'%s' is too long", s);
        *ret = negative ? -(int64_t) sum : (int64_t) sum;
        return 0;
}

int docker_value_ip(const char *s, Error *reterr) {
        struct in6_addr a;

        if (inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1)
                return 0;
        return error_set(reterr, -EINVAL, "'%s' is not an IP address", s);
}

static int parse_port(const char *s, size_t size, unsigned *ret) {
        unsigned v = 0;

        if (size == 0 || size > 5)
                return -EINVAL;
        for (size_t i = 0; i < size; i++) {
                if (!isdigit((unsigned char) s[i]))
                        return -EINVAL;
                v = v * 10 + (unsigned) (s[i] - '0');
        }
        if (v > 65535)
                return -EINVAL;
        *ret = v;
        return 0;
}

int docker_value_port_range(const char *s, size_t size, unsigned *ret_first, unsigned *ret_last) {
        const char *dash = memchr(s, '-', size);
        unsigned first, last;
        int r;

        r = parse_port(s, dash ? (size_t) (dash - s) : size, &first);
        if (r < 0)
                return r;
        last = first;
        if (dash) {
                r = parse_port(dash + 1, size - (size_t) (dash + 1 - s), &last);
                if (r < 0)
                        return r;
        }
        if (last < first)
                return -EINVAL;
        *ret_first = first;
        *ret_last = last;
        return 0;
}

int docker_value_csv(const char *s, Strv *ret, Error *reterr) {
        _cleanup_free_ char *field = NULL;
        size_t n = 0;
        bool quoted = false;
        int r;

        field = mem_alloc(strlen(s) + 1);
        if (!field)
                return -ENOMEM;
        for (const char *p = s;; p++) {
                if (*p == '"' && quoted && p[1] == '"')
                        field[n++] = *p++;
                else if (*p == '"')
                        quoted = !quoted;
                else if (*p == '\0' || (*p == ',' && !quoted)) {
                        if (quoted)
                                return error_set(reterr, -EINVAL, "unbalanced quotes in '%s'", s);
                        r = strv_push_n(ret, field, n);
                        if (r < 0)
                                return r;
                        n = 0;
                        if (*p == '\0')
                                return 0;
                } else
                        field[n++] = *p;
        }
}

int docker_value_ulimit(const char *s, json_t **ret, Error *reterr) {
        static const char *const names[] = {
                "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
                "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"
        };
        const char *equals = strchr(s, '='), *colon;
        _cleanup_free_ char *name = NULL, *soft_text = NULL;
        int64_t soft, hard;
        bool known = false;
        int r;

        if (!equals)
                return error_set(reterr, -EINVAL, "'%s' is not NAME=SOFT[:HARD]", s);
        name = str_ndup(s, (size_t) (equals - s));
        if (!name)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                known = known || str_eq(names[i], name);
        if (!known)
                return error_set(reterr, -EINVAL, "invalid ulimit type '%s'", name);
        colon = strchr(equals, ':');
        soft_text = colon ? str_ndup(equals + 1, (size_t) (colon - equals - 1))
                          : str_dup(equals + 1);
        if (!soft_text)
                return -ENOMEM;
        r = docker_value_int(soft_text, INT64_MIN, INT64_MAX, &soft, reterr);
        if (r < 0)
                return r;
        hard = soft;
        if (colon) {
                r = docker_value_int(colon + 1, INT64_MIN, INT64_MAX, &hard, reterr);
                if (r < 0)
                        return r;
        }
        if (hard != -1 && soft > hard)
                return error_set(reterr, -EINVAL, "the soft limit in '%s' is above the hard limit",
                                 s);
        *ret = json_pack("{s:s, s:I, s:I}", "Name", name, "Soft", (json_int_t) soft, "Hard",
                         (json_int_t) hard);
        return *ret ? 0 : -ENOMEM;
}

static bool device_mode_is_valid(const char *s) {
        for (const char *p = s; *p; p++)
                if (!strchr("rwm", *p) || strchr(p + 1, *p))
                        return false;
        return s[0] != '\0';
}

int docker_value_device(const char *s, json_t **ret, Error *reterr) {
        _cleanup_(strv_done) Strv parts = STRV_INIT;
        const char *host, *inside, *mode = "rwm";
        int r;

        r = strv_split(&parts, s, ":");
        if (r < 0)
                return r;
        if (parts.n < 1 || parts.n > 3)
                return error_set(reterr, -EINVAL, "'%s' is not HOST[:CONTAINER][:MODE]", s);
        host = inside = parts.items[0];
        if (parts.n == 2 && device_mode_is_valid(parts.items[1]))
                mode = parts.items[1];
        else if (parts.n >= 2)
                inside = parts.items[1];
        if (parts.n == 3)
                mode = parts.items[2];
        if (!device_mode_is_valid(mode))
                return error_set(reterr, -EINVAL, "bad mode '%s'", mode);
        if (inside[0] != '/')
                return error_set(reterr, -EINVAL, "'%s' is not an absolute path", inside);
        *ret = json_pack("{s:s, s:s, s:s}", "PathOnHost", host, "PathInContainer", inside,
                         "CgroupPermissions", mode);
        return *ret ? 0 : -ENOMEM;
}

static const char *device_number(const char *s) {
        size_t n = strspn(s, "0123456789");

        return n > 0 ? s + n : *s == '*' ? s + 1 : NULL;
}

/* "c 1:3 mr": type, major:minor, permissions. */
int docker_value_device_rule(const char *s, Error *reterr) {
        const char *p = s;
        bool good = *p && strchr("acb", *p) && p[1] == ' ';

        if (good) {
                p = device_number(p + 2);
                good = p && *p == ':';
        }
        if (good) {
                p = device_number(p + 1);
                good = p && *p == ' ';
        }
        if (good)
                good = strspn(p + 1, "rwm") == strlen(p + 1) && strlen(p + 1) >= 1 &&
                       strlen(p + 1) <= 3;
        return good ? 0 : error_set(reterr, -EINVAL, "'%s' is not 'TYPE MAJOR:MINOR MODE'", s);
}

static int gpu_field(json_t *request, const char *field, Error *reterr) {
        const char *value = strchr(field, '=');
        _cleanup_free_ char *key = NULL;
        int64_t count = -1;
        int r;

        if (!value || str_after_prefix(field, "count=")) {
                value = value ? value + 1 : field;
                if (!str_eq(value, "all")) {
                        r = docker_value_int(value, -1, INT32_MAX, &count, reterr);
                        if (r < 0)
                                return r;
                }
                return docker_json_set(request, "Count", json_integer(count));
        }
        key = str_ndup(field, (size_t) (value++ - field));
        if (!key)
                return -ENOMEM;
        if (str_eq(key, "driver"))
                return docker_json_set(request, "Driver", json_string(value));
        if (str_eq(key, "device") || str_eq(key, "capabilities")) {
                _cleanup_(strv_done) Strv items = STRV_INIT;
                _cleanup_json_ json_t *list = json_array();

                r = strv_split(&items, value, ",");
                for (size_t i = 0; r >= 0 && i < items.n; i++)
                        r = docker_json_append(list, json_string(items.items[i]));
                if (r < 0)
                        return r;
                if (str_eq(key, "device"))
                        return docker_json_set(request, "DeviceIDs", TAKE_PTR(list));
                r = docker_json_append(list, json_string("gpu"));
                if (r < 0)
                        return r;
                return docker_json_set(request, "Capabilities", json_pack("[O]", list));
        }
        return error_set(reterr, -EINVAL, "unexpected key '%s' in '%s'", key, field);
}

int docker_value_gpus(const char *s, json_t **ret, Error *reterr) {
        _cleanup_(strv_done) Strv fields = STRV_INIT;
        _cleanup_json_ json_t *request = json_object();
        int r;

        if (!request)
                return -ENOMEM;
        r = docker_value_csv(s, &fields, reterr);
        for (size_t i = 0; r >= 0 && i < fields.n; i++)
                r = gpu_field(request, fields.items[i], reterr);
        if (r < 0)
                return r;
        if (!json_object_get(request, "Count") && !json_object_get(request, "DeviceIDs"))
                r = docker_json_set(request, "Count", json_integer(1));
        if (r >= 0 && !json_object_get(request, "Capabilities"))
                r = docker_json_set(request, "Capabilities", json_pack("[[s]]", "gpu"));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(request);
        return 0;
}
