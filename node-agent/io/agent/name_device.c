/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/io/clock.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/io/agent/names_int.h"

/* What the devices say of the peers, and what they are told. */

static void observe(struct name *name, const struct wg_peer *peer, int64_t now_ms)
{
	int64_t wall_ms = clock_wall_ms();
	int64_t handshake_ms = peer->handshake_s * 1000 + peer->handshake_ns / 1000000;
	struct resolve_peer seen = {.endpoint = peer->endpoint,
		.has_handshake = handshake_ms != 0,
		.handshake_age_ms = handshake_ms && handshake_ms < wall_ms ? wall_ms - handshake_ms : 0,
		.rx_bytes = peer->rx_bytes,
		.tx_bytes = peer->tx_bytes,
		.keepalive_s = peer->keepalive_s};

	resolve_observe(&name->resolve, &seen, now_ms);
	if (name->resolve.owed_ms != INT64_MIN)
		name->told_ms = name->resolve.owed_ms;
}

/* Is it spoken through from here? A standby is silent whatever its peers do. */
static bool is_served(struct agent *agent, const char *tunnel)
{
	const struct desired_endpoint *endpoint =
		agent->held.desired ? plan_tunnel_endpoint(agent->held.desired, tunnel) : NULL;
	const struct agent_seat *seat = endpoint ? agent_seat_find(agent, endpoint->name) : NULL;

	return !endpoint || (seat && agent_seat_serves(seat) && !seat->takeover);
}

static int get_device(struct agent *agent, const struct name *name, struct wg_device *ret_device)
{
	const struct tunnel *tunnel;
	int r;

	if (name->of_fleet)
		return is_served(agent, name->tunnel) ? agent_get_device(agent, name->tunnel, ret_device)
						      : -EHOSTDOWN;
	tunnel = tunnels_find(agent, name->tunnel);
	r = tunnel ? tunnel_get_device(agent, tunnel, ret_device, NULL) : -ENODEV;
	if (r >= 0)
		tunnels_see_mark(agent, name->tunnel, ret_device->fwmark);
	return r;
}

static bool is_in(const struct name *name, bool of_fleet, const char *tunnel)
{
	return name->of_fleet == of_fleet && !strcmp(name->tunnel, tunnel);
}

/* What was asked before another reading that is known already says nothing: counters would go back. */
static void take_peer(struct name *name, const struct wg_peer *peer, int64_t began_ms, int64_t took_ms)
{
	int64_t now_ms = clock_now_ms();

	if (began_ms < name->seen_ms)
		return;
	name->seen_ms = began_ms;
	name->fresh_until_ms = now_ms + took_ms * NAMES_POLL_SHARE;
	if (peer)
		observe(name, peer, now_ms);
	else
		name->resolve.observed = false;
}

/* device NULL: it could not be read. */
static void take_device(struct agent *agent, bool of_fleet, const char *tunnel,
	const struct wg_device *device, int64_t began_ms, int64_t took_ms)
{
	for (size_t i = 0; i < agent->names->count; i++) {
		struct name *name = &agent->names->items[i];

		if (is_in(name, of_fleet, tunnel))
			take_peer(name, device ? wg_device_peer(device, &name->public_key) : NULL, began_ms,
				took_ms);
	}
}

void name_observe(struct agent *agent, const struct name *of)
{
	CLEANUP_WG_DEVICE struct wg_device device = {0};
	int64_t began_ms = clock_now_ms();
	bool known = get_device(agent, of, &device) >= 0;

	take_device(
		agent, of->of_fleet, of->tunnel, known ? &device : NULL, began_ms, clock_now_ms() - began_ms);
}

void names_take_read(struct agent *agent, const struct device_read *read)
{
	bool known = read->result >= 0 && is_served(agent, read->tunnel);

	if (!agent->names->count)
		return;
	if (read->began_ms > agent->committed_ms)
		take_device(agent, true, read->tunnel, known ? &read->device : NULL, read->began_ms,
			read->took_us / 1000);
	names_take_kept(agent, read->tunnel);
}

static bool is_read_aside(struct agent *agent, const struct name *name)
{
	return name->of_fleet && !aside_is_small(agent) && is_served(agent, name->tunnel);
}

bool name_ask_aside(struct agent *agent, const struct name *name)
{
	if (!is_read_aside(agent, name))
		return false;
	owner_ask(agent, name->tunnel);
	return device_reader_is_asked(agent->reader, name->tunnel);
}

/* Others ask in the thread, too, and what they read is taken: its program is not asked more often for names. */
static void observe_in_time(struct agent *agent, const struct name *name)
{
	bool fresh = name->resolve.observed && clock_now_ms() < name->fresh_until_ms;

	if (fresh && is_read_aside(agent, name))
		return;
	if (!name_ask_aside(agent, name))
		name_observe(agent, name);
}

/* As they are sorted, those of one device stand together: each is asked once. */
void names_observe_all(struct agent *agent)
{
	const struct names *names = agent->names;

	for (size_t i = 0; i < names->count; i++)
		if (!i || !is_in(&names->items[i], names->items[i - 1].of_fleet, names->items[i - 1].tunnel))
			observe_in_time(agent, &names->items[i]);
}

int name_set_endpoint(struct agent *agent, const struct name *name, struct err *err)
{
	struct wg_peer_change peer = {.public_key = name->public_key,
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT,
		.endpoint = name->resolve.set};
	const struct wg_change change = {.peers = &peer, .peer_count = 1};
	const struct tunnel *tunnel;

	if (name->of_fleet)
		return agent_set_peers(agent, name->tunnel, &peer, 1, err);
	tunnel = tunnels_find(agent, name->tunnel);
	return tunnel ? tunnel_set_device(agent, tunnel, &change, err)
		      : err_set(err, -ENODEV, "%s: it has gone", name->tunnel);
}
