/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/core/plan/target_int.h"

/* arp_ignore=1, arp_announce=2 on the interface itself, not on `all`: or a standby, which has the address on
 * lo, answers for it, and its own ARP requests carry it. */
static void want_quiet_arp(struct plan_world *world, const char *interface)
{
	char key[PLAN_SYSCTL_KEY_MAX];

	snprintf(key, sizeof(key), "net/ipv4/conf/%s/arp_ignore", interface);
	plan_world_sysctl(world, key, "1");
	snprintf(key, sizeof(key), "net/ipv4/conf/%s/arp_announce", interface);
	plan_world_sysctl(world, key, "2");
}

static void want_sysctls(struct plan_world *world, const struct desired_endpoint *endpoint)
{
	if (endpoint->dial_interface[0])
		want_quiet_arp(world, endpoint->dial_interface);
	for (size_t i = 0; i < endpoint->inside_count; i++)
		want_quiet_arp(world, endpoint->inside[i].interface);
}

/* Of packets that were joined nftables sees the first: the others would follow its session to the partner, or stay with it. */
static void want_packets_apart(struct plan_world *world, const struct desired_endpoint *endpoint)
{
	if (endpoint->dial_interface[0] && endpoint->pool_count > 1)
		plan_world_offload(world, endpoint->dial_interface, false);
}

/* The dial addresses are local on every member of the pool, so that packets steered to it, or queued in the
 * switch while it takes over, are its own already. */
static void want_on_lo(struct plan_world *world, const struct desired_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->dial_count; i++) {
		struct prefix host = addr_to_prefix(&endpoint->dial[i]);
		struct plan_address *address = plan_world_address(world, "lo", &host);

		address->host_scope = host.addr.family == AF_INET;
		address->unpreferred = host.addr.family == AF_INET6;
	}
}

static bool is_inside_of(
	const struct desired_endpoint *endpoint, const char *interface, const struct addr *addr)
{
	for (size_t i = 0; i < endpoint->inside_count; i++)
		if (!strcmp(endpoint->inside[i].interface, interface) &&
			addr_equal(&endpoint->inside[i].address.addr, addr))
			return true;
	return false;
}

/* Has the interface an address of its own within the prefix? Then it has the connected route already. */
static bool has_own_address(const struct plan_world *observed, const struct desired_endpoint *endpoint,
	const struct desired_inside *inside)
{
	for (size_t i = 0; observed && i < observed->address_count; i++) {
		const struct plan_address *address = &observed->addresses[i];

		if (!strcmp(address->device, inside->interface) &&
			prefix_contains(&inside->address, &address->prefix.addr) &&
			!is_inside_of(endpoint, inside->interface, &address->prefix.addr))
			return true;
	}
	return false;
}

/* The kernel takes it away by itself when nobody renews it for a lease: a second fence, which outlives the agent and
 * a flushed ruleset. */
static void want_served_address(struct plan_world *world, const struct desired_endpoint *endpoint,
	const char *device, const struct prefix *prefix)
{
	struct plan_address *address = plan_world_address(world, device, prefix);

	address->unpreferred = prefix->addr.family == AF_INET6;
	address->lifetime_s = (endpoint->lease_ms + 999) / 1000;
}

bool plan_endpoint_has_address(
	const struct desired_endpoint *endpoint, const char *device, const struct addr *addr)
{
	for (size_t i = 0; i < endpoint->dial_count; i++)
		if (!strcmp(endpoint->dial_interface, device) && addr_equal(&endpoint->dial[i], addr))
			return true;
	return is_inside_of(endpoint, device, addr);
}

static void want_served_route(struct plan_world *world, const struct desired_route *from)
{
	struct plan_route *route = plan_world_route(world);

	route->to = prefix_mask(&from->to);
	route->via = from->via;
	route->src = from->src;
	text_copy(route->device, sizeof(route->device), from->interface);
	route->table = from->table ? from->table : (uint32_t)PLAN_TABLE_MAIN;
	route->metric = from->metric;
	if (!route->metric && route->to.addr.family == AF_INET6)
		route->metric = PLAN_METRIC_IPV6;
}

void plan_endpoint_served(struct plan_world *world, const struct desired_endpoint *endpoint,
	const struct plan_world *observed, bool visiting)
{
	for (size_t i = 0; i < endpoint->dial_count; i++) {
		struct prefix host = addr_to_prefix(&endpoint->dial[i]);

		if (visiting && host.addr.family == AF_INET6)
			continue;
		want_served_address(world, endpoint, endpoint->dial_interface, &host);
	}
	for (size_t i = 0; i < endpoint->inside_count; i++) {
		const struct desired_inside *inside = &endpoint->inside[i];
		struct prefix prefix = has_own_address(observed, endpoint, inside)
					       ? addr_to_prefix(&inside->address.addr)
					       : inside->address;

		if (visiting && prefix.addr.family == AF_INET6)
			continue;
		want_served_address(world, endpoint, inside->interface, &prefix);
	}
	for (size_t i = 0; i < endpoint->route_count; i++)
		want_served_route(world, &endpoint->routes[i]);
}

void plan_target_endpoint(struct plan_target *target, const struct plan_facts *facts, size_t index)
{
	const struct desired_endpoint *endpoint = &facts->desired->endpoints[index];

	want_sysctls(&target->world, endpoint);
	want_packets_apart(&target->world, endpoint);
	want_on_lo(&target->world, endpoint);
	if (facts->serving[index])
		plan_endpoint_served(&target->world, endpoint, facts->observed, facts->visiting[index]);
}
