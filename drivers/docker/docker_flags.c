#include "drivers/docker/docker_flags.h"

#include "drivers/docker/docker_values.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

void docker_parse_done(DockerParse *p) {
        for (size_t i = 0; i < _DOCKER_WORDS_MAX; i++)
                strv_done(&p->words[i]);
        p->health.command = mem_free(p->health.command);
        p->ip = mem_free(p->ip);
        p->ip6 = mem_free(p->ip6);
        p->log_driver = mem_free(p->log_driver);
}

/* ---- into the create document ----------------------------------------------------------------- */

/* ".Field" is a member of the document, "Field" one of its HostConfig. */
static int put(DockerParse *p, const DockerFlag *f, json_t *value) {
        if (f->field[0] == '.')
                return docker_json_set(p->command->body, f->field + 1, value);
        return docker_json_set(p->host_config, f->field, value);
}

static json_t *list_of(DockerParse *p, const DockerFlag *f) {
        return f->field[0] == '.' ? docker_json_array(p->command->body, f->field + 1)
                                  : docker_json_array(p->host_config, f->field);
}

static int drop(DockerParse *p, const DockerFlag *f) {
        (void) json_object_del(f->field[0] == '.' ? p->command->body : p->host_config,
                               f->field[0] == '.' ? f->field + 1 : f->field);
        return 0;
}

static int set_bool(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        bool b;
        int r;

        r = docker_value_bool(value, &b, reterr);
        if (r < 0)
                return r;
        return b ? put(p, f, json_true()) : drop(p, f);
}

/* A pointer in the CLI: an explicit false is sent. */
static int set_bool_sent(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        bool b;
        int r;

        r = docker_value_bool(value, &b, reterr);
        return r < 0 ? r : put(p, f, json_boolean(b));
}

static int set_string(DockerParse *p, const DockerFlag *f, const char *value,
                      _unused_ Error *reterr) {
        return value[0] ? put(p, f, json_string(value)) : drop(p, f);
}

static int set_list(DockerParse *p, const DockerFlag *f, const char *value,
                    _unused_ Error *reterr) {
        return docker_json_append(list_of(p, f), json_string(value));
}

static int put_number(DockerParse *p, const DockerFlag *f, int64_t v) {
        return v != 0 ? put(p, f, json_integer(v)) : drop(p, f);
}

static int set_int(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        int64_t v;
        int r;

        r = docker_value_int(value, INT64_MIN, INT64_MAX, &v, reterr);
        return r < 0 ? r : put_number(p, f, v);
}

static int set_int_sent(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        int64_t v;
        int r;

        r = docker_value_int(value, INT32_MIN, INT32_MAX, &v, reterr);
        return r < 0 ? r : put(p, f, json_integer(v));
}

static int set_uint16(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        int64_t v;
        int r;

        r = docker_value_int(value, 0, UINT16_MAX, &v, reterr);
        return r < 0 ? r : put_number(p, f, v);
}

static int set_bytes(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        int64_t v = -1;
        int r = 0;

        if (!str_eq(f->name, "memory-swap") || !str_eq(value, "-1"))
                r = docker_value_bytes(value, &v, reterr);
        return r < 0 ? r : put_number(p, f, v);
}

static int set_cpus(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        int64_t v;
        int r;

        r = docker_value_nano_cpus(value, &v, reterr);
        return r < 0 ? r : put_number(p, f, v);
}

static int set_mode(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        bool pid = str_eq(f->name, "pid"), cgroup = str_eq(f->name, "cgroupns");
        const char *container = str_after_prefix(value, "container:");

        if (!str_empty(value) && !str_eq(value, "host") && !(pid && !str_empty(container)) &&
            !(cgroup && str_eq(value, "private")))
                return error_set(reterr, -EINVAL, "invalid mode '%s'", value);
        return set_string(p, f, value, reterr);
}

