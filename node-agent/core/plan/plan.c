/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/plan/plan_int.h"

struct plan_op *plan_add(struct plan *plan, enum plan_kind kind)
{
	struct plan_op *op;

	plan->ops = mem_grow(plan->ops, &plan->capacity, plan->count + 1, sizeof(*op));
	op = &plan->ops[plan->count++];
	op->kind = kind;
	return op;
}

void plan_init(struct plan *ret_plan, const struct plan_target *target, const struct plan_world *observed)
{
	*ret_plan = (struct plan){0};
	if (observed->firewall_differs)
		plan_add(ret_plan, PLAN_FIREWALL_LOAD);
	plan_sysctls(ret_plan, target, observed);
	plan_offloads(ret_plan, target, observed);
	plan_rules_delete(ret_plan, target, observed);
	plan_routes_delete(ret_plan, target, observed);
	plan_addresses_delete(ret_plan, target, observed);
	plan_links_delete(ret_plan, target, observed);
	plan_links_create(ret_plan, target, observed);
	plan_devices(ret_plan, target, observed);
	plan_addresses_add(ret_plan, target, observed);
	plan_links_set(ret_plan, target, observed);
	plan_rules_add(ret_plan, target, observed);
	plan_connected_set(ret_plan, target, observed);
	plan_routes_set(ret_plan, target, observed);
}

void plan_clear(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->count; i++) {
		struct plan_wireguard *wireguard = &plan->ops[i].wireguard;

		if (plan->ops[i].kind != PLAN_WIREGUARD_SET)
			continue;
		mem_wipe(wireguard->changes, wireguard->change_count * sizeof(*wireguard->changes));
		free(wireguard->changes);
	}
	free(plan->ops);
	*plan = (struct plan){0};
}
