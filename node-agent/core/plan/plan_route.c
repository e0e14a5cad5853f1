/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/plan/plan_int.h"

/* What makes two routes the same route to the kernel; the rest is how it leads there. */
static int compare_identity(const struct plan_route *a, const struct plan_route *b)
{
	int order = prefix_compare(&a->to, &b->to);

	if (!order)
		order = (a->table > b->table) - (a->table < b->table);
	if (!order)
		order = (a->metric > b->metric) - (a->metric < b->metric);
	return order;
}

static bool leads_alike(const struct plan_route *a, const struct plan_route *b)
{
	if (a->unreachable || b->unreachable)
		return a->unreachable == b->unreachable; /* the kernel tells of a device all the same */
	return addr_equal(&a->via, &b->via) && addr_equal(&a->src, &b->src) && !strcmp(a->device, b->device);
}

static int compare_pointers(const void *a, const void *b)
{
	const struct plan_route *const *left = a, *const *right = b;

	return compare_identity(*left, *right);
}

static const struct plan_route **sorted(const struct plan_world *world)
{
	const struct plan_route **routes = mem_new(world->route_count + 1, sizeof(*routes));

	for (size_t i = 0; i < world->route_count; i++)
		routes[i] = &world->routes[i];
	qsort(routes, world->route_count, sizeof(*routes), compare_pointers);
	return routes;
}

/* Calls found() for each route of `all`, with its like in `others` or NULL. */
typedef void route_found(struct plan *plan, const struct plan_route *route, const struct plan_route *like);

static void walk(
	struct plan *plan, const struct plan_world *all, const struct plan_world *others, route_found *found)
{
	const struct plan_route **left = sorted(all), **right = sorted(others);

	for (size_t i = 0, j = 0; i < all->route_count; i++) {
		while (j < others->route_count && compare_identity(right[j], left[i]) < 0)
			j++;
		found(plan, left[i],
			j < others->route_count && !compare_identity(right[j], left[i]) ? right[j] : NULL);
	}
	free(left);
	free(right);
}

static void delete_unwanted(
	struct plan *plan, const struct plan_route *observed, const struct plan_route *wanted)
{
	if (!wanted)
		plan_add(plan, PLAN_ROUTE_DELETE)->route = *observed;
}

static void set_different(
	struct plan *plan, const struct plan_route *wanted, const struct plan_route *observed)
{
	struct plan_op *op;

	if (observed && leads_alike(wanted, observed))
		return;
	op = plan_add(plan, PLAN_ROUTE_SET);
	op->route = *wanted;
	op->changes = observed;
}

void plan_routes_delete(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	walk(plan, observed, &target->world, delete_unwanted);
}

void plan_routes_set(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	walk(plan, &target->world, observed, set_different);
}
