/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PLAN_WORLD_H
#define HOLDFAST_PLAN_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/key.h"
#include "proto/limits.h"

/*
 * A world: links, addresses, routes, rules, WireGuard devices, kernel parameters, offloads and whether the firewall stands,
 * as plain values. One is what shall be (target.h makes it), one is what was observed; plan.h tells what to
 * do about the difference. Everything that the host has besides is none of our business: an observed world
 * may hold it, and plans leave it alone.
 */

/* rtm_protocol of our routes and FRA_PROTOCOL of our rules: how we tell ours from others'. Not among those of
 * linux/rtnetlink.h or iproute2's rt_protos; docs/agent.md tells administrators. */
enum { PLAN_PROTOCOL = 157 };

enum {
	PLAN_TABLE_MAIN = 254,      /* RT_TABLE_MAIN */
	PLAN_METRIC_IPV6 = 1024,    /* what the kernel makes of an IPv6 metric of 0 */
	PLAN_SYSCTL_KEY_MAX = 96,   /* with its end */
	PLAN_SYSCTL_VALUE_MAX = 32, /* with its end */
};

struct plan_link {
	char name[PROTO_INTERFACE_MAX + 1];
	uint32_t mtu;
	bool up;
	bool multicast;       /* IFF_MULTICAST */
	bool multicast_fixed; /* wanted: multicast counts; else it stays as it is */
};

struct plan_address {
	char device[PROTO_INTERFACE_MAX + 1];
	struct prefix prefix; /* host bits kept; with a peer, the length is the peer's */
	struct addr peer;     /* the far end; none: an ordinary address */
	bool host_scope;      /* IPv4: scope host */
	bool unpreferred;     /* IPv6: nodad, preferred_lft 0: never chosen as a source */
	uint32_t
		lifetime_s; /* wanted: valid_lft, 0: for ever. It runs down in the kernel and is no difference: whoever
				wants it renews it */
};

struct plan_route {
	struct prefix to; /* masked */
	struct addr via;  /* none: on link */
	struct addr src;  /* none: the kernel's choice */
	char device[PROTO_INTERFACE_MAX + 1];
	uint32_t table, metric; /* as the kernel tells them: never 0 where it has a default */
	bool onlink;            /* wanted: via is there whatever the routes say; no difference */
	bool connected; /* wanted: the kernel's own, which comes with an address: made only where there is none */
	bool unreachable; /* it leads nowhere: via, src and device say nothing */
};

struct plan_rule {
	uint8_t family;
	bool invert, has_fwmark, has_suppress;
	uint32_t priority, fwmark, table, suppress_prefixlength;
};

struct plan_peer {
	struct key public_key;
	struct key preshared_key; /* secret; zero: none */
	struct endpoint endpoint;
	bool endpoint_if_none; /* wanted: only while the device has none: a peer may roam away from it */
	uint16_t keepalive_s;
	bool keepalive_any;               /* wanted: leave it as it is (a takeover is at work on it) */
	const struct prefix *allowed_ips; /* borrowed; in any order, masked, without duplicates */
	size_t allowed_ip_count;
};

struct plan_device {
	char name[PROTO_INTERFACE_MAX + 1];
	struct key public_key; /* zero: it has no private key */
	uint16_t listen_port;
	uint32_t fwmark;
	struct plan_peer *peers; /* owned, wiped; sorted by public key (memcmp) */
	size_t peer_count, peer_capacity;
};

struct plan_sysctl {
	char key[PLAN_SYSCTL_KEY_MAX]; /* "net/ipv4/conf/eth0.100/arp_ignore" */
	char value[PLAN_SYSCTL_VALUE_MAX];
};

struct plan_offload {
	char device[PROTO_INTERFACE_MAX + 1];
	bool joins_udp; /* received packets, before nftables sees them (io/rtnl/offload.h). Wanted: never */
};

struct plan_world {
	struct plan_link *links;
	size_t link_count, link_capacity;
	struct plan_address *addresses;
	size_t address_count, address_capacity;
	struct plan_route *routes; /* observed: those of PLAN_PROTOCOL only */
	size_t route_count, route_capacity;
	/* Observed: networks that have a route of the kernel's own in the main table, whatever the device. */
	bool connected_known; /* false: nobody looked */
	struct prefix *connected;
	size_t connected_count, connected_capacity;
	struct plan_rule *rules; /* observed: those of PLAN_PROTOCOL only */
	size_t rule_count, rule_capacity;
	struct plan_device *devices;
	size_t device_count, device_capacity;
	struct plan_sysctl *sysctls;
	size_t sysctl_count, sysctl_capacity;
	struct plan_offload *offloads;
	size_t offload_count, offload_capacity;
	bool firewall_differs; /* observed: the loaded ruleset is not the one that shall be */
};

void plan_world_clear(struct plan_world *world); /* frees and wipes; NULL-safe */

/* Append a zeroed one and return it, valid until the next of its kind is added. */
struct plan_link *plan_world_link(struct plan_world *world, const char *name);
struct plan_address *plan_world_address(
	struct plan_world *world, const char *device, const struct prefix *prefix);
struct plan_route *plan_world_route(struct plan_world *world);
void plan_world_connected(struct plan_world *world, const struct prefix *to);
struct plan_rule *plan_world_rule(struct plan_world *world);
struct plan_device *plan_world_device(struct plan_world *world, const char *name);
struct plan_peer *plan_device_peer(struct plan_device *device, const struct key *public_key);
/* Once per key: a second value for it replaces the first. */
void plan_world_sysctl(struct plan_world *world, const char *key, const char *value);
/* Once per device likewise. */
void plan_world_offload(struct plan_world *world, const char *device, bool joins_udp);

bool plan_address_equal(const struct plan_address *a, const struct plan_address *b);
bool plan_rule_equal(const struct plan_rule *a, const struct plan_rule *b);

/* Its link, device, addresses and routes are left out: of two worlds without them a plan says nothing of it. */
void plan_world_overlook(struct plan_world *world, const char *name);

/* NULL if there is none. */
const struct plan_link *plan_world_find_link(const struct plan_world *world, const char *name);
const struct plan_device *plan_world_find_device(const struct plan_world *world, const char *name);
const struct plan_sysctl *plan_world_find_sysctl(const struct plan_world *world, const char *key);
const struct plan_offload *plan_world_find_offload(const struct plan_world *world, const char *device);

#endif
