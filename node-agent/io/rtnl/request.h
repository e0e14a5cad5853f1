/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_REQUEST_H
#define HOLDFAST_AGENT_RTNL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rtnl.h"
#include "node-agent/io/rtnl/rule.h"

/* Inside hf_agent_rtnl: one change of a batch, from the wish to its result. */
enum rtnl_noun { RTNL_LINK_CREATE, RTNL_LINK_DELETE, RTNL_LINK_CHANGE, RTNL_ADDRESS, RTNL_ROUTE, RTNL_RULE };

struct rtnl_request {
	enum rtnl_noun noun;
	enum rtnl_op op;
	bool waiting; /* sent, not answered yet */
	uint32_t sequence;
	int result;
	char *why; /* the kernel's words */
	union {
		struct {
			char name[IFNAMSIZ], kind[RTNL_KIND_MAX];
		} create;
		struct rtnl_link_change change;
		struct rtnl_address address;
		struct rtnl_route route;
		struct rtnl_rule rule;
	};
};

/* 0: it can be sent; its device, if it was given by name, is found. -EINVAL: it makes no message; -ENODEV, or what else went
 * wrong with finding the device. */
int rtnl_request_check(struct rtnl *rtnl, struct rtnl_request *request);
/* Write the message of one that was checked into a zeroed buffer of RTNL_REQUEST_MAX bytes. */
void rtnl_request_put(void *buffer, const struct rtnl_request *request);
/* The kernel's answer, 0 or -errno, with its own words ("": none), which are copied if it has failed.
 * RTNL_DISCARD of what is not there and RTNL_REPLACE of a rule that is are no failures. */
void rtnl_request_settle(struct rtnl_request *request, int result, const char *why);
/* A link that comes or goes changes what later names mean: nothing is looked up across it. */
bool rtnl_request_changes_names(const struct rtnl_request *request);
/* As ip(8) would say it, without the result. */
void rtnl_request_format(const struct rtnl_request *request, char *buffer, size_t size);

#endif
