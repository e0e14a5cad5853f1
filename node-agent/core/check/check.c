/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/check/check.h"

void check_init(struct check *check, const struct check_rule *rule, uint32_t random, int64_t now_ms)
{
	*check = (struct check){.rule = *rule, .next_ms = now_ms + random % rule->every_ms};
}

/* After a loop that stood still, no question is made up for. */
bool check_ask(struct check *check, int64_t now_ms)
{
	if (check->open || now_ms < check->next_ms)
		return false;
	check->open = true;
	check->asked_ms = now_ms;
	check->next_ms += check->rule.every_ms;
	if (check->next_ms <= now_ms)
		check->next_ms = now_ms + check->rule.every_ms;
	return true;
}

bool check_answer(struct check *check, bool good)
{
	uint32_t needed = check->down ? check->rule.rise : check->rule.fall;

	if (!check->open)
		return false;
	check->open = false;
	check->run = good == check->down ? check->run + 1 : 0;
	if (check->run < needed)
		return false;
	check->down = !check->down;
	check->run = 0;
	return true;
}

bool check_is_late(const struct check *check, int64_t now_ms)
{
	return check->open && now_ms >= check->asked_ms + check->rule.timeout_ms;
}

int64_t check_deadline(const struct check *check)
{
	return check->open ? check->asked_ms + check->rule.timeout_ms : check->next_ms;
}
