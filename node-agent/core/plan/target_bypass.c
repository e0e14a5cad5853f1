/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/plan/target_int.h"

/* The default routes of automatic tables are bounded by rules; a host's own prefix covers nothing else. */
static bool is_cover(
	const struct plan_target *target, const struct plan_facts *facts, const struct plan_route *route)
{
	if (!plan_world_find_device(&target->world, route->device) ||
		route->to.length == addr_bits(&route->to.addr))
		return false;
	if (route->to.length)
		return true;
	for (size_t i = 0; i < facts->desired->tunnel_count; i++)
		if (!strcmp(facts->desired->tunnels[i].name, route->device))
			return facts->desired->tunnels[i].table != TABLE_AUTO;
	return false;
}

static struct plan_cover *find_covers(
	const struct plan_target *target, const struct plan_facts *facts, size_t *ret_count)
{
	const struct plan_world *world = &target->world;
	struct plan_cover *covers = mem_new(world->route_count + 1, sizeof(*covers));

	*ret_count = 0;
	for (size_t i = 0; i < world->route_count; i++)
		if (is_cover(target, facts, &world->routes[i]))
			covers[(*ret_count)++] = (struct plan_cover){
				.to = world->routes[i].to, .table = world->routes[i].table};
	return covers;
}

/* Where the peer is now; else where it is configured to be. A link-local one leaves by its own link, whatever routes say. */
static struct addr where(const struct plan_facts *facts, const struct desired_peer *peer)
{
	const struct plan_device *device =
		facts->observed ? plan_world_find_device(facts->observed, peer->tunnel) : NULL;
	size_t low = 0, high = device ? device->peer_count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(device->peers[middle].public_key.bytes, peer->public_key.bytes, KEY_BYTES);

		if (!order && addr_is_set(&device->peers[middle].endpoint.addr))
			return device->peers[middle].endpoint.scope
				       ? (struct addr){0}
				       : device->peers[middle].endpoint.addr;
		if (!order)
			break;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return plan_configured_endpoint(facts, peer).addr;
}

static bool underlay(const struct addr *to, struct plan_route *ret_way, void *context)
{
	const struct plan_facts *facts = context;

	return facts->underlay(to, ret_way, facts->underlay_context);
}

/* Of other tables nobody has looked. */
static bool known(const struct addr *to, const struct plan_cover *cover, void *context)
{
	struct plan_route way;

	return cover->table == PLAN_TABLE_MAIN && underlay(to, &way, context) &&
	       way.to.length > cover->to.length;
}

void plan_target_bypass(struct plan_target *target, const struct plan_facts *facts)
{
	struct plan_facts copy = *facts;
	struct plan_bypass_facts bypass = {.underlay = underlay, .known = known, .context = &copy};
	struct addr *endpoints;

	if (!facts->underlay)
		return;
	bypass.covers = find_covers(target, facts, &bypass.cover_count);
	endpoints = mem_new(facts->desired->peer_count + 1, sizeof(*endpoints));
	for (size_t i = 0; bypass.cover_count && i < facts->desired->peer_count; i++)
		endpoints[i] = where(facts, &facts->desired->peers[i]);
	bypass.endpoints = endpoints;
	bypass.endpoint_count = facts->desired->peer_count;
	target->bypass_count = plan_bypass(&target->world, &bypass);
	free(endpoints);
	free(bypass.covers);
}
