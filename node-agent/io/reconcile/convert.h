/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RECONCILE_CONVERT_H
#define HOLDFAST_AGENT_RECONCILE_CONVERT_H

#include "node-agent/core/plan/plan.h"
#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"
#include "node-agent/io/wireguard/wireguard.h"

/* From the plan's values to requests of the kernel. Routes and rules get PLAN_PROTOCOL. */
struct rtnl_address convert_address(const struct plan_address *from);
struct rtnl_route convert_route(const struct plan_route *from);
struct rtnl_rule convert_rule(const struct plan_rule *from);

/* from->change_count of them; allowed IPs stay borrowed. They hold keys: the caller wipes and frees. */
struct wg_peer_change *convert_peers(const struct plan_wireguard *from);

#endif
