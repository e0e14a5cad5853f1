/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/plan/plan_int.h"

void plan_offloads(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < target->world.offload_count; i++) {
		const struct plan_offload *wanted = &target->world.offloads[i];
		const struct plan_offload *now = plan_world_find_offload(observed, wanted->device);

		if (now && now->joins_udp != wanted->joins_udp)
			plan_add(plan, PLAN_OFFLOAD_SET)->offload = *wanted;
	}
}
