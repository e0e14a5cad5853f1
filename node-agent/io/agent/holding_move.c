/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/log.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/io/agent/holding_int.h"

/*
 * A prefix that a peer is given is taken from whoever has it in the same device, in one go: nobody else notices. In
 * another tunnel it is given first, then the route leads there, then it is taken.
 */

static const struct desired_peer *peer_of(const struct holder *holder, size_t claim)
{
	return holder->peers[holder->claims[claim].peer].desired;
}

static bool changes_tunnel(const struct holder *holder, const struct holder_move *move)
{
	return strcmp(peer_of(holder, move->from)->tunnel, peer_of(holder, move->to)->tunnel);
}

static struct wg_peer_change give(const struct holder *holder, const struct holder_move *move)
{
	return (struct wg_peer_change){.public_key = peer_of(holder, move->to)->public_key,
		.flags = WG_PEER_UPDATE_ONLY,
		.allowed_ips = &holder->prefixes[move->prefix].prefix,
		.allowed_ip_count = 1};
}

static struct wg_peer_change take(const struct holder *holder, const struct holder_move *move)
{
	const struct desired_peer *peer = peer_of(holder, move->from);
	struct wg_peer_change change = {
		.public_key = peer->public_key, .flags = WG_PEER_UPDATE_ONLY | WG_PEER_REPLACE_ALLOWED_IPS};

	change.allowed_ips = holder_allowed_ips(holder, peer, &change.allowed_ip_count);
	return change;
}

/* Those of one tunnel in one message. What fails is put right by the next look. */
static bool set_tunnel(
	struct agent *agent, const char *tunnel, const struct holder_move *moves, size_t count, bool giving)
{
	const struct holder *holder = agent->holding->holder;
	struct wg_peer_change *changes = mem_new(count, sizeof(*changes));
	struct err err = {0};
	size_t used = 0;
	bool well;

	for (size_t i = 0; i < count; i++) {
		size_t claim = giving ? moves[i].to : moves[i].from;

		if (!strcmp(peer_of(holder, claim)->tunnel, tunnel) &&
			(giving || changes_tunnel(holder, &moves[i])))
			changes[used++] = giving ? give(holder, &moves[i]) : take(holder, &moves[i]);
	}
	well = agent_set_peers(agent, tunnel, changes, used, &err) >= 0;
	if (!well)
		log_limited(LEVEL_WARNING, "holder", "not-moved", tunnel, log_text("tunnel", tunnel),
			log_err(&err));
	free(changes);
	return well;
}

static bool set_devices(struct agent *agent, const struct holder_move *moves, size_t count, bool giving)
{
	const struct desired *desired = agent->held.desired;
	bool well = true;

	for (size_t i = 0; i < desired->tunnel_count; i++)
		well &= set_tunnel(agent, desired->tunnels[i].name, moves, count, giving);
	return well;
}

const struct desired_tunnel *holding_find_tunnel(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, name))
			return &desired->tunnels[i];
	return NULL;
}

static bool route_of(
	const struct agent *agent, size_t claim, const struct prefix *prefix, struct plan_route *ret_route)
{
	const struct desired_peer *peer = peer_of(agent->holding->holder, claim);
	const struct desired_tunnel *tunnel = holding_find_tunnel(agent->held.desired, peer->tunnel);

	return tunnel && plan_allowed_route(tunnel, peer, prefix, ret_route);
}

/* The kernel keeps one route to a prefix in a table for each metric: the new one replaces the old, or does not. */
static bool takes_its_place(const struct plan_route *route, const struct plan_route *old)
{
	return route->table == old->table && route->metric == old->metric;
}

static bool set_routes(struct agent *agent, const struct holder_move *moves, size_t count)
{
	struct plan_world come = {0}, go = {0};
	struct err err = {0};
	bool well;

	for (size_t i = 0; i < count; i++) {
		const struct prefix *prefix = &agent->holding->holder->prefixes[moves[i].prefix].prefix;
		struct plan_route from, to;
		bool had = route_of(agent, moves[i].from, prefix, &from),
		     has = route_of(agent, moves[i].to, prefix, &to);

		if (has)
			*plan_world_route(&come) = to;
		if (had && !(has && takes_its_place(&to, &from)))
			*plan_world_route(&go) = from;
	}
	well = reconcile_served(agent->reconcile, &come, true, &err) >= 0;
	well = reconcile_served(agent->reconcile, &go, false, &err) >= 0 && well;
	plan_world_clear(&come);
	plan_world_clear(&go);
	return well;
}

void holding_carry_out(struct agent *agent, const struct holder_move *moves, size_t count)
{
	bool well;

	if (!count)
		return;
	well = set_devices(agent, moves, count, true);
	well &= set_routes(agent, moves, count);
	well &= set_devices(agent, moves, count, false);
	if (!well)
		agent_look_soon(agent);
}