static int set_ulimit(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        json_t *limit, *list = list_of(p, f);
        int r;

        r = docker_value_ulimit(value, &limit, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_array_size(list); i++)
                if (json_equal(json_object_get(json_array_get(list, i), "Name"),
                               json_object_get(limit, "Name")))
                        return json_array_set_new(list, i, limit) < 0 ? -ENOMEM : 0;
        return docker_json_append(list, limit);
}

static int set_device_rule(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        int r;

        r = docker_value_device_rule(value, reterr);
        return r < 0 ? r : set_list(p, f, value, reterr);
}

static int set_gpus(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        json_t *request;
        int r;

        r = docker_value_gpus(value, &request, reterr);
        return r < 0 ? r : docker_json_append(list_of(p, f), request);
}

/* "/dev/sda:N": N a weight, a number of operations, or bytes. */
static int set_throttle(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        bool weight = str_eq(f->field, "BlkioWeightDevice");
        const char *colon = strrchr(value, ':');
        _cleanup_free_ char *path = NULL;
        int64_t n;
        int r;

        if (!colon || !str_after_prefix(value, "/dev/"))
                return error_set(reterr, -EINVAL, "'%s' is not /dev/PATH:NUMBER", value);
        path = str_ndup(value, (size_t) (colon - value));
        if (!path)
                return -ENOMEM;
        if (str_has_suffix(f->field, "Bps"))
                r = docker_value_bytes(colon + 1, &n, reterr);
        else
                r = docker_value_int(colon + 1, 0, weight ? 1000 : INT64_MAX, &n, reterr);
        if (r >= 0 && weight && n > 0 && n < 10)
                r = error_set(reterr, -EINVAL, "weight in '%s' is not between 10 and 1000", value);
        if (r < 0)
                return r;
        return docker_json_append(list_of(p, f),
                                  json_pack("{s:s, s:I}", "Path", path, weight ? "Weight" : "Rate",
                                            (json_int_t) n));
}

/* key=value into an object. */
static int set_pair(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        const char *equals = strchr(value, '=');
        _cleanup_free_ char *key = NULL;
        json_t *object;

        if (!equals || equals == value)
                return error_set(reterr, -EINVAL, "'%s' is not KEY=VALUE", value);
        key = str_ndup(value, (size_t) (equals - value));
        object = docker_json_object(p->host_config, f->field);
        if (!key || !object)
                return -ENOMEM;
        return docker_json_set(object, key, json_string(equals + 1));
}

static bool is_namespaced_sysctl(const char *s) {
        static const char *const names[] = {
                "kernel.msgmax=", "kernel.msgmnb=", "kernel.msgmni=", "kernel.sem=",
                "kernel.shmall=", "kernel.shmmax=", "kernel.shmmni=", "kernel.shm_rmid_forced="
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_after_prefix(s, names[i]))
                        return true;
        return str_after_prefix(s, "net.") || str_after_prefix(s, "fs.mqueue.");
}

static int set_sysctl(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        if (!is_namespaced_sysctl(value))
                return error_set(reterr, -EINVAL, "sysctl '%s' is not one of a container", value);
        return set_pair(p, f, value, reterr);
}

static int set_dns(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        int r;

        r = docker_value_ip(value, reterr);
        return r < 0 ? r : set_list(p, f, value, reterr);
}

static int set_dns_search(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        for (const char *c = value; *c; c++)
                if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *c))
                        return error_set(reterr, -EINVAL, "'%s' is not a domain", value);
        return set_list(p, f, value, reterr);
}

static int set_host(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        size_t name = strcspn(value, "=:");
        const char *address = value[name] ? value + name + 1 : "";
        _cleanup_free_ char *text = NULL;
        int r = 0;

        if (name == 0 || address[0] == '\0')
                return error_set(reterr, -EINVAL, "'%s' is not HOST:ADDRESS", value);
        if (!str_eq(address, "host-gateway"))
                r = docker_value_ip(address, reterr);
        if (r < 0)
                return r;
        text = str_printf("%.*s:%s", (int) name, value, address);
        return text ? set_list(p, f, text, reterr) : -ENOMEM;
}

