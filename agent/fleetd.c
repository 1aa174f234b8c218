#include "agent/fleetd.h"

#include "agent/agent.h"
#include "agent/api/api.h"
#include "agent/api/listing.h"
#include "agent/host.h"
#include "agent/known_drivers.h"
#include "agent/presence.h"
#include "agent/publish.h"
#include "drivers/driver_registry.h"
#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/resident.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "lib/http/http_server.h"
#include "scheduler/engine.h"
#include "scheduler/store/store_sqlite.h"

#define MACHINE_ID_FILE "/etc/machine-id"

/* Memory that start-up or a burst of work needed is given back once it has been quiet for so long. */
/*
 * In the embedded store a lease ends with the process that holds it, whatever its length: nobody else can
 * open the store meanwhile, and the next process takes over what it finds. So renewing is rare there.
 */
#define FLEETD_STANDALONE_TTL_USEC (1 * USEC_PER_HOUR)
#define FLEETD_TRIM_AFTER_USEC (2 * USEC_PER_SEC)
/* What requests need goes with the lists that are kept for their later pages. */
#define FLEETD_TRIM_AFTER_REQUEST_USEC (LISTING_KEEP_USEC + 2 * USEC_PER_SEC)

struct Fleetd {
        sd_event *event;
        Config *config;
        const DriverType *const *driver_types;
        char *machine_id;
        char *known_drivers_path;
        Strv known_drivers;
        char *detected_ip; /* NULL = none */

        Store *store;
        Registry *registry;
        Publish *publish;
        Presence *presence;
        Agent *agent;
        Engine *engine;
        Api *api;
        HttpServer *server;
        HostNetwork *network;
        sd_event_source *trim, *stop_deadline;

        bool leaving;
        void (*left)(void *userdata);
        void *left_userdata;
};

/* ---- this machine ---------------------------------------------------------------------------- */

static int describe_machine(const Fleetd *f, Machine **ret) {
        _cleanup_(machine_freep) Machine *m = machine_new(f->machine_id);
        const char *ip = str_empty(f->config->public_ip) ? f->detected_ip : f->config->public_ip;
        int r;

        if (!m)
                return -ENOMEM;
        r = str_replace(&m->public_ip, ip);
        if (r >= 0)
                r = str_replace(&m->version, VERSION);
        if (r >= 0)
                r = metadata_copy(&f->config->metadata, &m->metadata);
        if (r >= 0)
                r = strv_copy(&f->known_drivers, &m->drivers);
        if (r < 0)
                return r;
        m->cpus = host_cpus();
        m->memory_bytes = host_memory_bytes();
        *ret = TAKE_PTR(m);
        return 0;
}

static void update_machine(Fleetd *f) {
        _cleanup_(machine_freep) Machine *m = NULL;
        int r;

        if (f->leaving)
                return;
        r = describe_machine(f, &m);
        if (r >= 0)
                r = presence_set_machine(f->presence, m);
        if (r < 0)
                log_error("cannot say what this machine is: %s", strerror(-r));
}

static void detect_ip(Fleetd *f) {
        char *ip = NULL;
        int r;

        r = host_public_ip(&ip);
        if (r < 0) {
                log_warning("cannot find the public address, keeping the old one: %s",
                            strerror(-r));
                return;
        }
        mem_free(f->detected_ip);
        f->detected_ip = ip;
}

static void on_network_changed(void *userdata) {
        Fleetd *f = userdata;

        detect_ip(f);
        update_machine(f);
}

static void on_drivers_changed(const Strv *available, void *userdata) {
        Fleetd *f = userdata;
        int r;

        r = known_drivers_add(f->known_drivers_path, available, &f->known_drivers);
        if (r < 0)
                log_warning("cannot write '%s', drivers are known until the next start only: %s",
                            f->known_drivers_path, strerror(-r));
        if (r != 0)
                update_machine(f);
}

static void on_trim(void *userdata _unused_) {
        resident_trim();
}

static void on_agent_idle(void *userdata) {
        Fleetd *f = userdata;

        if (!event_timer_is_armed(f->trim))
                (void) event_timer_arm(f->trim, FLEETD_TRIM_AFTER_USEC);
}

static void on_api_active(void *userdata) {
        Fleetd *f = userdata;

        if (!event_timer_is_armed(f->trim))
                (void) event_timer_arm(f->trim, FLEETD_TRIM_AFTER_REQUEST_USEC);
}

/* ---- between the parts ----------------------------------------------------------------------- */

static void on_lease_changed(int64_t lease, void *userdata) {
        Fleetd *f = userdata;

        publish_set_lease(f->publish, lease);
}

