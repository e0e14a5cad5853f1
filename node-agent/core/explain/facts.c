/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/explain/facts.h"

#include <stdlib.h>

#include "common/base/mem.h"

struct explain_rule *explain_add_rule(struct explain_facts *facts)
{
	struct explain_rule *rule;

	facts->rules =
		mem_grow(facts->rules, &facts->rule_capacity, facts->rule_count + 1, sizeof(*facts->rules));
	rule = &facts->rules[facts->rule_count++];
	*rule = (struct explain_rule){0};
	return rule;
}

struct explain_route *explain_add_route(struct explain_way *way)
{
	struct explain_route *route;

	way->routes = mem_grow(way->routes, &way->route_capacity, way->route_count + 1, sizeof(*way->routes));
	route = &way->routes[way->route_count++];
	*route = (struct explain_route){0};
	return route;
}

void explain_facts_clear(struct explain_facts *facts)
{
	if (!facts)
		return;
	free(facts->rules);
	free(facts->inner.routes);
	free(facts->outer.routes);
	free(facts->back.routes);
	free(facts->back_marked.routes);
	free(facts->back_inner.routes);
	free(facts->back_in.routes);
	loaded_clear(&facts->ruleset);
	*facts = (struct explain_facts){0};
}
