/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/io/reconcile/reconcile_int.h"
#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/offload.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"
#include "node-agent/io/rtnl/sysctl.h"

/* Look-ups of the way to configured endpoints, per tunnel: beyond that many the smallest MTU so far stands. */
enum { EGRESS_LOOKUPS_MAX = 64 };

int observe_links(struct reconcile *reconcile, struct plan_world *world, struct err *err)
{
	CLEANUP_FREE struct rtnl_link *links = NULL;
	size_t count;
	int r = rtnl_link_list(reconcile->rtnl, NULL, &links, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		struct plan_link *link = plan_world_link(world, links[i].name);

		link->mtu = links[i].mtu;
		link->up = links[i].up;
		link->multicast = links[i].flags & IFF_MULTICAST;
	}
	return 0;
}

int observe_addresses(struct reconcile *reconcile, struct plan_world *world, struct err *err)
{
	CLEANUP_FREE struct rtnl_address *addresses = NULL;
	size_t count;
	int r = rtnl_address_list(reconcile->rtnl, NULL, 0, &addresses, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct rtnl_address *from = &addresses[i];
		struct plan_address *address = plan_world_address(world, from->device, &from->prefix);
		bool ip6 = from->prefix.addr.family == AF_INET6;

		address->peer = from->peer;
		address->host_scope = !ip6 && from->scope == RT_SCOPE_HOST;
		address->unpreferred = ip6 && from->preferred_lft_s == 0;
	}
	return 0;
}

static int observe_routes(struct reconcile *reconcile, struct plan_world *world, struct err *err)
{
	struct rtnl_route_filter filter = {.protocol = PLAN_PROTOCOL};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;
	int r = rtnl_route_list(reconcile->rtnl, &filter, &routes, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		struct plan_route *route = plan_world_route(world);

		route->to = routes[i].to;
		route->via = routes[i].via;
		route->src = routes[i].src;
		text_copy(route->device, sizeof(route->device), routes[i].device);
		route->table = routes[i].table;
		route->metric = routes[i].metric;
		route->unreachable = routes[i].type == RTN_UNREACHABLE;
	}
	return 0;
}

