/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>

#include "common/io/clock.h"
#include "node-agent/core/quick/target.h"
#include "node-agent/io/agent/tunnels_int.h"

/* What others tell of the network namespace `place` (NULL: the agent's own), and of whom there it is a reason to look at. */

static void look_why(struct agent *agent, struct tunnel *tunnel, const struct monitor_event *event)
{
	repairs_told(&tunnel->repair, event);
	tunnel_look_soon(agent, tunnel);
}

static void look_all(struct agent *agent, const struct place *place, const struct monitor_event *event)
{
	for (size_t i = 0; i < tunnels_count(agent); i++)
		if (tunnel_is_in(agent->tunnels->items[i], place))
			look_why(agent, agent->tunnels->items[i], event);
}

static struct tunnel *find_in(struct agent *agent, const struct place *place, const char *name)
{
	struct tunnel *tunnel = tunnels_get(agent, name);

	return tunnel && tunnel_is_in(tunnel, place) ? tunnel : NULL;
}

static void look_named(
	struct agent *agent, const struct place *place, const char *name, const struct monitor_event *event)
{
	struct tunnel *tunnel = find_in(agent, place, name);

	if (tunnel)
		look_why(agent, tunnel, event);
}

/* Our own changes come back as events too: what is as it shall be is no reason for anything. */
static void on_link(struct agent *agent, const struct place *place, const struct monitor_event *event)
{
	struct tunnel *tunnel = find_in(agent, place, event->link.name);

	if (tunnel && event->link.up && event->link.mtu == tunnel->kept.mtu)
		tunnel_look_soon(agent, tunnel);
	else if (tunnel)
		look_why(agent, tunnel, event);
}

/* A new address is to be protected, too. */
static void on_new_address(struct agent *agent, const struct place *place, const struct rtnl_address *address)
{
	struct tunnel *tunnel = find_in(agent, place, address->device);
	char text[PREFIX_TEXT_MAX];

	if (!tunnel || !tunnel->kept.needs_mark)
		return;
	repair_tell(&tunnel->repair, REPAIR_FIREWALL, clock_now_ms(), "%s was added to %s",
		prefix_format(&address->prefix, text, sizeof(text)), address->device);
	tunnel_look_soon(agent, tunnel);
}

/* Allowed IPs that go by a connected route, say, need one of their own as soon as another's lies between the two. */
static bool takes_covered(const struct tunnel *tunnel, const struct rtnl_route *route)
{
	for (size_t i = 0; i < tunnel->kept.cover_count && route->table == RT_TABLE_MAIN; i++)
		if (route->to.length > tunnel->kept.covers[i].length &&
			prefix_covers(&tunnel->kept.covers[i], &route->to))
			return true;
	return false;
}

/* Host routes hide from the kernel's own answers that the way to their endpoints changed: any route may be it. */
static void on_foreign_route(struct agent *agent, struct tunnel *tunnel, const struct monitor_event *event)
{
	if (event->kind == MONITOR_ROUTE && takes_covered(tunnel, &event->route))
		look_why(agent, tunnel, event);
	if (!tunnel->kept.has_host_routes)
		return;
	repair_tell(&tunnel->repair, REPAIR_ROUTE, clock_now_ms(), "the underlay changed");
	tunnel_look_soon(agent, tunnel);
}

static void on_route(struct agent *agent, const struct place *place, const struct monitor_event *event)
{
	const struct rtnl_route *route = &event->route;
	bool ours = route->protocol == QUICK_PROTOCOL || route->protocol == PLAN_PROTOCOL ||
		    (route->protocol == QUICK_PROTOCOL_HOST && event->kind == MONITOR_ROUTE);

	for (size_t i = 0; i < tunnels_count(agent) && !ours && route->table != RT_TABLE_LOCAL; i++)
		if (tunnel_is_in(agent->tunnels->items[i], place))
			on_foreign_route(agent, agent->tunnels->items[i], event);
}

void tunnels_told(struct agent *agent, const struct place *place, const struct monitor_event *event)
{
	switch (event->kind) {
	case MONITOR_LINK:
		on_link(agent, place, event);
		return;
	case MONITOR_LINK_GONE:
		look_named(agent, place, event->link.name, event);
		return;
	case MONITOR_ADDRESS:
		on_new_address(agent, place, &event->address);
		return;
	case MONITOR_ADDRESS_GONE:
		look_named(agent, place, event->address.device, event);
		return;
	case MONITOR_ROUTE:
		on_route(agent, place, event);
		return;
	case MONITOR_ROUTE_GONE:
		on_route(agent, place, event);
		if (event->route.table != RT_TABLE_LOCAL)
			look_named(agent, place, event->route.device, event);
		return;
	case MONITOR_RULE:
		return;
	case MONITOR_RULE_GONE:
		if (event->rule.protocol == QUICK_PROTOCOL)
			look_all(agent, place, event);
		return;
	case MONITOR_RESYNC:
		look_all(agent, place, event);
		return;
	}
}

void tunnels_firewall_changed(struct agent *agent, const struct place *place)
{
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		if (!tunnel_is_in(tunnel, place))
			continue;
		repair_tell(&tunnel->repair, REPAIR_FIREWALL, clock_now_ms(),
			"somebody deleted or changed a table (nft flush ruleset?)");
		tunnel_look_soon(agent, tunnel);
	}
}

void tunnels_underlay_changed(struct agent *agent, const struct place *place, const char *to, const char *way)
{
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		if (!tunnel_sends_from(tunnel, place))
			continue;
		repair_tell(&tunnel->repair, REPAIR_MTU, clock_now_ms(), "the way to %s is %s", to, way);
		tunnel_look_soon(agent, tunnel);
	}
}

void tunnels_look_around(struct agent *agent, const struct place *place)
{
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		if (!tunnel->kept.has_host_routes || !tunnel_sends_from(tunnel, place))
			continue;
		repair_tell(&tunnel->repair, REPAIR_ROUTE, clock_now_ms(), "the underlay changed");
		tunnel_look_in(agent, tunnel, 0);
	}
}

void tunnels_see_mark(struct agent *agent, const char *name, uint32_t mark)
{
	struct tunnel *tunnel = tunnels_get(agent, name);

	if (!tunnel || tunnel->kept.state != QUICK_KEPT_UP || tunnel->kept.mark == mark)
		return;
	repair_tell(&tunnel->repair, REPAIR_WIREGUARD, clock_now_ms(), "somebody set the mark of %s to %u",
		name, mark);
	tunnel_look_soon(agent, tunnel);
}
