/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "node-agent/core/plan/target_int.h"

enum {
	WIREGUARD_OVERHEAD = 80, /* IPv6 40, UDP 8, WireGuard 32: what wg-quick takes */
	MTU_UNKNOWN = 1500,      /* what wg-quick assumes without any route */
	MTU_MIN = 1280,          /* IPv6's least, RFC 8200 */
	RULE_SUPPRESS = 32764,   /* the priorities that wg-quick's rules end up at ... */
	RULE_NOT_OURS = 32765,   /* ... but said, so that a rule of priority 0 can't reverse them */
};

const struct desired_endpoint *plan_tunnel_endpoint(const struct desired *desired, const char *tunnel)
{
	for (size_t i = 0; i < desired->endpoint_count; i++)
		for (size_t j = 0; j < desired->endpoints[i].tunnel_count; j++)
			if (!strcmp(desired->endpoints[i].tunnels[j], tunnel))
				return &desired->endpoints[i];
	return NULL;
}

uint32_t plan_tunnel_mtu(const struct desired_tunnel *tunnel, uint32_t egress_mtu)
{
	uint32_t mtu = (egress_mtu ? egress_mtu : (uint32_t)MTU_UNKNOWN);

	if (tunnel->mtu)
		return tunnel->mtu;
	return mtu < MTU_MIN + WIREGUARD_OVERHEAD ? (uint32_t)MTU_MIN : mtu - WIREGUARD_OVERHEAD;
}

struct prefix plan_link_local(const struct key *public_key)
{
	struct prefix prefix = {.addr = {.family = AF_INET6, .bytes = {0xfe, 0x80}}, .length = 64};

	memcpy(prefix.addr.bytes + 8, public_key->bytes, 8);
	return prefix;
}

static void want_addresses(struct plan_world *world, const struct desired_tunnel *tunnel)
{
	struct prefix link_local = plan_link_local(&tunnel->public_key);

	for (size_t i = 0; i < tunnel->address_count; i++)
		plan_world_address(world, tunnel->name, &tunnel->addresses[i])->peer =
			tunnel->address_peers[i];
	if (tunnel->link_local)
		plan_world_address(world, tunnel->name, &link_local);
}

static bool has_address_of(const struct desired_tunnel *tunnel, int family)
{
	for (size_t i = 0; i < tunnel->address_count; i++)
		if (tunnel->addresses[i].addr.family == family)
			return true;
	return false;
}

static bool translates_from(const struct desired_snat *snat, size_t count, int family)
{
	for (size_t i = 0; i < count; i++)
		if (snat[i].from.addr.family == family)
			return true;
	return false;
}

static bool forwards(const struct desired_tunnel *tunnel, int family)
{
	const struct desired_forward *forward = &tunnel->forward;

	return has_address_of(tunnel, family) ||
	       translates_from(forward->snat, forward->snat_count, family) ||
	       translates_from(forward->masquerade, forward->masquerade_count, family);
}

static void want_forwarding(struct plan_world *world, const struct desired_tunnel *tunnel)
{
	if (tunnel->forward.policy == FORWARD_UNMANAGED)
		return;
	if (forwards(tunnel, AF_INET))
		plan_world_sysctl(world, "net/ipv4/ip_forward", "1");
	if (forwards(tunnel, AF_INET6))
		plan_world_sysctl(world, "net/ipv6/conf/all/forwarding", "1");
}

/* The network that the kernel makes a route to for an address: the peer's, if it has one. */
static struct prefix connected(const struct desired_tunnel *tunnel, size_t address)
{
	struct prefix prefix = tunnel->addresses[address];

	if (addr_is_set(&tunnel->address_peers[address]))
		prefix.addr = tunnel->address_peers[address];
	return prefix_mask(&prefix);
}

/* The kernel makes the route of an address's own network, and plan_connected_set() makes it again. What only lies within
 * that network has a route of its own: another device may have one that is longer than the network's. */
static bool is_connected(const struct desired_tunnel *tunnel, const struct prefix *allowed)
{
	for (size_t i = 0; i < tunnel->address_count; i++) {
		struct prefix to = connected(tunnel, i);

		if (prefix_equal(&to, allowed))
			return true;
	}
	return false;
}

