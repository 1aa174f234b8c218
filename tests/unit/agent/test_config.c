#include "agent/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static const char *const no_environment[] = { NULL };

static Config *parse(const char *text, const char *const *environment, Strv *warnings) {
        _cleanup_error_ Error error = ERROR_INIT;
        Config *c = NULL;
        int r = config_parse("fleet.conf", text, text ? strlen(text) : 0, environment, &c, warnings,
                             &error);

        ck_assert_msg(r == 0, "%s", error_text(&error));
        return c;
}

START_TEST(test_defaults) {
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        _cleanup_(config_freep) Config *c = parse(NULL, no_environment, &warnings);

        ck_assert_uint_eq(warnings.n, 0);
        ck_assert_uint_eq(c->verbosity, 0);
        ck_assert_uint_eq(c->etcd_servers.n, 2);
        ck_assert_str_eq(c->etcd_servers.items[0], "http://127.0.0.1:2379");
        ck_assert_str_eq(c->etcd_servers.items[1], "http://127.0.0.1:4001");
        ck_assert_str_eq(c->etcd_key_prefix, "/_coreos.com/fleet/");
        ck_assert_uint_eq(c->etcd_request_timeout_usec, USEC_PER_SEC);
        ck_assert_uint_eq(c->engine_reconcile_interval_usec, 2 * USEC_PER_SEC);
        ck_assert_str_eq(c->public_ip, "");
        ck_assert_uint_eq(c->metadata.n, 0);
        ck_assert_uint_eq(c->agent_ttl_usec, 30 * USEC_PER_SEC);
        ck_assert_str_eq(c->units_directory, "/run/fleet/units/");
        ck_assert(!c->systemd_user && !c->disable_engine && !c->standalone);
        ck_assert_uint_eq(c->token_limit, 100);
        ck_assert_uint_eq(c->listen.n, 1);
        ck_assert_str_eq(c->listen.items[0], "unix:///run/fleet.sock");
        ck_assert_str_eq(c->state_directory, "/var/lib/fleet");
        ck_assert_str_eq(c->driver, "auto");
        ck_assert_str_eq(c->docker_socket, "unix:///var/run/docker.sock");
        ck_assert_uint_eq(c->docker_parallelism, 8);
        ck_assert_int_eq(c->shutdown_policy, SHUTDOWN_STOP);
        ck_assert_str_eq(c->machine_id, "");
        ck_assert_uint_eq(c->grace_usec, 0);
}
END_TEST

START_TEST(test_file) {
        static const char text[] = "Verbosity=1\n"
                                   "etcd_servers=[\"http://a:1\", \"http://b:2\"]\n"
                                   "etcd_request_timeout=0.5\n"
                                   "public_ip=\"10.0.0.1\"\n"
                                   "metadata=region=us, disk = ssd ,bad,region=eu\n"
                                   "agent_ttl=1m30s\n"
                                   "token_limit='7'\n"
                                   "listen=unix:///tmp/a.sock,http://127.0.0.1:8080\n"
                                   "standalone=T\nshutdown_policy=keep\n"
                                   "[other]\nverbosity=9\nwhatever=1\n";
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        _cleanup_(config_freep) Config *c = parse(text, no_environment, &warnings);

        ck_assert_uint_eq(c->verbosity, 1);
        ck_assert_uint_eq(c->etcd_servers.n, 2);
        ck_assert_str_eq(c->etcd_servers.items[0], "http://a:1");
        ck_assert_str_eq(c->etcd_servers.items[1], "http://b:2");
        ck_assert_uint_eq(c->etcd_request_timeout_usec, USEC_PER_SEC / 2);
        ck_assert_str_eq(c->public_ip, "10.0.0.1");
        ck_assert_uint_eq(c->metadata.n, 2);
        ck_assert_str_eq(metadata_get(&c->metadata, "region"), "eu");
        ck_assert_str_eq(metadata_get(&c->metadata, "disk"), "ssd");
        ck_assert_uint_eq(c->agent_ttl_usec, 90 * USEC_PER_SEC);
        ck_assert_uint_eq(c->token_limit, 7);
        ck_assert_uint_eq(c->listen.n, 2);
        ck_assert(c->standalone);
        ck_assert_int_eq(c->shutdown_policy, SHUTDOWN_KEEP);
        ck_assert_uint_eq(warnings.n, 3);
        ck_assert_str_eq(warnings.items[2], "metadata: 'bad' has no '=' and is left out");
}
END_TEST

