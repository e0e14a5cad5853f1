/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/plan/bypass.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct bypass {
	struct addr to;
	uint32_t table;
};

struct bypasses {
	const struct plan_bypass_facts *facts;
	uint64_t lengths[2][3]; /* by family: which lengths covers have, a bit each */
	size_t count;
	struct bypass *items;
};

static int compare_covers(const void *left, const void *right)
{
	const struct plan_cover *a = left, *b = right;
	int order = prefix_compare(&a->to, &b->to);

	return order ? order : (a->table > b->table) - (a->table < b->table);
}

static int compare_bypasses(const void *left, const void *right)
{
	const struct bypass *a = left, *b = right;
	int order = addr_compare(&a->to, &b->to);

	return order ? order : (a->table > b->table) - (a->table < b->table);
}

static void sort_covers(struct bypasses *bypasses)
{
	const struct plan_bypass_facts *facts = bypasses->facts;

	qsort(facts->covers, facts->cover_count, sizeof(*facts->covers), compare_covers);
	for (size_t i = 0; i < facts->cover_count; i++) {
		const struct prefix *to = &facts->covers[i].to;

		bypasses->lengths[to->addr.family == AF_INET6][to->length / 64] |= UINT64_C(1)
										   << to->length % 64;
	}
}

/* The first with this prefix, of whatever table; those of other tables follow it. */
static size_t first_cover(const struct plan_bypass_facts *facts, const struct prefix *to)
{
	size_t low = 0, high = facts->cover_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&facts->covers[middle].to, to) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void find_tables(struct bypasses *bypasses, const struct addr *to)
{
	const struct plan_bypass_facts *facts = bypasses->facts;

	for (unsigned length = 0; length < addr_bits(to); length++) {
		struct prefix prefix = {.addr = *to, .length = (uint8_t)length};

		if (!(bypasses->lengths[to->family == AF_INET6][length / 64] >> length % 64 & 1))
			continue;
		prefix = prefix_mask(&prefix);
		for (size_t i = first_cover(facts, &prefix);
			i < facts->cover_count && prefix_equal(&facts->covers[i].to, &prefix) &&
			bypasses->count < PLAN_BYPASSES_MAX;
			i++)
			if (!facts->known(to, &facts->covers[i], facts->context))
				bypasses->items[bypasses->count++] =
					(struct bypass){*to, facts->covers[i].table};
	}
}

static void want(struct plan_world *world, const struct plan_bypass_facts *facts, const struct bypass *bypass)
{
	struct plan_route way = {0}, *route;
	bool reachable = facts->underlay(&bypass->to, &way, facts->context);

	route = plan_world_route(world);
	*route = way;
	route->to = addr_to_prefix(&bypass->to);
	route->table = bypass->table;
	route->metric = bypass->to.family == AF_INET6 ? PLAN_METRIC_IPV6 : 0;
	route->unreachable = !reachable;
}

size_t plan_bypass(struct plan_world *world, const struct plan_bypass_facts *facts)
{
	struct bypasses bypasses = {.facts = facts};
	size_t before = world->route_count;

	if (!facts->cover_count)
		return 0;
	bypasses.items = mem_new(PLAN_BYPASSES_MAX, sizeof(*bypasses.items));
	sort_covers(&bypasses);
	for (size_t i = 0; i < facts->endpoint_count && bypasses.count < PLAN_BYPASSES_MAX; i++)
		if (addr_is_set(&facts->endpoints[i]))
			find_tables(&bypasses, &facts->endpoints[i]);
	qsort(bypasses.items, bypasses.count, sizeof(*bypasses.items), compare_bypasses);
	for (size_t i = 0; i < bypasses.count; i++)
		if (!i || compare_bypasses(&bypasses.items[i - 1], &bypasses.items[i]))
			want(world, facts, &bypasses.items[i]);
	free(bypasses.items);
	return world->route_count - before;
}
