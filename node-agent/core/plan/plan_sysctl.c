/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "node-agent/core/plan/plan_int.h"

/* What the observed world does not know is not there to be set (IPv6 off, device not made yet). */
void plan_sysctls(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < target->world.sysctl_count; i++) {
		const struct plan_sysctl *wanted = &target->world.sysctls[i];
		const struct plan_sysctl *now = plan_world_find_sysctl(observed, wanted->key);

		if (now && strcmp(now->value, wanted->value))
			plan_add(plan, PLAN_SYSCTL_SET)->sysctl = *wanted;
	}
}
