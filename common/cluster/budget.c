/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/budget.h"

static void forget(struct budget *budget, int64_t ms)
{
	budget->sum -= budget->spent[ms % BUDGET_SPAN_MS];
	budget->spent[ms % BUDGET_SPAN_MS] = 0;
}

uint32_t budget_left(struct budget *budget, int64_t now_ms)
{
	int64_t ms = budget->last_ms + 1;

	if (ms < now_ms - BUDGET_SPAN_MS + 1)
		ms = now_ms - BUDGET_SPAN_MS + 1;
	for (; ms <= now_ms; ms++)
		forget(budget, ms);
	budget->last_ms = now_ms;
	return BUDGET_PROBES - budget->sum;
}

void budget_spend(struct budget *budget, uint32_t count)
{
	budget->spent[budget->last_ms % BUDGET_SPAN_MS] += count;
	budget->sum += count;
}
