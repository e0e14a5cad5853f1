/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_INTERNAL_H
#define HOLDFAST_AGENT_RTNL_INTERNAL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/monitor.h"
#include "node-agent/io/rtnl/neighbour.h"
#include "node-agent/io/rtnl/netlink.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rule.h"

/*
 * Inside hf_agent_rtnl: for each kind of thing one function that writes a request (put), one that reads an answer
 * (parse) and one that says a request as ip(8) would (format). None of them does I/O, so tests feed them bytes.
 */

enum { RTNL_NAMES_MAX = 16 };

struct rtnl {
	struct netlink *netlink;
	int timeout_ms;
	/* Names and indices met during one operation, so that a thousand routes need one look-up. */
	struct rtnl_name {
		unsigned ifindex;
		char name[IFNAMSIZ];
	} names[RTNL_NAMES_MAX];
	size_t name_count, name_next;
};

/* The names are only good within one operation: forget them at its start. */
void rtnl_names_forget(struct rtnl *rtnl);
/* The device's name; "" if it is gone. */
void rtnl_name_of(struct rtnl *rtnl, unsigned ifindex, char name[IFNAMSIZ]);
/* Its index; -ENODEV, or what else went wrong. */
int rtnl_index_of(struct rtnl *rtnl, const char *name, unsigned *ret_ifindex);

/* A request is at most this long: a route with everything it can have. */
enum { RTNL_REQUEST_MAX = 512 };

/* Write into a zeroed buffer of RTNL_REQUEST_MAX bytes. Devices are given by index here. */
void rtnl_link_put_create(void *buffer, const char *name, const char *kind, int netns_fd); /* -1: here */
void rtnl_link_put_move(void *buffer, const char *name, int netns_fd);
void rtnl_link_put_delete(void *buffer, const char *name);
void rtnl_link_put_change(void *buffer, const struct rtnl_link_change *change);
void rtnl_address_put(void *buffer, enum rtnl_op op, const struct rtnl_address *address);
void rtnl_route_put(void *buffer, enum rtnl_op op, const struct rtnl_route *route);
void rtnl_rule_put(void *buffer, enum rtnl_op op, const struct rtnl_rule *rule);

/* -EPROTO: malformed, or nothing this knows (another family). Device names of addresses and routes stay empty. */
int rtnl_link_parse(const struct nlmsghdr *message, struct rtnl_link *ret_link);
int rtnl_address_parse(const struct nlmsghdr *message, struct rtnl_address *ret_address);
int rtnl_route_parse(const struct nlmsghdr *message, struct rtnl_route *ret_route);
int rtnl_rule_parse(const struct nlmsghdr *message, struct rtnl_rule *ret_rule);
/* -ENOENT: it is not known at present; -EAFNOSUPPORT: its link-layer address is none of Ethernet's. */
int rtnl_neighbour_parse(const struct nlmsghdr *message, uint8_t ret_mac[RTNL_MAC_BYTES]);
/* Whichever of these a multicast group tells. A route that is only cached is no event. */
int monitor_event_parse(const struct nlmsghdr *message, struct monitor_event *ret_event);

char *rtnl_link_format_change(const struct rtnl_link_change *change, char *buffer, size_t size);
char *rtnl_address_format(enum rtnl_op op, const struct rtnl_address *address, char *buffer, size_t size);
char *rtnl_route_format_request(enum rtnl_op op, const struct rtnl_route *route, char *buffer, size_t size);
char *rtnl_rule_format(enum rtnl_op op, const struct rtnl_rule *rule, char *buffer, size_t size);
/* "add", "replace", "del". */
const char *rtnl_op_word(enum rtnl_op op);

/* A growing array of what a dump gave: what netlink_dump() restarts. */
struct rtnl_list {
	void *items;
	size_t count, capacity, item_size;
};
enum { RTNL_LIST_MAX = 1 << 22 }; /* the Internet has 1.3 million routes of both families */
/* A copy of the item at the end. -E2BIG: one more than RTNL_LIST_MAX. */
int rtnl_list_add(struct rtnl_list *list, const void *item);

#endif