START_TEST(test_environment_wins) {
        static const char *const environment[] = { "FLEET_PUBLIC_IP=",
                                                   "FLEET_METADATA=a=b",
                                                   "FLEET_VERBOSITY=2",
                                                   "FLEET_UNHEARD_OF=1",
                                                   "fleet_driver=docker",
                                                   "FLEET_driver=docker",
                                                   "HOME=/",
                                                   NULL };
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        _cleanup_(config_freep)
                Config *c = parse("public_ip=1.2.3.4\nmetadata=x=y\ntoken_limit=5\n", environment,
                                  &warnings);

        ck_assert_str_eq(c->public_ip, "");
        ck_assert_uint_eq(c->metadata.n, 1);
        ck_assert_str_eq(metadata_get(&c->metadata, "a"), "b");
        ck_assert_uint_eq(c->verbosity, 2);
        ck_assert_uint_eq(c->token_limit, 5);
        ck_assert_str_eq(c->driver, "auto");
        ck_assert_uint_eq(warnings.n, 0);
}
END_TEST

START_TEST(test_values_that_do_not_parse) {
        static const struct {
                const char *text, *warning;
        } cases[] = {
                { "verbosity=loud", "fleet.conf:1: 'loud' is no value for verbosity, keeping the "
                                    "default '0'" },
                { "\ntoken_limit=0", "fleet.conf:2: '0' is no value for token_limit, keeping the "
                                     "default '100'" },
                { "token_limit=65536", "fleet.conf:1: '65536' is no value for token_limit, keeping "
                                       "the default '100'" },
                { "standalone=yes", "fleet.conf:1: 'yes' is no value for standalone, keeping the "
                                    "default 'false'" },
                { "shutdown_policy=maybe", "fleet.conf:1: 'maybe' is no value for shutdown_policy, "
                                           "keeping the default 'stop'" },
                { "etcd_request_timeout=-1", "fleet.conf:1: '-1' is no value for "
                                             "etcd_request_timeout, keeping the default '1.0'" },
                { "engine_reconcile_interval=nan",
                  "fleet.conf:1: 'nan' is no value for engine_reconcile_interval, keeping the "
                  "default '2.0'" },
                { "driver=podman", "fleet.conf:1: 'podman' is no value for driver, keeping the "
                                   "default 'auto'" },
                { "driver=",
                  "fleet.conf:1: '' is no value for driver, keeping the default 'auto'" },
                { "metadata=a=\xff",
                  "fleet.conf:1: 'a=\xff' is no value for metadata, keeping the default ''" },
                { "public_ip=\xff",
                  "fleet.conf:1: '\xff' is no value for public_ip, keeping the default ''" },
                { "wibble=1", "fleet.conf:1: unknown key 'wibble' is ignored" },
                { "etcd_servers=http://a:1",
                  "etcd_servers has no effect: this fleetd does not use etcd" },
                { "etcd_request_timeout=2",
                  "etcd_request_timeout has no effect: this fleetd does not use etcd" },
                { "systemd_user=true",
                  "systemd_user has no effect: this fleetd has no systemd driver" },
                { "enable_grpc=true", "enable_grpc is no longer supported and has no effect" },
                { "verify_units=true", "verify_units is no longer supported and has no effect" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_done) Strv warnings = STRV_INIT;
                _cleanup_(config_freep) Config *c = parse(cases[i].text, no_environment, &warnings);

                ck_assert_uint_eq(warnings.n, 1);
                ck_assert_str_eq(warnings.items[0], cases[i].warning);
                ck_assert_uint_eq(c->token_limit, 100);
                ck_assert(!c->standalone);
        }
}
END_TEST

