/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/repair/operation.h"
#include "node-agent/io/agent/agent_int.h"

/* Lines of one look: a thousand routes that went with their link are one piece of news. */
enum { REPAIR_LINES_MAX = 16 };

static void told_link(struct repair *repair, const struct monitor_event *event, int64_t now_ms)
{
	const struct rtnl_link *link = &event->link;

	if (event->kind == MONITOR_LINK_GONE) {
		repair_tell(repair, REPAIR_LINK, now_ms, "%s was deleted", link->name);
		return;
	}
	repair_tell(repair, REPAIR_LINK, now_ms, "%s went %s", link->name, link->up ? "up" : "down");
	repair_tell(repair, REPAIR_MTU, now_ms, "%s has MTU %u", link->name, link->mtu);
}

static void told_address(struct repair *repair, const struct monitor_event *event, int64_t now_ms)
{
	char text[PREFIX_TEXT_MAX];

	repair_tell(repair, REPAIR_ADDRESS, now_ms, "%s on %s was %s",
		prefix_format(&event->address.prefix, text, sizeof(text)), event->address.device,
		event->kind == MONITOR_ADDRESS ? "added" : "deleted");
}

static void told_route(struct repair *repair, const struct monitor_event *event, int64_t now_ms)
{
	char text[RTNL_ROUTE_TEXT_MAX];

	repair_tell(repair, REPAIR_ROUTE, now_ms, "%s was %s",
		rtnl_route_format(&event->route, text, sizeof(text)),
		event->kind == MONITOR_ROUTE ? "added" : "deleted");
}

void repairs_told(struct repair *repair, const struct monitor_event *event)
{
	int64_t now_ms = clock_now_ms();

	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		told_link(repair, event, now_ms);
		return;
	case MONITOR_ADDRESS:
	case MONITOR_ADDRESS_GONE:
		told_address(repair, event, now_ms);
		return;
	case MONITOR_ROUTE:
	case MONITOR_ROUTE_GONE:
		told_route(repair, event, now_ms);
		return;
	case MONITOR_RULE:
	case MONITOR_RULE_GONE:
		repair_tell(repair, REPAIR_RULE, now_ms, "rule %u (IPv%d) was deleted", event->rule.priority,
			event->rule.family == AF_INET6 ? 6 : 4);
		return;
	case MONITOR_RESYNC:
		for (size_t i = 0; i < REPAIR_WHATS; i++)
			repair_tell(repair, (enum repair_what)i, now_ms,
				"more changed than the kernel could tell");
		return;
	}
}

void repairs_begin(struct agent *agent, const struct plan_facts *facts)
{
	struct repair_basis basis = {.generation = facts->desired->generation};

	memcpy(basis.serving, facts->serving, sizeof(basis.serving));
	memcpy(basis.waking, facts->waking, sizeof(basis.waking));
	repair_begin(&agent->repair, &basis, clock_now_ms());
	agent->repair_lines = 0;
}

void repairs_note(struct agent *agent, size_t *lines, const char *what, const char *why, int64_t took_ms)
{
	if (++*lines > REPAIR_LINES_MAX)
		return;
	log_notice("agent", "repaired", log_text("what", what), log_text("why", why),
		log_i64("took_ms", took_ms));
	journal_note(&agent->journal, "repaired", NULL, "%s: %s (%lld ms)", what, why, (long long)took_ms);
}

void repairs_note_rest(struct agent *agent, size_t lines)
{
	if (lines <= REPAIR_LINES_MAX)
		return;
	log_notice("agent", "repaired-more", log_u64("count", lines - REPAIR_LINES_MAX));
	journal_note(&agent->journal, "repaired", NULL, "and %zu more", lines - REPAIR_LINES_MAX);
}

void repairs_applied(const struct plan_op *op, bool done, void *context)
{
	struct agent *agent = context;
	char text[PLAN_TEXT_MAX];
	const char *why;
	int64_t took_ms;

	if (!done)
		return;
	plan_op_format(op, text);
	if (repair_done(&agent->repair, repair_what_of(op), text, clock_now_ms(), &why, &took_ms))
		repairs_note(agent, &agent->repair_lines, text, why, took_ms);
}

void repairs_end(struct agent *agent, bool well)
{
	repairs_note_rest(agent, agent->repair_lines);
	if (!agent->repair.repairing)
		underlay_check_soon(&agent->underlay); /* to other peers than before */
	repair_end(&agent->repair, well, clock_now_ms());
}

void repairs_fence(struct agent *agent, int64_t told_ms)
{
	repair_count(&agent->repair, REPAIR_FIREWALL);
	log_notice("agent", "repaired", log_text("what", "nft load table holdfast"),
		log_text("why", "a table of ours was deleted (nft flush ruleset?)"),
		log_i64("took_ms", clock_now_ms() - told_ms));
}
