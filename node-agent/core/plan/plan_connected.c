/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "node-agent/core/plan/plan_int.h"

enum { METRIC_IPV6 = 256 }; /* of the kernel's own routes: IP6_RT_PRIO_ADDRCONF, net/ip6_route.h */

static bool is_up(const struct plan_world *observed, const char *device)
{
	const struct plan_link *link = plan_world_find_link(observed, device);

	return link && link->up;
}

static bool has_address(const struct plan_world *observed, const struct plan_address *address)
{
	for (size_t i = 0; i < observed->address_count; i++)
		if (plan_address_equal(&observed->addresses[i], address))
			return true;
	return false;
}

static bool is_connected(const struct plan_world *observed, const struct prefix *to)
{
	for (size_t i = 0; i < observed->connected_count; i++)
		if (prefix_equal(&observed->connected[i], to))
			return true;
	return false;
}

static struct prefix network_of(const struct plan_address *address)
{
	struct prefix far = {.addr = address->peer, .length = address->prefix.length};

	return prefix_mask(addr_is_set(&address->peer) ? &far : &address->prefix);
}

static void connect_again(struct plan *plan, const struct plan_address *address, const struct prefix *to)
{
	struct plan_route *route = &plan_add(plan, PLAN_ROUTE_SET)->route;

	route->to = *to;
	text_copy(route->device, sizeof(route->device), address->device);
	route->table = PLAN_TABLE_MAIN;
	route->connected = true;
	if (to->addr.family == AF_INET6)
		route->metric = METRIC_IPV6;
	else
		route->src = address->prefix.addr;
}

void plan_connected_set(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; observed->connected_known && i < target->world.address_count; i++) {
		const struct plan_address *address = &target->world.addresses[i];
		struct prefix to = network_of(address);

		if (!plan_world_find_device(&target->world, address->device) ||
			to.length == addr_bits(&to.addr) || !is_up(observed, address->device) ||
			!has_address(observed, address) || is_connected(observed, &to))
			continue;
		connect_again(plan, address, &to);
	}
}
