/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_MONITOR_H
#define HOLDFAST_AGENT_RTNL_MONITOR_H

#include "common/base/err.h"
#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"

/*
 * What the kernel's network tells of itself: one listener on the multicast groups of links, addresses, routes
 * and rules, both families (rtnetlink(7)). It hears of the network namespace in which it was opened.
 *
 * A lost carrier is a MONITOR_LINK event with link.carrier false. The kernel tells of it from a work queue, a moment
 * after the fact; of hardware that has changed its carrier within the last second up to a second later
 * (net/core/link_watch.c). rtnl_link_get() knows at once: whoever must not be late looks there too.
 */
enum monitor_kind {
	MONITOR_LINK, /* is new, or something about it changed */
	MONITOR_LINK_GONE,
	MONITOR_ADDRESS,
	MONITOR_ADDRESS_GONE,
	MONITOR_ROUTE,
	MONITOR_ROUTE_GONE,
	MONITOR_RULE,
	MONITOR_RULE_GONE,
	MONITOR_RESYNC, /* events were lost (ENOBUFS): list everything anew */
};

struct monitor_event {
	enum monitor_kind kind;
	union {
		struct rtnl_link link;
		struct rtnl_address address;
		struct rtnl_route route;
		struct rtnl_rule rule;
	};
};

typedef void monitor_callback(const struct monitor_event *event, void *context);

struct monitor;

int monitor_open(struct monitor **ret_monitor, struct err *err);
void monitor_close(struct monitor *monitor); /* NULL-safe */
/* Non-blocking; readable when there is something to read. */
int monitor_fd(const struct monitor *monitor);

/* Call when the descriptor is readable: hands every waiting event to the callback, at most MONITOR_READ_MAX
 * messages from the kernel per call (the descriptor stays readable if there are more). Returns how many
 * events there were, or -errno. The callback must not close the monitor. */
enum { MONITOR_READ_MAX = 1000 };
int monitor_read(struct monitor *monitor, monitor_callback *callback, void *context, struct err *err);

#endif
