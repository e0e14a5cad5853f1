/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"

/* What of a running tunnel can pass from wg-quick's hands to ours and back: the routes and rules that either would have made
 * of what the device holds, and the tables. What else is on the device, a hook or a person put there. */

void quick_handover_clear(struct quick_handover *handover)
{
	quick_routing_clear(&handover->routing);
	plan_target_clear(&handover->target);
	free(handover->asked);
	free(handover->routes);
}

/* wg-quick knows no sidecar. */
static void take_plain(struct quick_handover *handover)
{
	struct quick_routing *routing = &handover->routing;
	const struct wg_device *device = routing->view.device;
	size_t count = 0;

	handover->asked = routing->routed;
	handover->asked_count = routing->facts.routed_count;
	for (size_t i = 0; i < device->peer_count; i++)
		count += device->peers[i].allowed_ip_count;
	routing->routed = mem_new(count + 1, sizeof(*routing->routed));
	routing->facts.routed_count = 0;
	for (size_t i = 0; i < device->peer_count; i++)
		for (size_t j = 0; j < device->peers[i].allowed_ip_count; j++)
			routing->routed[routing->facts.routed_count++].to = device->peers[i].allowed_ips[j];
	routing->facts.routed = routing->routed;
}

/* ---- the mark ---- */

/* A device that lost its mark (wg syncconf takes it away) still has a table of that number. */
static int look_at_mark(struct quick *quick, struct quick_handover *handover)
{
	struct rtnl_route_filter filter = {.ifindex = quick->journal.ifindex};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	uint32_t *mark = &handover->routing.facts.mark;
	size_t count;
	int r;

	if (!quick_routing_needs_mark(&handover->routing))
		return 0;
	*mark = handover->routing.view.device->fwmark;
	if (*mark)
		return 0;
	r = rtnl_route_list(quick->rtnl, &filter, &routes, &count, quick->err);
	for (size_t i = 0; r >= 0 && i < count && !*mark; i++)
		if (!routes[i].to.length && routes[i].table != RT_TABLE_MAIN &&
			quick_is_made(quick, &routes[i]))
			*mark = routes[i].table;
	return r;
}

/* ---- rules ---- */

/* Without those that are ours already. */
static size_t take_others(const struct quick *quick, const struct quick_rule *rules, size_t count,
	struct quick_rule *others, struct quick_pair *mine)
{
	size_t other_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (rules[i].protocol != QUICK_PROTOCOL || !quick_has_journalled(quick, &rules[i].rule))
			others[other_count++] = rules[i];
		else if (rules[i].rule.has_suppress)
			mine->suppress = &rules[i];
		else
			mine->not_ours = &rules[i];
	}
	return other_count;
}

/* One of the pair, as it is with us and with them; if it is there at all. */
static void take_rule(struct quick_handover *handover, const struct quick_rule *mine,
	const struct quick_rule *theirs, uint32_t priority)
{
	struct quick_rule ours, others;

	if (!mine && !theirs)
		return;
	ours = mine ? *mine : *theirs;
	ours.protocol = QUICK_PROTOCOL;
	if (!mine)
		ours.rule.priority = priority;
	others = theirs ? *theirs : ours;
	if (!theirs)
		others.protocol = QUICK_THEIR_RULES;
	handover->ours[handover->rule_count] = ours;
	handover->theirs[handover->rule_count++] = others;
}

static int look_at_rules(struct quick *quick, struct quick_handover *handover, int family)
{
	const struct quick_route_facts *facts = &handover->routing.facts;
	CLEANUP_FREE struct quick_rule *rules = NULL, *others = NULL;
	struct quick_priorities priorities = {0};
	struct quick_pair mine = {0}, theirs;
	size_t count, other_count;
	int r = 0;

	if (!quick_needs_mark(facts, (uint8_t)family) || !facts->mark)
		return 0;
	r = quick_list_rules(quick, family, &rules, &count);
	if (r < 0)
		return r;
	others = mem_new(count + 1, sizeof(*others));
	other_count = take_others(quick, rules, count, others, &mine);
	theirs = quick_find_pair(others, other_count, facts->mark);
	if (theirs.not_ours || theirs.suppress)
		r = quick_replace_priorities(others, other_count, &theirs, &priorities, quick->err);
	if (r < 0)
		return r;
	take_rule(handover, mine.not_ours, theirs.not_ours, priorities.not_ours);
	take_rule(handover, mine.suppress, theirs.suppress, priorities.suppress);
	return 0;
}

/* ---- tables ---- */

static int look_at_tables(struct quick *quick, struct quick_handover *handover)
{
	char name[FW_NAME_MAX + 1];
	int r;

	if (!quick_routing_needs_mark(&handover->routing))
		return 0;
	snprintf(name, sizeof(name), "wg-quick-%s", quick->name);
	r = quick->nft ? 0 : nft_open(&quick->nft, quick->err);
	if (r >= 0)
		r = nft_has_table(quick->nft, FW_IP, name, &handover->has_table4, quick->err);
	if (r >= 0)
		r = nft_has_table(quick->nft, FW_IP6, name, &handover->has_table6, quick->err);
	if (!nft_is_unsupported(r))
		return r;
	*quick->err = (struct err){0}; /* there can be none */
	return 0;
}

int quick_handover_look(struct quick *quick, struct quick_handover *handover)
{
	int r = quick_routing_look(quick, false, &handover->routing);

	if (r < 0)
		return r;
	take_plain(handover);
	r = look_at_mark(quick, handover);
	if (r >= 0)
		r = quick_handover_look_at_routes(quick, handover);
	if (r >= 0)
		r = look_at_rules(quick, handover, AF_INET);
	if (r >= 0)
		r = look_at_rules(quick, handover, AF_INET6);
	if (r >= 0)
		r = look_at_tables(quick, handover);
	return r;
}
