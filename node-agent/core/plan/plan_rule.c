/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/plan/plan_int.h"

static bool has(const struct plan_world *world, const struct plan_rule *rule)
{
	for (size_t i = 0; i < world->rule_count; i++)
		if (plan_rule_equal(&world->rules[i], rule))
			return true;
	return false;
}

void plan_rules_delete(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < observed->rule_count; i++)
		if (!has(&target->world, &observed->rules[i]))
			plan_add(plan, PLAN_RULE_DELETE)->rule = observed->rules[i];
}

void plan_rules_add(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < target->world.rule_count; i++)
		if (!has(observed, &target->world.rules[i]))
			plan_add(plan, PLAN_RULE_ADD)->rule = target->world.rules[i];
}
