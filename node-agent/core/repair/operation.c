/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/repair/operation.h"

enum repair_what repair_what_of(const struct plan_op *op)
{
	switch (op->kind) {
	case PLAN_FIREWALL_LOAD:
		return REPAIR_FIREWALL;
	case PLAN_SYSCTL_SET:
	case PLAN_OFFLOAD_SET:
		return REPAIR_PARAMETER;
	case PLAN_RULE_ADD:
	case PLAN_RULE_DELETE:
		return REPAIR_RULE;
	case PLAN_ROUTE_SET:
	case PLAN_ROUTE_DELETE:
		return REPAIR_ROUTE;
	case PLAN_ADDRESS_ADD:
	case PLAN_ADDRESS_DELETE:
		return REPAIR_ADDRESS;
	case PLAN_LINK_CREATE:
	case PLAN_LINK_DELETE:
		return REPAIR_LINK;
	case PLAN_LINK_SET:
		return op->set_up || op->set_multicast ? REPAIR_LINK : REPAIR_MTU;
	case PLAN_WIREGUARD_SET:
		return REPAIR_WIREGUARD;
	}
	return REPAIR_WIREGUARD;
}
