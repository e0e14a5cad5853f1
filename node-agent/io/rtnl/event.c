/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "node-agent/io/rtnl/internal.h"

static int parse_link(const struct nlmsghdr *message, enum monitor_kind kind, struct monitor_event *ret_event)
{
	struct monitor_event event = {.kind = kind};

	if (rtnl_link_parse(message, &event.link) < 0)
		return -EPROTO;
	*ret_event = event;
	return 0;
}

static int parse_address(
	const struct nlmsghdr *message, enum monitor_kind kind, struct monitor_event *ret_event)
{
	struct monitor_event event = {.kind = kind};

	if (rtnl_address_parse(message, &event.address) < 0)
		return -EPROTO;
	*ret_event = event;
	return 0;
}

static int parse_route(
	const struct nlmsghdr *message, enum monitor_kind kind, struct monitor_event *ret_event)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct monitor_event event = {.kind = kind};

	if (rtnl_route_parse(message, &event.route) < 0 || header->rtm_flags & RTM_F_CLONED)
		return -EPROTO;
	*ret_event = event;
	return 0;
}

static int parse_rule(const struct nlmsghdr *message, enum monitor_kind kind, struct monitor_event *ret_event)
{
	struct monitor_event event = {.kind = kind};

	if (rtnl_rule_parse(message, &event.rule) < 0)
		return -EPROTO;
	*ret_event = event;
	return 0;
}

int monitor_event_parse(const struct nlmsghdr *message, struct monitor_event *ret_event)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		return parse_link(message, MONITOR_LINK, ret_event);
	case RTM_DELLINK:
		return parse_link(message, MONITOR_LINK_GONE, ret_event);
	case RTM_NEWADDR:
		return parse_address(message, MONITOR_ADDRESS, ret_event);
	case RTM_DELADDR:
		return parse_address(message, MONITOR_ADDRESS_GONE, ret_event);
	case RTM_NEWROUTE:
		return parse_route(message, MONITOR_ROUTE, ret_event);
	case RTM_DELROUTE:
		return parse_route(message, MONITOR_ROUTE_GONE, ret_event);
	case RTM_NEWRULE:
		return parse_rule(message, MONITOR_RULE, ret_event);
	case RTM_DELRULE:
		return parse_rule(message, MONITOR_RULE_GONE, ret_event);
	}
	return -EPROTO;
}
