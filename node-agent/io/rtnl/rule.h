/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_RULE_H
#define HOLDFAST_AGENT_RTNL_RULE_H

#include <linux/fib_rules.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "node-agent/io/rtnl/rtnl.h"

/* Policy routing rules, both families: RTM_*RULE (linux/fib_rules.h). */

struct rtnl_rule {
	int family; /* AF_INET or AF_INET6 */
	uint32_t priority;
	bool has_priority; /* false in requests: the kernel takes the one before the second rule; when
			      deleting: any */
	bool invert;       /* not */
	bool has_fwmark;
	uint32_t fwmark, fwmask; /* fwmask 0 in requests: all bits */
	struct prefix from, to;  /* without a family: all */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	uint32_t table; /* 0 in requests: RT_TABLE_MAIN */
	bool has_suppress;
	uint32_t suppress_prefixlength; /* only if has_suppress */
	uint8_t action;                 /* FR_ACT_*; 0 in requests: FR_ACT_TO_TBL */
	uint8_t protocol;               /* RTPROT_*; 0 in requests: not given */
	/* Answers: it has a selector or an action that has no field here (ip protocol, ports, tos, goto,
	 * l3mdev, uid). A request made from such a rule would mean another. */
	bool has_more;
};

/* In the order in which the kernel asks them. Family 0: both, IPv4 first. The caller frees *ret_rules with
 * free(). */
int rtnl_rule_list(
	struct rtnl *rtnl, int family, struct rtnl_rule **ret_rules, size_t *ret_count, struct err *err);

/* RTNL_REPLACE: a rule that is there already is fine; the kernel only notices if it has a priority. Deleting removes
 * the first rule that agrees in all that is given; the kernel compares neither what is not given nor invert. So delete
 * what rtnl_rule_list() gave, or a rule with its priority, or another program's may go. */
int rtnl_rule_request(struct rtnl *rtnl, enum rtnl_op op, const struct rtnl_rule *rule, struct err *err);

#endif
