#include "agent/host.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fs.h"
#include "lib/base/str.h"
#include "lib/event/event.h"

#define HOST_FILE_MAX (4 * MIB)

/* Container engines change addresses many times a second: look once they are done. */
#define HOST_NETWORK_SETTLE_USEC USEC_PER_SEC

#define MACHINE_ID_MAX 64

/* Flags of a route (linux/route.h, which clashes with net/if.h). */
#define ROUTE_UP 0x1
#define ROUTE_REJECT 0x200

static int check_machine_id(const char *id, const char *source, Error *reterr) {
        if (id[0] == '\0')
                return error_set(reterr, -EINVAL,
                                 "the machine has no id: %s is empty (machine_id= sets one)",
                                 source);
        if (strlen(id) > MACHINE_ID_MAX)
                return error_set(reterr, -EINVAL, "machine id of %s is longer than %d bytes",
                                 source, MACHINE_ID_MAX);
        for (const char *c = id; *c; c++)
                if (!isalnum((unsigned char) *c) && !strchr("-_.", *c))
                        return error_set(reterr, -EINVAL,
                                         "machine id of %s may hold letters, digits and -_. only",
                                         source);
        return 0;
}

int host_machine_id(const char *configured, const char *path, char **ret, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        bool in_file = str_empty(configured);
        char *id;
        int r = 0;

        if (in_file)
                r = fs_read_file(path, KIB, &text, NULL);
        else if (!(text = str_dup(configured)))
                r = -ENOMEM;
        if (r < 0)
                return error_set(reterr, r, "cannot read the machine id from '%s': %s", path,
                                 strerror(-r));

        id = str_trim(text);
        r = check_machine_id(id, in_file ? path : "machine_id=", reterr);
        if (r < 0)
                return r;
        *ret = str_dup(id);
        return *ret ? 0 : -ENOMEM;
}

uint64_t host_cpus(void) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n > 0 ? (uint64_t) n : 0;
}

uint64_t host_memory_bytes(void) {
        long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

        return pages > 0 && page > 0 ? (uint64_t) pages * (uint64_t) page : 0;
}

/* Calls fn for each line; longer ones than any route has are left out. */
static void each_line(const char *text, void (*fn)(const char *line, void *userdata),
                      void *userdata) {
        while (*text) {
                size_t n = strcspn(text, "\n");
                char line[256];

                if (n < sizeof(line)) {
                        memcpy(line, text, n);
                        line[n] = '\0';
                        fn(line, userdata);
                }
                text += n + (text[n] == '\n');
        }
}

typedef struct BestRoute {
        char interface[IF_NAMESIZE];
        unsigned metric;
} BestRoute;

static void take_route(BestRoute *best, const char *interface, unsigned metric) {
        if (best->interface[0] != '\0' && metric >= best->metric)
                return;
        (void) snprintf(best->interface, sizeof(best->interface), "%s", interface);
        best->metric = metric;
}

static void on_route4(const char *line, void *userdata) {
        char interface[IF_NAMESIZE];
        unsigned destination, flags, metric, mask;

        if (sscanf(line, "%15s %x %*x %x %*d %*d %u %x", interface, &destination, &flags, &metric,
                   &mask) != 5)
                return;
        if (destination == 0 && mask == 0 && (flags & ROUTE_UP) && !(flags & ROUTE_REJECT))
                take_route(userdata, interface, metric);
}

static void on_route6(const char *line, void *userdata) {
        char interface[IF_NAMESIZE], destination[33];
        unsigned prefix, metric, flags;

        if (sscanf(line, "%32s %x %*s %*x %*s %x %*x %*x %x %15s", destination, &prefix, &metric,
                   &flags, interface) != 5)
                return;
        if (prefix == 0 && strspn(destination, "0") == 32 && (flags & ROUTE_UP) &&
            !(flags & ROUTE_REJECT) && !str_eq(interface, "lo"))
                take_route(userdata, interface, metric);
}

static int best_route(const char *text, void (*fn)(const char *, void *), char *ret) {
        BestRoute best = { 0 };

        each_line(text, fn, &best);
        if (best.interface[0] == '\0')
                return -ENOENT;
        memcpy(ret, best.interface, IF_NAMESIZE);
        return 0;
}

int host_parse_route4(const char *text, char ret_interface[IF_NAMESIZE]) {
        return best_route(text, on_route4, ret_interface);
}

int host_parse_route6(const char *text, char ret_interface[IF_NAMESIZE]) {
        return best_route(text, on_route6, ret_interface);
}

