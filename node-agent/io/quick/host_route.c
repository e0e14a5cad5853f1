/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/host_route.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/reconcile/convert.h"
#include "node-agent/io/rtnl/route.h"

/* Routes around the tunnel to its endpoints: on links that are not ours, so only the journal tells which are. */

static struct plan_route from_rtnl(const struct rtnl_route *from)
{
	struct plan_route route = {.to = from->to,
		.via = from->via,
		.src = from->src,
		.table = from->table,
		.metric = from->metric,
		.onlink = from->onlink,
		.unreachable = from->type != RTN_UNICAST && from->type != RTN_LOCAL};

	text_copy(route.device, sizeof(route.device), from->device);
	return route;
}

static bool is_same(const struct quick_host_route *ours, const struct plan_route *route)
{
	return ours->table == route->table && ours->metric == route->metric &&
	       prefix_equal(&ours->to, &route->to);
}

bool quick_has_host_route(const struct quick_journal *journal, const struct plan_route *route)
{
	for (size_t i = 0; i < journal->host_route_count; i++)
		if (is_same(&journal->host_routes[i], route))
			return true;
	return false;
}

int quick_list_host_routes(struct quick *quick, struct plan_route **ret_routes, size_t *ret_count)
{
	struct rtnl_route_filter filter = {.protocol = QUICK_PROTOCOL_HOST};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;
	int r = rtnl_route_list(quick->rtnl, &filter, &routes, &count, quick->err);

	if (r < 0)
		return r;
	*ret_routes = mem_new(count + 1, sizeof(**ret_routes));
	for (size_t i = 0; i < count; i++)
		(*ret_routes)[i] = from_rtnl(&routes[i]);
	*ret_count = count;
	return 0;
}

int quick_observe_host_routes(struct quick *quick, struct plan_world *world)
{
	CLEANUP_FREE struct plan_route *routes = NULL;
	size_t count = 0;
	int r = 0;

	if (quick->journal.host_route_count)
		r = quick_list_host_routes(quick, &routes, &count);
	for (size_t i = 0; i < count; i++)
		if (quick_has_host_route(&quick->journal, &routes[i]))
			*plan_world_route(world) = routes[i];
	return r;
}

/* ---- what they depend on ---- */

static enum quick_other_kind kind_of(const struct rtnl_route *route)
{
	if (route->protocol == QUICK_PROTOCOL_HOST)
		return QUICK_OTHER_HOST_ROUTE;
	return route->protocol == QUICK_PROTOCOL ? QUICK_OTHER_TUNNEL : QUICK_OTHER_PLAIN;
}

static int take_others(struct quick *quick, struct quick_routing *routing)
{
	struct rtnl_route_filter all = {0};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;
	int r = rtnl_route_list(quick->rtnl, &all, &routes, &count, quick->err);

	if (r < 0)
		return r;
	routing->others = mem_new(count + 1, sizeof(*routing->others));
	for (size_t i = 0; i < count; i++) {
		struct quick_other other = {from_rtnl(&routes[i]), kind_of(&routes[i])};

		if (strcmp(routes[i].device, quick->name) != 0 &&
			!(other.kind == QUICK_OTHER_HOST_ROUTE &&
				quick_has_host_route(&quick->journal, &other.route)))
			routing->others[routing->facts.other_count++] = other;
	}
	routing->facts.others = routing->others;
	return 0;
}

/* One with a zone has its way: what is sent there leaves by that interface, whatever our routes cover. */
static struct addr to_go_around(const struct endpoint *endpoint)
{
	return endpoint->scope ? (struct addr){0} : endpoint->addr;
}

/* Where the device sends to; `ahead`: and where the file is about to make it send to. */
static void take_endpoints(struct quick *quick, bool ahead, struct quick_routing *routing)
{
	const struct wg_device *device = routing->view.device;
	size_t live = device ? device->peer_count : 0;
	size_t more = ahead && quick->endpoints ? quick->config.peer_count : 0;

	routing->endpoints = mem_new(live + more + 1, sizeof(*routing->endpoints));
	for (size_t i = 0; i < live; i++)
		routing->endpoints[i] = to_go_around(&device->peers[i].endpoint);
	for (size_t i = 0; i < more; i++)
		routing->endpoints[live + i] = to_go_around(&quick->endpoints[i]);
	routing->facts.endpoints = routing->endpoints;
	routing->facts.endpoint_count = live + more;
}

int quick_look_around(struct quick *quick, bool ahead, struct quick_routing *routing)
{
	routing->facts.halves = quick->sidecar.default_route == QUICK_DEFAULT_HALVES;
	/* A hook has no say in where endpoints are. */
	routing->facts.host_routes =
		quick->sidecar.host_routes && !(quick->keeping && quick->keeping->record_only);
	if (!routing->facts.host_routes)
		return 0;
	take_endpoints(quick, ahead, routing);
	return take_others(quick, routing);
}

/* ---- the journal ---- */

void quick_note_host_route(struct quick_journal *journal, const struct plan_route *route)
{
	journal->host_routes = mem_grow(journal->host_routes, &journal->host_route_capacity,
		journal->host_route_count + 1, sizeof(*journal->host_routes));
	journal->host_routes[journal->host_route_count++] =
		(struct quick_host_route){.to = route->to, .table = route->table, .metric = route->metric};
}

void quick_note_host_routes(struct quick *quick, const struct plan_target *target)
{
	for (size_t i = 0; i < target->world.route_count; i++) {
		const struct plan_route *route = &target->world.routes[i];

		if (quick_is_host_route(route, quick->name) && !quick_has_host_route(&quick->journal, route))
			quick_note_host_route(&quick->journal, route);
	}
}

void quick_settle_host_routes(struct quick *quick, const struct plan_target *target)
{
	quick->journal.host_route_count = 0;
	quick_note_host_routes(quick, target);
}

/* ---- the end ---- */

int quick_undo_host_routes(struct quick *quick)
{
	int first = 0;

	for (size_t i = 0; i < quick->journal.host_route_count && !quick->spaces.missing; i++) {
		const struct quick_host_route *ours = &quick->journal.host_routes[i];
		struct rtnl_route route = {.to = ours->to,
			.table = ours->table,
			.metric = ours->metric,
			.protocol = QUICK_PROTOCOL_HOST};
		char text[RTNL_ROUTE_TEXT_MAX];
		int r = 0;

		quick_say(quick, QUICK_STEP, "ip route delete %s",
			rtnl_route_format(&route, text, sizeof(text)));
		if (!quick->options->dry_run)
			r = rtnl_route_request(quick->rtnl, RTNL_DISCARD, &route, quick->err);
		if (r < 0 && !first)
			first = r;
	}
	return first;
}
