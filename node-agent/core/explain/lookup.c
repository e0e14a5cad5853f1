/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/explain/lookup.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* A packet of this machine's own comes from lo, as rules see it. */
static bool is_from(const struct explain_rule *rule, const struct explain_way *way)
{
	return !rule->iif[0] || strcmp(rule->iif, way->iif[0] ? way->iif : "lo") == 0;
}

/* An address that is not chosen yet is in no prefix. */
static bool is_in(const struct prefix *prefix, const struct addr *addr)
{
	return !addr_is_set(&prefix->addr) || !prefix->length ||
	       (addr_is_set(addr) && prefix_contains(prefix, addr));
}

static bool matches(const struct explain_rule *rule, const struct explain_way *way, uint32_t mark)
{
	bool selected = is_from(rule, way) && (!rule->oif[0] || !strcmp(rule->oif, way->oif)) && is_in(&rule->from, &way->from) &&
			is_in(&rule->to, &way->to) &&
			(!rule->has_fwmark || !((rule->fwmark ^ mark) & rule->fwmask));

	return selected != rule->invert;
}

static bool is_better(const struct explain_route *route, const struct explain_route *best)
{
	if (!best || route->to.length != best->to.length)
		return !best || route->to.length > best->to.length;
	return route->metric < best->metric;
}

static const struct explain_route *best_of(const struct explain_way *way, uint32_t table)
{
	const struct explain_route *best = NULL;

	for (size_t i = 0; i < way->route_count; i++)
		if (way->routes[i].table == table && is_better(&way->routes[i], best))
			best = &way->routes[i];
	return best;
}

static bool is_suppressed(const struct explain_rule *rule, const struct explain_route *route)
{
	return rule->has_suppress && route->to.length <= rule->suppress_prefixlength;
}

/* Does the rule decide? */
static bool decides(
	const struct explain_rule *rule, const struct explain_way *way, struct explain_choice *choice)
{
	const struct explain_route *route = NULL;

	if (rule->action == FR_ACT_NOP || rule->action == FR_ACT_GOTO)
		return false;
	if (rule->action == FR_ACT_TO_TBL) {
		route = best_of(way, rule->table);
		if (!route || is_suppressed(rule, route) || route->type == RTN_THROW)
			return false;
	}
	choice->rule = rule;
	choice->route = route;
	return true;
}

struct explain_choice explain_choose(
	const struct explain_facts *facts, const struct explain_way *way, uint32_t mark)
{
	struct explain_choice choice = {0};

	for (size_t i = 0; i < facts->rule_count; i++) {
		const struct explain_rule *rule = &facts->rules[i];

		if (rule->family != way->to.family)
			continue;
		if (rule->has_more) {
			if (!choice.unknown)
				choice.unknown = rule;
			continue;
		}
		if (matches(rule, way, mark) && decides(rule, way, &choice))
			break;
	}
	return choice;
}

const struct explain_route *explain_route_into(const struct explain_way *way, const char *device)
{
	const struct explain_route *best = NULL;

	for (size_t i = 0; i < way->route_count; i++)
		if (strcmp(way->routes[i].device, device) == 0 && is_better(&way->routes[i], best))
			best = &way->routes[i];
	return best;
}
