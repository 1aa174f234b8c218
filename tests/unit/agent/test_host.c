#include "agent/host.h"

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

#define HEAD4                                                                                      \
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define ZEROS "00000000000000000000000000000000"

START_TEST(test_routes4) {
        static const struct {
                const char *text, *interface;
        } cases[] = {
                { "", NULL },
                { HEAD4, NULL },
                { HEAD4 "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", "eth0" },
                { HEAD4 "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n", NULL },
                { HEAD4 "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
                        "eth1\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n",
                  "eth1" },
                { HEAD4 "eth0\t00000000\t010011AC\t0002\t0\t0\t0\t00000000\t0\t0\t0\n", NULL },
                { HEAD4 "eth0\t00000000\t010011AC\t0201\t0\t0\t0\t00000000\t0\t0\t0\n", NULL },
                { "nonsense\n\n\n", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char interface[IF_NAMESIZE] = "";
                int r = host_parse_route4(cases[i].text, interface);

                ck_assert_int_eq(r, cases[i].interface ? 0 : -ENOENT);
                ck_assert_str_eq(interface, str_or(cases[i].interface, ""));
        }
}
END_TEST

START_TEST(test_routes6) {
        static const struct {
                const char *text, *interface;
        } cases[] = {
                { "", NULL },
                { ZEROS " 00 " ZEROS " 00 fe800000000000000000000000000001 00000400 00000001 "
                        "00000000 00000003     eth0\n",
                  "eth0" },
                { ZEROS " 00 " ZEROS " 00 " ZEROS " ffffffff 00000001 00000000 00200200       lo\n",
                  NULL },
                { "fe800000000000000000000000000000 40 " ZEROS " 00 " ZEROS
                  " 00000100 00000001 00000000 00000001     eth0\n",
                  NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char interface[IF_NAMESIZE] = "";

                ck_assert_int_eq(host_parse_route6(cases[i].text, interface),
                                 cases[i].interface ? 0 : -ENOENT);
                ck_assert_str_eq(interface, str_or(cases[i].interface, ""));
        }
}
END_TEST

START_TEST(test_machine_id) {
        static const struct {
                const char *configured, *file, *id, *words;
        } cases[] = {
                { "", "0123abc\n", "0123abc", NULL },
                { "  m1  ", "0123abc\n", "m1", NULL },
                { "", " \n", NULL, "the machine has no id: " },
                { "a/b", NULL, NULL, "machine id of machine_id= may hold letters" },
                { "", NULL, NULL, "cannot read the machine id from " },
                { "01234567890123456789012345678901234567890123456789012345678901234", NULL, NULL,
                  "machine id of machine_id= is longer than 64 bytes" },
        };
        _cleanup_free_ char *directory = NULL, *path = NULL;

        ck_assert_int_eq(fs_temp_directory("host-", &directory), 0);
        path = str_printf("%s/machine-id", directory);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_error_ Error error = ERROR_INIT;
                _cleanup_free_ char *id = NULL;
                const char *file = cases[i].file;
                int r;

                ck_assert_int_eq(fs_remove_tree(path), 0);
                if (file)
                        ck_assert_int_eq(fs_write_file(path, file, strlen(file), 0644), 0);
                r = host_machine_id(cases[i].configured, path, &id, &error);
                ck_assert_msg((r == 0) == (cases[i].id != NULL), "case %zu: %s", i,
                              error_text(&error));
                if (r == 0)
                        ck_assert_str_eq(id, cases[i].id);
                else
                        ck_assert_msg(str_after_prefix(error_text(&error), cases[i].words),
                                      "case %zu: %s", i, error_text(&error));
        }
        ck_assert_int_eq(fs_remove_tree(directory), 0);
}
END_TEST

START_TEST(test_facts) {
        _cleanup_free_ char *ip = NULL;

        ck_assert_uint_gt(host_cpus(), 0);
        ck_assert_uint_gt(host_memory_bytes(), MIB);
        ck_assert_int_eq(host_public_ip(&ip), 0);
}
END_TEST

TEST_MAIN("host", test_routes4, test_routes6, test_machine_id, test_facts);
