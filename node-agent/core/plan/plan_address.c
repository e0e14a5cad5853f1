/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/plan/plan_int.h"

static bool has(const struct plan_world *world, const struct plan_address *address)
{
	for (size_t i = 0; i < world->address_count; i++)
		if (plan_address_equal(&world->addresses[i], address))
			return true;
	return false;
}

void plan_addresses_delete(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < observed->address_count; i++) {
		const struct plan_address *now = &observed->addresses[i];

		if (plan_scope_has_address(&target->scope, now) && !has(&target->world, now))
			plan_add(plan, PLAN_ADDRESS_DELETE)->address = *now;
	}
}

void plan_addresses_add(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < target->world.address_count; i++)
		if (!has(observed, &target->world.addresses[i]))
			plan_add(plan, PLAN_ADDRESS_ADD)->address = target->world.addresses[i];
}
