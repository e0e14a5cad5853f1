/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/explain/gather_int.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"
#include "node-agent/io/rtnl/sysctl.h"

/* ---- rules and routes ---- */

static void take_rule(const struct rtnl_rule *from, struct explain_rule *to)
{
	*to = (struct explain_rule){.family = from->family,
		.priority = from->priority,
		.invert = from->invert,
		.has_fwmark = from->has_fwmark,
		.has_suppress = from->has_suppress,
		.fwmark = from->fwmark,
		.fwmask = from->fwmask,
		.table = from->table,
		.suppress_prefixlength = from->suppress_prefixlength,
		.from = from->from,
		.to = from->to,
		.action = from->action,
		.has_more = from->has_more};
	text_copy(to->iif, sizeof(to->iif), from->iif);
	text_copy(to->oif, sizeof(to->oif), from->oif);
}

static int look_at_rules(struct rtnl *rtnl, struct explain_facts *facts, struct err *err)
{
	CLEANUP_FREE struct rtnl_rule *rules = NULL;
	size_t count = 0;
	int r = rtnl_rule_list(rtnl, 0, &rules, &count, err);

	for (size_t i = 0; r >= 0 && i < count; i++)
		take_rule(&rules[i], explain_add_rule(facts));
	return r;
}

static struct explain_route from_route(const struct rtnl_route *from)
{
	struct explain_route to = {.to = from->to,
		.via = from->via,
		.src = from->src,
		.ifindex = from->ifindex,
		.table = from->table,
		.metric = from->metric,
		.mtu = from->mtu,
		.type = from->type};

	text_copy(to.device, sizeof(to.device), from->device);
	return to;
}

static void take_routes(const struct rtnl_route *routes, size_t count, struct explain_way *way)
{
	for (size_t i = 0; addr_is_set(&way->to) && i < count; i++)
		if (routes[i].to.addr.family == way->to.family &&
			prefix_contains(&routes[i].to, &way->to) &&
			(!way->oif_index || routes[i].ifindex == way->oif_index))
			*explain_add_route(way) = from_route(&routes[i]);
}

/* Of the ways that are judged route by route. */
static int look_at_routes(struct rtnl *rtnl, struct explain_facts *facts, struct err *err)
{
	struct rtnl_route_filter all = {0};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count = 0;
	int r = rtnl_route_list(rtnl, &all, &routes, &count, err);

	if (r < 0)
		return r;
	take_routes(routes, count, &facts->inner);
	take_routes(routes, count, &facts->outer);
	take_routes(routes, count, &facts->back_inner);
	take_routes(routes, count, &facts->back_in);
	return 0;
}

/* ---- look-ups ---- */

static void look_up(struct rtnl *rtnl, struct explain_way *way)
{
	struct rtnl_route_query query = {
		.to = way->to, .from = way->from, .mark = way->mark, .oif = way->oif_index};
	struct rtnl_route route;
	struct rtnl_link link;

	if (!addr_is_set(&way->to))
		return;
	way->asked = true;
	way->error = rtnl_route_lookup(rtnl, &query, &route, NULL);
	if (way->error)
		return;
	way->answer = from_route(&route);
	if (rtnl_link_get_index(rtnl, route.ifindex, &link, NULL) < 0)
		return;
	way->device_mtu = link.mtu;
	way->device_up = link.up && link.carrier;
}

static void look_up_inner(struct rtnl *rtnl, struct explain_facts *facts)
{
	facts->inner.to = facts->back_inner.to = facts->question.to;
	look_up(rtnl, &facts->inner);
	facts->back_inner.from = facts->inner.answer.src;
	look_up(rtnl, &facts->back_inner);
}