static int set_mac(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        bool good = strlen(value) == 17;

        for (size_t i = 0; good && i < 17; i++)
                good = i % 3 == 2 ? value[i] == ':' || value[i] == '-'
                                  : strchr("0123456789abcdefABCDEF", value[i]) != NULL;
        if (!good)
                return error_set(reterr, -EINVAL, "'%s' is not a MAC address", value);
        return set_string(p, f, value, reterr);
}

static int set_entrypoint(DockerParse *p, const DockerFlag *f, const char *value,
                          _unused_ Error *reterr) {
        return put(p, f, json_pack("[s]", value));
}

/* The container's life is the unit's: Restart= decides. */
static int set_restart(_unused_ DockerParse *p, _unused_ const DockerFlag *f, const char *value,
                       Error *reterr) {
        if (str_empty(value) || str_eq(value, "no"))
                return 0;
        return error_set(reterr, -EOPNOTSUPP,
                         "'%s' would restart the container behind the unit's back: use Restart=",
                         value);
}

/* ---- into the command, and words for later ---------------------------------------------------- */

static int collect(DockerParse *p, const DockerFlag *f, const char *value, _unused_ Error *reterr) {
        return strv_push(&p->words[f->words], value);
}

static int set_command_bool(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        DockerCommand *c = p->command;
        bool b;
        int r;

        r = docker_value_bool(value, &b, reterr);
        if (r < 0)
                return r;
        if (str_eq(f->name, "detach"))
                c->detach = b;
        else if (str_eq(f->name, "rm"))
                c->remove = b;
        else if (str_eq(f->name, "interactive")) {
                p->interactive = b;
                c->attach = c->attach || (b && c->verb == DOCKER_START);
        } else if (str_eq(f->name, "attach"))
                c->attach = b;
        else if (str_eq(f->name, "force"))
                c->force = b;
        else if (str_eq(f->name, "volumes"))
                c->volumes = b;
        else if (str_eq(f->name, "link"))
                c->link = b;
        else if (str_eq(f->name, "all-tags"))
                c->all_tags = b;
        return 0;
}

static int set_command_string(DockerParse *p, const DockerFlag *f, const char *value,
                              _unused_ Error *reterr) {
        DockerCommand *c = p->command;
        char **member = str_eq(f->name, "name")         ? &c->name
                        : str_eq(f->name, "platform")   ? &c->platform
                        : str_eq(f->name, "cidfile")    ? &c->cidfile
                        : str_eq(f->name, "signal")     ? &c->signal
                        : str_eq(f->name, "ip")         ? &p->ip
                        : str_eq(f->name, "ip6")        ? &p->ip6
                        : str_eq(f->name, "log-driver") ? &p->log_driver
                                                        : NULL;

        assert(member);
        return str_replace(member, value[0] ? value : NULL);
}

static int set_stop_time(DockerParse *p, _unused_ const DockerFlag *f, const char *value,
                         Error *reterr) {
        int64_t v;
        int r;

        r = docker_value_int(value, INT32_MIN, INT32_MAX, &v, reterr);
        if (r < 0)
                return r;
        p->command->stop_timeout = (int) v;
        p->command->has_stop_timeout = true;
        return 0;
}