static int observe_connected(struct reconcile *reconcile, struct plan_world *world, struct err *err)
{
	struct rtnl_route_filter filter = {
		.table = RT_TABLE_MAIN, .protocol = RTPROT_KERNEL, .type = RTN_UNICAST};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;
	int r = rtnl_route_list(reconcile->rtnl, &filter, &routes, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		plan_world_connected(world, &routes[i].to);
	world->connected_known = true;
	return 0;
}

static int observe_rules(struct reconcile *reconcile, struct plan_world *world, struct err *err)
{
	CLEANUP_FREE struct rtnl_rule *rules = NULL;
	size_t count;
	int r = rtnl_rule_list(reconcile->rtnl, 0, &rules, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct rtnl_rule *from = &rules[i];

		if (from->protocol == PLAN_PROTOCOL)
			*plan_world_rule(world) = (struct plan_rule){.family = (uint8_t)from->family,
				.invert = from->invert,
				.has_fwmark = from->has_fwmark,
				.has_suppress = from->has_suppress,
				.priority = from->priority,
				.fwmark = from->fwmark,
				.table = from->table,
				.suppress_prefixlength =
					from->has_suppress ? from->suppress_prefixlength : 0};
	}
	return 0;
}

static void observe_peer(struct plan_device *device, const struct wg_peer *from)
{
	struct plan_peer *peer = plan_device_peer(device, &from->public_key);

	peer->preshared_key = from->preshared_key;
	peer->endpoint = from->endpoint;
	peer->keepalive_s = from->keepalive_s;
	peer->allowed_ips = from->allowed_ips;
	peer->allowed_ip_count = from->allowed_ip_count;
}

static void observe_found(const struct wg_device *from, const char *name, struct observation *observation)
{
	struct plan_device *device = plan_world_device(&observation->world, name);

	device->public_key = from->public_key;
	device->listen_port = from->listen_port;
	device->fwmark = from->fwmark;
	for (size_t i = 0; i < from->peer_count; i++)
		observe_peer(device, &from->peers[i]);
}

/* A device that is not there, or whose program has not answered for long, is simply not in the world, and will be made
 * anew. One that the kernel could not tell of now (a lock held for long, a dump interrupted again and again) is another thing:
 * its sessions must not be lost for that. */
static bool is_absent(int r, bool userspace)
{
	return userspace || r == -ENODEV || r == -EOPNOTSUPP;
}

/* At once, if it has just been read elsewhere. */
static int read_device(
	struct reconcile *reconcile, const char *name, struct wg_device *ret_device, struct err *err)
{
	int r;

	if (given_take(&reconcile->given, name, clock_now_ms(), ret_device))
		return 0;
	r = reconcile_get(reconcile, name, ret_device, err);
	if (r < 0)
		reconcile_forget_wg(reconcile, name);
	return r;
}

static int observe_device(
	struct reconcile *reconcile, const char *name, struct observation *observation, struct err *err)
{
	struct wg_device *from = &observation->devices[observation->device_count];
	bool userspace = false;
	struct wg *wg;
	int r = reconcile_wg(reconcile, name, &wg, err);

	if (r >= 0) {
		userspace = wg_is_userspace(wg);
		r = read_device(reconcile, name, from, err);
	}
	if ((r == -EINPROGRESS || r == -ETIMEDOUT) && userspace && !reconcile_is_dead(reconcile, name))
		return r;
	if (r < 0)
		return is_absent(r, userspace) ? 0 : r;
	observation->device_count++;
	observe_found(from, name, observation);
	return 0;
}

static int observe_firewall(struct reconcile *reconcile, const struct reconcile_input *input,
	struct plan_world *world, bool *ret_fence_missing, struct err *err)
{
	struct nft_difference difference;
	int r = nft_observe(reconcile->nft, input->ruleset, &difference, err);

	/* Tunnels that need none work all the same; others are told by the attempt to load it. */
	if (r == -EPROTONOSUPPORT) {
		world->firewall_differs = input->ruleset->count > 0;
		*ret_fence_missing = false;
		return 0;
	}
	if (r < 0)
		return r;
	world->firewall_differs = difference.differs;
	*ret_fence_missing = difference.fence_missing;
	return 0;
}

static int observe_network(struct reconcile *reconcile, struct plan_world *world, struct err *err)
{
	int r = observe_links(reconcile, world, err);

	if (r >= 0)
		r = observe_addresses(reconcile, world, err);
	if (r >= 0)
		r = observe_routes(reconcile, world, err);
	if (r >= 0)
		r = observe_connected(reconcile, world, err);
	if (r >= 0)
		r = observe_rules(reconcile, world, err);
	return r;
}

int observe(struct reconcile *reconcile, const struct reconcile_input *input, struct observation *ret,
	bool *ret_fence_missing, struct err *err)
{
	const struct desired *desired = input->facts.desired;
	struct observation observation = {0};
	int r = observe_firewall(reconcile, input, &observation.world, ret_fence_missing, err);

	if (r >= 0)
		r = observe_network(reconcile, &observation.world, err);
	if (r < 0) {
		observation_clear(&observation);
		return r;
	}
	observation.devices = mem_new(desired->tunnel_count + 1, sizeof(*observation.devices));
	for (size_t i = 0; r >= 0 && i < desired->tunnel_count; i++)
		r = observe_device(reconcile, desired->tunnels[i].name, &observation, err);
	if (r < 0)
		observation_clear(&observation);
	else
		*ret = observation;
	return r;
}

void observation_clear(struct observation *observation)
{
	plan_world_clear(&observation->world);
	for (size_t i = 0; i < observation->device_count; i++)
		wg_device_clear(&observation->devices[i]);
	free(observation->devices);
	*observation = (struct observation){0};
}

void observe_sysctls(const struct plan_target *target, struct plan_world *world)
{
	char value[SYSCTL_VALUE_MAX];

	for (size_t i = 0; i < target->world.sysctl_count; i++)
		if (sysctl_read(target->world.sysctls[i].key, value, sizeof(value), NULL) >= 0)
			plan_world_sysctl(world, target->world.sysctls[i].key, value);
}

void observe_offloads(const struct plan_target *target, struct plan_world *world)
{
	for (size_t i = 0; i < target->world.offload_count; i++) {
		const char *device = target->world.offloads[i].device;
		bool joins;

		if (offload_joins_udp(device, &joins, NULL) >= 0)
			plan_world_offload(world, device, joins);
	}
}

/* ---- the underlay ---- */

static int list_underlay(struct underlay *underlay)
{
	struct rtnl_route_filter filter = {.table = RT_TABLE_MAIN, .type = RTN_UNICAST};

	if (underlay->listed)
		return 0;
	underlay->listed = true;
	return rtnl_route_list(underlay->reconcile->rtnl, &filter, &underlay->routes, &underlay->count, NULL);
}

static bool is_of_others(const struct underlay *underlay, const struct rtnl_route *route)
{
	if (route->protocol == PLAN_PROTOCOL)
		return false;
	for (size_t i = 0; i < underlay->desired->tunnel_count; i++)
		if (!strcmp(underlay->desired->tunnels[i].name, route->device))
			return false;
	return true;
}

static bool is_better(const struct rtnl_route *route, const struct rtnl_route *best)
{
	return !best || route->to.length > best->to.length ||
	       (route->to.length == best->to.length && route->metric < best->metric);
}

bool observe_underlay(const struct addr *to, struct plan_route *ret_way, void *context)
{
	struct underlay *underlay = context;
	const struct rtnl_route *best = NULL;

	if (list_underlay(underlay) < 0)
		return false;
	for (size_t i = 0; i < underlay->count; i++) {
		const struct rtnl_route *route = &underlay->routes[i];

		if (prefix_contains(&route->to, to) && is_better(route, best) &&
			is_of_others(underlay, route))
			best = route;
	}
	if (!best)
		return false;
	*ret_way = (struct plan_route){.to = best->to, .via = best->via, .onlink = best->onlink};
	text_copy(ret_way->device, sizeof(ret_way->device), best->device);
	return true;
}

void underlay_clear(struct underlay *underlay)
{
	free(underlay->routes);
	*underlay = (struct underlay){0};
}

static uint32_t link_mtu(struct reconcile *reconcile, const char *name)
{
	struct rtnl_link link;

	return name[0] && rtnl_link_get(reconcile->rtnl, name, &link, NULL) >= 0 ? link.mtu : 0;
}

static uint32_t mtu_towards(struct reconcile *reconcile, const struct addr *to, uint32_t mark)
{
	struct rtnl_route_query query = {.to = *to, .mark = mark};
	struct rtnl_route route;

	if (rtnl_route_lookup(reconcile->rtnl, &query, &route, NULL) < 0)
		return 0;
	return route.mtu ? route.mtu : link_mtu(reconcile, route.device);
}

static uint32_t default_route_mtu(struct reconcile *reconcile)
{
	struct rtnl_route_filter filter = {.family = AF_INET, .table = RT_TABLE_MAIN};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;

	if (rtnl_route_list(reconcile->rtnl, &filter, &routes, &count, NULL) < 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (!routes[i].to.length)
			return routes[i].mtu ? routes[i].mtu : link_mtu(reconcile, routes[i].device);
	return 0;
}

static uint32_t smallest_mtu(
	struct reconcile *reconcile, const struct plan_facts *facts, const struct desired_tunnel *tunnel)
{
	const struct desired *desired = facts->desired;
	uint32_t smallest = 0;
	unsigned lookups = 0;

	for (size_t i = 0; i < desired->peer_count && lookups < EGRESS_LOOKUPS_MAX; i++) {
		const struct desired_peer *peer = &desired->peers[i];
		struct endpoint endpoint;
		uint32_t mtu;

		if (strcmp(peer->tunnel, tunnel->name))
			continue;
		endpoint = plan_configured_endpoint(facts, peer);
		if (!addr_is_set(&endpoint.addr))
			continue;
		lookups++;
		mtu = mtu_towards(reconcile, &endpoint.addr, tunnel->fwmark);
		if (mtu && (!smallest || mtu < smallest))
			smallest = mtu;
	}
	return smallest;
}

uint32_t observe_egress_mtu(
	struct reconcile *reconcile, const struct plan_facts *facts, const struct desired_tunnel *tunnel)
{
	const struct desired_endpoint *endpoint = plan_tunnel_endpoint(facts->desired, tunnel->name);
	uint32_t mtu;

	if (tunnel->mtu)
		return 0; /* given: nobody asks */
	mtu = smallest_mtu(reconcile, facts, tunnel);
	if (!mtu && endpoint)
		mtu = link_mtu(reconcile, endpoint->dial_interface);
	return mtu ? mtu : default_route_mtu(reconcile);
}
