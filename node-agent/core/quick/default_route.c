/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/default_route.h"

#include <errno.h>

enum { TABLE_LOCAL = 255, PRIORITY_MAIN = 32766 };

static bool has_table(const uint32_t *tables, size_t count, uint32_t table)
{
	for (size_t i = 0; i < count; i++)
		if (tables[i] == table)
			return true;
	return false;
}

uint32_t quick_free_mark(const uint32_t *tables, size_t count)
{
	uint32_t mark = QUICK_MARK_FIRST;

	while (has_table(tables, count, mark))
		mark++;
	return mark;
}

/* The table of the host's own addresses is asked before anything of ours. */
static uint32_t local_priority(const struct quick_seen_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].table == TABLE_LOCAL)
			return rules[i].priority;
	return 0;
}

static uint32_t first_after(const struct quick_seen_rule *rules, size_t count, uint32_t floor)
{
	uint32_t first = PRIORITY_MAIN;

	for (size_t i = 0; i < count; i++)
		if (rules[i].priority > floor && rules[i].priority < first)
			first = rules[i].priority;
	return first;
}

/* Where there is no room before the first rule. */
static int as_early_as_possible(const struct quick_seen_rule *rules, size_t count, uint32_t floor,
	struct quick_priorities *ret_priorities, struct err *err)
{
	bool taken[PRIORITY_MAIN + 1] = {false};

	for (size_t i = 0; i < count; i++)
		if (rules[i].priority <= PRIORITY_MAIN)
			taken[rules[i].priority] = true;
	for (uint32_t p = floor + 1; p + 1 < PRIORITY_MAIN; p++)
		if (!taken[p] && !taken[p + 1]) {
			*ret_priorities = (struct quick_priorities){p, p + 1};
			return 0;
		}
	return err_set(err, -ENOSPC,
		"no two free priorities for routing rules before the main table's (`ip rule` lists them)");
}

int quick_choose_priorities(const struct quick_seen_rule *rules, size_t count,
	struct quick_priorities *ret_priorities, struct err *err)
{
	uint32_t floor = local_priority(rules, count), first = first_after(rules, count, floor);

	if (first > floor && first - floor > 2) {
		*ret_priorities = (struct quick_priorities){first - 2, first - 1};
		return 0;
	}
	return as_early_as_possible(rules, count, floor, ret_priorities, err);
}
