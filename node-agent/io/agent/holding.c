/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/holding.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/io/agent/holding_int.h"

enum {
	MOVES_MAX = 64,  /* carried out at a time */
	TELL_MS = 100,   /* routers that fail together make one report */
	POLL_SHARE = 20, /* telling us of handshakes may take a twentieth of a WireGuard program's time */
};

const struct holder *holding_holder(const struct agent *agent)
{
	return agent->holding ? agent->holding->holder : NULL;
}

const struct prefix *holding_allowed_ips(const struct desired_peer *peer, size_t *ret_count, void *context)
{
	return holder_allowed_ips(holding_holder(context), peer, ret_count);
}

/* A tunnel in no endpoint is always spoken through. */
bool holding_serves(struct agent *agent, const char *tunnel)
{
	const struct agent_seat *seat = agent_seat_of_tunnel(agent, tunnel);

	return seat ? agent_seat_serves(seat) : !plan_tunnel_endpoint(agent->held.desired, tunnel);
}

/* Its peers' sessions go over to the guest, one by one. */
static bool moves_away(struct agent *agent, const char *tunnel)
{
	const struct agent_seat *seat = agent_seat_of_tunnel(agent, tunnel);

	return seat && seat->seat.role == SEAT_HOSTING;
}

/* ---- which there are ---- */

/* The device that was asked last. */
struct adoption {
	struct agent *agent;
	struct wg_device device; /* name "": none */
	char tunnel[PROTO_INTERFACE_MAX + 1];
};

static bool has_running(const struct desired_peer *peer, const struct prefix *prefix, void *context)
{
	struct adoption *adoption = context;
	const struct wg_peer *running;

	if (strcmp(adoption->tunnel, peer->tunnel)) {
		wg_device_clear(&adoption->device);
		text_copy(adoption->tunnel, sizeof(adoption->tunnel), peer->tunnel);
		(void)agent_get_device(adoption->agent, peer->tunnel, &adoption->device);
	}
	running = wg_device_peer(&adoption->device, &peer->public_key);
	for (size_t i = 0; running && i < running->allowed_ip_count; i++)
		if (prefix_equal(&running->allowed_ips[i], prefix))
			return true;
	return false;
}

static void adopt(struct agent *agent)
{
	struct adoption adoption = {.agent = agent};

	holder_adopt(agent->holding->holder, has_running, &adoption, clock_now_ms());
	wg_device_clear(&adoption.device);
}

void holding_update(struct agent *agent)
{
	struct holding *holding = agent->holding;
	struct holder *before;

	if (!holding)
		return;
	before = holding->holder;
	holding->holder = holder_new(agent->held.desired, before, (uint32_t)agent->boot, clock_now_ms());
	if (!before && holding->holder->claim_count)
		adopt(agent);
	holder_free(before);
	holding_drop_ways(agent);
	holding->next_poll_ms = 0;
	holding_second(agent);
}

/* ---- what is seen of them ---- */

static void observe(struct agent *agent, size_t index, int64_t now_ms)
{
	struct holding *holding = agent->holding;
	const struct desired_peer *peer = holding->holder->peers[index].desired;
	const struct sessions *known[] = {holding->sessions, agent->sessions};
	int64_t handshake_ms = HOLDER_NEVER;

	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		const struct sessions_entry *entry = sessions_find(known[i], peer->tunnel, &peer->public_key);

		if (entry && entry->handshake_ms > handshake_ms)
			handshake_ms = entry->handshake_ms;
	}
	holder_pause(holding->holder, index, moves_away(agent, peer->tunnel));
	holder_observe(holding->holder, index, holding_serves(agent, peer->tunnel), handshake_ms, now_ms);
}

static void take_peer(struct agent *agent, const struct device_read *read, const struct desired_peer *desired,
	int64_t now_ms)
{
	const struct wg_peer *peer = wg_device_peer(&read->device, &desired->public_key);
	int64_t handshake_ms;

	if (!peer || !peer->handshake_s)
		return;
	handshake_ms = peer->handshake_s * 1000 + peer->handshake_ns / 1000000;
	(void)sessions_poll(agent->holding->sessions, read->tunnel, &desired->public_key, &peer->endpoint,
		(uint64_t)peer->handshake_s * UINT64_C(1000000000) + peer->handshake_ns,
		clock_wall_ms() - handshake_ms, peer->rx_bytes, peer->tx_bytes, now_ms);
}

