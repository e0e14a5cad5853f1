/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "node-agent/core/plan/plan_int.h"

void plan_links_delete(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < observed->link_count; i++) {
		const struct plan_link *now = &observed->links[i];

		if (plan_scope_has_link(&target->scope, now->name) &&
			!plan_world_find_link(&target->world, now->name))
			plan_add(plan, PLAN_LINK_DELETE)->link = *now;
	}
}

/* A link without a WireGuard device behind it is what a userspace program left when it died, or not even
 * that: it is made anew. */
static bool is_there(const struct plan_world *observed, const char *name)
{
	return plan_world_find_link(observed, name) && plan_world_find_device(observed, name);
}

void plan_links_create(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < target->world.link_count; i++)
		if (!is_there(observed, target->world.links[i].name))
			plan_add(plan, PLAN_LINK_CREATE)->link = target->world.links[i];
}

void plan_links_set(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	for (size_t i = 0; i < target->world.link_count; i++) {
		const struct plan_link *wanted = &target->world.links[i];
		const struct plan_link *now = is_there(observed, wanted->name)
						      ? plan_world_find_link(observed, wanted->name)
						      : NULL;
		bool set_mtu = !now || now->mtu != wanted->mtu, set_up = !now || now->up != wanted->up;
		bool set_multicast = wanted->multicast_fixed && (!now || now->multicast != wanted->multicast);
		struct plan_op *op;

		if (!set_mtu && !set_up && !set_multicast)
			continue;
		op = plan_add(plan, PLAN_LINK_SET);
		op->link = *wanted;
		op->set_mtu = set_mtu;
		op->set_up = set_up;
		op->set_multicast = set_multicast;
	}
}
