/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PLAN_PLAN_INT_H
#define HOLDFAST_PLAN_PLAN_INT_H

#include "node-agent/core/plan/plan.h"

/* The parts of plan_init(): each appends its own operations. plan.c calls them in the order of plan.h. */
struct plan_op *plan_add(struct plan *plan, enum plan_kind kind);

void plan_offloads(struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_sysctls(struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_rules_delete(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_rules_add(struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
/* Two sorted walks over the routes; they sort copies of the pointers, so that 100,000 are no trouble. */
void plan_routes_delete(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
/* The kernel makes these with an address, and not again when somebody flushes them. */
void plan_connected_set(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_routes_set(struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_addresses_delete(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_addresses_add(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_links_delete(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_links_create(
	struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_links_set(struct plan *plan, const struct plan_target *target, const struct plan_world *observed);
void plan_devices(struct plan *plan, const struct plan_target *target, const struct plan_world *observed);

#endif