static void want_rule(struct plan_world *world, struct plan_rule rule)
{
	for (size_t i = 0; i < world->rule_count; i++)
		if (plan_rule_equal(&world->rules[i], &rule))
			return;
	*plan_world_rule(world) = rule;
}

/* All but the tunnel's own packets take the tunnel's table, unless main knows better than by default. */
static void want_default_rules(struct plan_world *world, const struct desired_tunnel *tunnel, uint8_t family)
{
	want_rule(world, (struct plan_rule){.family = family,
				 .priority = RULE_NOT_OURS,
				 .invert = true,
				 .has_fwmark = true,
				 .fwmark = tunnel->fwmark,
				 .table = tunnel->fwmark});
	want_rule(world, (struct plan_rule){.family = family,
				 .priority = RULE_SUPPRESS,
				 .has_suppress = true,
				 .table = PLAN_TABLE_MAIN});
	if (family == AF_INET)
		plan_world_sysctl(world, "net/ipv4/conf/all/src_valid_mark", "1");
}

/* 0: none. */
static uint32_t table_of(
	const struct desired_tunnel *tunnel, const struct desired_peer *peer, const struct prefix *allowed)
{
	if (peer->route_table)
		return peer->route_table;
	switch (tunnel->table) {
	case TABLE_OFF:
		return 0;
	case TABLE_NUMBER:
		return tunnel->table_number;
	case TABLE_AUTO:
		if (!allowed->length)
			return tunnel->fwmark;
		return is_connected(tunnel, allowed) ? 0 : PLAN_TABLE_MAIN;
	}
	return 0;
}

bool plan_allowed_route(const struct desired_tunnel *tunnel, const struct desired_peer *peer,
	const struct prefix *allowed, struct plan_route *ret_route)
{
	uint32_t table = peer->unrouted ? 0 : table_of(tunnel, peer, allowed);

	if (!table)
		return false;
	*ret_route = (struct plan_route){.to = *allowed, .table = table, .metric = peer->route_metric};
	text_copy(ret_route->device, sizeof(ret_route->device), tunnel->name);
	if (!ret_route->metric && allowed->addr.family == AF_INET6)
		ret_route->metric = PLAN_METRIC_IPV6;
	return true;
}

static void want_allowed(struct plan_world *world, const struct desired_tunnel *tunnel,
	const struct desired_peer *peer, const struct prefix *allowed)
{
	struct plan_route route;

	if (!plan_allowed_route(tunnel, peer, allowed, &route))
		return;
	if (tunnel->table == TABLE_AUTO && !peer->route_table && !allowed->length)
		want_default_rules(world, tunnel, allowed->addr.family);
	*plan_world_route(world) = route;
}

static void want_routes(
	struct plan_world *world, const struct plan_facts *facts, const struct desired_tunnel *tunnel)
{
	size_t first, count = plan_tunnel_peers(facts->desired, tunnel->name, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct desired_peer *peer = &facts->desired->peers[i];
		size_t allowed_count;
		const struct prefix *allowed = plan_peer_allowed_ips(facts, peer, &allowed_count);

		for (size_t j = 0; j < allowed_count; j++)
			want_allowed(world, tunnel, peer, &allowed[j]);
	}
}

void plan_target_tunnel(struct plan_target *target, const struct plan_facts *facts, size_t index)
{
	const struct desired_tunnel *tunnel = &facts->desired->tunnels[index];
	const struct desired_endpoint *endpoint = plan_tunnel_endpoint(facts->desired, tunnel->name);
	size_t seat = endpoint ? (size_t)(endpoint - facts->desired->endpoints) : 0;
	struct plan_link *link = plan_world_link(&target->world, tunnel->name);
	struct plan_device *device = plan_world_device(&target->world, tunnel->name);

	link->up = true;
	link->multicast = tunnel->multicast == MULTICAST_ON;
	link->multicast_fixed = tunnel->multicast != MULTICAST_AS_IT_COMES;
	link->mtu = plan_tunnel_mtu(tunnel, facts->egress_mtu[index]);
	device->public_key = tunnel->public_key;
	device->listen_port = tunnel->listen_port;
	device->fwmark = tunnel->fwmark;
	plan_target_peers(
		device, facts, tunnel, !endpoint || facts->serving[seat], endpoint && facts->waking[seat]);
	want_addresses(&target->world, tunnel);
	want_forwarding(&target->world, tunnel);
	want_routes(&target->world, facts, tunnel);
}
