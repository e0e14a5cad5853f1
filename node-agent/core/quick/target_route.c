/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/host_route.h"

/* One with a table of its own needs nothing else: whoever asks for that knows when to look into it. */
static bool is_default(const struct quick_routed *routed, uint8_t family)
{
	return !routed->to.length && routed->to.addr.family == family && !routed->table;
}

static bool family_works(const struct quick_route_facts *facts, uint8_t family)
{
	return family == AF_INET ? facts->has_ip4 : facts->has_ip6;
}

bool quick_has_default(const struct quick_route_facts *facts, uint8_t family)
{
	if (facts->table != QUICK_TABLE_AUTO || !family_works(facts, family))
		return false;
	for (size_t i = 0; i < facts->routed_count; i++)
		if (is_default(&facts->routed[i], family))
			return true;
	return false;
}

bool quick_needs_mark(const struct quick_route_facts *facts, uint8_t family)
{
	return !facts->halves && !facts->apart && quick_has_default(facts, family);
}

static struct prefix half(uint8_t family, bool upper)
{
	return (struct prefix){.addr = {.family = family, .bytes = {upper ? 0x80 : 0}}, .length = 1};
}

/* Does some peer have it, and its route like all others? */
static bool has_routed(const struct quick_route_facts *facts, const struct prefix *to)
{
	for (size_t i = 0; i < facts->routed_count; i++)
		if (!facts->routed[i].table && prefix_equal(&facts->routed[i].to, to))
			return true;
	return false;
}

bool quick_takes_all(const struct quick_route_facts *facts, uint8_t family)
{
	struct prefix lower = half(family, false), upper = half(family, true);

	if (facts->table != QUICK_TABLE_AUTO || !family_works(facts, family))
		return false;
	return quick_has_default(facts, family) || (has_routed(facts, &lower) && has_routed(facts, &upper));
}

/* The longest route on the device that the allowed IP lies in; NULL: none. */
static const struct prefix *cover_of(const struct quick_route_facts *facts, const struct prefix *allowed)
{
	const struct prefix *longest = NULL;

	for (size_t i = 0; i < facts->covering_count; i++)
		if (prefix_covers(&facts->covering[i], allowed) &&
			(!longest || facts->covering[i].length > longest->length))
			longest = &facts->covering[i];
	return longest;
}

bool quick_has_covered(const struct quick_route_facts *facts)
{
	for (size_t i = 0; i < facts->routed_count; i++)
		if (facts->routed[i].to.length && cover_of(facts, &facts->routed[i].to))
			return true;
	return false;
}

/* Would the look-up choose the covering route? Not if one of another device lies between the two: longer than the
 * cover, and shorter than the allowed IP, whose own route would win. One as long as that is somebody's decision. */
static bool is_covered(const struct quick_route_facts *facts, const struct prefix *allowed)
{
	const struct prefix *cover = cover_of(facts, allowed);

	for (size_t i = 0; cover && i < facts->rival_count; i++)
		if (facts->rivals[i].length > cover->length && facts->rivals[i].length < allowed->length &&
			prefix_covers(&facts->rivals[i], allowed))
			return false;
	return cover != NULL;
}

static void want_route(struct plan_world *world, const struct quick_route_facts *facts,
	const struct quick_routed *routed, uint32_t table)
{
	struct plan_route *route = plan_world_route(world);

	route->to = routed->to;
	text_copy(route->device, sizeof(route->device), facts->name);
	route->table = table;
	route->metric = routed->metric;
	if (!route->metric && route->to.addr.family == AF_INET6)
		route->metric = PLAN_METRIC_IPV6;
}

/* All but the tunnel's own packets take its table, unless the main one knows better than by default. */
static void want_rules(struct plan_world *world, const struct quick_route_facts *facts, uint8_t family)
{
	const struct quick_priorities *at = family == AF_INET ? &facts->priorities4 : &facts->priorities6;

	*plan_world_rule(world) = (struct plan_rule){.family = family,
		.priority = at->not_ours,
		.invert = true,
		.has_fwmark = true,
		.fwmark = facts->mark,
		.table = facts->mark};
	*plan_world_rule(world) = (struct plan_rule){
		.family = family, .priority = at->suppress, .has_suppress = true, .table = PLAN_TABLE_MAIN};
	if (family == AF_INET)
		plan_world_sysctl(world, "net/ipv4/conf/all/src_valid_mark", "1");
}

