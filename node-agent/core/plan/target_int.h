/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PLAN_TARGET_INT_H
#define HOLDFAST_PLAN_TARGET_INT_H

#include "node-agent/core/plan/target.h"

/* The parts of plan_target_init(), by subject. */
void plan_target_tunnel(struct plan_target *target, const struct plan_facts *facts, size_t index);
void plan_target_endpoint(struct plan_target *target, const struct plan_facts *facts, size_t index);
void plan_target_peers(struct plan_device *device, const struct plan_facts *facts,
	const struct desired_tunnel *tunnel, bool serving, bool waking);
/* After all the others: it looks at their routes. */
void plan_target_bypass(struct plan_target *target, const struct plan_facts *facts);
void plan_scope_endpoint(struct plan_scope *scope, const struct desired_endpoint *endpoint);
const struct prefix *plan_peer_allowed_ips(
	const struct plan_facts *facts, const struct desired_peer *peer, size_t *ret_count);
/* Peers of a tunnel are a run of desired->peers: its first and how many. */
size_t plan_tunnel_peers(const struct desired *desired, const char *tunnel, size_t *ret_first);

#endif
