/*
 * fleetd: the command line (FLEET.md B1).
 */
#include <getopt.h>
#include <stdio.h>

#include "agent/daemon.h"
#include "lib/base/str.h"

#define EXIT_CODE_FAILURE 1
#define EXIT_CODE_USAGE 2 /* what Go's flag package ends with */

static void print_usage(FILE *f, const char *argv0) {
        (void) fprintf(
                f,
                "Usage of %s:\n"
                "  -config PATH\n"
                "        Path to config file. Default: /etc/fleet/fleet.conf, if it is there\n"
                "  -standalone\n"
                "        Keep the state in an embedded file instead of etcd: a cluster of one\n"
                "  -version\n"
                "        Print the version and exit\n",
                argv0);
}

static int print_version(void) {
        (void) printf("fleetd version %s\n", VERSION);
        return 0;
}

/* -1 = go on; else the exit code. */
static int parse_arguments(int argc, char **argv, DaemonOptions *options) {
        static const struct option known[] = {
                { "config", required_argument, NULL, 'c' },
                { "standalone", no_argument, NULL, 's' },
                { "version", no_argument, NULL, 'v' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        int c;

        /* One dash or two, as Go's flags. */
        while ((c = getopt_long_only(argc, argv, "+h", known, NULL)) >= 0) {
                switch (c) {
                case 'c':
                        options->config_path = optarg;
                        break;
                case 's':
                        options->standalone = true;
                        break;
                case 'v':
                        return print_version();
                case 'h':
                        print_usage(stdout, argv[0]);
                        return 0;
                default:
                        print_usage(stderr, argv[0]);
                        return EXIT_CODE_USAGE;
                }
        }
        if (optind >= argc)
                return -1;
        if (str_eq(argv[optind], "version"))
                return print_version();
        (void) fprintf(stderr, "%s takes no arguments. Did you mean to invoke fleetctl instead?\n",
                       argv[0]);
        print_usage(stderr, argv[0]);
        return EXIT_CODE_FAILURE;
}

int main(int argc, char **argv) {
        DaemonOptions options = { 0 };
        int code;

        code = parse_arguments(argc, argv, &options);
        return code >= 0 ? code : daemon_run(&options);
}
