/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/unanswered.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/io/apply/holding.h"
#include "controller/io/controller.h"

/* Until its own word that it serves, what its predecessor said stands. */
static bool speaks_for(const struct controller *controller, const struct agent *agent,
	const struct decisions_endpoint *setup)
{
	const struct ownership *ownership = decisions_find(controller->decisions, setup->config.name);

	return agent->reported && ownership &&
	       decisions_owns(controller->decisions, ownership, agent->name) &&
	       report_serves(&agent->report, setup->config.name);
}

static bool may_take_over(const struct controller *controller, const struct agent *agent,
	const struct decisions_endpoint *setup)
{
	const struct ownership *ownership = decisions_find(controller->decisions, setup->config.name);

	return ownership && ownership_find(ownership, agent->name) != OWNERSHIP_NOBODY &&
	       !decisions_owns(controller->decisions, ownership, agent->name);
}

static const struct agent *find_owner(
	const struct controller *controller, const struct decisions_endpoint *setup)
{
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		if (speaks_for(controller, agents_at(controller->agents, i), setup))
			return agents_at(controller->agents, i);
	return NULL;
}

static void add_tunnel(
	struct unanswered_news *news, size_t *capacity, const struct report *report, const char *tunnel)
{
	if (news->tunnel_count == PROTO_TUNNELS_MAX)
		return;
	text_copy(news->tunnels[news->tunnel_count++], sizeof(news->tunnels[0]), tunnel);
	for (size_t i = 0; i < report->unanswered_count && news->count < UNANSWERED_TOLD_MAX; i++) {
		if (strcmp(report->unanswered[i].tunnel, tunnel) != 0)
			continue;
		news->items = mem_grow(news->items, capacity, news->count + 1, sizeof(*news->items));
		news->items[news->count++] = report->unanswered[i];
	}
}

/* All that a gateway should know. The caller frees it. */
static struct unanswered_news *gather(const struct controller *controller, const struct agent *agent)
{
	struct unanswered_news *news = mem_new(1, sizeof(*news));
	size_t capacity = 0;

	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct decisions_endpoint *setup = decisions_endpoint(controller->decisions, i);
		const struct agent *owner =
			may_take_over(controller, agent, setup) ? find_owner(controller, setup) : NULL;

		for (size_t j = 0; owner && j < setup->tunnel_count; j++)
			add_tunnel(news, &capacity, &owner->report, setup->tunnels[j]);
	}
	return news;
}

static void tell(struct controller *controller, struct agent *agent)
{
	struct unanswered_news *news;

	if (!agent->connected || agent->holding->state != HOLDING_CURRENT)
		return;
	news = gather(controller, agent);
	if (!news->tunnel_count || (agent->unanswered && unanswered_news_equal(news, agent->unanswered))) {
		unanswered_news_free(news);
		return;
	}
	unanswered_forget(agent);
	agent->unanswered = unanswered_news_copy(news);
	agent_post(agent, &(struct instruction){.kind = INSTRUCTION_UNANSWERED, .unanswered = news});
}

void unanswered_pass_on(struct controller *controller, const struct agent *owner)
{
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct decisions_endpoint *setup = decisions_endpoint(controller->decisions, i);

		for (size_t j = 0;
			speaks_for(controller, owner, setup) && j < agents_count(controller->agents); j++)
			if (may_take_over(controller, agents_at(controller->agents, j), setup))
				tell(controller, agents_at(controller->agents, j));
	}
}

void unanswered_tell(struct controller *controller, struct agent *agent)
{
	unanswered_forget(agent);
	tell(controller, agent);
}

void unanswered_forget(struct agent *agent)
{
	unanswered_news_free(agent->unanswered);
	agent->unanswered = NULL;
}
