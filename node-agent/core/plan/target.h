/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PLAN_TARGET_H
#define HOLDFAST_PLAN_TARGET_H

#include "node-agent/core/plan/bypass.h"
#include "node-agent/core/plan/world.h"
#include "proto/desired.h"

/*
 * What a gateway's world shall be: desired state, its roles, and the few facts of the host that it depends
 * on. What WireGuard tunnels get is wg-quick's inventory (addresses, MTU, routes of allowed IPs, rules of a
 * default route); what endpoints get is DESIGN section 3, "Addresses".
 */

/* Where a live session of the peer is now, or NULL. Asked on a standby only. */
typedef const struct endpoint *plan_live_endpoint(
	const char *tunnel, const struct key *public_key, void *context);

/* What a peer has of the prefixes that others lay claim to as well, and all others of its own. */
typedef const struct prefix *plan_allowed_ips(
	const struct desired_peer *peer, size_t *ret_count, void *context);

struct plan_scope;

struct plan_facts {
	const struct desired *desired;
	const struct desired *previous; /* the generation before, so that what it had goes; NULL: none */
	const struct plan_scope
		*left; /* what generations before that one may have left behind; NULL: nothing */
	bool serving[PROTO_ENDPOINTS_MAX]; /* by index of desired->endpoints */
	/* Served as a guest, or as one that has handed on (serving is true as well): without the IPv6 addresses. A
	 * neighbour solicitation for anybody else has the source of the packet that waits for it (RFC 4861,
	 * section 7.2.2), and whoever is asked learns that it is here. */
	bool visiting[PROTO_ENDPOINTS_MAX];
	bool waking[PROTO_ENDPOINTS_MAX];       /* a takeover sets keepalives just now: leave them */
	uint32_t egress_mtu[PROTO_TUNNELS_MAX]; /* by index of desired->tunnels: MTU towards its peers; 0: not
						   known */
	const struct key *preshared_keys;       /* by index of desired->peers; NULL: there are none */
	/* The kernel does not have the rules of groups: peers in groups are kept out, since nothing would hold them. */
	bool groups_missing;
	const struct plan_world *observed; /* for the addresses that interfaces have of their own */
	plan_live_endpoint *live_endpoint; /* NULL: nothing known */
	/* Where the host name of a peer's configured endpoint leads, or NULL; NULL: nothing known. */
	plan_live_endpoint *resolved_endpoint;
	plan_allowed_ips *allowed_ips; /* borrowed until the plan is cleared; NULL: as desired */
	void *context;                 /* of all three */
	plan_underlay *underlay;       /* NULL: nobody knows */
	void *underlay_context;
};

/* Whatever of these is in the kernel is ours to remove. */
struct plan_scope {
	char (*links)[PROTO_INTERFACE_MAX +
		      1]; /* tunnels; with everything on them, of fe80::/10 what is claimed */
	size_t link_count, link_capacity;
	struct plan_claim {
		char device[PROTO_INTERFACE_MAX + 1];
		struct addr addr;
	} * claims; /* addresses on interfaces that are not ours, and link-local ones on those that are */
	size_t claim_count, claim_capacity;
};

struct plan_target {
	struct plan_world world;
	struct plan_scope scope;
	/* Of the routes of the world: see bypass.h. Default routes with an automatic table need none, their rules let the
	 * tunnel's own packets pass. */
	size_t bypass_count;
};

/* *ret_target borrows allowed IPs from facts->desired, or from who is asked for them. */
void plan_target_init(struct plan_target *ret_target, const struct plan_facts *facts);
void plan_target_clear(struct plan_target *target); /* NULL-safe */

/* The outer and inside addresses and routes that the owner of an endpoint has and nobody else: what a
 * takeover adds and a demotion removes, without looking first. Only addresses and routes of *world are
 * filled. */
void plan_endpoint_served(struct plan_world *world, const struct desired_endpoint *endpoint,
	const struct plan_world *observed, bool visiting);

/* Is it one of the addresses that its owner has on this device? */
bool plan_endpoint_has_address(
	const struct desired_endpoint *endpoint, const char *device, const struct addr *addr);

/* The route of one allowed IP of the peer; false: it has none of its own. */
bool plan_allowed_route(const struct desired_tunnel *tunnel, const struct desired_peer *peer,
	const struct prefix *allowed, struct plan_route *ret_route);

/* The endpoint that a tunnel belongs to; NULL: none, then it is always served here. */
const struct desired_endpoint *plan_tunnel_endpoint(const struct desired *desired, const char *tunnel);

/* MTU of a tunnel: as given, else the egress route's less WireGuard's 80 bytes over IPv6. */
uint32_t plan_tunnel_mtu(const struct desired_tunnel *tunnel, uint32_t egress_mtu);

/* The address of a tunnel with link_local: see proto/desired.h. */
struct prefix plan_link_local(const struct key *public_key);

/* A peer's configured endpoint, as an address; without a family: there is none, or none yet. */
struct endpoint plan_configured_endpoint(const struct plan_facts *facts, const struct desired_peer *peer);

/* All that a generation may have in the kernel, each thing once. */
void plan_scope_generation(struct plan_scope *scope, const struct desired *desired);
void plan_scope_clear(struct plan_scope *scope); /* frees; NULL-safe */
void plan_scope_add_link(struct plan_scope *scope, const char *name);
void plan_scope_claim(struct plan_scope *scope, const char *device, const struct addr *addr);
bool plan_scope_has_link(const struct plan_scope *scope, const char *name);
bool plan_scope_has_address(const struct plan_scope *scope, const struct plan_address *address);

#endif