static bool is_global4(const struct sockaddr_in *a) {
        uint32_t ip = ntohl(a->sin_addr.s_addr);

        return ip != 0 && ip != INADDR_BROADCAST && (ip >> 24) != 127 && !IN_MULTICAST(ip) &&
               (ip >> 16) != 0xa9fe; /* 169.254/16: link-local */
}

static bool is_global6(const struct sockaddr_in6 *a) {
        const struct in6_addr *ip = &a->sin6_addr;

        return !IN6_IS_ADDR_UNSPECIFIED(ip) && !IN6_IS_ADDR_LOOPBACK(ip) &&
               !IN6_IS_ADDR_MULTICAST(ip) && !IN6_IS_ADDR_LINKLOCAL(ip);
}

/* The first good address of the family on the interface; false if there is none. */
static bool find_address(const struct ifaddrs *list, const char *interface, int family,
                         char ret[INET6_ADDRSTRLEN]) {
        for (const struct ifaddrs *a = list; a; a = a->ifa_next) {
                const void *sa = a->ifa_addr, *ip = NULL;

                if (!sa || a->ifa_addr->sa_family != family || !str_eq(a->ifa_name, interface))
                        continue;
                if (family == AF_INET && is_global4(sa))
                        ip = &((const struct sockaddr_in *) sa)->sin_addr;
                if (family == AF_INET6 && is_global6(sa))
                        ip = &((const struct sockaddr_in6 *) sa)->sin6_addr;
                if (ip && inet_ntop(family, ip, ret, INET6_ADDRSTRLEN))
                        return true;
        }
        return false;
}

static bool default_interface(const char *path, int (*parse)(const char *, char *),
                              char ret[IF_NAMESIZE]) {
        _cleanup_free_ char *text = NULL;

        return fs_read_file(path, HOST_FILE_MAX, &text, NULL) >= 0 && parse(text, ret) >= 0;
}

int host_public_ip(char **ret) {
        char interface[IF_NAMESIZE], address[INET6_ADDRSTRLEN];
        struct ifaddrs *list = NULL;
        bool found = false;

        if (getifaddrs(&list) < 0)
                return -errno;
        if (default_interface("/proc/net/route", host_parse_route4, interface))
                found = find_address(list, interface, AF_INET, address) ||
                        find_address(list, interface, AF_INET6, address);
        if (!found && default_interface("/proc/net/ipv6_route", host_parse_route6, interface))
                found = find_address(list, interface, AF_INET6, address);
        freeifaddrs(list);

        *ret = found ? str_dup(address) : NULL;
        return found && !*ret ? -ENOMEM : 0;
}

struct HostNetwork {
        int fd;
        sd_event_source *io, *settle;
        void (*changed)(void *userdata);
        void *userdata;
};

static void on_settled(void *userdata) {
        HostNetwork *n = userdata;

        n->changed(n->userdata);
}

/* What has changed does not matter, only that something has. */
static int on_netlink(sd_event_source *source _unused_, int fd, uint32_t events _unused_,
                      void *userdata) {
        HostNetwork *n = userdata;
        char buffer[8192];

        while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
                ;
        if (!event_timer_is_armed(n->settle))
                (void) event_timer_arm(n->settle, HOST_NETWORK_SETTLE_USEC);
        return 0;
}

int host_network_watch(sd_event *event, void (*changed)(void *userdata), void *userdata,
                       HostNetwork **ret) {
        struct sockaddr_nl address = {
                .nl_family = AF_NETLINK,
                .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR |
                             RTMGRP_IPV6_ROUTE,
        };
        _cleanup_(host_network_freep) HostNetwork *n = mem_new(HostNetwork);
        int r;

        if (!n)
                return -ENOMEM;
        n->changed = changed;
        n->userdata = userdata;
        n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (n->fd < 0)
                return -errno;
        if (bind(n->fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;

        r = event_timer_new(event, "network-settle", on_settled, n, &n->settle);
        if (r >= 0)
                r = sd_event_add_io(event, &n->io, n->fd, EPOLLIN, on_netlink, n);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(n->io, "network-changes");

        *ret = TAKE_PTR(n);
        return 0;
}

HostNetwork *host_network_free(HostNetwork *n) {
        if (!n)
                return NULL;
        n->io = event_drop(n->io);
        n->settle = event_drop(n->settle);
        n->fd = fd_close(n->fd);
        return mem_free(n);
}
