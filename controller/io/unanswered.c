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
	const struct ownership *ownership = decisions_find(controller->decisions, setup->config.name);
	const struct agent *owner =
		ownership && ownership->owner != OWNERSHIP_NOBODY
			? agents_find(controller->agents, ownership->config.members[ownership->owner])
			: NULL;

	return owner && speaks_for(controller, owner, setup) ? owner : NULL;
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
	if (agent->unanswered && unanswered_news_equal(news, agent->unanswered)) {
		unanswered_news_free(news);
		return;
	}
	unanswered_forget(agent);
	if (!news->tunnel_count) { /* who serves them knows better, and is told anew when it does not */
		unanswered_news_free(news);
		return;
	}
	agent->unanswered = unanswered_news_copy(news);
	agent_post(agent, &(struct instruction){.kind = INSTRUCTION_UNANSWERED, .unanswered = news});
}

/* Of whatever endpoint. */
static bool may_succeed(
	const struct controller *controller, const struct agent *agent, const struct agent *owner)
{
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct decisions_endpoint *setup = decisions_endpoint(controller->decisions, i);

		if (speaks_for(controller, owner, setup) && may_take_over(controller, agent, setup))
			return true;
	}
	return false;
}

void unanswered_pass_on(struct controller *controller, struct agent *owner)
{
	tell(controller, owner); /* it may have been told of what is its own by now */
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		if (may_succeed(controller, agents_at(controller->agents, i), owner))
			tell(controller, agents_at(controller->agents, i));
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
