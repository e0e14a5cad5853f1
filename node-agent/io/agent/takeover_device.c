/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/takeover_int.h"

enum {
	MESSAGE_MAX = 16, /* actions in one message */
	TURN_MS = 10,     /* of the loop, before others get theirs */
};

static uint64_t stamp_of(const struct wg_peer *peer)
{
	return (uint64_t)peer->handshake_s * UINT64_C(1000000000) + peer->handshake_ns;
}

/* When waking began, by the wall clock that stamps handshakes now: it may have been set back since, and what completed
 * after that has an earlier stamp. */
static int64_t woken_wall_ms(const struct takeover_run *run, int64_t now_ms)
{
	int64_t by_now_ms = clock_wall_ms() - (now_ms - run->wake_ms);

	return by_now_ms < run->wake_wall_ms ? by_now_ms : run->wake_wall_ms;
}

void takeover_take_handshakes(struct takeover_run *run, const struct wg_device *device)
{
	int64_t now_ms = clock_now_ms(), since_ms = woken_wall_ms(run, now_ms);

	for (size_t i = 0; i < device->peer_count; i++) {
		const struct wg_peer *peer = &device->peers[i];

		if (peer->handshake_s * 1000 + peer->handshake_ns / 1000000 >= since_ms &&
			wake_handshake(run->wake, device->name, &peer->public_key, stamp_of(peer), now_ms))
			moments_back(run->seat, device->name, &peer->public_key,
				wake_result(run->wake, now_ms).back);
	}
}

void takeover_ask_devices(struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);

	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		owner_ask(run->seat->agent, endpoint->tunnels[i]);
	run->polled_ms = clock_now_ms();
	run->poll_cost_us = 0;
}

bool takeover_is_being_read(const struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);

	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		if (device_reader_is_asked(run->seat->agent->reader, endpoint->tunnels[i]))
			return true;
	return false;
}

/* One message for the actions of one tunnel; a peer that is made anew is in it twice. */
struct message {
	struct wg_peer_change *changes;
	size_t count;
};

static void add_action(struct agent *agent, struct message *message, const struct wake_action *action)
{
	struct wg_peer_change change = {.public_key = action->peer->public_key,
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_KEEPALIVE,
		.endpoint = action->peer->endpoint,
		.keepalive_s = action->keepalive_s};

	switch (action->kind) {
	case WAKE_POKE:
		change.flags |= WG_PEER_SET_ENDPOINT;
		message->changes[message->count++] = change;
		return;
	case WAKE_RECREATE:
		message->count += agent_recreate_peer(agent, action->peer->tunnel, &action->peer->public_key,
			&action->peer->endpoint, action->keepalive_s, &message->changes[message->count]);
		return;
	case WAKE_RESTORE:
		message->changes[message->count++] = change;
		return;
	}
}

static void send_message(struct agent *agent, const char *tunnel, const struct message *message)
{
	struct err err = {0};

	if (agent_set_peers(agent, tunnel, message->changes, message->count, &err) < 0)
		log_error("takeover", "wake-failed", log_text("tunnel", tunnel), log_err(&err));
}

static bool is_for(const struct takeover_run *run, const struct wake_action *action, const char *tunnel)
{
	return !strcmp(action->peer->tunnel, tunnel) && wake_action_stands(run->wake, action);
}

/* What is refused was answered, too. */
static void note_told(struct takeover_run *run, const char *tunnel, size_t from, size_t to)
{
	bool answered = reconcile_may_ask(run->seat->agent->reconcile, tunnel);
	int64_t now_ms = clock_now_ms();

	for (size_t i = from; i < to; i++)
		if (is_for(run, &run->actions.items[i], tunnel))
			wake_told(run->wake, &run->actions.items[i], answered, now_ms);
}

/* A message of those actions of the list that are for one tunnel, from index `from` on, at most MESSAGE_MAX. */
static void do_tunnel(struct takeover_run *run, const char *tunnel, size_t from, size_t to)
{
	struct wg_peer_change changes[2 * MESSAGE_MAX] = {0};
	struct message message = {.changes = changes};

	for (size_t i = from; i < to; i++)
		if (is_for(run, &run->actions.items[i], tunnel))
			add_action(run->seat->agent, &message, &run->actions.items[i]);
	send_message(run->seat->agent, tunnel, &message);
	note_told(run, tunnel, from, to);
	mem_wipe(changes, sizeof(changes));
}

bool takeover_is_silent(const struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);

	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		if (reconcile_may_ask(run->seat->agent->reconcile, endpoint->tunnels[i]))
			return false;
	return endpoint->tunnel_count > 0;
}

void takeover_do_some(struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);
	int64_t until_ms = clock_now_ms() + TURN_MS;

	while (run->done < run->actions.count && clock_now_ms() < until_ms && !takeover_is_silent(run)) {
		size_t to = run->done + MESSAGE_MAX;

		if (to > run->actions.count)
			to = run->actions.count;
		for (size_t i = 0; i < endpoint->tunnel_count; i++)
			do_tunnel(run, endpoint->tunnels[i], run->done, to);
		run->done = to;
	}
}

bool takeover_has_actions(const struct takeover_run *run)
{
	return run->done < run->actions.count;
}
