/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/newcomers.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "node-agent/core/flow/status.h"
#include "node-agent/io/agent/agent_int.h"

enum {
	FIRST_MS =
		60, /* after the gateway's answer: the client confirms a round trip later. Then twice as long, and so on */
	UNTIL_MS = 1000, /* then the regular look has found it */
	SHARE = 10,      /* a tenth of a WireGuard program's time, at most: 10,000 peers take 90 ms */
};

struct newcomers {
	struct agent *agent;
	struct event *timer;
	int64_t due_ms;           /* of the timer; INT64_MAX: it does not run */
	int64_t until_ms;         /* of the latest newcomer; others are found by then */
	int64_t wait_ms, free_ms; /* before the next look; the share of those before is used up until then */
};

static bool is_served_port(struct agent *agent, uint16_t port)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && i < desired->tunnel_count; i++) {
		const struct agent_seat *seat;

		if (desired->tunnels[i].listen_port != port)
			continue;
		seat = agent_seat_of_tunnel(agent, desired->tunnels[i].name);
		if (seat && agent_seat_serves(seat))
			return true;
	}
	return false;
}

static void schedule(struct newcomers *newcomers, int64_t now_ms)
{
	int64_t at_ms = now_ms + newcomers->wait_ms;
	struct timeval wait;

	if (at_ms < newcomers->free_ms)
		at_ms = newcomers->free_ms;
	if (at_ms >= newcomers->until_ms || at_ms >= newcomers->due_ms)
		return;
	newcomers->due_ms = at_ms;
	wait = (struct timeval){.tv_sec = (at_ms - now_ms) / 1000, .tv_usec = (at_ms - now_ms) % 1000 * 1000};
	event_add(newcomers->timer, &wait);
}

void newcomers_hear(struct agent *agent, const struct flow *flow)
{
	struct newcomers *newcomers = agent->newcomers;
	int64_t now_ms;

	if (!newcomers || flow->protocol != FLOW_UDP || !(flow->status & FLOW_STATUS_SEEN_REPLY) ||
		!is_served_port(agent, flow->original.destination_port))
		return;
	now_ms = clock_now_ms();
	newcomers->until_ms = now_ms + UNTIL_MS;
	newcomers->wait_ms = FIRST_MS;
	schedule(newcomers, now_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct newcomers *newcomers = context;

	(void)fd;
	(void)what;
	newcomers->due_ms = INT64_MAX;
	newcomers->wait_ms *= 2;
	owner_look(newcomers->agent);
}

void newcomers_take_read(struct agent *agent, int64_t took_us, bool news)
{
	struct newcomers *newcomers = agent->newcomers;
	int64_t now_ms = clock_now_ms();

	if (!newcomers || now_ms >= newcomers->until_ms)
		return;
	newcomers->free_ms = now_ms + took_us * SHARE / 1000;
	if (news)
		control_report_now(agent->control);
	schedule(newcomers, now_ms);
}

void newcomers_open(struct agent *agent)
{
	struct newcomers *newcomers = mem_new(1, sizeof(*newcomers));

	newcomers->agent = agent;
	newcomers->due_ms = INT64_MAX;
	newcomers->timer = event_new(agent->base, -1, 0, on_timer, newcomers);
	agent->newcomers = newcomers;
}

void newcomers_close(struct agent *agent)
{
	if (!agent->newcomers)
		return;
	event_free(agent->newcomers->timer);
	mem_free_pointer(&agent->newcomers);
}