static void on_lease_lost(void *userdata) {
        Fleetd *f = userdata;

        presence_lease_lost(f->presence);
}

static void on_contact(bool in_contact, const Error *why_not, void *userdata) {
        Fleetd *f = userdata;

        if (!in_contact)
                log_warning("no contact with the store, units run on: %s", error_text(why_not));
        api_set_contact(f->api, in_contact);
}

static void on_malformed(const char *key, const Error *error, void *userdata _unused_) {
        log_warning("'%s' in the store cannot be read and is left out: %s", key, error_text(error));
}

static bool is_eligible(const Machine *m, const char *unit, const UnitFile *file, char **ret_reason,
                        void *userdata) {
        const Fleetd *f = userdata;
        _cleanup_error_ Error error = ERROR_INIT;
        const DriverType *type = NULL;

        if (driver_choose(unit, file, f->config->driver, &m->drivers, &type, &error) >= 0)
                return true;
        *ret_reason = str_dup(error_text(&error));
        return false;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static int open_store(Fleetd *f, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (!f->config->standalone)
                return error_set(reterr, -EOPNOTSUPP,
                                 "this build keeps its state in an embedded store only and cannot "
                                 "use etcd: run with --standalone or standalone=true");
        r = fs_mkdir_p(f->config->state_directory, 0755);
        if (r < 0)
                return error_set(reterr, r, "cannot make the state directory '%s': %s",
                                 f->config->state_directory, strerror(-r));
        path = str_printf("%s/fleet.db", f->config->state_directory);
        f->known_drivers_path = str_printf("%s/drivers", f->config->state_directory);
        if (!path || !f->known_drivers_path)
                return -ENOMEM;

        const StoreSqliteOptions options = { .path = path };

        r = store_sqlite_open(f->event, &options, &f->store, reterr);
        if (r < 0)
                return r;
        log_info("fleetd version %s, standalone, machine %s, state in %s", VERSION, f->machine_id,
                 path);
        return 0;
}

static uint64_t agent_lease_usec(const Config *c) {
        return c->standalone ? FLEETD_STANDALONE_TTL_USEC : c->agent_ttl_usec;
}

static uint64_t leader_lease_usec(const Config *c) {
        return c->standalone ? FLEETD_STANDALONE_TTL_USEC : 5 * c->engine_reconcile_interval_usec;
}

static int make_registry(Fleetd *f) {
        const RegistryOptions registry = {
                .prefix = f->config->etcd_key_prefix,
                .malformed_fn = on_malformed,
        };
        PublishOptions publish = {
                .event = f->event,
                .machine_id = f->machine_id,
                .lease_lost = on_lease_lost,
                .userdata = f,
        };
        PresenceOptions presence = {
                .event = f->event,
                .ttl_usec = agent_lease_usec(f->config),
                .lease_changed = on_lease_changed,
                .userdata = f,
        };
        int r;

        r = registry_new(f->store, &registry, &f->registry);
        if (r < 0)
                return r;
        publish.registry = presence.registry = f->registry;
        r = publish_new(&publish, &f->publish);
        if (r < 0)
                return r;
        return presence_new(&presence, &f->presence);
}

static int make_agent(Fleetd *f, Error *reterr) {
        const AgentOptions options = {
                .event = f->event,
                .registry = f->registry,
                .publish = f->publish,
                .machine_id = f->machine_id,
                .driver = f->config->driver,
                .drivers = f->driver_types,
                .driver_options = {
                        .state_directory = f->config->state_directory,
                        .units_directory = f->config->units_directory,
                        .docker_socket = f->config->docker_socket,
                        .docker_parallelism = (unsigned) f->config->docker_parallelism,
                },
                .drivers_changed = on_drivers_changed,
                .idle = on_agent_idle,
                .userdata = f,
        };

        return agent_new(&options, &f->agent, reterr);
}

static int make_engine(Fleetd *f, Error *reterr) {
        const EngineOptions options = {
                .event = f->event,
                .registry = f->registry,
                .machine_id = f->machine_id,
                .version = VERSION,
                .lease_ttl_usec = leader_lease_usec(f->config),
                .agent_ttl_usec = f->config->agent_ttl_usec + f->config->grace_usec,
                .eligible_fn = is_eligible,
                .userdata = f,
        };
        int r;

        if (f->config->disable_engine) {
                log_notice("disable_engine is set: this machine never leads");
                return 0;
        }
        r = engine_new(&options, &f->engine, reterr);
        if (r >= 0)
                api_set_engine(f->api, f->engine);
        return r;
}

static int make_api(Fleetd *f, Error *reterr) {
        const ApiOptions options = {
                .event = f->event,
                .registry = f->registry,
                .agent = f->agent,
                .machine_id = f->machine_id,
                .driver = f->config->driver,
                .token_limit = (uint16_t) f->config->token_limit,
                .active = on_api_active,
                .userdata = f,
        };
        HttpServerOptions server = {
                .handler = api_handle,
                .server_header = "fleetd/" VERSION,
        };
        int r;

        r = api_new(&options, &f->api, reterr);
        if (r < 0)
                return r;
        server.userdata = f->api;
        r = http_server_new(f->event, &server, &f->server, reterr);
        if (r < 0)
                return r;
        api_set_server(f->api, f->server);
        store_on_contact(f->store, on_contact, f);
        return 0;
}

static void on_stop_deadline(void *userdata);

static int make_sources(Fleetd *f) {
        int r;

        r = event_timer_new(f->event, "trim", on_trim, f, &f->trim);
        if (r >= 0)
                r = event_timer_new(f->event, "stop-deadline", on_stop_deadline, f,
                                    &f->stop_deadline);
        if (r < 0)
                return r;
        r = host_network_watch(f->event, on_network_changed, f, &f->network);
        if (r < 0)
                log_warning("cannot follow changes of addresses: %s", strerror(-r));
        return 0;
}

static int assemble(Fleetd *f, Error *reterr) {
        int r;

        r = host_machine_id(f->config->machine_id, MACHINE_ID_FILE, &f->machine_id, reterr);
        if (r >= 0)
                r = open_store(f, reterr);
        if (r >= 0)
                r = make_sources(f);
        if (r >= 0)
                r = make_registry(f);
        if (r < 0)
                return r;

        r = known_drivers_read(f->known_drivers_path, &f->known_drivers);
        if (r < 0)
                log_warning("cannot read '%s': %s", f->known_drivers_path, strerror(-r));
        detect_ip(f);
        r = make_agent(f, reterr);
        if (r >= 0)
                r = make_api(f, reterr);
        if (r >= 0)
                r = make_engine(f, reterr);
        if (r < 0)
                return r;
        update_machine(f);
        (void) event_timer_arm(f->trim, FLEETD_TRIM_AFTER_USEC);
        return 0;
}

int fleetd_new(sd_event *event, Config *config, const DriverType *const *drivers, Fleetd **ret,
               Error *reterr) {
        _cleanup_(fleetd_freep) Fleetd *f = mem_new(Fleetd);
        int r;

        if (!f)
                return error_fill(reterr, -ENOMEM);
        f->event = sd_event_ref(event);
        f->config = config;
        f->driver_types = drivers ? drivers : driver_types();
        r = assemble(f, reterr);
        if (r < 0) {
                f->config = NULL; /* still the caller's */
                return error_fill(reterr, r);
        }
        *ret = TAKE_PTR(f);
        return 0;
}

Fleetd *fleetd_free(Fleetd *f) {
        if (!f)
                return NULL;
        if (f->store)
                store_on_contact(f->store, NULL, NULL);
        f->server = http_server_free(f->server);
        f->api = api_free(f->api);
        f->engine = engine_free(f->engine);
        f->agent = agent_free(f->agent);
        f->presence = presence_free(f->presence);
        f->publish = publish_free(f->publish);
        f->registry = registry_free(f->registry);
        f->store = store_free(f->store);
        f->network = host_network_free(f->network);
        f->trim = event_drop(f->trim);
        f->stop_deadline = event_drop(f->stop_deadline);
        strv_done(&f->known_drivers);
        f->known_drivers_path = mem_free(f->known_drivers_path);
        f->detected_ip = mem_free(f->detected_ip);
        f->machine_id = mem_free(f->machine_id);
        f->config = config_free(f->config);
        f->event = sd_event_unref(f->event);
        return mem_free(f);
}

const Config *fleetd_config(const Fleetd *f) {
        return f->config;
}

/* ---- listening ------------------------------------------------------------------------------- */

int fleetd_add_listener(Fleetd *f, int fd, Error *reterr) {
        return http_server_add_fd(f->server, fd, reterr);
}

int fleetd_listen(Fleetd *f, Error *reterr) {
        int r;

        for (size_t i = 0; i < f->config->listen.n; i++) {
                const char *address = f->config->listen.items[i];
                int fd = -EBADF;

                r = http_listen(address, &fd, reterr);
                if (r < 0)
                        return r;
                r = fleetd_add_listener(f, fd, reterr);
                if (r < 0) {
                        fd_close(fd);
                        return r;
                }
                log_info("listening on %s", address);
        }
        return 0;
}

/* ---- reloading ------------------------------------------------------------------------------- */

static void say_needs_restart(const char *key, bool changed) {
        if (changed)
                log_notice("%s has changed: it takes effect with the next start", key);
}

static void name_what_stays(const Config *old, const Config *now) {
        say_needs_restart("listen", !strv_equal(&old->listen, &now->listen));
        say_needs_restart("state_directory", !str_eq(old->state_directory, now->state_directory));
        say_needs_restart("standalone", old->standalone != now->standalone);
        say_needs_restart("machine_id", !str_eq(old->machine_id, now->machine_id));
        say_needs_restart("docker_socket", !str_eq(old->docker_socket, now->docker_socket));
        say_needs_restart("docker_parallelism", old->docker_parallelism != now->docker_parallelism);
        say_needs_restart("etcd_key_prefix", !str_eq(old->etcd_key_prefix, now->etcd_key_prefix));
}

static bool engine_differs(const Config *old, const Config *now) {
        return old->disable_engine != now->disable_engine || !str_eq(old->driver, now->driver) ||
               old->engine_reconcile_interval_usec != now->engine_reconcile_interval_usec ||
               old->agent_ttl_usec != now->agent_ttl_usec || old->grace_usec != now->grace_usec;
}

static void on_resigned(void *userdata) {
        Fleetd *f = userdata;
        _cleanup_error_ Error error = ERROR_INIT;

        api_set_engine(f->api, NULL);
        f->engine = engine_free(f->engine);
        if (make_engine(f, &error) < 0)
                log_error("cannot start the engine again: %s", error_text(&error));
}

static void restart_engine(Fleetd *f) {
        if (f->engine)
                engine_resign(f->engine, on_resigned, f);
        else
                on_resigned(f);
}

void fleetd_reload(Fleetd *f, Config *config) {
        Config *old = f->config;
        bool engine;

        if (f->leaving) {
                config_free(config);
                return;
        }
        name_what_stays(old, config);
        engine = engine_differs(old, config);
        f->config = config;
        if (api_configure(f->api, config->driver, (uint16_t) config->token_limit) < 0 ||
            agent_set_driver(f->agent, config->driver) < 0)
                log_error("out of memory: the configuration is taken over in part only");
        presence_set_ttl(f->presence, agent_lease_usec(config));
        detect_ip(f);
        update_machine(f);
        if (engine)
                restart_engine(f);
        config_free(old);
}

/* ---- SIGUSR1 --------------------------------------------------------------------------------- */

/* In the original's order, which is not that of the alphabet. */
char *fleetd_dump(const Fleetd *f) {
        _cleanup_json_ json_t *agent = NULL, *generator = NULL, *publisher = NULL;
        _cleanup_free_ char *a = NULL, *g = NULL, *p = NULL;

        if (agent_to_json(f->agent, &agent, &generator) < 0 ||
            publish_to_json(f->publish, &publisher) < 0)
                return NULL;

        a = json_format(agent);
        g = json_format(generator);
        p = json_format(publisher);
        if (!a || !g || !p)
                return NULL;
        return str_printf("{\"Agent\":%s,\"UnitStatePublisher\":%s,\"UnitStateGenerator\":%s}", a,
                          p, g);
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void tell_left(Fleetd *f) {
        void (*fn)(void *) = f->left;

        f->left = NULL;
        event_timer_disarm(f->stop_deadline);
        if (fn)
                fn(f->left_userdata);
}

static void on_presence_left(int r _unused_, void *userdata) {
        tell_left(userdata);
}

static void on_units_stopped(void *userdata) {
        Fleetd *f = userdata;

        log_info("all units are stopped");
        presence_leave(f->presence, on_presence_left, f);
}

static void on_stop_deadline(void *userdata) {
        AgentMetrics m;
        Fleetd *f = userdata;

        agent_metrics(f->agent, &m);
        log_error("leaving took too long: %zu units are left as they are", m.units);
        tell_left(f);
}

void fleetd_leave(Fleetd *f, void (*fn)(void *userdata), void *userdata) {
        if (f->leaving)
                return;
        log_info("leaving the cluster: stopping all units");
        f->leaving = true;
        f->left = fn;
        f->left_userdata = userdata;
        (void) event_timer_arm(f->stop_deadline, FLEETD_STOP_TIMEOUT_USEC);
        if (f->engine)
                engine_resign(f->engine, NULL, NULL);
        agent_stop(f->agent, on_units_stopped, f);
}