START_TEST(test_overridden_nonsense_is_silent) {
        static const char *const environment[] = { "FLEET_TOKEN_LIMIT=9", NULL };
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        _cleanup_(config_freep) Config *c = parse("token_limit=x\n", environment, &warnings);

        ck_assert_uint_eq(c->token_limit, 9);
        ck_assert_uint_eq(warnings.n, 0);
}
END_TEST

START_TEST(test_what_ends_the_daemon) {
        static const struct {
                const char *text, *words;
        } cases[] = {
                { "a=b\nnonsense\n", "Unable to use config file fleet.conf: line 2: 'nonsense' is "
                                     "neither a comment, a section nor key=value" },
                { "agent_ttl=30", "Failed creating Server: agent_ttl: " },
                { "agent_ttl=", "Failed creating Server: agent_ttl: " },
                { "grace=soon", "Failed creating Server: grace: " },
                { "grace=\xc9\xc9", "Failed creating Server: grace: the value is not UTF-8" },
                { "agent_ttl=0s",
                  "Failed creating Server: agent_ttl: '0s' is not between 100ms and 8760h" },
                { "agent_ttl=1ns", "Failed creating Server: agent_ttl: '1ns' is not between " },
                { "agent_ttl=100000h", "Failed creating Server: agent_ttl: '100000h' is not " },
                { "grace=10000h", "Failed creating Server: grace: '10000h' is not between 0ms " },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(strv_done) Strv warnings = STRV_INIT;
                _cleanup_error_ Error error = ERROR_INIT;
                Config *c = NULL;

                ck_assert_int_lt(config_parse("fleet.conf", cases[i].text, strlen(cases[i].text),
                                              no_environment, &c, &warnings, &error),
                                 0);
                ck_assert_ptr_null(c);
                ck_assert_msg(str_after_prefix(error_text(&error), cases[i].words), "case %zu: %s",
                              i, error_text(&error));
        }
}
END_TEST

START_TEST(test_booleans) {
        static const struct {
                const char *text;
                int r;
                bool value;
        } cases[] = {
                { "1", 0, true },         { "t", 0, true },          { "T", 0, true },
                { "true", 0, true },      { "TRUE", 0, true },       { "True", 0, true },
                { "0", 0, false },        { "f", 0, false },         { "F", 0, false },
                { "false", 0, false },    { "FALSE", 0, false },     { "False", 0, false },
                { "yes", -EINVAL, true }, { "tRUE", -EINVAL, true }, { "", -EINVAL, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                bool value = true;

                ck_assert_int_eq(config_parse_bool(cases[i].text, &value), cases[i].r);
                ck_assert(value == cases[i].value);
        }
}
END_TEST

START_TEST(test_load) {
        _cleanup_(strv_done) Strv warnings = STRV_INIT;
        _cleanup_(config_freep) Config *c = NULL;
        _cleanup_error_ Error error = ERROR_INIT;
        _cleanup_free_ char *directory = NULL, *path = NULL, *words = NULL;

        ck_assert_int_eq(fs_temp_directory("config-", &directory), 0);
        words = str_printf("Provided config %s is a directory, not a file", directory);
        ck_assert_int_lt(config_load(directory, &c, &warnings, &error), 0);
        ck_assert_str_eq(error_text(&error), words);

        path = str_printf("%s/fleet.conf", directory);
        mem_freep(&words);
        words = str_printf("Unable to use config file %s: No such file or directory", path);
        ck_assert_int_lt(config_load(path, &c, &warnings, &error), 0);
        ck_assert_str_eq(error_text(&error), words);

        ck_assert_int_eq(fs_write_file(path, "token_limit=3\n", 14, 0644), 0);
        ck_assert_int_eq(config_load(path, &c, &warnings, &error), 0);
        ck_assert_uint_eq(c->token_limit, 3);
        ck_assert_int_eq(fs_remove_tree(directory), 0);
}
END_TEST

TEST_MAIN("config", test_defaults, test_file, test_environment_wins, test_values_that_do_not_parse,
          test_overridden_nonsense_is_silent, test_what_ends_the_daemon, test_booleans, test_load);