void holding_take_read(struct agent *agent, const struct device_read *read)
{
	struct holding *holding = agent->holding;
	int64_t now_ms = clock_now_ms();

	if (!holding || !holding->holder || read->result < 0)
		return;
	if (!plan_tunnel_endpoint(agent->held.desired, read->tunnel))
		holding->next_poll_ms += read->took_us / 1000 * POLL_SHARE;
	if (read->began_ms <= agent->committed_ms)
		return; /* it may name peers as they were before the commit that made them anew */
	for (size_t i = 0; i < holding->holder->peer_count; i++) {
		const struct desired_peer *peer = holding->holder->peers[i].desired;

		if (strcmp(peer->tunnel, read->tunnel))
			continue;
		take_peer(agent, read, peer, now_ms);
		observe(agent, i, now_ms);
	}
	holding_step(agent);
}

/* Of a tunnel that we serve the device tells; others, and whether we serve, may have changed since. */
static void observe_all(struct agent *agent, int64_t now_ms)
{
	const struct holder *holder = agent->holding->holder;

	for (size_t i = 0; i < holder->peer_count; i++)
		if (holder->peers[i].observed || !holding_serves(agent, holder->peers[i].desired->tunnel))
			observe(agent, i, now_ms);
}

/* Those in an endpoint are read for their sessions anyway (owner.c). */
static void poll(struct agent *agent, int64_t now_ms)
{
	const struct holder *holder = agent->holding->holder;
	const char *last = "";

	if (now_ms < agent->holding->next_poll_ms)
		return;
	agent->holding->next_poll_ms = now_ms;
	for (size_t i = 0; i < holder->peer_count; i++) {
		const char *tunnel = holder->peers[i].desired->tunnel;

		if (strcmp(tunnel, last) && !plan_tunnel_endpoint(agent->held.desired, tunnel))
			owner_ask(agent, tunnel);
		last = tunnel;
	}
}

void holding_second(struct agent *agent)
{
	struct holding *holding = agent->holding;
	int64_t now_ms = clock_now_ms();

	if (!holding || !holding->holder || !holding->holder->claim_count)
		return;
	sessions_expire(holding->sessions, now_ms);
	observe_all(agent, now_ms);
	poll(agent, now_ms);
	holding_step(agent);
}

/* ---- what follows ---- */

static void wait_for_next(struct holding *holding, int64_t now_ms)
{
	int64_t at_ms = holder_deadline(holding->holder, now_ms);
	int64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 1;
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	if (at_ms == INT64_MAX)
		event_del(holding->timer);
	else
		event_add(holding->timer, &wait);
}

/* A gateway that may take over shall know before it has to. */
static void tell_soon(struct agent *agent)
{
	const struct timeval wait = {.tv_usec = TELL_MS * 1000L};
	struct holding *holding = agent->holding;

	if (holding->verdicts_told == holding->holder->verdicts)
		return;
	holding->verdicts_told = holding->holder->verdicts;
	if (!event_pending(holding->telling, EV_TIMEOUT, NULL))
		event_add(holding->telling, &wait);
}

static void on_telling(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;

	(void)fd;
	(void)what;
	control_report_now(agent->control);
}

void holding_step(struct agent *agent)
{
	struct holding *holding = agent->holding;
	struct holder_move moves[MOVES_MAX];
	size_t count;

	do {
		count = holder_step(holding->holder, clock_now_ms(), moves, MOVES_MAX);
		holding_notice(agent, moves, count);
		holding_carry_out(agent, moves, count);
		holding_tell(agent, moves, count);
	} while (count == MOVES_MAX);
	holding_ask(agent);
	tell_soon(agent);
	wait_for_next(holding, clock_now_ms());
}

void holding_seat_changed(struct agent *agent)
{
	struct holding *holding = agent->holding;

	if (!holding || !holding->holder || !holding->holder->claim_count)
		return;
	observe_all(agent, clock_now_ms());
	wait_for_next(holding, clock_now_ms());
}

/* It may serve some of them since. */
void holding_hear(struct agent *agent, const struct unanswered_news *news)
{
	struct holding *holding = agent->holding;
	int64_t now_ms = clock_now_ms();

	if (!holding || !holding->holder || !holding->holder->claim_count)
		return;
	observe_all(agent, now_ms);
	holder_hear(holding->holder, news, now_ms);
	holding_step(agent);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;

	(void)fd;
	(void)what;
	if (!agent->holding->holder)
		return;
	holding_ask(agent); /* closes what was not answered in time */
	holding_step(agent);
}

void holding_open(struct agent *agent)
{
	agent->holding = mem_new(1, sizeof(*agent->holding));
	agent->holding->sessions = sessions_new();
	agent->holding->timer = event_new(agent->base, -1, 0, on_timer, agent);
	agent->holding->telling = event_new(agent->base, -1, 0, on_telling, agent);
}

void holding_close(struct agent *agent)
{
	struct holding *holding = agent->holding;

	if (!holding)
		return;
	holding_forget_ways(holding);
	event_free(holding->timer);
	event_free(holding->telling);
	holder_free(holding->holder);
	sessions_free(holding->sessions);
	free(holding);
	agent->holding = NULL;
}
