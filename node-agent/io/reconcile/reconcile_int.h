/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RECONCILE_INT_H
#define HOLDFAST_AGENT_RECONCILE_INT_H

#include "node-agent/core/repair/silence.h"
#include "node-agent/io/reconcile/given.h"
#include "node-agent/io/reconcile/reconcile.h"
#include "node-agent/io/rtnl/route.h"

struct reconcile_device {
	char name[PROTO_INTERFACE_MAX + 1];
	struct wg *wg;
};

struct reconcile_silence {
	char name[PROTO_INTERFACE_MAX + 1];
	struct silence silence;
};

struct reconcile {
	int patience_ms;
	size_t silence_count;
	struct reconcile_silence silences[PROTO_TUNNELS_MAX];
	struct given_list given;
	char *config_path, *implementation;
	struct rtnl *rtnl;
	struct nft *nft;
	size_t device_count;
	struct reconcile_device devices[PROTO_TUNNELS_MAX];
	struct plan_world observed; /* kept for its addresses only, between rounds */
};

/* What one look at the kernel gives. The world's peers borrow allowed IPs from the devices. */
struct observation {
	struct plan_world world;
	size_t device_count;
	struct wg_device *devices; /* owned */
};

/* The routes of others, listed when somebody asks for one. */
struct underlay {
	struct reconcile *reconcile;
	const struct desired *desired;
	bool listed;
	struct rtnl_route *routes;
	size_t count;
};

/* A plan_underlay(); context: struct underlay. Linear in the routes of the main table. */
bool observe_underlay(const struct addr *to, struct plan_route *ret_way, void *underlay);
void underlay_clear(struct underlay *underlay);

/* Everything but kernel parameters, offloads and MTUs, which depend on what shall be. */
int observe(struct reconcile *reconcile, const struct reconcile_input *input, struct observation *ret,
	bool *ret_fence_missing, struct err *err);
int observe_links(struct reconcile *reconcile, struct plan_world *world, struct err *err);
int observe_addresses(struct reconcile *reconcile, struct plan_world *world, struct err *err);
void observe_sysctls(const struct plan_target *target, struct plan_world *world);
void observe_offloads(const struct plan_target *target, struct plan_world *world);
void observation_clear(struct observation *observation);
/* MTU of the way to the tunnel's peers; 0: there is none. */
uint32_t observe_egress_mtu(
	struct reconcile *reconcile, const struct plan_facts *facts, const struct desired_tunnel *tunnel);

/* Do the plan's operations in order. Counts and logs failures. */
void apply(struct reconcile *reconcile, const struct reconcile_input *input, const struct plan *plan,
	struct reconcile_result *result);

/* It has not answered for so long that it is to be made anew. */
bool reconcile_is_dead(struct reconcile *reconcile, const char *tunnel);

#endif