static int set_pull(DockerParse *p, _unused_ const DockerFlag *f, const char *value,
                    Error *reterr) {
        static const char *const words[] = { "missing", "always", "never" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (str_eq(value, words[i])) {
                        p->command->pull = (DockerPull) i;
                        return 0;
                }
        return error_set(reterr, -EINVAL, "'%s' is none of always, missing, never", value);
}

static int set_health(DockerParse *p, const DockerFlag *f, const char *value, Error *reterr) {
        DockerHealth *h = &p->health;
        int64_t *number = str_eq(f->name, "health-interval")       ? &h->interval_ns
                          : str_eq(f->name, "health-timeout")      ? &h->timeout_ns
                          : str_eq(f->name, "health-start-period") ? &h->start_period_ns
                                                                   : &h->retries;
        int r;

        if (str_eq(f->name, "no-healthcheck"))
                return docker_value_bool(value, &h->none, reterr);
        h->set = true;
        if (str_eq(f->name, "health-cmd"))
                return str_replace(&h->command, value);
        r = number == &h->retries ? docker_value_int(value, INT32_MIN, INT32_MAX, number, reterr)
                                  : docker_value_duration_ns(value, number, reterr);
        if (r < 0)
                return r;
        if (*number < 0)
                return error_set(reterr, -EINVAL, "'%s' cannot be negative", value);
        return 0;
}

/* Says how the CLI behaves at a terminal; the value is checked, there is nothing to follow. */
static int set_terminal_bool(_unused_ DockerParse *p, _unused_ const DockerFlag *f,
                             const char *value, Error *reterr) {
        bool b;

        return docker_value_bool(value, &b, reterr);
}

static int set_terminal_string(_unused_ DockerParse *p, _unused_ const DockerFlag *f,
                               _unused_ const char *value, _unused_ Error *reterr) {
        return 0;
}

static int set_trust(_unused_ DockerParse *p, _unused_ const DockerFlag *f, const char *value,
                     Error *reterr) {
        bool b;
        int r;

        r = docker_value_bool(value, &b, reterr);
        if (r < 0)
                return r;
        return b ? 0 : error_set(reterr, -EOPNOTSUPP, "content trust is not supported");
}

/* ---- the table -------------------------------------------------------------------------------- */

#define R (1U << DOCKER_RUN)
#define C (1U << DOCKER_CREATE)
#define RC (R | C)
#define V(x) (1U << DOCKER_##x)

#define FLAG(n, l, v, fn, target)                                                                  \
        { .name = (n), .letter = (l), .verbs = (v), .set = (fn), .field = (target) }
#define BOOL(n, l, v, fn, target)                                                                  \
        {                                                                                          \
                .name = (n), .letter = (l), .is_bool = true, .verbs = (v), .set = (fn),            \
                .field = (target)                                                                  \
        }
#define COLLECT(n, l, v, w)                                                                        \
        { .name = (n), .letter = (l), .verbs = (v), .set = collect, .words = DOCKER_WORDS_##w }

/* clang-format off */
static const DockerFlag flags[] = {
        FLAG("add-host", 0, RC, set_host, "ExtraHosts"),
        FLAG("annotation", 0, RC, NULL, "annotations need Engine API 1.43"),
        COLLECT("attach", 'a', RC, ATTACH),
        FLAG("blkio-weight", 0, RC, set_uint16, "BlkioWeight"),
        FLAG("blkio-weight-device", 0, RC, set_throttle, "BlkioWeightDevice"),
        FLAG("cap-add", 0, RC, set_list, "CapAdd"),
        FLAG("cap-drop", 0, RC, set_list, "CapDrop"),
        FLAG("cgroup-parent", 0, RC, set_string, "CgroupParent"),
        FLAG("cgroupns", 0, RC, set_mode, "CgroupnsMode"),
        FLAG("cidfile", 0, RC, set_command_string, NULL),
        FLAG("cpu-count", 0, RC, NULL, "it is for Windows only"),
        FLAG("cpu-percent", 0, RC, NULL, "it is for Windows only"),
        FLAG("cpu-period", 0, RC, set_int, "CpuPeriod"),
        FLAG("cpu-quota", 0, RC, set_int, "CpuQuota"),
        FLAG("cpu-rt-period", 0, RC, set_int, "CpuRealtimePeriod"),
        FLAG("cpu-rt-runtime", 0, RC, set_int, "CpuRealtimeRuntime"),
        FLAG("cpu-shares", 'c', RC, set_int, "CpuShares"),
        FLAG("cpus", 0, RC, set_cpus, "NanoCpus"),
        FLAG("cpuset-cpus", 0, RC, set_string, "CpusetCpus"),
        FLAG("cpuset-mems", 0, RC, set_string, "CpusetMems"),
        BOOL("detach", 'd', R, set_command_bool, NULL),
        FLAG("detach-keys", 0, R, set_terminal_string, NULL),
        COLLECT("device", 0, RC, DEVICE),
        FLAG("device-cgroup-rule", 0, RC, set_device_rule, "DeviceCgroupRules"),
        FLAG("device-read-bps", 0, RC, set_throttle, "BlkioDeviceReadBps"),
        FLAG("device-read-iops", 0, RC, set_throttle, "BlkioDeviceReadIOps"),
        FLAG("device-write-bps", 0, RC, set_throttle, "BlkioDeviceWriteBps"),
        FLAG("device-write-iops", 0, RC, set_throttle, "BlkioDeviceWriteIOps"),
        BOOL("disable-content-trust", 0, RC | V(PULL), set_trust, NULL),
        FLAG("dns", 0, RC, set_dns, "Dns"),
        FLAG("dns-opt", 0, RC, set_list, "DnsOptions"),
        FLAG("dns-option", 0, RC, set_list, "DnsOptions"),
        FLAG("dns-search", 0, RC, set_dns_search, "DnsSearch"),
        FLAG("domainname", 0, RC, set_string, ".Domainname"),
        FLAG("entrypoint", 0, RC, set_entrypoint, ".Entrypoint"),
        COLLECT("env", 'e', RC, ENV),
        COLLECT("env-file", 0, RC, ENV_FILE),
        COLLECT("expose", 0, RC, EXPOSE),
        FLAG("gpus", 0, RC, set_gpus, "DeviceRequests"),
        FLAG("group-add", 0, RC, set_list, "GroupAdd"),
        FLAG("health-cmd", 0, RC, set_health, NULL),
        FLAG("health-interval", 0, RC, set_health, NULL),
        FLAG("health-retries", 0, RC, set_health, NULL),
        FLAG("health-start-interval", 0, RC, NULL, "it needs Engine API 1.44"),
        FLAG("health-start-period", 0, RC, set_health, NULL),
        FLAG("health-timeout", 0, RC, set_health, NULL),
        BOOL("help", 0, ~0U, NULL, "it runs nothing"),
        FLAG("hostname", 'h', RC, set_string, ".Hostname"),
        BOOL("init", 0, RC, set_bool_sent, "Init"),
        BOOL("interactive", 'i', RC, set_command_bool, NULL),
        FLAG("io-maxbandwidth", 0, RC, NULL, "it is for Windows only"),
        FLAG("io-maxiops", 0, RC, NULL, "it is for Windows only"),
        FLAG("ip", 0, RC, set_command_string, NULL),
        FLAG("ip6", 0, RC, set_command_string, NULL),
        FLAG("ipc", 0, RC, set_string, "IpcMode"),
        FLAG("isolation", 0, RC, set_string, "Isolation"),
        FLAG("kernel-memory", 0, RC, set_bytes, "KernelMemory"),
        COLLECT("label", 'l', RC, LABEL),
        COLLECT("label-file", 0, RC, LABEL_FILE),
        COLLECT("link", 0, RC, LINK),
        COLLECT("link-local-ip", 0, RC, LINK_LOCAL),
        FLAG("log-driver", 0, RC, set_command_string, NULL),
        COLLECT("log-opt", 0, RC, LOG_OPT),
        FLAG("mac-address", 0, RC, set_mac, ".MacAddress"),
        FLAG("memory", 'm', RC, set_bytes, "Memory"),
        FLAG("memory-reservation", 0, RC, set_bytes, "MemoryReservation"),
        FLAG("memory-swap", 0, RC, set_bytes, "MemorySwap"),
        FLAG("memory-swappiness", 0, RC, set_int_sent, "MemorySwappiness"),
        COLLECT("mount", 0, RC, MOUNT),
        FLAG("name", 0, RC, set_command_string, NULL),
        COLLECT("net", 0, RC, NETWORK),
        COLLECT("net-alias", 0, RC, ALIAS),
        COLLECT("network", 0, RC, NETWORK),
        COLLECT("network-alias", 0, RC, ALIAS),
        BOOL("no-healthcheck", 0, RC, set_health, NULL),
        BOOL("oom-kill-disable", 0, RC, set_bool, "OomKillDisable"),
        FLAG("oom-score-adj", 0, RC, set_int, "OomScoreAdj"),
        FLAG("pid", 0, RC, set_mode, "PidMode"),
        FLAG("pids-limit", 0, RC, set_int, "PidsLimit"),
        FLAG("platform", 0, RC | V(PULL), set_command_string, NULL),
        BOOL("privileged", 0, RC, set_bool, "Privileged"),
        COLLECT("publish", 'p', RC, PUBLISH),
        BOOL("publish-all", 'P', RC, set_bool, "PublishAllPorts"),
        FLAG("pull", 0, RC, set_pull, NULL),
        BOOL("quiet", 'q', RC | V(PULL), set_terminal_bool, NULL),
        BOOL("read-only", 0, RC, set_bool, "ReadonlyRootfs"),
        FLAG("restart", 0, RC, set_restart, NULL),
        BOOL("rm", 0, RC, set_command_bool, NULL),
        FLAG("runtime", 0, RC, set_string, "Runtime"),
        COLLECT("security-opt", 0, RC, SECURITY),
        FLAG("shm-size", 0, RC, set_bytes, "ShmSize"),
        BOOL("sig-proxy", 0, R, set_terminal_bool, NULL),
        FLAG("stop-signal", 0, RC, set_string, ".StopSignal"),
        FLAG("stop-timeout", 0, RC, set_int_sent, ".StopTimeout"),
        FLAG("storage-opt", 0, RC, set_pair, "StorageOpt"),
        FLAG("sysctl", 0, RC, set_sysctl, "Sysctls"),
        COLLECT("tmpfs", 0, RC, TMPFS),
        BOOL("tty", 't', RC, set_bool, ".Tty"),
        FLAG("ulimit", 0, RC, set_ulimit, "Ulimits"),
        BOOL("use-api-socket", 0, RC, NULL, "it hands the engine's credentials to the container"),
        FLAG("user", 'u', RC, set_string, ".User"),
        FLAG("userns", 0, RC, set_mode, "UsernsMode"),
        FLAG("uts", 0, RC, set_mode, "UTSMode"),
        COLLECT("volume", 'v', RC, VOLUME),
        FLAG("volume-driver", 0, RC, set_string, "VolumeDriver"),
        FLAG("volumes-from", 0, RC, set_list, "VolumesFrom"),
        FLAG("workdir", 'w', RC, set_string, ".WorkingDir"),

        BOOL("all-tags", 'a', V(PULL), set_command_bool, NULL),
        BOOL("attach", 'a', V(START), set_command_bool, NULL),
        FLAG("checkpoint", 0, V(START), NULL, "checkpoints are experimental"),
        FLAG("checkpoint-dir", 0, V(START), NULL, "checkpoints are experimental"),
        FLAG("detach-keys", 0, V(START), set_terminal_string, NULL),
        BOOL("interactive", 'i', V(START), set_command_bool, NULL),
        BOOL("force", 'f', V(RM), set_command_bool, NULL),
        BOOL("link", 'l', V(RM), set_command_bool, NULL),
        BOOL("volumes", 'v', V(RM), set_command_bool, NULL),
        FLAG("signal", 's', V(KILL), set_command_string, NULL),
        FLAG("signal", 's', V(STOP), NULL, "it needs Engine API 1.42"),
        FLAG("time", 't', V(STOP), set_stop_time, NULL),
        FLAG("timeout", 0, V(STOP), set_stop_time, NULL),
        { .name = NULL },
};
/* clang-format on */

const DockerFlag *docker_flags(void) {
        return flags;
}

const DockerFlag *docker_flag_by_name(DockerVerb verb, const char *name, size_t size) {
        for (const DockerFlag *f = flags; f->name; f++)
                if ((f->verbs & (1U << verb)) && strlen(f->name) == size &&
                    strncmp(f->name, name, size) == 0)
                        return f;
        return NULL;
}

const DockerFlag *docker_flag_by_letter(DockerVerb verb, char letter) {
        for (const DockerFlag *f = flags; f->name; f++)
                if ((f->verbs & (1U << verb)) && f->letter == letter)
                        return f;
        return NULL;
}
