/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PLAN_PLAN_H
#define HOLDFAST_PLAN_PLAN_H

#include "node-agent/core/plan/target.h"
#include "node-agent/core/plan/world.h"

/*
 * The ordered difference between a target and an observed world. An unchanged world gives an empty plan, and
 * what is not ours appears in none.
 *
 * Order: the firewall, so that the fence stands before anything can speak; kernel parameters and offloads, before the
 * addresses that they keep quiet; what goes, from the top down (rules, routes, addresses, links); what comes,
 * from the ground up (links, their WireGuard configuration, their addresses, MTU, flags and up, rules,
 * routes; and a default route after the rules that bound it).
 */
enum plan_kind {
	PLAN_FIREWALL_LOAD,
	PLAN_SYSCTL_SET,
	PLAN_OFFLOAD_SET,
	PLAN_RULE_DELETE,
	PLAN_ROUTE_DELETE,
	PLAN_ADDRESS_DELETE,
	PLAN_LINK_DELETE,
	PLAN_LINK_CREATE,
	PLAN_WIREGUARD_SET,
	PLAN_ADDRESS_ADD,
	PLAN_LINK_SET,
	PLAN_RULE_ADD,
	PLAN_ROUTE_SET, /* made, or changed in place */
};

enum plan_peer_flags {
	PLAN_PEER_ADD = 1 << 0,
	PLAN_PEER_REMOVE = 1 << 1,
	PLAN_PEER_PRESHARED_KEY = 1 << 2,
	PLAN_PEER_ENDPOINT = 1 << 3,
	PLAN_PEER_KEEPALIVE = 1 << 4,
	PLAN_PEER_ALLOWED_IPS = 1 << 5, /* replaced by these */
};

struct plan_peer_change {
	unsigned flags;        /* enum plan_peer_flags */
	struct plan_peer peer; /* what the flags tell of; allowed IPs borrowed from the target */
};

/* One WireGuard device's difference. */
struct plan_wireguard {
	char name[PROTO_INTERFACE_MAX + 1];
	bool set_private_key, set_listen_port, set_fwmark;
	uint16_t listen_port;
	uint32_t fwmark;
	struct plan_peer_change
		*changes; /* owned, wiped; removals first, so that prefixes are free to move */
	size_t change_count, change_capacity;
};

struct plan_op {
	enum plan_kind kind;
	union {
		struct plan_sysctl sysctl;
		struct plan_offload offload;
		struct plan_rule rule;
		struct plan_route route;
		struct plan_address address;
		struct plan_link link;
		struct plan_wireguard wireguard;
	};
	bool set_mtu, set_up, set_multicast; /* of PLAN_LINK_SET */
	bool changes;                        /* of PLAN_ROUTE_SET: ours is there, and leads another way */
};

struct plan {
	struct plan_op *ops;
	size_t count, capacity;
};

/* Borrows allowed IPs from target: clear the plan first. */
void plan_init(struct plan *ret_plan, const struct plan_target *target, const struct plan_world *observed);
void plan_clear(struct plan *plan); /* NULL-safe */

/* The operation as a person would type it: "ip address add 10.9.0.100/32 dev eth0". Never a key that is
 * secret. Returns buffer. */
enum { PLAN_TEXT_MAX = 256 };
char *plan_op_format(const struct plan_op *op, char buffer[PLAN_TEXT_MAX]);

#endif
