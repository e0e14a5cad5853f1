/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/host_route.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* A default route of the rules' own table is asked for everything but what the tunnel sends; a host's own prefix
 * covers nothing else. */
static bool is_cover(const struct quick_route_facts *facts, const struct plan_route *route)
{
	bool bounded = !route->to.length && route->table == facts->mark &&
		       quick_needs_mark(facts, route->to.addr.family);

	return !bounded && route->to.length < addr_bits(&route->to.addr);
}

static struct plan_cover *find_covers(
	const struct plan_world *world, const struct quick_route_facts *facts, size_t *ret_count)
{
	struct plan_cover *covers = mem_new(world->route_count + 1, sizeof(*covers));

	*ret_count = 0;
	for (size_t i = 0; i < world->route_count; i++)
		if (is_cover(facts, &world->routes[i]))
			covers[(*ret_count)++] = (struct plan_cover){
				.to = world->routes[i].to, .table = world->routes[i].table};
	return covers;
}

static bool is_better(const struct plan_route *route, const struct plan_route *best)
{
	return !best || route->to.length > best->to.length ||
	       (route->to.length == best->to.length && route->metric < best->metric);
}

/* Another tunnel has the same endpoint. */
static bool is_shared(const struct quick_route_facts *facts, const struct addr *to)
{
	for (size_t i = 0; i < facts->other_count; i++)
		if (facts->others[i].kind == QUICK_OTHER_HOST_ROUTE &&
			addr_equal(&facts->others[i].route.to.addr, to))
			return true;
	return false;
}

/* Of no tunnel's host routes, which follow the underlay themselves; and into no other tunnel whose endpoint it is, too:
 * that goes around itself, and one day goes away. */
static const struct plan_route *best_other(
	const struct quick_route_facts *facts, const struct addr *to, uint32_t table)
{
	bool shared = is_shared(facts, to);
	const struct plan_route *best = NULL;

	for (size_t i = 0; i < facts->other_count; i++) {
		const struct quick_other *other = &facts->others[i];

		if (other->kind != QUICK_OTHER_HOST_ROUTE && !(shared && other->kind == QUICK_OTHER_TUNNEL) &&
			other->route.table == table && prefix_contains(&other->route.to, to) &&
			is_better(&other->route, best))
			best = &other->route;
	}
	return best;
}

static bool underlay(const struct addr *to, struct plan_route *ret_way, void *context)
{
	const struct plan_route *best = best_other(context, to, PLAN_TABLE_MAIN);

	if (!best || best->unreachable)
		return false;
	*ret_way = *best;
	return true;
}

static bool known(const struct addr *to, const struct plan_cover *cover, void *context)
{
	const struct plan_route *best = best_other(context, to, cover->table);

	return (best && best->to.length > cover->to.length) || best_other(context, to, QUICK_TABLE_LOCAL);
}

/* Two tunnels may have the same endpoint: each has a route of its own. */
static uint32_t free_metric(
	const struct quick_route_facts *facts, const struct plan_route *route, uint32_t metric)
{
	for (size_t i = 0; i < facts->other_count; i++) {
		const struct plan_route *other = &facts->others[i].route;

		if (other->table == route->table && other->metric == metric &&
			prefix_equal(&other->to, &route->to))
			return free_metric(facts, route, metric + 1);
	}
	return metric;
}

/* When a link goes down the kernel takes the way, and leaves what leads nowhere: nothing comes back into the tunnel. */
static void add_fallback(
	struct plan_world *world, const struct quick_route_facts *facts, const struct plan_route *way)
{
	struct plan_route *fallback = plan_world_route(world);

	*fallback = (struct plan_route){.to = way->to, .table = way->table, .unreachable = true};
	fallback->metric = free_metric(facts, fallback, QUICK_METRIC_NOWHERE);
}

void quick_target_host_routes(struct plan_world *world, const struct quick_route_facts *facts)
{
	struct quick_route_facts copy = *facts;
	struct plan_bypass_facts bypass = {.endpoints = facts->endpoints,
		.endpoint_count = facts->endpoint_count,
		.underlay = underlay,
		.known = known,
		.context = &copy};
	size_t first = world->route_count, last;

	bypass.covers = find_covers(world, facts, &bypass.cover_count);
	last = first + plan_bypass(world, &bypass);
	free(bypass.covers);
	for (size_t i = first; i < last; i++) {
		struct plan_route way = world->routes[i];
		uint32_t metric = way.unreachable ? QUICK_METRIC_NOWHERE : QUICK_METRIC_WAY;

		world->routes[i].metric = free_metric(facts, &way, metric);
		if (!way.unreachable)
			add_fallback(world, facts, &way);
	}
}

bool quick_is_host_route(const struct plan_route *route, const char *name)
{
	return route->unreachable || strcmp(route->device, name) != 0;
}

static bool is_host_op(const struct plan_op *op, const char *name, enum plan_kind kind)
{
	return op->kind == kind && quick_is_host_route(&op->route, name);
}

static size_t take_ops(const struct plan *plan, const char *name, int turn, struct plan_op *to)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_op *op = &plan->ops[i];
		int own = is_host_op(op, name, PLAN_ROUTE_SET)      ? 0
			  : is_host_op(op, name, PLAN_ROUTE_DELETE) ? 2
								    : 1;

		if (own == turn)
			to[count++] = *op;
	}
	return count;
}

void quick_order_host_routes(struct plan *plan, const char *name)
{
	struct plan_op *ordered = mem_new(plan->count + 1, sizeof(*ordered));
	size_t count = 0;

	for (int turn = 0; turn < 3; turn++)
		count += take_ops(plan, name, turn, ordered + count);
	free(plan->ops);
	plan->ops = ordered;
	plan->capacity = plan->count + 1;
}
