/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_DEVICE_H
#define HOLDFAST_AGENT_QUICK_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node-agent/core/plan/plan.h"
#include "node-agent/core/quick/rules.h"
#include "node-agent/core/quick/target.h"
#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/batch.h"
#include "node-agent/io/wireguard/wireguard.h"

/* The link, its addresses and its WireGuard: what is there, and as the files want it. */

struct quick;

/* ---- observe.c ---- */
struct quick_view {
	struct plan_world world; /* what of it is ours to change */
	const struct wg_device
		*device; /* borrowed; NULL: there is none. Peers of world borrow its allowed IPs */
	struct rtnl_address *addresses;
	size_t address_count;
};
int quick_observe(struct quick *quick, struct quick_view *ret_view);
void quick_view_clear(struct quick_view *view);
const struct plan_device *quick_view_device(const struct quick_view *view);
bool quick_family_works(const struct quick *quick, int family);
/* Of one family or both (0), in the kernel's order. The caller frees *ret_rules. */
int quick_list_rules(struct quick *quick, int family, struct quick_rule **ret_rules, size_t *ret_count);
bool quick_has_journalled(const struct quick *quick, const struct plan_rule *rule);
int quick_device(struct quick *quick, struct wg **ret_wg);
/* What the device holds. Reading 10,000 peers takes longer than all that is done with them, so it is read once, and again
 * after quick_forget_device(): a hook may have changed it, or what came up. Valid until then. */
int quick_read_device(struct quick *quick, const struct wg_device **ret_device);
void quick_forget_device(struct quick *quick);
/* wg_set(); what is known of the device stays known, where it can be said what the change made of it. */
int quick_set_device(struct quick *quick, const struct wg_change *change);

/* ---- up.c ---- */
/* Link, addresses and WireGuard as the file wants them. `memory`: what it said before; NULL: it comes up now. */
int quick_make_device(struct quick *quick, const struct quick_memory *memory, size_t *ret_changes);

/* ---- mtu.c ---- */
uint32_t quick_choose_mtu(struct quick *quick, uint32_t mark);

/* ---- link.c ---- */
int quick_make_link(struct quick *quick);
/* A program whose device was moved finds out within a second that it is up. */
int quick_await_program(struct quick *quick);

/* ---- resolve.c ---- */
/* Endpoints by number: those that are needed (fresh, or changed since the memory). */
int quick_resolve_endpoints(struct quick *quick, bool all);

/* ---- apply.c ---- */
/* The operations of these kinds (a mask of 1 << enum plan_kind), in order, stopping at the first that fails. */
int quick_apply(struct quick *quick, const struct plan *plan, unsigned kinds);
/* false: it is no request to routing netlink. Exclusive: what is there already is another's, and not to be taken over. */
bool quick_batch_add(struct rtnl_batch *batch, const char *name, const struct plan_op *op);

#endif
