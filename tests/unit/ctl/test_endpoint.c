#include "ctl/endpoint.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static Options options_for(const char *endpoint) {
        return (Options){ .driver = "API",
                          .endpoint = endpoint,
                          .tunnel = "",
                          .ca_file = "",
                          .cert_file = "",
                          .key_file = "" };
}

START_TEST(test_valid) {
        static const struct {
                const char *endpoint, *base_url, *unix_socket, *warning;
        } cases[] = {
                { "unix:///var/run/fleet.sock", "http://domain-sock", "/var/run/fleet.sock", NULL },
                { "file:///run/x", "http://domain-sock", "/run/x", NULL },
                { "http://10.0.0.1:49153", "http://10.0.0.1:49153", NULL, NULL },
                { "http://10.0.0.1:49153/", "http://10.0.0.1:49153", NULL, NULL },
                { "https://[::1]:4/fleet//", "https://[::1]:4/fleet", NULL, NULL },
                { "http://a:1,http://b:2", "http://a:1", NULL,
                  "multiple endpoints provided but only the first (http://a:1) is used" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Options o = options_for(cases[i].endpoint);
                char *warning = NULL;
                Endpoint e;

                ck_assert_int_eq(endpoint_parse(&o, &e, &warning, NULL), 0);
                ck_assert_str_eq(e.base_url, cases[i].base_url);
                ck_assert(str_eq(e.unix_socket, cases[i].unix_socket));
                ck_assert(str_eq(warning, cases[i].warning));
                mem_free(warning);
                endpoint_done(&e);
        }
}
END_TEST

START_TEST(test_invalid) {
        static const struct {
                const char *endpoint, *text;
        } cases[] = {
                { "", "URL scheme undefined" },
                { "/var/run/fleet.sock", "URL scheme undefined" },
                { "://x", "URL scheme undefined" },
                { "ftp://x", "URL scheme undefined: \"ftp\" is none of unix, file, http, https" },
                { "httpx://x",
                  "URL scheme undefined: \"httpx\" is none of unix, file, http, https" },
                { "unix://var/run/fleet.sock",
                  "unable to connect to host \"var\" with scheme \"unix\"" },
                { "unix:///", "endpoint \"unix:///\" names no socket" },
                { "http://", "endpoint \"http://\" names no host" },
                { "https:///x", "endpoint \"https:///x\" names no host" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Options o = options_for(cases[i].endpoint);
                _cleanup_error_ Error e = ERROR_INIT;
                char *warning = NULL;
                Endpoint endpoint;

                ck_assert_int_lt(endpoint_parse(&o, &endpoint, &warning, &e), 0);
                ck_assert_str_eq(error_text(&e), cases[i].text);
        }
}
END_TEST

START_TEST(test_drivers_and_tunnels) {
        Options o = options_for("unix:///x");
        _cleanup_error_ Error e = ERROR_INIT;
        char *warning = NULL;
        Endpoint endpoint;

        o.driver = "x";
        ck_assert_int_lt(endpoint_parse(&o, &endpoint, &warning, &e), 0);
        ck_assert_str_eq(error_text(&e), "unrecognized driver \"x\"");
        o.driver = "etcd";
        ck_assert_int_lt(endpoint_parse(&o, &endpoint, &warning, &e), 0);
        ck_assert_ptr_nonnull(strstr(error_text(&e), "the driver \"etcd\" is not available"));
        o.driver = "api";
        o.tunnel = "host:22";
        ck_assert_int_lt(endpoint_parse(&o, &endpoint, &warning, &e), 0);
        ck_assert_ptr_nonnull(strstr(error_text(&e), "tunnels are not supported yet"));
}
END_TEST

START_TEST(test_tls_files) {
        Options o = options_for("https://x");
        _cleanup_error_ Error e = ERROR_INIT;
        char *warning = NULL;
        Endpoint endpoint;

        o.ca_file = "/dev/null";
        ck_assert_int_eq(endpoint_parse(&o, &endpoint, &warning, &e), 0);
        ck_assert_str_eq(endpoint.ca_file, "/dev/null");
        ck_assert_ptr_null(endpoint.cert_file);
        endpoint_done(&endpoint);
        o.cert_file = "/dev/zero";
        ck_assert_int_lt(endpoint_parse(&o, &endpoint, &warning, &e), 0);
        ck_assert_ptr_nonnull(strstr(error_text(&e), "go together"));
        o.key_file = "/dev/null";
        ck_assert_int_eq(endpoint_parse(&o, &endpoint, &warning, &e), 0);
        ck_assert_str_eq(endpoint.key_file, "/dev/null");
        endpoint_done(&endpoint);
        o.key_file = "/nowhere/key.pem";
        ck_assert_int_eq(endpoint_parse(&o, &endpoint, &warning, &e), -ENOENT);
        ck_assert_str_eq(error_text(&e), "--key-file /nowhere/key.pem: No such file or directory");
}
END_TEST

TEST_MAIN("endpoint", test_valid, test_invalid, test_drivers_and_tunnels, test_tls_files);
