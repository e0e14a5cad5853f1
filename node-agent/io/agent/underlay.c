/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"

/*
 * The way to the peers, asked of the kernel with the tunnels' marks. A router of the Internet changes thousands of
 * routes: only if the answer differs is anything looked at.
 */

/* RFC 5737 and RFC 3849: nobody is there, so what they take is the way to everywhere. */
static const char *const everywhere[] = {"192.0.2.1", "2001:db8::1"};

static uint32_t device_mtu(struct agent *agent, const char *device)
{
	struct rtnl_link link;

	return device[0] && rtnl_link_get(reconcile_rtnl(agent->reconcile), device, &link, NULL) >= 0
		       ? link.mtu
		       : 0;
}

static struct way ask(struct agent *agent, const struct addr *to, uint32_t mark)
{
	struct rtnl_route_query query = {.to = *to, .mark = mark};
	struct way way = {.to = *to};
	struct rtnl_route route;

	if (rtnl_route_lookup(reconcile_rtnl(agent->reconcile), &query, &route, NULL) < 0)
		return way;
	way.reachable = true;
	way.via = route.via;
	way.src = route.src;
	text_copy(way.device, sizeof(way.device), route.device);
	way.mtu = route.mtu ? route.mtu : device_mtu(agent, route.device);
	return way;
}

static uint32_t mark_of(const struct desired *desired, const char *tunnel)
{
	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, tunnel))
			return desired->tunnels[i].fwmark;
	return 0;
}

static bool is_tunnel(const struct agent *agent, const char *device)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, device))
			return true;
	return tunnels_find(agent, device) != NULL;
}

/* With the mark of a tunnel that has the default route, if there is one: the others' packets go through it. */
static struct way ask_outside(struct agent *agent, const struct addr *to)
{
	const struct desired *desired = agent->held.desired;
	struct way way = ask(agent, to, 0);

	for (size_t i = 0; desired && i < desired->tunnel_count && is_tunnel(agent, way.device); i++)
		way = ask(agent, to, desired->tunnels[i].fwmark);
	for (size_t i = 0; i < tunnels_count(agent) && is_tunnel(agent, way.device); i++)
		way = ask(agent, to, tunnels_at(agent, i)->kept.mark);
	return way;
}

static void ask_everywhere(struct agent *agent, struct ways *ways)
{
	struct addr to;

	for (size_t i = 0; i < ARRAY_COUNT(everywhere); i++)
		if (addr_parse(everywhere[i], &to, NULL) >= 0)
			ways->items[ways->count++] = ask_outside(agent, &to);
}

static void ask_tunnel(struct agent *agent, const struct tunnel *tunnel, struct ways *ways)
{
	for (size_t i = 0; i < tunnel->kept.peer_count && ways->count < WAYS_MAX; i++) {
		const struct addr *to = &tunnel->kept.peers[i].endpoint.addr;

		if (addr_is_set(to))
			ways->items[ways->count++] = ask(agent, to, tunnel->kept.mark);
	}
}

static void ask_all(struct agent *agent, struct ways *ways)
{
	const struct desired *desired = agent->held.desired;

	ask_everywhere(agent, ways);
	for (size_t i = 0; i < tunnels_count(agent); i++)
		ask_tunnel(agent, tunnels_at(agent, i), ways);
	for (size_t i = 0; desired && i < desired->peer_count && ways->count < WAYS_MAX; i++) {
		const struct desired_peer *peer = &desired->peers[i];
		const struct endpoint *endpoint =
			peer->endpoint_host ? names_endpoint(peer->tunnel, &peer->public_key, agent)
					    : &peer->endpoint;

		if (endpoint && addr_is_set(&endpoint->addr))
			ways->items[ways->count++] =
				ask(agent, &endpoint->addr, mark_of(desired, peer->tunnel));
	}
}

static void changed(struct agent *agent, const struct way *before, const struct way *now)
{
	char to[ADDR_TEXT_MAX], was[WAY_TEXT_MAX], is[WAY_TEXT_MAX];

	addr_format(&now->to, to, sizeof(to));
	way_format(before, was);
	way_format(now, is);
	log_notice(
		"agent", "underlay-changed", log_text("to", to), log_text("was", was), log_text("now", is));
	journal_note(&agent->journal, "underlay", NULL, "the way to %s is %s; it was %s", to, is, was);
	repair_tell(&agent->repair, REPAIR_MTU, clock_now_ms(), "the way to %s is %s", to, is);
	tunnels_underlay_changed(agent, to, is);
	names_underlay_changed(agent);
	agent_look_soon(agent);
}

static void on_check(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	const struct way *now, *before;
	struct ways ways = {0};

	(void)fd;
	(void)what;
	if (!agent->held.desired && !tunnels_count(agent)) {
		agent->ways = ways;
		return;
	}
	if (agent->bypasses) { /* which hide the underlay's own answer */
		repair_tell(&agent->repair, REPAIR_ROUTE, clock_now_ms(), "the underlay changed");
		agent_look_soon(agent);
	}
	tunnels_look_around(agent);
	ask_all(agent, &ways);
	now = ways_first_change(&agent->ways, &ways, &before);
	if (now)
		changed(agent, before, now);
	agent->ways = ways;
}

void underlay_check_soon(struct agent *agent)
{
	struct timeval wait = {.tv_usec = REPAIR_DEBOUNCE_MS * 1000};

	if (!evtimer_pending(agent->ways_timer, NULL))
		evtimer_add(agent->ways_timer, &wait);
}

void underlay_open(struct agent *agent)
{
	agent->ways_timer = evtimer_new(agent->base, on_check, agent);
}

void underlay_close(struct agent *agent)
{
	if (agent->ways_timer)
		event_free(agent->ways_timer);
	agent->ways_timer = NULL;
}
