/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/telling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/notice/notice.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/checks/checks.h"
#include "node-agent/io/program/program.h"

enum {
	TELL_AFTER_MS = 100,  /* a change: what a takeover does at once is done by then */
	TELL_START_MS = 1500, /* after the start, or a new endpoint: what is found then is no change yet */
	TELL_DEADLINE_MS = 30000, /* of a program */
	VARIABLE_MAX = 32 + PROTO_REASON_MAX,
};

struct listener {
	struct agent *agent;
	char endpoint[PROTO_NAME_MAX + 1];
	struct desired_notify desired;
	struct notice notice;
	int64_t since_ms;
	struct program *program; /* that runs; NULL */
};

struct telling {
	struct programs *programs;
	struct event *timer;
	size_t count;
	struct listener **items; /* owned, each */
};

/* ---- one of them ---- */

static void on_ended(const char *failure, void *context)
{
	struct listener *listener = context;
	const char *state = desired_state_names[listener->notice.told];

	listener->program = NULL;
	if (failure)
		journal_add(&listener->agent->journal, "notify", listener->endpoint,
			"%s: %s, told \"%s\": %s", listener->endpoint, listener->desired.program, state,
			failure);
	else
		log_info("notify", "told", log_text("endpoint", listener->endpoint),
			log_text("program", listener->desired.program), log_text("state", state));
	notice_ended(&listener->notice);
	telling_soon(listener->agent); /* what has come meanwhile */
}

static void tell(struct listener *listener, enum desired_state state, const char *why)
{
	struct agent *agent = listener->agent;
	char gateway[VARIABLE_MAX], endpoint[VARIABLE_MAX], what[VARIABLE_MAX], reason[VARIABLE_MAX];
	const char *const environment[] = {CHECKS_PATH, gateway, endpoint, what, reason, NULL};
	struct program_start start = {.path = listener->desired.program,
		.environment = environment,
		.deadline_ms = TELL_DEADLINE_MS};
	struct err err = {0};
	int r = -1;

	(void)snprintf(gateway, sizeof(gateway), "HOLDFAST_GATEWAY=%s", agent->config->gateway);
	(void)snprintf(endpoint, sizeof(endpoint), "HOLDFAST_ENDPOINT=%s", listener->endpoint);
	(void)snprintf(what, sizeof(what), "HOLDFAST_STATE=%s", desired_state_names[state]);
	(void)snprintf(reason, sizeof(reason), "HOLDFAST_REASON=%s", why);
	if (!config_allows_program(agent->config, start.path))
		err_set(&err, r, "%s does not allow it: see programs:", agent->config->path);
	else
		r = program_start(
			agent->telling->programs, &start, on_ended, listener, &listener->program, &err);
	if (r < 0)
		on_ended(err.text, listener);
}

/* ---- what this gateway is ---- */

static enum desired_state state_of(const struct agent_seat *seat, char why[PROTO_REASON_MAX + 1])
{
	const struct agent *agent = seat->agent;

	why[0] = '\0';
	if (agent_seat_serves(seat))
		return STATE_OWNER;
	if (!agent->fit)
		(void)text_copy(
			why, PROTO_REASON_MAX + 1, agent->failure[0] ? agent->failure : "not set up yet");
	else if (!seat->seat.carrier)
		(void)text_copy(why, PROTO_REASON_MAX + 1, "its outer interface has no carrier");
	else if (!seat_underlay_is_ok(&seat->seat, clock_now_ms()))
		(void)text_copy(why, PROTO_REASON_MAX + 1, "nobody answers on the underlay");
	return why[0] ? STATE_UNFIT : STATE_STANDBY;
}

static void look(struct listener *listener, int64_t now_ms)
{
	const struct agent_seat *seat = agent_seat_find(listener->agent, listener->endpoint);
	char why[PROTO_REASON_MAX + 1];
	enum desired_state state;

	if (!seat || now_ms - listener->since_ms < TELL_START_MS)
		return;
	notice_set(&listener->notice, state_of(seat, why));
	if (notice_next(&listener->notice, &state))
		tell(listener, state, why);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	int64_t now_ms = clock_now_ms();

	(void)fd;
	(void)what;
	for (size_t i = 0; i < agent->telling->count; i++)
		look(agent->telling->items[i], now_ms);
}

void telling_soon(struct agent *agent)
{
	struct timeval wait = {.tv_usec = TELL_AFTER_MS * 1000};

	if (agent->telling && agent->telling->count &&
		!event_pending(agent->telling->timer, EV_TIMEOUT, NULL))
		event_add(agent->telling->timer, &wait);
}

/* ---- which there are ---- */

static void listener_free(struct listener *listener)
{
	if (listener)
		program_forget(listener->program);
	free(listener);
}

static struct listener *take_old(
	struct telling *telling, const char *endpoint, const struct desired_notify *desired)
{
	for (size_t i = 0; i < telling->count; i++) {
		struct listener *listener = telling->items[i];

		if (!listener || strcmp(listener->endpoint, endpoint) != 0 ||
			strcmp(listener->desired.program, desired->program) != 0 ||
			listener->desired.when != desired->when)
			continue;
		telling->items[i] = NULL;
		return listener;
	}
	return NULL;
}

static struct listener *listener_new(
	struct agent *agent, const char *endpoint, const struct desired_notify *desired)
{
	struct listener *listener = mem_new(1, sizeof(*listener));

	listener->agent = agent;
	listener->desired = *desired;
	listener->since_ms = clock_now_ms();
	(void)text_copy(listener->endpoint, sizeof(listener->endpoint), endpoint);
	notice_init(&listener->notice, desired->when);
	return listener;
}

void telling_update(struct agent *agent)
{
	struct telling *telling = agent->telling;
	const struct desired *desired = agent->held.desired;
	struct listener **items = NULL;
	size_t count = 0, capacity = 0;

	for (size_t i = 0; telling && desired && i < desired->endpoint_count; i++) {
		const struct desired_endpoint *endpoint = &desired->endpoints[i];

		for (size_t j = 0; j < endpoint->notify_count; j++) {
			struct listener *old = take_old(telling, endpoint->name, &endpoint->notify[j]);

			items = mem_grow(items, &capacity, count + 1, sizeof(struct listener *));
			items[count++] =
				old ? old : listener_new(agent, endpoint->name, &endpoint->notify[j]);
		}
	}
	for (size_t i = 0; telling && i < telling->count; i++)
		listener_free(telling->items[i]);
	if (!telling)
		return;
	free(telling->items);
	telling->items = items;
	telling->count = count;
}

void telling_open(struct agent *agent)
{
	struct telling *telling = mem_new(1, sizeof(*telling));

	agent->telling = telling;
	telling->programs = programs_new(agent->base);
	telling->timer = event_new(agent->base, -1, 0, on_timer, agent);
}

void telling_close(struct agent *agent)
{
	struct telling *telling = agent->telling;

	if (!telling)
		return;
	programs_free(telling->programs);
	event_free(telling->timer);
	for (size_t i = 0; i < telling->count; i++)
		free(telling->items[i]);
	free(telling->items);
	free(telling);
	agent->telling = NULL;
}
