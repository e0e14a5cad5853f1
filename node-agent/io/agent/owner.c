/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/clock.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/agent/newcomers.h"

enum {
	POLL_SHARE = 20,       /* telling us of sessions may take a twentieth of a WireGuard program's time */
	ALONE_EVERY_MS = 5000, /* of tunnels in no endpoint people are told, and nobody else waits for it */
};

static void take_sessions(struct agent *agent, const struct wg_device *device)
{
	int64_t now_ms = clock_now_ms(), wall_ms = clock_wall_ms();

	for (size_t i = 0; i < device->peer_count; i++) {
		const struct wg_peer *peer = &device->peers[i];
		int64_t handshake_ms = peer->handshake_s * 1000 + peer->handshake_ns / 1000000;

		if (!handshake_ms || !addr_is_set(&peer->endpoint.addr))
			continue;
		sessions_poll(agent->sessions, device->name, &peer->public_key, &peer->endpoint,
			(uint64_t)peer->handshake_s * UINT64_C(1000000000) + peer->handshake_ns,
			wall_ms - handshake_ms, peer->rx_bytes, peer->tx_bytes, now_ms);
	}
}

/* What was read before a commit may name peers that it took away. */
static bool tells_sessions(const struct agent *agent, const struct device_read *read)
{
	return read->result >= 0 && read->began_ms > agent->committed_ms;
}

/* A standby's device is read for the sake of a look (aside.c); what it says of peers is old. */
static bool tells_of_peers(const struct agent_seat *seat)
{
	return !seat || seat->takeover || agent_seat_serves(seat);
}

static void take_alone(struct agent *agent, const struct device_read *read)
{
	if (!agent_has_alone(agent, read->tunnel))
		return; /* there is no seat for it yet, or any more */
	agent->next_alone_ms += read->took_us / 1000 * POLL_SHARE;
	if (tells_sessions(agent, read))
		take_sessions(agent, &read->device);
}

static void take_read(struct agent *agent, const struct device_read *read)
{
	struct agent_seat *seat = agent_seat_of_tunnel(agent, read->tunnel);
	uint64_t known = sessions_changed(agent->sessions);

	reconcile_told(agent->reconcile, read->tunnel, read->result, read->userspace);
	if (tells_of_peers(seat))
		holding_take_read(agent, read);
	if (!seat) {
		take_alone(agent, read);
		return;
	}
	if (tells_sessions(agent, read) && (seat->takeover || agent_seat_serves(seat)))
		take_sessions(agent, &read->device);
	if (seat->takeover) {
		takeover_take_read(seat, read);
		return;
	}
	agent->next_poll_ms += read->took_us / 1000 * POLL_SHARE;
	newcomers_take_read(agent, read->took_us, sessions_changed(agent->sessions) != known);
}

static void on_read(struct device_read *read, void *context)
{
	take_read(context, read);
	names_take_read(context, read);
	forgetting_take_read(context, read);
	aside_take_read(context, read);
}

void owner_ask(struct agent *agent, const char *tunnel)
{
	if (reconcile_may_ask(agent->reconcile, tunnel))
		device_reader_ask(agent->reader, tunnel, reconcile_patience_ms(agent->reconcile));
}

static void ask_tunnels(struct agent *agent, const struct desired_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		owner_ask(agent, endpoint->tunnels[i]);
}

void owner_look(struct agent *agent)
{
	for (size_t i = 0; i < agent->seat_count; i++)
		if (agent_seat_serves(agent->seats[i]) && !agent->seats[i]->takeover)
			ask_tunnels(agent, agent_seat_endpoint(agent->seats[i]));
}

static void look_at_alone(struct agent *agent, int64_t now_ms)
{
	const struct desired *desired = agent->held.desired;

	if (!desired || now_ms < agent->next_alone_ms)
		return;
	agent->next_alone_ms = now_ms + ALONE_EVERY_MS;
	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (agent_has_alone(agent, desired->tunnels[i].name))
			owner_ask(agent, desired->tunnels[i].name);
}

void owner_poll(struct agent *agent)
{
	int64_t now_ms = clock_now_ms();

	sessions_expire(agent->sessions, now_ms);
	look_at_alone(agent, now_ms);
	if (now_ms < agent->next_poll_ms)
		return;
	agent->next_poll_ms = now_ms;
	owner_look(agent);
}

int owner_open(struct agent *agent, struct err *err)
{
	int r = device_reader_new(agent->base, on_read, agent, &agent->reader, err);

	if (r >= 0)
		newcomers_open(agent);
	return r;
}

void owner_close(struct agent *agent)
{
	newcomers_close(agent);
	device_reader_free(agent->reader);
	agent->reader = NULL;
}