/* Longer than the default route that is there, which stays, and shorter than all that leads elsewhere. A half that is
 * an allowed IP of its own has its route already. No mark, so no src_valid_mark: the reverse path filter finds the host
 * route to the endpoint by itself. */
static void want_halves(
	struct plan_world *world, const struct quick_route_facts *facts, const struct quick_routed *whole)
{
	for (int upper = 0; upper < 2; upper++) {
		struct quick_routed routed = {
			.to = half(whole->to.addr.family, upper), .metric = whole->metric};

		if (!has_routed(facts, &routed.to))
			want_route(world, facts, &routed, PLAN_TABLE_MAIN);
	}
}

static void want_routed(
	struct plan_world *world, const struct quick_route_facts *facts, const struct quick_routed *routed)
{
	if (routed->table) {
		want_route(world, facts, routed, routed->table);
		return;
	}
	switch (facts->table) {
	case QUICK_TABLE_OFF:
		return;
	case QUICK_TABLE_NAMED:
		want_route(world, facts, routed, facts->table_number);
		return;
	case QUICK_TABLE_AUTO:
		if (!routed->to.length && facts->halves)
			want_halves(world, facts, routed);
		else if (!routed->to.length)
			want_route(world, facts, routed, facts->apart ? PLAN_TABLE_MAIN : facts->mark);
		else if (!is_covered(facts, &routed->to))
			want_route(world, facts, routed, PLAN_TABLE_MAIN);
		return;
	}
}

static int longest_first(const void *left, const void *right)
{
	const struct quick_routed *a = left, *b = right;

	return a->to.length != b->to.length ? (int)b->to.length - (int)a->to.length
					    : prefix_compare(&a->to, &b->to);
}

static void want_forwarding(struct plan_world *world, const struct quick_route_facts *facts)
{
	if (facts->forward4 && facts->has_ip4)
		plan_world_sysctl(world, "net/ipv4/ip_forward", "1");
	if (facts->forward6 && facts->has_ip6)
		plan_world_sysctl(world, "net/ipv6/conf/all/forwarding", "1");
}

void quick_target_routes(struct plan_target *target, const struct quick_route_facts *facts)
{
	CLEANUP_FREE struct quick_routed *sorted = NULL;

	want_forwarding(&target->world, facts);
	if (!facts->routed_count)
		return;
	sorted = mem_copy(facts->routed, facts->routed_count * sizeof(*sorted));
	qsort(sorted, facts->routed_count, sizeof(*sorted), longest_first);
	for (size_t i = 0; i < facts->routed_count; i++)
		if (family_works(facts, sorted[i].to.addr.family))
			want_routed(&target->world, facts, &sorted[i]);
	if (quick_needs_mark(facts, AF_INET))
		want_rules(&target->world, facts, AF_INET);
	if (quick_needs_mark(facts, AF_INET6))
		want_rules(&target->world, facts, AF_INET6);
	if (facts->host_routes && !facts->apart) /* the endpoints are not reached from here */
		quick_target_host_routes(&target->world, facts);
}

/* The kernel makes no route in the main table of an IPv4 /32, unless it is a peer's; of every IPv6 address it does. */
static bool is_connected(const struct prefix *prefix, const struct addr *peer)
{
	if (prefix->addr.family == AF_INET6 || addr_is_set(peer))
		return true;
	return prefix->length && prefix->length < 32;
}

struct prefix *quick_connected(
	const struct quick_config *config, const struct quick_sidecar *sidecar, size_t *ret_count)
{
	struct prefix *connected =
		mem_new(config->address_count + sidecar->address_count + 1, sizeof(*connected));
	static const struct addr none = {0};
	size_t count = 0;

	for (size_t i = 0; i < config->address_count; i++)
		if (is_connected(&config->addresses[i], &none))
			connected[count++] = prefix_mask(&config->addresses[i]);
	for (size_t i = 0; i < sidecar->address_count; i++) {
		struct prefix prefix = sidecar->addresses[i].prefix;
		const struct addr *peer = &sidecar->addresses[i].peer;

		if (!is_connected(&prefix, peer))
			continue;
		if (addr_is_set(peer))
			prefix.addr = *peer;
		connected[count++] = prefix_mask(&prefix);
	}
	*ret_count = count;
	return connected;
}