/* The kernel answers such questions only as if forwarding and reverse path filtering had let the packet through. */
static void prepare_forwarded(struct explain_facts *facts)
{
	const struct explain_question *question = &facts->question;

	facts->inner.to = facts->back_inner.to = question->to;
	facts->inner.from = facts->back_inner.from = facts->back_in.to = question->from;
	facts->back_in.from = question->to;
	text_copy(facts->inner.iif, sizeof(facts->inner.iif), question->in);
	text_copy(facts->back_inner.iif, sizeof(facts->back_inner.iif), question->in);
	text_copy(facts->back_in.iif, sizeof(facts->back_in.iif), facts->tunnel.name);
}

static void look_up_zone(struct rtnl *rtnl, struct explain_facts *facts)
{
	struct explain_way *ways[] = {&facts->outer, &facts->back, &facts->back_marked};
	unsigned scope = facts->peer.endpoint.scope;
	struct rtnl_link link = {.name = ""};

	if (!scope)
		return;
	(void)rtnl_link_get_index(rtnl, scope, &link, NULL);
	text_copy(facts->peer.zone, sizeof(facts->peer.zone), link.name);
	for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
		ways[i]->oif_index = scope;
		text_copy(ways[i]->oif, sizeof(ways[i]->oif), link.name);
	}
}

static void look_up_outer(struct rtnl *rtnl, struct explain_facts *facts)
{
	look_up_zone(rtnl, facts);
	facts->outer.to = facts->back.to = facts->back_marked.to = facts->peer.endpoint.addr;
	facts->outer.mark = facts->back_marked.mark = facts->tunnel.fwmark;
	look_up(rtnl, &facts->outer);
	facts->back.from = facts->back_marked.from = facts->outer.answer.src;
	look_up(rtnl, &facts->back);
	look_up(rtnl, &facts->back_marked);
}

/* ---- kernel parameters ---- */

static int read_number(const char *family, const char *device, const char *name)
{
	char key[SYSCTL_KEY_MAX], value[SYSCTL_VALUE_MAX];

	sysctl_device_key(key, sizeof(key), family, device, name);
	return sysctl_read(key, value, sizeof(value), NULL) < 0 ? 0 : atoi(value);
}

static int larger(const char *device, const char *name)
{
	int all = read_number("ipv4", "all", name), own = read_number("ipv4", device, name);

	return all > own ? all : own;
}

/* Forwarding of IPv6 is the whole machine's: ip-sysctl.rst. */
static void read_sysctls(
	const struct explain_facts *facts, const char *device, struct explain_sysctls *sysctls)
{
	bool ip6 = facts->question.to.family == AF_INET6;

	if (!device[0])
		return;
	sysctls->rp_filter = larger(device, "rp_filter");
	sysctls->src_valid_mark = larger(device, "src_valid_mark");
	sysctls->forwarding =
		ip6 ? read_number("ipv6", "all", "forwarding") : read_number("ipv4", device, "forwarding");
	sysctls->disable_ipv6 = read_number("ipv6", device, "disable_ipv6");
}

/* ---- all ---- */

static int look_at_links(struct rtnl *rtnl, struct explain_facts *facts, struct err *err)
{
	struct rtnl_link link;
	int r = rtnl_link_get(rtnl, facts->tunnel.name, &link, err);

	if (r < 0)
		return r;
	facts->tunnel.ifindex = link.ifindex;
	facts->tunnel.up = link.up;
	facts->tunnel.mtu = link.mtu;
	return 0;
}

int explain_look_at_ways(struct rtnl *rtnl, struct explain_facts *facts, struct err *err)
{
	int r = look_at_links(rtnl, facts, err);

	if (r < 0)
		return r;
	if (facts->question.in[0])
		prepare_forwarded(facts);
	else
		look_up_inner(rtnl, facts);
	look_up_outer(rtnl, facts);
	r = look_at_rules(rtnl, facts, err);
	if (r >= 0)
		r = look_at_routes(rtnl, facts, err);
	read_sysctls(facts, facts->question.in, &facts->in);
	read_sysctls(facts, facts->tunnel.name, &facts->on_tunnel);
	read_sysctls(facts, facts->outer.answer.device, &facts->on_outer);
	return r;
}
