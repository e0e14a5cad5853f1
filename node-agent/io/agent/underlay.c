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

static uint32_t device_mtu(const struct underlay *underlay, const char *device)
{
	struct rtnl_link link;

	return device[0] && rtnl_link_get(underlay->rtnl, device, &link, NULL) >= 0 ? link.mtu : 0;
}

static struct way ask(const struct underlay *underlay, const struct endpoint *to, uint32_t mark)
{
	struct rtnl_route_query query = {.to = to->addr, .mark = mark, .oif = to->scope};
	struct way way = {.to = to->addr, .scope = to->scope};
	struct rtnl_route route;

	if (rtnl_route_lookup(underlay->rtnl, &query, &route, NULL) < 0)
		return way;
	way.reachable = true;
	way.via = route.via;
	way.src = route.src;
	text_copy(way.device, sizeof(way.device), route.device);
	way.mtu = route.mtu ? route.mtu : device_mtu(underlay, route.device);
	return way;
}

/* The fleet's tunnels are at home. */
static const struct desired *desired_of(const struct underlay *underlay)
{
	return underlay->place ? NULL : underlay->agent->held.desired;
}

static uint32_t mark_of(const struct desired *desired, const char *tunnel)
{
	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, tunnel))
			return desired->tunnels[i].fwmark;
	return 0;
}

static bool is_tunnel(const struct underlay *underlay, const char *device)
{
	const struct desired *desired = desired_of(underlay);
	const struct tunnel *kept = tunnels_find(underlay->agent, device);

	for (size_t i = 0; desired && i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, device))
			return true;
	return kept && tunnel_is_in(kept, underlay->place);
}

/* With the mark of a tunnel that has the default route, if there is one: the others' packets go through it. */
static struct way ask_outside(const struct underlay *underlay, const struct endpoint *to)
{
	const struct desired *desired = desired_of(underlay);
	struct agent *agent = underlay->agent;
	struct way way = ask(underlay, to, 0);

	for (size_t i = 0; desired && i < desired->tunnel_count && is_tunnel(underlay, way.device); i++)
		way = ask(underlay, to, desired->tunnels[i].fwmark);
	for (size_t i = 0; i < tunnels_count(agent) && is_tunnel(underlay, way.device); i++)
		if (tunnel_is_in(tunnels_at(agent, i), underlay->place))
			way = ask(underlay, to, tunnels_at(agent, i)->kept.mark);
	return way;
}

static void ask_everywhere(const struct underlay *underlay, struct ways *ways)
{
	struct endpoint to = {0};

	for (size_t i = 0; i < ARRAY_COUNT(everywhere); i++)
		if (addr_parse(everywhere[i], &to.addr, NULL) >= 0)
			ways->items[ways->count++] = ask_outside(underlay, &to);
}

/* Those beyond the limit go, as nearly all do, where everything goes, which is among the ways. */
static void add_way(
	const struct underlay *underlay, const struct endpoint *to, uint32_t mark, struct ways *ways)
{
	if (!addr_is_set(&to->addr))
		return;
	if (ways->count == WAYS_MAX)
		ways->left_out++;
	else
		ways->items[ways->count++] = ask(underlay, to, mark);
}

static void ask_tunnel(const struct underlay *underlay, const struct tunnel *tunnel, struct ways *ways)
{
	for (size_t i = 0; i < tunnel->kept.peer_count; i++)
		add_way(underlay, &tunnel->kept.peers[i].endpoint, tunnel->kept.mark, ways);
}

static void ask_fleet(const struct underlay *underlay, const struct desired *desired, struct ways *ways)
{
	struct agent *agent = underlay->agent;

	for (size_t i = 0; i < desired->peer_count; i++) {
		const struct desired_peer *peer = &desired->peers[i];
		const struct endpoint *endpoint =
			peer->endpoint_host ? names_endpoint(peer->tunnel, &peer->public_key, agent)
					    : &peer->endpoint;

		if (endpoint)
			add_way(underlay, endpoint, mark_of(desired, peer->tunnel), ways);
	}
}

static void ask_all(const struct underlay *underlay, struct ways *ways)
{
	struct agent *agent = underlay->agent;

	ask_everywhere(underlay, ways);
	for (size_t i = 0; i < tunnels_count(agent); i++)
		if (tunnel_sends_from(tunnels_at(agent, i), underlay->place))
			ask_tunnel(underlay, tunnels_at(agent, i), ways);
	if (desired_of(underlay))
		ask_fleet(underlay, desired_of(underlay), ways);
}

static void changed(const struct underlay *underlay, const struct way *before, const struct way *now)
{
	char to[ADDR_TEXT_MAX], was[WAY_TEXT_MAX], is[WAY_TEXT_MAX];
	struct agent *agent = underlay->agent;

	addr_format(&now->to, to, sizeof(to));
	way_format(before, was);
	way_format(now, is);
	log_notice(
		"agent", "underlay-changed", log_text("to", to), log_text("was", was), log_text("now", is));
	journal_note(&agent->journal, "underlay", NULL, "the way to %s is %s; it was %s", to, is, was);
	tunnels_underlay_changed(agent, underlay->place, to, is);
	names_underlay_changed(agent, underlay->place);
	if (underlay->place)
		return;
	repair_tell(&agent->repair, REPAIR_MTU, clock_now_ms(), "the way to %s is %s", to, is);
	agent_look_soon(agent);
}

static bool has_senders(const struct underlay *underlay)
{
	const struct agent *agent = underlay->agent;
	bool found = desired_of(underlay) != NULL;

	for (size_t i = 0; i < tunnels_count(agent) && !found; i++)
		found = tunnel_sends_from(tunnels_at(agent, i), underlay->place);
	return found;
}

static void tell_of_limit(struct underlay *underlay, const struct ways *ways)
{
	if (ways->left_out && !underlay->told_of_limit)
		log_warning("agent", "ways-not-watched", log_u64("peers", ways->left_out),
			log_u64("limit", WAYS_MAX));
	underlay->told_of_limit = ways->left_out != 0;
}

static void on_check(evutil_socket_t fd, short what, void *context)
{
	struct underlay *underlay = context;
	struct agent *agent = underlay->agent;
	const struct way *now, *before;
	struct ways ways = {0};

	(void)fd;
	(void)what;
	if (!has_senders(underlay)) {
		underlay->ways = ways;
		return;
	}
	if (agent->bypasses && !underlay->place) { /* which hide the underlay's own answer */
		repair_tell(&agent->repair, REPAIR_ROUTE, clock_now_ms(), "the underlay changed");
		agent_look_soon(agent);
	}
	tunnels_look_around(agent, underlay->place);
	ask_all(underlay, &ways);
	tell_of_limit(underlay, &ways);
	now = ways_first_change(&underlay->ways, &ways, &before);
	if (now)
		changed(underlay, before, now);
	underlay->ways = ways;
}

void underlay_check_soon(struct underlay *underlay)
{
	struct timeval wait = {.tv_usec = REPAIR_DEBOUNCE_MS * 1000};

	if (!evtimer_pending(underlay->timer, NULL))
		evtimer_add(underlay->timer, &wait);
}

void underlay_open(struct underlay *underlay, struct agent *agent, struct place *place, struct rtnl *rtnl)
{
	*underlay = (struct underlay){.agent = agent, .place = place, .rtnl = rtnl};
	underlay->timer = evtimer_new(agent->base, on_check, underlay);
}

void underlay_close(struct underlay *underlay)
{
	if (underlay->timer)
		event_free(underlay->timer);
	underlay->timer = NULL;
}
