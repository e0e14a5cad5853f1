/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/holding_int.h"

/* A ping of ours: whose, and which. Only the answer to the last question counts. */
struct payload {
	uint64_t boot, claim, question;
};

/* True: it makes a difference. */
static bool take_answer(struct agent *agent, const struct tunnel_ping_answer *answer)
{
	struct holding *holding = agent->holding;
	struct payload payload;
	size_t claim;

	if (answer->size != sizeof(payload))
		return false;
	memcpy(&payload, answer->payload, sizeof(payload));
	if (payload.boot != agent->boot)
		return false;
	claim = holder_asked(holding->holder, payload.question, payload.claim, clock_now_ms());
	if (claim == HOLDER_NONE || !addr_equal(&answer->from, &holding->holder->claims[claim].share->probe))
		return false;
	return holder_answer(holding->holder, claim, true, clock_now_ms());
}

static void on_answer(evutil_socket_t fd, short what, void *context)
{
	struct holding_way *way = context;
	struct tunnel_ping_answer answer;
	bool changed = false;

	(void)fd;
	(void)what;
	while (tunnel_ping_read(way->ping, &answer) > 0)
		changed |= take_answer(way->agent, &answer);
	if (changed)
		holding_step(way->agent);
}

static void close_way(struct holding_way *way)
{
	if (!way->ping)
		return;
	event_free(way->readable);
	tunnel_ping_close(way->ping);
	way->ping = NULL;
}

void holding_forget_ways(struct holding *holding)
{
	for (size_t i = 0; i < holding->way_count; i++)
		close_way(&holding->ways[i]);
	holding->way_count = 0;
}

void holding_drop_ways(struct agent *agent)
{
	struct holding *holding = agent->holding;

	for (size_t i = 0; i < holding->way_count; i++) {
		struct holding_way *way = &holding->ways[i];

		if (holding_find_tunnel(agent->held.desired, way->tunnel))
			continue;
		close_way(way);
		way->tunnel[0] = '\0';
	}
}

static struct holding_way *free_way(struct holding *holding)
{
	for (size_t i = 0; i < holding->way_count; i++)
		if (!holding->ways[i].tunnel[0])
			return &holding->ways[i];
	return holding->way_count < PROTO_TUNNELS_MAX ? &holding->ways[holding->way_count++] : NULL;
}

/* NULL: there is no such device. */
static struct holding_way *open_way(struct agent *agent, struct holding_way *way)
{
	struct err err = {0};

	if (way->ping)
		return way;
	if (tunnel_ping_open(way->tunnel, &way->ping, &err) < 0) {
		log_limited(LEVEL_WARNING, "holder", "not-probing", way->tunnel,
			log_text("tunnel", way->tunnel), log_err(&err));
		return NULL;
	}
	way->readable =
		event_new(agent->base, tunnel_ping_fd(way->ping), EV_READ | EV_PERSIST, on_answer, way);
	event_add(way->readable, NULL);
	return way;
}

static struct holding_way *way_through(struct agent *agent, const char *tunnel)
{
	struct holding *holding = agent->holding;
	struct holding_way *way;

	for (size_t i = 0; i < holding->way_count; i++)
		if (!strcmp(holding->ways[i].tunnel, tunnel))
			return open_way(agent, &holding->ways[i]);
	way = free_way(holding);
	if (!way)
		return NULL;
	*way = (struct holding_way){.agent = agent};
	text_copy(way->tunnel, sizeof(way->tunnel), tunnel);
	return open_way(agent, way);
}

/* One that does not leave is not answered. Sockets of a device that was made anew lead nowhere. */
static void ask(struct agent *agent, size_t claim)
{
	struct holding *holding = agent->holding;
	struct holder_claim *of = &holding->holder->claims[claim];
	struct holding_way *way = way_through(agent, holding->holder->peers[of->peer].desired->tunnel);
	struct payload payload = {agent->boot, claim, ++holding->last_question};

	of->question = payload.question;
	if (way && tunnel_ping_send(
			   way->ping, &of->share->probe, (const uint8_t *)&payload, sizeof(payload)) < 0)
		close_way(way);
}

void holding_ask(struct agent *agent)
{
	size_t cursor = 0, claim;

	while ((claim = holder_ask(agent->holding->holder, &cursor, clock_now_ms())) != HOLDER_NONE)
		ask(agent, claim);
}
