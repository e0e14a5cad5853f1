/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_REGISTRY_H
#define HOLDFAST_CONTROLLER_IO_REGISTRY_H

#include "controller/io/agents/agents.h"

struct event;

/* Inside of agents/: the registry (agents.c) and its routes (talk.c). */
struct agents {
	uint64_t run, store;
	uint64_t floor; /* in every answer to a poll */
	struct agents_hooks hooks;
	bool open; /* no fleet has named its gateways yet */
	size_t count;
	struct agent **items;
	struct event *flush, *tick;
};

/* Let a gateway in that no fleet has named: only while there is none. NULL: there is one, or too many wait already. */
struct agent *agents_admit(struct agents *agents, const char *name);
/* Ends a held poll, and says so to the hooks if it was connected. */
void agent_disconnect(struct agent *agent);
/* How long an answer of so many bytes, with what is in the queue, may take it. */
int64_t agent_takes_in_ms(const struct agent *agent, size_t sent_bytes);
/* Answers the held poll with what there is, may be nothing. */
void agent_answer_poll(struct agent *agent);

#endif
