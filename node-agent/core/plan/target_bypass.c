/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/plan/target_int.h"

/* A prefix that leads into a tunnel. */
struct cover {
	struct prefix to;
	uint32_t table;
};

struct covers {
	size_t count;
	struct cover *items;    /* sorted */
	uint64_t lengths[2][3]; /* by family: which there are, a bit each */
};

struct bypass {
	struct addr to;
	uint32_t table;
};

static int compare_covers(const void *left, const void *right)
{
	const struct cover *a = left, *b = right;
	int order = prefix_compare(&a->to, &b->to);

	return order ? order : (a->table > b->table) - (a->table < b->table);
}

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

static void covers_init(
	struct covers *covers, const struct plan_target *target, const struct plan_facts *facts)
{
	const struct plan_world *world = &target->world;

	*covers = (struct covers){.items = mem_new(world->route_count + 1, sizeof(*covers->items))};
	for (size_t i = 0; i < world->route_count; i++) {
		const struct prefix *to = &world->routes[i].to;

		if (!is_cover(target, facts, &world->routes[i]))
			continue;
		covers->items[covers->count++] = (struct cover){.to = *to, .table = world->routes[i].table};
		covers->lengths[to->addr.family == AF_INET6][to->length / 64] |= UINT64_C(1)
										 << to->length % 64;
	}
	qsort(covers->items, covers->count, sizeof(*covers->items), compare_covers);
}

/* The first with this prefix, of whatever table; those of other tables follow it. */
static size_t covers_first(const struct covers *covers, const struct prefix *to)
{
	size_t low = 0, high = covers->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&covers->items[middle].to, to) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int compare_bypasses(const void *left, const void *right)
{
	const struct bypass *a = left, *b = right;
	int order = addr_compare(&a->to, &b->to);

	return order ? order : (a->table > b->table) - (a->table < b->table);
}

static void want_bypass(
	struct plan_target *target, const struct plan_facts *facts, const struct bypass *bypass)
{
	struct plan_route way = {0}, *route;
	bool reachable = facts->underlay(&bypass->to, &way, facts->underlay_context);

	route = plan_world_route(&target->world);
	*route = way;
	route->to = addr_to_prefix(&bypass->to);
	route->table = bypass->table;
	route->metric = bypass->to.family == AF_INET6 ? PLAN_METRIC_IPV6 : 0;
	route->unreachable = !reachable;
	target->bypass_count++;
}

/* Does the underlay know better than the tunnel? The longer prefix wins. */
static bool is_needed(const struct plan_facts *facts, const struct addr *to, const struct cover *cover)
{
	struct plan_route way;

	return cover->table != PLAN_TABLE_MAIN || !facts->underlay(to, &way, facts->underlay_context) ||
	       way.to.length <= cover->to.length;
}

static void find_tables(const struct covers *covers, const struct plan_facts *facts, const struct addr *to,
	struct bypass *bypasses, size_t *count)
{
	for (unsigned length = 0; length < addr_bits(to); length++) {
		struct prefix prefix = {.addr = *to, .length = (uint8_t)length};

		if (!(covers->lengths[to->family == AF_INET6][length / 64] >> length % 64 & 1))
			continue;
		prefix = prefix_mask(&prefix);
		for (size_t i = covers_first(covers, &prefix);
			i < covers->count && prefix_equal(&covers->items[i].to, &prefix) &&
			*count < PLAN_BYPASSES_MAX;
			i++)
			if (is_needed(facts, to, &covers->items[i]))
				bypasses[(*count)++] = (struct bypass){*to, covers->items[i].table};
	}
}

/* Where the peer is now; else where it is configured to be. */
static struct addr where(const struct plan_facts *facts, const struct desired_peer *peer)
{
	const struct plan_device *device =
		facts->observed ? plan_world_find_device(facts->observed, peer->tunnel) : NULL;
	size_t low = 0, high = device ? device->peer_count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(device->peers[middle].public_key.bytes, peer->public_key.bytes, KEY_BYTES);

		if (!order && addr_is_set(&device->peers[middle].endpoint.addr))
			return device->peers[middle].endpoint.addr;
		if (!order)
			break;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return plan_configured_endpoint(facts, peer).addr;
}

void plan_target_bypass(struct plan_target *target, const struct plan_facts *facts)
{
	struct bypass *bypasses;
	struct covers covers;
	size_t count = 0;

	if (!facts->underlay)
		return;
	covers_init(&covers, target, facts);
	bypasses = mem_new(PLAN_BYPASSES_MAX, sizeof(*bypasses));
	for (size_t i = 0; covers.count && i < facts->desired->peer_count && count < PLAN_BYPASSES_MAX; i++) {
		struct addr to = where(facts, &facts->desired->peers[i]);

		if (addr_is_set(&to))
			find_tables(&covers, facts, &to, bypasses, &count);
	}
	qsort(bypasses, count, sizeof(*bypasses), compare_bypasses);
	for (size_t i = 0; i < count; i++)
		if (!i || compare_bypasses(&bypasses[i - 1], &bypasses[i]))
			want_bypass(target, facts, &bypasses[i]);
	free(bypasses);
	free(covers.items);
}
