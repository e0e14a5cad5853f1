/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_ROUTE_H
#define HOLDFAST_AGENT_RTNL_ROUTE_H

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "node-agent/io/rtnl/rtnl.h"

/* Routes, both families: RTM_*ROUTE (linux/rtnetlink.h). Zeroed fields are what `ip route` would take. */

struct rtnl_route {
	struct prefix to;      /* always has a family; length 0 is the default route */
	struct addr via;       /* none: on link. May be of the other family (RTA_VIA) */
	struct addr src;       /* preferred source; none: the kernel's choice */
	char device[IFNAMSIZ]; /* in requests: or ifindex; both empty: by via, or none (unreachable,
				  blackhole) */
	unsigned ifindex;
	uint32_t table;   /* 0 in requests: RT_TABLE_MAIN */
	uint32_t metric;  /* 0 in requests: the family's own (IPv6: 1024); when deleting: any */
	uint32_t mtu;     /* RTAX_MTU; 0: none */
	uint8_t protocol; /* RTPROT_*; 0 in requests: RTPROT_BOOT; when deleting: any */
	uint8_t scope;    /* RT_SCOPE_*; 0 in requests: by type and via, as ip does; when deleting: any */
	uint8_t type;     /* RTN_*; 0 in requests: RTN_UNICAST; when deleting: any */
	bool onlink;      /* via is reachable on the device whatever the routes say */
	bool multipath;   /* answers: there are several next hops, via and device are the first one's */
};

/* What to list: zeroed fields do not restrict. The kernel filters, and so does this. Cached exceptions are
 * left out. */
struct rtnl_route_filter {
	int family; /* 0: both */
	uint32_t table;
	uint8_t protocol;
	uint8_t type;
	unsigned ifindex;
};
/* The caller frees *ret_routes with free(). */
int rtnl_route_list(struct rtnl *rtnl, const struct rtnl_route_filter *filter, struct rtnl_route **ret_routes,
	size_t *ret_count, struct err *err);

/* The kernel's own answer to: how would a packet to `to` leave now? (ip route get) */
struct rtnl_route_query {
	struct addr to;
	struct addr from; /* none: not chosen yet */
	uint32_t mark;    /* 0: none */
	unsigned oif;     /* 0: any */
	unsigned iif; /* it comes in by that interface, is forwarded or taken in; 0: it is this host's own */
};
/* Fills via, device, src, table, type, mtu (0 if the route has none of its own: take the device's).
 * -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL (blackhole) as a packet would get. */
int rtnl_route_lookup(struct rtnl *rtnl, const struct rtnl_route_query *query, struct rtnl_route *ret_route,
	struct err *err);

int rtnl_route_request(struct rtnl *rtnl, enum rtnl_op op, const struct rtnl_route *route, struct err *err);

/* "172.30.0.0/16 via 192.168.1.254 dev eth1 table 100", as ip would take it. Returns buffer. */
enum { RTNL_ROUTE_TEXT_MAX = 320 };
char *rtnl_route_format(const struct rtnl_route *route, char *buffer, size_t size);

#endif
