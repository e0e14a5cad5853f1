/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/members.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/io/agents/agents.h"

static struct apply_member make_member(const char *gateway, const struct agent *agent)
{
	struct apply_member member = {.state = APPLY_UNREACHABLE};
	text_copy(member.name, sizeof member.name, gateway);
	if (agent && agent->connected) {
		member.state = APPLY_STAGING;
		member.boot = agent->boot;
	}
	return member;
}

void members_make(struct members *members, const struct generation *generation, struct agents *agents)
{
	members->count = generation->gateway_count;
	members->items = mem_new(members->count + 1, sizeof *members->items);
	for (size_t i = 0; i < members->count; i++) {
		const char *gateway = generation->gateways[i].name;
		members->items[i] = make_member(gateway, agents_find(agents, gateway));
	}
}

void members_clear(struct members *members)
{
	free(members->items);
	*members = (struct members){0};
}

struct apply_member *members_find(const struct members *members, const char *gateway)
{
	for (size_t i = 0; i < members->count; i++)
		if (strcmp(members->items[i].name, gateway) == 0)
			return &members->items[i];
	return NULL;
}

size_t members_count_in(const struct members *members, enum apply_state state)
{
	size_t count = 0;
	for (size_t i = 0; i < members->count; i++)
		count += members->items[i].state == state;
	return count;
}

bool members_any_in(const struct members *members, enum apply_state state)
{
	return members_count_in(members, state) > 0;
}

bool members_any_lost(const struct members *members)
{
	for (size_t i = 0; i < members->count; i++)
		if (members->items[i].lost_ms)
			return true;
	return false;
}

bool members_any_takes_in(const struct members *members, struct agents *agents, int64_t now_ms)
{
	for (size_t i = 0; i < members->count; i++) {
		const struct agent *agent = agents_find(agents, members->items[i].name);
		if (members->items[i].state == APPLY_STAGING && agent && agent_takes_in(agent, now_ms))
			return true;
	}
	return false;
}
