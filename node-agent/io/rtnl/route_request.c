/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/rtnl/internal.h"
#include "node-agent/io/rtnl/route.h"

/* What ip(8) takes for a scope that was not given; deleting takes any. */
static uint8_t default_scope(const struct rtnl_route *route)
{
	if (route->to.addr.family == AF_INET6)
		return RT_SCOPE_UNIVERSE;
	switch (route->type) {
	case RTN_LOCAL:
	case RTN_NAT:
		return RT_SCOPE_HOST;
	case RTN_BROADCAST:
	case RTN_MULTICAST:
	case RTN_ANYCAST:
		return RT_SCOPE_LINK;
	case RTN_UNICAST:
	case RTN_UNSPEC:
		return addr_is_set(&route->via) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	default:
		return RT_SCOPE_UNIVERSE;
	}
}

static uint16_t request_flags(enum rtnl_op op)
{
	switch (op) {
	case RTNL_ADD:
		return NLM_F_CREATE | NLM_F_EXCL;
	case RTNL_REPLACE:
		return NLM_F_CREATE | NLM_F_REPLACE;
	case RTNL_DELETE:
	case RTNL_DISCARD:
		return 0;
	}
	return 0;
}

static void put_header(struct rtmsg *header, bool remove, const struct rtnl_route *route)
{
	header->rtm_family = route->to.addr.family;
	header->rtm_dst_len = route->to.length;
	header->rtm_protocol = route->protocol;
	header->rtm_type = route->type;
	header->rtm_scope = route->scope;
	header->rtm_flags = route->onlink ? RTNH_F_ONLINK : 0;
	if (!route->scope)
		header->rtm_scope = remove ? RT_SCOPE_NOWHERE : default_scope(route);
	if (remove)
		return;
	if (!route->protocol)
		header->rtm_protocol = RTPROT_BOOT;
	if (!route->type)
		header->rtm_type = RTN_UNICAST;
}

static void put_via(struct nlmsghdr *message, const struct rtnl_route *route)
{
	struct {
		uint16_t family;
		uint8_t bytes[16];
	} other = {.family = route->via.family};

	if (!addr_is_set(&route->via))
		return;
	if (route->via.family == route->to.addr.family) {
		attribute_put_addr(message, RTA_GATEWAY, &route->via);
		return;
	}
	memcpy(other.bytes, route->via.bytes, sizeof other.bytes);
	mnl_attr_put(message, RTA_VIA, sizeof other.family + addr_bytes(&route->via), &other);
}

static void put_mtu(struct nlmsghdr *message, uint32_t mtu)
{
	struct nlattr *metrics = mnl_attr_nest_start(message, RTA_METRICS);

	mnl_attr_put_u32(message, RTAX_MTU, mtu);
	mnl_attr_nest_end(message, metrics);
}

void rtnl_route_put(void *buffer, enum rtnl_op op, const struct rtnl_route *route)
{
	bool remove = op == RTNL_DELETE || op == RTNL_DISCARD;
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct prefix to = prefix_mask(&route->to);
	struct rtmsg *header;

	message->nlmsg_type = remove ? RTM_DELROUTE : RTM_NEWROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | request_flags(op);
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	put_header(header, remove, route);
	attribute_put_addr(message, RTA_DST, &to.addr);
	mnl_attr_put_u32(message, RTA_TABLE, route->table ? route->table : RT_TABLE_MAIN);
	put_via(message, route);
	if (addr_is_set(&route->src))
		attribute_put_addr(message, RTA_PREFSRC, &route->src);
	if (route->ifindex)
		mnl_attr_put_u32(message, RTA_OIF, route->ifindex);
	if (route->metric)
		mnl_attr_put_u32(message, RTA_PRIORITY, route->metric);
	if (route->mtu && !remove)
		put_mtu(message, route->mtu);
}

/* ---- as ip(8) would say it ---- */

static const char *type_word(uint8_t type)
{
	static const char *const words[] = {[RTN_LOCAL] = "local ",
		[RTN_BROADCAST] = "broadcast ",
		[RTN_ANYCAST] = "anycast ",
		[RTN_MULTICAST] = "multicast ",
		[RTN_BLACKHOLE] = "blackhole ",
		[RTN_UNREACHABLE] = "unreachable ",
		[RTN_PROHIBIT] = "prohibit ",
		[RTN_THROW] = "throw "};

	return type < sizeof words / sizeof words[0] && words[type] ? words[type] : "";
}

static void add_addr(struct text *text, const char *word, const struct addr *addr)
{
	char buffer[ADDR_TEXT_MAX];

	if (addr_is_set(addr))
		text_add(text, " %s %s", word, addr_format(addr, buffer, sizeof buffer));
}

static void add_number(struct text *text, const char *word, uint32_t number)
{
	if (number)
		text_add(text, " %s %u", word, number);
}

static void add_via(struct text *text, const struct rtnl_route *route)
{
	bool other = addr_is_set(&route->via) && route->via.family != route->to.addr.family;

	add_addr(text, other ? "via inet6" : "via", &route->via);
	if (route->device[0])
		text_add(text, " dev %s", route->device);
	if (route->onlink)
		text_add(text, " onlink");
}

char *rtnl_route_format(const struct rtnl_route *route, char *buffer, size_t size)
{
	struct text text = {0};
	char to[PREFIX_TEXT_MAX];

	text_add(&text, "%s%s", type_word(route->type),
		route->to.length ? prefix_format(&route->to, to, sizeof to) : "default");
	add_via(&text, route);
	add_addr(&text, "src", &route->src);
	if (route->table != RT_TABLE_MAIN)
		add_number(&text, "table", route->table);
	add_number(&text, "metric", route->metric);
	add_number(&text, "mtu", route->mtu);
	text_copy(buffer, size, text.data);
	text_clear(&text);
	return buffer;
}

char *rtnl_route_format_request(enum rtnl_op op, const struct rtnl_route *route, char *buffer, size_t size)
{
	char text[RTNL_ROUTE_TEXT_MAX];

	snprintf(buffer, size, "ip %sroute %s %s", route->to.addr.family == AF_INET6 ? "-6 " : "",
		rtnl_op_word(op), rtnl_route_format(route, text, sizeof text));
	return buffer;
}
