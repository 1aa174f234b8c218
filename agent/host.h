/*
 * Host: what this machine is: its id, its processors and memory, and the address it is reached at.
 *
 * The parsers are PURE. Reading is local and short (/etc, /proc, one netlink dump).
 */
#pragma once

#include <net/if.h>
#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/base/error.h"

/*
 * `configured` if it is not empty, else what /etc/machine-id (path) holds, trimmed. An id that is empty
 * or cannot be part of a key is refused with words. The caller owns *ret.
 */
int host_machine_id(const char *configured, const char *path, char **ret, Error *reterr);

uint64_t host_cpus(void);         /* online ones; 0 = unknown */
uint64_t host_memory_bytes(void); /* 0 = unknown */

/* The interface of the default route with the lowest metric. 0, or -ENOENT. Text of /proc/net/route. */
int host_parse_route4(const char *text, char ret_interface[IF_NAMESIZE]);
/* The same for /proc/net/ipv6_route. */
int host_parse_route6(const char *text, char ret_interface[IF_NAMESIZE]);

/*
 * First global-unicast address of the interface with the default route, IPv4 before IPv6; *ret is NULL
 * if there is none. The caller owns it.
 */
int host_public_ip(char **ret);

/* Tells of changes of addresses and routes (rtnetlink), at most once in a short while. */
typedef struct HostNetwork HostNetwork;
int host_network_watch(sd_event *event, void (*changed)(void *userdata), void *userdata,
                       HostNetwork **ret);
HostNetwork *host_network_free(HostNetwork *n); /* accepts NULL, returns NULL */
DEFINE_CLEANUP(HostNetwork, host_network_free);
