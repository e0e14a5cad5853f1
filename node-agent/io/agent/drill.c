/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/drill.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/drill/tally.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/ping/ping.h"

enum {
	EVERY_MS = 10,    /* a ping to each client */
	REFRESH_MS = 200, /* whoever has just become the owner looks who is connected */
	LINGER_MS = 300,  /* after its end, for answers under way */
	TELL_S = 10,      /* so long the result is in reports */
	OPEN_MAX = 8,     /* tunnels that are listened to */
};

struct drilled_tunnel {
	struct agent *agent;
	char name[PROTO_INTERFACE_MAX + 1];
	struct tunnel_ping *ping;
	struct event *readable;
};

struct drill {
	struct tally *tally;
	struct event *timer;
	int64_t until_ms, over_ms; /* until when it pings; when its result is whole */
	int64_t refreshed_ms;
	bool over;
	size_t tunnel_count;
	struct drilled_tunnel tunnels[OPEN_MAX];
	size_t tunnel_of[DRILL_TARGETS_MAX];
};

void drill_close(struct agent *agent)
{
	struct drill *drill = agent->drill;

	if (!drill)
		return;
	for (size_t i = 0; i < drill->tunnel_count; i++) {
		event_free(drill->tunnels[i].readable);
		tunnel_ping_close(drill->tunnels[i].ping);
	}
	event_free(drill->timer);
	tally_free(drill->tally);
	free(drill);
	agent->drill = NULL;
}

static void on_answer(evutil_socket_t fd, short what, void *context)
{
	struct drilled_tunnel *tunnel = context;
	struct tunnel_ping_answer answer;

	(void)fd;
	(void)what;
	while (tunnel_ping_read(tunnel->ping, &answer) > 0)
		tally_answered(tunnel->agent->drill->tally, &answer.from, answer.payload, answer.size);
}

static void listen_to(struct agent *agent, struct drill *drill, const char *name)
{
	struct drilled_tunnel *tunnel = &drill->tunnels[drill->tunnel_count];
	struct err err = {0};

	if (drill->tunnel_count == OPEN_MAX)
		return;
	if (tunnel_ping_open(name, &tunnel->ping, &err) < 0) {
		log_warning("drill", "not-listening", log_text("tunnel", name), log_err(&err));
		return;
	}
	tunnel->agent = agent;
	text_copy(tunnel->name, sizeof(tunnel->name), name);
	tunnel->readable =
		event_new(agent->base, tunnel_ping_fd(tunnel->ping), EV_READ | EV_PERSIST, on_answer, tunnel);
	event_add(tunnel->readable, NULL);
	drill->tunnel_count++;
}

/* ---- whom to ping ---- */

static size_t tunnel_index(const struct drill *drill, const char *name)
{
	size_t index = 0;

	while (index < drill->tunnel_count && strcmp(drill->tunnels[index].name, name))
		index++;
	return index;
}

/* A client's own address: the first that is one host's. */
static const struct addr *host_of(const struct desired_peer *peer)
{
	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		if (peer->allowed_ips[i].length == addr_bits(&peer->allowed_ips[i].addr))
			return &peer->allowed_ips[i].addr;
	return NULL;
}

/* Of the tunnels that are listened to, connected or not. */
static void add_clients(struct agent *agent, struct drill *drill)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && i < desired->peer_count; i++) {
		const struct addr *host = host_of(&desired->peers[i]);

		if (host && tunnel_index(drill, desired->peers[i].tunnel) < drill->tunnel_count)
			tally_add_client(drill->tally, host);
	}
}

static void add_target(void *context, const struct sessions_entry *entry)
{
	struct agent *agent = context;
	struct drill *drill = agent->drill;
	size_t tunnel = tunnel_index(drill, entry->tunnel);
	const struct desired_peer *peer;
	const struct addr *host;

	if (tunnel == drill->tunnel_count || tally_target_count(drill->tally) == DRILL_TARGETS_MAX)
		return;
	peer = agent_find_peer(agent->held.desired, entry->tunnel, &entry->public_key);
	host = peer ? host_of(peer) : NULL;
	if (host && tally_add_target(drill->tally, host))
		drill->tunnel_of[tally_target_count(drill->tally) - 1] = tunnel;
}

static void refresh_targets(struct agent *agent, int64_t now_ms)
{
	struct drill *drill = agent->drill;

	if (now_ms - drill->refreshed_ms < REFRESH_MS)
		return;
	drill->refreshed_ms = now_ms;
	sessions_each_since(agent->sessions, 0, add_target, agent);
}

/* ---- pinging ---- */

static void ping_one(struct drill *drill, size_t index)
{
	uint8_t payload[TALLY_PAYLOAD_MAX];
	size_t size = tally_next(drill->tally, index, payload);

	if (size && tunnel_ping_send(drill->tunnels[drill->tunnel_of[index]].ping,
			    tally_target(drill->tally, index), payload, size) >= 0)
		tally_sent(drill->tally, index);
}

static void ping_all(struct agent *agent, int64_t now_ms)
{
	struct drill *drill = agent->drill;
	const struct agent_seat *seat = agent_seat_find(agent, tally_order(drill->tally)->endpoint);

	if (!seat || !agent_seat_serves(seat))
		return;
	refresh_targets(agent, now_ms);
	for (size_t i = 0; i < tally_target_count(drill->tally); i++)
		ping_one(drill, i);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	struct drill *drill = agent->drill;
	int64_t now_ms = clock_now_ms();

	(void)fd;
	(void)what;
	if (agent->held.desired && now_ms < drill->until_ms) {
		ping_all(agent, now_ms);
	} else if (drill->over) {
		drill_close(agent);
	} else if (now_ms >= drill->over_ms) {
		drill->over = true;
		event_add(drill->timer, &(struct timeval){.tv_sec = TELL_S});
		control_report_now(agent->control);
	}
}

static void begin(struct agent *agent, const struct drill_order *order)
{
	const struct agent_seat *seat = agent_seat_find(agent, order->endpoint);
	const struct desired_endpoint *endpoint = seat ? agent_seat_endpoint(seat) : NULL;
	struct drill *drill = agent->drill = mem_new(1, sizeof(*drill));

	drill->tally = tally_new(order, agent->config->gateway);
	drill->until_ms = clock_now_ms() + order->for_ms;
	drill->over_ms = drill->until_ms + LINGER_MS;
	for (size_t i = 0; endpoint && i < endpoint->tunnel_count; i++)
		listen_to(agent, drill, endpoint->tunnels[i]);
	add_clients(agent, drill);
	drill->timer = event_new(agent->base, -1, EV_PERSIST, on_timer, agent);
	event_add(drill->timer, &(struct timeval){.tv_usec = EVERY_MS * 1000});
	log_info("drill", "begin", log_text("endpoint", order->endpoint));
}

void drill_take(struct agent *agent, const struct drill_order *order)
{
	struct drill *drill = agent->drill;
	bool same = drill && tally_order(drill->tally)->id == order->id;
	int64_t now_ms = clock_now_ms();

	if (order->for_ms && !same) {
		drill_close(agent);
		begin(agent, order);
	} else if (!order->for_ms && same && now_ms < drill->until_ms) {
		drill->until_ms = now_ms;
		drill->over_ms = now_ms + LINGER_MS;
	}
}

void drill_fill(const struct agent *agent, struct report *report)
{
	if (agent->drill && agent->drill->over)
		tally_result(agent->drill->tally, &report->drill);
}
