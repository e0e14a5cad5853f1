/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"

/* The routes of a running tunnel that pass: those that wg-quick would have made, and those that are ours. */

struct listing {
	struct rtnl_route *routes; /* owned; all there are, sorted by place */
	size_t count;
	struct rtnl_route *wanted; /* owned; places where wg-quick or we would have one, sorted */
	size_t wanted_count;
};

/* Where the kernel has one route, unless others were appended to it. */
static int by_place(const void *left, const void *right)
{
	const struct rtnl_route *a = left, *b = right;

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->metric != b->metric)
		return a->metric < b->metric ? -1 : 1;
	return prefix_compare(&a->to, &b->to);
}

static int by_prefix(const void *left, const void *right)
{
	const struct quick_routed *a = left, *b = right;

	return prefix_compare(&a->to, &b->to);
}

static const struct rtnl_route *find_place(
	const struct rtnl_route *routes, size_t count, const struct rtnl_route *key)
{
	return count ? bsearch(key, routes, count, sizeof(*key), by_place) : NULL;
}

/* As `ip route add PREFIX dev NAME` makes it, or we do. */
bool quick_is_made(const struct quick *quick, const struct rtnl_route *route)
{
	return route->ifindex == quick->journal.ifindex && route->type == RTN_UNICAST &&
	       (route->protocol == QUICK_THEIR_ROUTES || route->protocol == QUICK_PROTOCOL) &&
	       !route->multipath && !addr_is_set(&route->via) && !addr_is_set(&route->src);
}

/* ---- what is wanted ---- */

static bool has_usual_metric(const struct rtnl_route *route)
{
	return route->metric == (route->to.addr.family == AF_INET6 ? PLAN_METRIC_IPV6 : 0);
}

/* A route that was made for an allowed IP covers no other. */
static void take_covering(
	const struct quick *quick, const struct listing *listing, struct quick_routing *routing)
{
	size_t count = routing->facts.routed_count;
	CLEANUP_FREE struct quick_routed *allowed = mem_copy(routing->routed, (count + 1) * sizeof(*allowed));

	qsort(allowed, count, sizeof(*allowed), by_prefix);
	free(routing->covering);
	routing->covering = mem_new(listing->count + 1, sizeof(*routing->covering));
	routing->facts.covering_count = 0;
	for (size_t i = 0; i < listing->count; i++) {
		const struct rtnl_route *route = &listing->routes[i];
		struct quick_routed key = {.to = route->to};

		if (route->table == RT_TABLE_MAIN && route->ifindex == quick->journal.ifindex &&
			!(quick_is_made(quick, route) && has_usual_metric(route) &&
				bsearch(&key, allowed, count, sizeof(key), by_prefix)))
			routing->covering[routing->facts.covering_count++] = route->to;
	}
	routing->facts.covering = routing->covering;
}

static void want(struct listing *listing, const struct plan_target *target)
{
	size_t capacity = listing->wanted_count;

	listing->wanted = mem_grow(listing->wanted, &capacity,
		listing->wanted_count + target->world.route_count + 1, sizeof(*listing->wanted));
	for (size_t i = 0; i < target->world.route_count; i++) {
		const struct plan_route *route = &target->world.routes[i];

		listing->wanted[listing->wanted_count++] =
			(struct rtnl_route){.to = route->to, .table = route->table, .metric = route->metric};
	}
}

/* By the .conf alone, and with the sidecar. */
static void take_wanted(const struct quick *quick, struct quick_handover *handover, struct listing *listing)
{
	struct quick_route_facts asked = handover->routing.facts;
	struct plan_target plain = {0};

	asked.routed = handover->asked;
	asked.routed_count = handover->asked_count;
	asked.halves = quick->sidecar.default_route == QUICK_DEFAULT_HALVES;
	quick_target_routes(&plain, &handover->routing.facts);
	quick_target_routes(&handover->target, &asked);
	want(listing, &plain);
	want(listing, &handover->target);
	qsort(listing->wanted, listing->wanted_count, sizeof(*listing->wanted), by_place);
	plan_target_clear(&plain);
}

/* ---- what is there ---- */

static bool is_alone(const struct listing *listing, size_t index)
{
	const struct rtnl_route *route = &listing->routes[index];

	return (!index || by_place(route - 1, route) != 0) &&
	       (index + 1 == listing->count || by_place(route, route + 1) != 0);
}

/* Replacing changes the first of a place: another's must not be it. */
static int take_routes(struct quick *quick, const struct listing *listing, struct quick_handover *handover)
{
	char text[RTNL_ROUTE_TEXT_MAX];

	handover->routes = mem_new(listing->count + 1, sizeof(*handover->routes));
	for (size_t i = 0; i < listing->count; i++) {
		const struct rtnl_route *route = &listing->routes[i];

		if (!quick_is_made(quick, route) ||
			(route->protocol != QUICK_PROTOCOL &&
				!find_place(listing->wanted, listing->wanted_count, route)))
			continue;
		if (!is_alone(listing, i))
			return err_set(quick->err, -EEXIST,
				"%s is not the only route of its prefix, table and metric, and which of them "
				"the kernel "
				"would replace nobody knows: delete the others first",
				rtnl_route_format(route, text, sizeof(text)));
		handover->routes[handover->route_count++] = *route;
	}
	return 0;
}

int quick_handover_look_at_routes(struct quick *quick, struct quick_handover *handover)
{
	struct rtnl_route_filter all = {0};
	struct listing listing = {0};
	int r = rtnl_route_list(quick->rtnl, &all, &listing.routes, &listing.count, quick->err);

	if (r < 0)
		return r;
	if (listing.count)
		qsort(listing.routes, listing.count, sizeof(*listing.routes), by_place);
	take_covering(quick, &listing, &handover->routing);
	take_wanted(quick, handover, &listing);
	r = take_routes(quick, &listing, handover);
	free(listing.routes);
	free(listing.wanted);
	return r;
}

bool quick_handover_has_route(const struct quick_handover *handover, const struct plan_route *route)
{
	struct rtnl_route key = {.to = route->to, .table = route->table, .metric = route->metric};

	return find_place(handover->routes, handover->route_count, &key);
}
