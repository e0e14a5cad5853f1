/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/rtnl/route.h"

void quick_routing_clear(struct quick_routing *routing)
{
	quick_view_clear(&routing->view);
	free(routing->routed);
	free(routing->covering);
	free(routing->rivals);
	free(routing->endpoints);
	free(routing->others);
}

/* ---- what the device holds ---- */

static void take_peer(struct quick *quick, struct quick_routing *routing, const struct key *public_key,
	const struct prefix *allowed, size_t count)
{
	const struct quick_sidecar_peer *more = quick_sidecar_find(&quick->sidecar, public_key);

	for (size_t i = 0; i < count && !(more && more->unrouted); i++)
		routing->routed[routing->facts.routed_count++] = (struct quick_routed){.to = allowed[i],
			.metric = more ? more->route_metric : 0,
			.table = more ? more->route_table : 0};
}

static void take_live_allowed(struct quick *quick, struct quick_routing *routing)
{
	const struct wg_device *device = routing->view.device;
	size_t count = 0;

	for (size_t i = 0; i < device->peer_count; i++)
		count += device->peers[i].allowed_ip_count;
	routing->routed = mem_new(count + 1, sizeof(*routing->routed));
	for (size_t i = 0; i < device->peer_count; i++)
		take_peer(quick, routing, &device->peers[i].public_key, device->peers[i].allowed_ips,
			device->peers[i].allowed_ip_count);
}

/* What a dry run would find: the file's own. */
static void take_file_allowed(struct quick *quick, struct quick_routing *routing)
{
	const struct quick_config *config = &quick->config;
	const struct quick_allowed *allowed = &quick->allowed;
	size_t count = config->peer_count ? allowed->first[config->peer_count] : 0;

	routing->routed = mem_new(count + 1, sizeof(*routing->routed));
	for (size_t i = 0; i < config->peer_count; i++)
		take_peer(quick, routing, &config->peers[i].public_key, allowed->prefixes + allowed->first[i],
			allowed->first[i + 1] - allowed->first[i]);
}

static int by_prefix(const void *left, const void *right)
{
	const struct quick_routed *a = left, *b = right;

	return prefix_compare(&a->to, &b->to);
}

/* What the file gave the device and it still has: what somebody sets or removes by hand is theirs to route. */
static void keep_live_allowed(struct quick *quick, struct quick_routing *routing)
{
	struct quick_routing live = {.view = routing->view};
	size_t kept = 0;

	take_file_allowed(quick, routing);
	take_live_allowed(quick, &live);
	qsort(live.routed, live.facts.routed_count, sizeof(*live.routed), by_prefix);
	for (size_t i = 0; i < routing->facts.routed_count && live.facts.routed_count; i++)
		if (bsearch(&routing->routed[i], live.routed, live.facts.routed_count, sizeof(*live.routed),
			    by_prefix))
			routing->routed[kept++] = routing->routed[i];
	routing->facts.routed_count = kept;
	free(live.routed);
}

static int take_covering(struct quick *quick, struct quick_routing *routing)
{
	struct rtnl_route_filter filter = {.table = RT_TABLE_MAIN, .ifindex = quick->journal.ifindex};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;
	int r = rtnl_route_list(quick->rtnl, &filter, &routes, &count, quick->err);

	if (r < 0)
		return r;
	routing->covering = mem_new(count + 1, sizeof(*routing->covering));
	for (size_t i = 0; i < count; i++)
		if (routes[i].protocol != QUICK_PROTOCOL)
			routing->covering[routing->facts.covering_count++] = routes[i].to;
	return 0;
}

/* The whole main table, which may be large: only where it can matter. */
static int take_rivals(struct quick *quick, struct quick_routing *routing)
{
	struct rtnl_route_filter filter = {.table = RT_TABLE_MAIN};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;
	int r = rtnl_route_list(quick->rtnl, &filter, &routes, &count, quick->err);

	if (r < 0)
		return r;
	routing->rivals = mem_new(count + 1, sizeof(*routing->rivals));
	for (size_t i = 0; i < count; i++)
		if (routes[i].ifindex != quick->journal.ifindex)
			routing->rivals[routing->facts.rival_count++] = routes[i].to;
	routing->facts.rivals = routing->rivals;
	return 0;
}

static bool forwards(const struct quick *quick, int family)
{
	const struct quick_forward *forward = &quick->sidecar.forward;
	const struct quick_config *config = &quick->config;
	const struct quick_sidecar *sidecar = &quick->sidecar;
	bool has_address = false;

	for (size_t i = 0; i < config->address_count; i++)
		has_address |= config->addresses[i].addr.family == family;
	for (size_t i = 0; i < sidecar->address_count; i++)
		has_address |= sidecar->addresses[i].prefix.addr.family == family;
	return forward->is_wanted && (has_address || quick_forward_translates(forward, family));
}

int quick_routing_look(struct quick *quick, bool from_file, struct quick_routing *routing)
{
	int r = quick_observe(quick, &routing->view);

	if (r < 0)
		return r;
	routing->facts.name = quick->name;
	routing->facts.table = quick->config.table;
	routing->facts.table_number = quick->table_number;
	routing->facts.has_ip4 = quick_family_works(quick, AF_INET);
	routing->facts.has_ip6 = quick_family_works(quick, AF_INET6);
	routing->facts.forward4 = forwards(quick, AF_INET);
	routing->facts.forward6 = forwards(quick, AF_INET6);
	routing->facts.apart = quick->spaces.apart;
	if (from_file || !routing->view.device)
		take_file_allowed(quick, routing);
	else if (quick->keeping)
		keep_live_allowed(quick, routing);
	else
		take_live_allowed(quick, routing);
	if (from_file || !routing->view.device)
		routing->covering =
			quick_connected(&quick->config, &quick->sidecar, &routing->facts.covering_count);
	else
		r = take_covering(quick, routing);
	routing->facts.routed = routing->routed;
	routing->facts.covering = routing->covering;
	if (r >= 0 && quick->config.table == QUICK_TABLE_AUTO && quick_has_covered(&routing->facts))
		r = take_rivals(quick, routing);
	return r;
}

bool quick_routing_needs_mark(const struct quick_routing *routing)
{
	return quick_needs_mark(&routing->facts, AF_INET) || quick_needs_mark(&routing->facts, AF_INET6);
}
