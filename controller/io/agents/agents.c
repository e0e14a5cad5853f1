/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/agents/agents.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "controller/io/agents/registry.h"

enum { TICK_MS = 500 };

void agent_disconnect(struct agent *agent)
{
	struct http_request *poll = agent->poll;
	bool was_connected = agent->connected;
	agent->poll = NULL;
	agent->connected = false;
	if (poll)
		http_reply_problem(poll, 503, "contact with gateway %s has ended: ask again", agent->name);
	if (was_connected)
		agent->agents->hooks.disconnected(agent, agent->agents->hooks.context);
}

int64_t agent_takes_in_ms(const struct agent *agent, size_t sent_bytes)
{
	size_t bytes = sent_bytes;
	if (queue_has(&agent->queue, INSTRUCTION_STAGE) || queue_has(&agent->queue, INSTRUCTION_COMMIT))
		bytes = bytes > agent->generation_bytes ? bytes : agent->generation_bytes;
	return (int64_t)(bytes / AGENT_TAKES_IN_BYTES_PER_MS);
}

void agent_answer_poll(struct agent *agent)
{
	struct http_request *poll = agent->poll;
	agent->poll = NULL;
	agent->answered_ms = clock_now_ms();
	const struct agents *agents = agent->agents;
	char *body = queue_encode(
		&agent->queue, (struct instruction_list){
				       .run = agents->run, .store = agents->store, .floor = agents->floor});
	size_t size = strlen(body);
	agent->takes_in_ms = agent_takes_in_ms(agent, size);
	http_reply(poll, 200, "application/json", body, size);
	mem_wipe(body, size);
	free(body);
}

/* Orders leave at once. A stage may be megabytes of text to make: one in each turn of the loop, so that what else has
 * arrived (datagrams of gateways that live) is seen in between. */
static void on_flush(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval next_turn = {.tv_usec = 1};
	struct agents *agents = context;
	struct agent *with_stage = NULL;
	(void)fd;
	(void)what;
	for (size_t i = 0; i < agents->count; i++) {
		struct agent *agent = agents->items[i];
		if (!agent->poll || !agent->queue.count)
			continue;
		if (!queue_has(&agent->queue, INSTRUCTION_STAGE))
			agent_answer_poll(agent);
		else if (!with_stage)
			with_stage = agent;
		else
			event_add(agents->flush, &next_turn);
	}
	if (with_stage)
		agent_answer_poll(with_stage);
}

static bool has_gone(const struct agent *agent, int64_t now_ms)
{
	return now_ms - agent->heard_ms > AGENT_SILENT_MS + agent->takes_in_ms ||
	       (!agent->poll && now_ms - agent->answered_ms > AGENT_AGAIN_MS + agent->takes_in_ms);
}

bool agent_takes_in(const struct agent *agent, int64_t now_ms)
{
	if (agent->poll)
		return queue_has(&agent->queue, INSTRUCTION_STAGE);
	return now_ms - agent->answered_ms < agent->takes_in_ms;
}

static void tick(struct agent *agent, int64_t now_ms)
{
	if (agent->connected && has_gone(agent, now_ms))
		agent_disconnect(agent);
	else if (agent->poll && now_ms - agent->poll_ms >= AGENT_POLL_MS)
		agent_answer_poll(agent);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct agents *agents = context;
	(void)fd;
	(void)what;
	for (size_t i = 0; i < agents->count; i++)
		tick(agents->items[i], clock_now_ms());
}

struct agents *agents_new(
	struct event_base *base, uint64_t run, uint64_t store, const struct agents_hooks *hooks)
{
	struct agents *agents = mem_new(1, sizeof *agents);
	agents->run = run;
	agents->store = store;
	agents->open = true;
	agents->items = mem_new(PROTO_GATEWAYS_MAX, sizeof(struct agent *));
	agents->hooks = *hooks;
	agents->flush = event_new(base, -1, 0, on_flush, agents);
	agents->tick = event_new(base, -1, EV_PERSIST, on_tick, agents);
	event_add(agents->tick, &(struct timeval){.tv_usec = TICK_MS * 1000L});
	return agents;
}

void agents_set_floor(struct agents *agents, uint64_t floor)
{
	agents->floor = floor;
}

static void remove_agent(struct agents *agents, struct agent *agent)
{
	if (agent->poll && agent->queue.count)
		agent_answer_poll(agent); /* the last word to one that leaves the fleet: release */
	agent_disconnect(agent);
	agents->hooks.removed(agent, agents->hooks.context);
	queue_clear(&agent->queue);
	report_clear(&agent->report);
	timeline_clear(&agent->moments);
	free(agent);
}

void agents_free(struct agents *agents)
{
	if (!agents)
		return;
	while (agents->count) /* those that remain may be asked for meanwhile, those that have gone may not */
		remove_agent(agents, agents->items[--agents->count]);
	event_free(agents->flush);
	event_free(agents->tick);
	free(agents->items);
	free(agents);
}

static struct agent *add_agent(struct agents *agents, const char *name)
{
	struct agent *agent = mem_new(1, sizeof *agent);
	text_copy(agent->name, sizeof agent->name, name);
	agent->agents = agents;
	agents->hooks.added(agent, agents->hooks.context);
	return agent;
}

struct agent *agents_admit(struct agents *agents, const char *name)
{
	if (!agents->open || agents->count == PROTO_GATEWAYS_MAX)
		return NULL;
	return agents->items[agents->count++] = add_agent(agents, name);
}

/* Move the agent of that name out of the old list, so that what is left there at the end has gone. */
static struct agent *take_agent(struct agent **items, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		struct agent *agent = items[i];
		if (agent && strcmp(agent->name, name) == 0) {
			items[i] = NULL;
			return agent;
		}
	}
	return NULL;
}

void agents_set(struct agents *agents, const char *const names[], size_t count)
{
	struct agent **old = agents->items;
	size_t old_count = agents->count;
	agents->open = false;
	agents->items = mem_new(count + 1, sizeof(struct agent *));
	agents->count = count;
	for (size_t i = 0; i < count; i++) {
		struct agent *agent = take_agent(old, old_count, names[i]);
		agents->items[i] = agent ? agent : add_agent(agents, names[i]);
	}
	for (size_t i = 0; i < old_count; i++)
		if (old[i])
			remove_agent(agents, old[i]);
	free(old);
}

struct agent *agents_find(struct agents *agents, const char *name)
{
	for (size_t i = 0; i < agents->count; i++)
		if (strcmp(agents->items[i]->name, name) == 0)
			return agents->items[i];
	return NULL;
}

size_t agents_count(const struct agents *agents)
{
	return agents->count;
}

struct agent *agents_at(struct agents *agents, size_t index)
{
	return agents->items[index];
}

uint64_t agent_post(struct agent *agent, struct instruction *instruction)
{
	uint64_t seq = 0;
	if (queue_add(&agent->queue, instruction, &seq) < 0) {
		log_error("agents", "queue-full", log_text("gateway", agent->name));
		instruction_clear(instruction);
	}
	event_active(agent->agents->flush, EV_TIMEOUT, 0);
	return seq;
}
