/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/rules.h"

#include "common/base/mem.h"

static bool is_marked(const struct quick_rule *rule, uint32_t mark)
{
	const struct plan_rule *plan = &rule->rule;

	return rule->protocol != PLAN_PROTOCOL && !rule->narrow && plan->invert && plan->has_fwmark &&
	       plan->fwmark == mark && plan->table == mark;
}

static bool is_suppressing(const struct quick_rule *rule)
{
	const struct plan_rule *plan = &rule->rule;

	return rule->protocol != PLAN_PROTOCOL && !rule->narrow && plan->table == PLAN_TABLE_MAIN &&
	       plan->has_suppress && plan->suppress_prefixlength == 0 && !plan->has_fwmark && !plan->invert;
}

/* Each comes before the one that was added before it; but all that get priority 0 come in the order of adding. */
struct quick_pair quick_find_pair(const struct quick_rule *rules, size_t count, uint32_t mark)
{
	struct quick_pair pair = {0};

	for (size_t i = 0; i < count && !pair.not_ours; i++) {
		if (!is_marked(&rules[i], mark))
			continue;
		pair.not_ours = &rules[i];
		if (rules[i].rule.priority && i > 0 && is_suppressing(&rules[i - 1]))
			pair.suppress = &rules[i - 1];
		if (!rules[i].rule.priority && i + 1 < count && !rules[i + 1].rule.priority &&
			is_suppressing(&rules[i + 1]))
			pair.suppress = &rules[i + 1];
	}
	return pair;
}

static bool are_in_order(const struct quick_pair *pair)
{
	uint32_t not_ours = pair->not_ours->rule.priority;
	uint32_t suppress = pair->suppress ? pair->suppress->rule.priority : not_ours - 1;

	return suppress && suppress < not_ours;
}

int quick_replace_priorities(const struct quick_rule *rules, size_t count, const struct quick_pair *theirs,
	struct quick_priorities *ret_priorities, struct err *err)
{
	CLEANUP_FREE struct quick_seen_rule *others = NULL;
	size_t other_count = 0;

	if (theirs->not_ours && are_in_order(theirs)) {
		ret_priorities->not_ours = theirs->not_ours->rule.priority;
		ret_priorities->suppress =
			theirs->suppress ? theirs->suppress->rule.priority : ret_priorities->not_ours - 1;
		return 0;
	}
	others = mem_new(count + 1, sizeof(*others));
	for (size_t i = 0; i < count; i++)
		if (&rules[i] != theirs->not_ours && &rules[i] != theirs->suppress)
			others[other_count++] =
				(struct quick_seen_rule){rules[i].rule.priority, rules[i].rule.table};
	return quick_choose_priorities(others, other_count, ret_priorities, err);
}
