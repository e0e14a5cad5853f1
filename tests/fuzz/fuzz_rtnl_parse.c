/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/internal.h"
#include "tests/fuzz/fuzz_target.h"

enum { SAID_MAX = 1024 }; /* any request in words */

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static void check_link(const struct rtnl_link *link)
{
	FUZZ_CHECK(link->ifindex && is_text(link->name, sizeof(link->name)));
	FUZZ_CHECK(is_text(link->kind, sizeof(link->kind)));
}

static const struct nlmsghdr *start(uint8_t *buffer)
{
	memset(buffer, 0, RTNL_REQUEST_MAX);
	return (const void *)buffer;
}

/* An answer that is sent as a request and read again says the same. */
static void check_address(const struct rtnl_address *address)
{
	struct rtnl_address again, expected = *address;
	uint8_t buffer[RTNL_REQUEST_MAX];
	const struct nlmsghdr *message = start(buffer);
	char said[SAID_MAX];

	FUZZ_CHECK(address->prefix.length <= addr_bits(&address->prefix.addr));
	FUZZ_CHECK(!addr_equal(&address->prefix.addr, &address->peer));
	rtnl_address_put(buffer, RTNL_REPLACE, address);
	FUZZ_CHECK(message->nlmsg_len <= RTNL_REQUEST_MAX && !rtnl_address_parse(message, &again));
	if (!address->valid_lft_s)
		expected.valid_lft_s = expected.preferred_lft_s = RTNL_LIFETIME_FOREVER;
	FUZZ_CHECK(!memcmp(&again, &expected, sizeof(again)));
	rtnl_address_format(RTNL_REPLACE, address, said, sizeof(said));
	FUZZ_CHECK(strlen(said) < sizeof(said) - 1);
}

/* What a request leaves to the kernel has a value in the answer: the second time there is nothing left to choose. */
static void check_route(const struct rtnl_route *route)
{
	struct prefix to = prefix_mask(&route->to);
	uint8_t buffer[RTNL_REQUEST_MAX];
	const struct nlmsghdr *message = start(buffer);
	struct rtnl_route once, twice;
	char said[SAID_MAX];

	FUZZ_CHECK(route->to.length <= addr_bits(&route->to.addr));
	rtnl_route_put(buffer, RTNL_REPLACE, route);
	FUZZ_CHECK(message->nlmsg_len <= RTNL_REQUEST_MAX && !rtnl_route_parse(message, &once));
	FUZZ_CHECK(prefix_equal(&once.to, &to) && addr_equal(&once.via, &route->via));
	FUZZ_CHECK(addr_equal(&once.src, &route->src) && once.ifindex == route->ifindex);
	FUZZ_CHECK(once.metric == route->metric && once.mtu == route->mtu && once.onlink == route->onlink);
	start(buffer);
	rtnl_route_put(buffer, RTNL_REPLACE, &once);
	FUZZ_CHECK(!rtnl_route_parse(message, &twice) && !memcmp(&once, &twice, sizeof(once)));
	rtnl_route_format_request(RTNL_REPLACE, route, said, sizeof(said));
	FUZZ_CHECK(strlen(said) < sizeof(said) - 1);
}

static void check_rule(const struct rtnl_rule *rule)
{
	struct prefix from = prefix_mask(&rule->from), to = prefix_mask(&rule->to);
	uint8_t buffer[RTNL_REQUEST_MAX];
	const struct nlmsghdr *message = start(buffer);
	struct rtnl_rule once, twice;
	char said[SAID_MAX];

	FUZZ_CHECK(is_text(rule->iif, sizeof(rule->iif)) && is_text(rule->oif, sizeof(rule->oif)));
	rtnl_rule_put(buffer, RTNL_ADD, rule);
	FUZZ_CHECK(message->nlmsg_len <= RTNL_REQUEST_MAX && !rtnl_rule_parse(message, &once));
	FUZZ_CHECK(prefix_equal(&once.from, &from) && prefix_equal(&once.to, &to));
	FUZZ_CHECK(once.priority == rule->priority && once.invert == rule->invert);
	FUZZ_CHECK(once.fwmark == rule->fwmark && !strcmp(once.iif, rule->iif));
	start(buffer);
	rtnl_rule_put(buffer, RTNL_ADD, &once);
	FUZZ_CHECK(!rtnl_rule_parse(message, &twice) && !memcmp(&once, &twice, sizeof(once)));
	rtnl_rule_format(RTNL_ADD, rule, said, sizeof(said));
	FUZZ_CHECK(strlen(said) < sizeof(said) - 1);
}

static void check_event(const struct monitor_event *event)
{
	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		check_link(&event->link);
		break;
	case MONITOR_ADDRESS:
	case MONITOR_ADDRESS_GONE:
		check_address(&event->address);
		break;
	case MONITOR_ROUTE:
	case MONITOR_ROUTE_GONE:
		check_route(&event->route);
		break;
	case MONITOR_RULE:
	case MONITOR_RULE_GONE:
		check_rule(&event->rule);
		break;
	case MONITOR_RESYNC:
		FUZZ_CHECK(!"a message that says to list anew");
	}
}

static void take(const struct nlmsghdr *message)
{
	uint8_t mac[RTNL_MAC_BYTES];
	struct monitor_event event;
	char why[NETLINK_WHY_MAX];

	if (monitor_event_parse(message, &event) == 0)
		check_event(&event);
	if (message->nlmsg_type == RTM_NEWNEIGH)
		(void)rtnl_neighbour_parse(message, mac);
	if (message->nlmsg_type == NLMSG_ERROR)
		FUZZ_CHECK(netlink_error(message, why) <= 0 && is_text(why, sizeof(why)));
}

/* Datagrams of routing netlink: what is told, asked for, refused. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_datagram datagram = {data, size};
	const struct nlmsghdr *message;

	while ((message = netlink_datagram_next(&datagram)))
		take(message);
	return 0;
}
