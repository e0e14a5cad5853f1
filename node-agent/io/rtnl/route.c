/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/rtnl/batch.h"
#include "node-agent/io/rtnl/internal.h"

/* ---- reading ---- */

static bool is_well_formed(const struct nlattr *const table[], int family)
{
	const size_t addr_size = family == AF_INET ? 4 : 16;
	const struct attribute_size sizes[] = {
		{RTA_DST, addr_size},
		{RTA_PREFSRC, addr_size},
		{RTA_GATEWAY, addr_size},
		{RTA_VIA, sizeof(uint16_t)},
		{RTA_OIF, sizeof(uint32_t)},
		{RTA_TABLE, sizeof(uint32_t)},
		{RTA_PRIORITY, sizeof(uint32_t)},
		{RTA_MULTIPATH, sizeof(struct rtnexthop)},
	};

	return attribute_sizes_hold(table, sizes, ARRAY_COUNT(sizes));
}

/* False: it is malformed. */
static bool parse_via(const struct nlattr *const table[], int family, struct rtnl_route *route)
{
	struct {
		uint16_t family;
		uint8_t bytes[16];
	} other;

	if (attribute_addr(table[RTA_GATEWAY], family, &route->via))
		return true;
	/* struct rtvia: so far the kernel only has IPv6 gateways of IPv4 routes. */
	if (!attribute_u16(table[RTA_VIA], &other.family) || other.family != AF_INET6)
		return true;
	if (!attribute_bytes(table[RTA_VIA], &other, sizeof other))
		return false;
	route->via.family = AF_INET6;
	memcpy(route->via.bytes, other.bytes, sizeof other.bytes);
	return true;
}

/* The first next hop stands for all; that there are more is all we say of them. */
static bool parse_multipath(const struct nlattr *nest, int family, struct rtnl_route *route)
{
	const struct nlattr *table[RTA_MAX + 1];
	struct rtnexthop hop;
	const char *payload;

	if (!attribute_bytes(nest, &hop, sizeof hop) || hop.rtnh_len < sizeof hop ||
		hop.rtnh_len > mnl_attr_get_payload_len(nest))
		return false;
	payload = mnl_attr_get_payload(nest);
	attribute_span(payload + sizeof hop, hop.rtnh_len - sizeof hop, table, ARRAY_COUNT(table));
	route->multipath = true;
	route->ifindex = (unsigned)hop.rtnh_ifindex;
	route->onlink = hop.rtnh_flags & RTNH_F_ONLINK;
	return is_well_formed(table, family) && parse_via(table, family, route);
}

static bool parse_metrics(const struct nlattr *nest, struct rtnl_route *route)
{
	static const struct attribute_size mtu = {RTAX_MTU, sizeof(uint32_t)};
	const struct nlattr *metrics[RTAX_MAX + 1];

	attribute_nest(nest, metrics, ARRAY_COUNT(metrics));
	(void)attribute_u32(metrics[RTAX_MTU], &route->mtu);
	return attribute_sizes_hold(metrics, &mtu, 1);
}

static void parse_header(const struct rtmsg *header, struct rtnl_route *route)
{
	route->to.addr.family = header->rtm_family;
	route->to.length = header->rtm_dst_len;
	route->table = header->rtm_table;
	route->protocol = header->rtm_protocol;
	route->scope = header->rtm_scope;
	route->type = header->rtm_type;
	route->onlink = header->rtm_flags & RTNH_F_ONLINK;
}

static bool parse_attributes(const struct nlattr *const table[], int family, struct rtnl_route *route)
{
	if (!is_well_formed(table, family) || (route->to.length && !table[RTA_DST]))
		return false;
	(void)attribute_addr(table[RTA_DST], family, &route->to.addr);
	(void)attribute_addr(table[RTA_PREFSRC], family, &route->src);
	(void)attribute_u32(table[RTA_OIF], &route->ifindex);
	(void)attribute_u32(table[RTA_TABLE], &route->table);
	(void)attribute_u32(table[RTA_PRIORITY], &route->metric);
	return parse_metrics(table[RTA_METRICS], route) && parse_via(table, family, route) &&
	       (!table[RTA_MULTIPATH] || parse_multipath(table[RTA_MULTIPATH], family, route));
}

int rtnl_route_parse(const struct nlmsghdr *message, struct rtnl_route *ret_route)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[RTA_MAX + 1];
	struct rtnl_route route = {0};

	if (!attribute_table(message, sizeof *header, table, ARRAY_COUNT(table)))
		return -EPROTO;
	if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6)
		return -EPROTO;
	parse_header(header, &route);
	if (route.to.length > addr_bits(&route.to.addr))
		return -EPROTO;
	if (!parse_attributes(table, header->rtm_family, &route))
		return -EPROTO;
	*ret_route = route;
	return 0;
}

/* ---- listing ---- */

struct route_dump {
	struct rtnl_list list;
	const struct rtnl_route_filter *filter;
	size_t before; /* how many there were before this dump: the other family's */
};

static bool is_wanted(const struct rtnl_route_filter *filter, const struct rtnl_route *route)
{
	return (!filter->table || filter->table == route->table) &&
	       (!filter->protocol || filter->protocol == route->protocol) &&
	       (!filter->type || filter->type == route->type) &&
	       (!filter->ifindex || filter->ifindex == route->ifindex);
}

static int take_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct route_dump *dump = context;
	struct rtnl_route route;

	if (message->nlmsg_type != RTM_NEWROUTE || rtnl_route_parse(message, &route) < 0)
		return 0;
	if (header->rtm_flags & RTM_F_CLONED || !is_wanted(dump->filter, &route))
		return 0;
	return rtnl_list_add(&dump->list, &route);
}

static void forget_routes(void *context)
{
	struct route_dump *dump = context;

	dump->list.count = dump->before;
}

static int dump_family(struct rtnl *rtnl, int family, struct route_dump *dump)
{
	const struct rtnl_route_filter *filter = dump->filter;
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header;
	int r;

	if (filter->family && filter->family != family)
		return 0;
	dump->before = dump->list.count;
	message->nlmsg_type = RTM_GETROUTE;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->rtm_family = (uint8_t)family;
	header->rtm_protocol = filter->protocol;
	header->rtm_type = filter->type;
	if (filter->table)
		mnl_attr_put_u32(message, RTA_TABLE, filter->table);
	if (filter->ifindex)
		mnl_attr_put_u32(message, RTA_OIF, filter->ifindex);
	r = netlink_dump(rtnl->netlink, message, take_route, forget_routes, dump);
	/* A table or a device that is not there has no routes; neither has a family that is switched off. */
	return r == -ENOENT || r == -ENODEV || r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

int rtnl_route_list(struct rtnl *rtnl, const struct rtnl_route_filter *filter, struct rtnl_route **ret_routes,
	size_t *ret_count, struct err *err)
{
	struct route_dump dump = {.list = {.item_size = sizeof(struct rtnl_route)}, .filter = filter};
	struct rtnl_route *routes;
	size_t i;
	int r = dump_family(rtnl, AF_INET, &dump);

	if (r == 0)
		r = dump_family(rtnl, AF_INET6, &dump);
	if (r < 0) {
		free(dump.list.items);
		return err_set(err, r, "ip route show: %s", strerror(-r));
	}
	rtnl_names_forget(rtnl);
	routes = dump.list.items;
	for (i = 0; i < dump.list.count; i++)
		rtnl_name_of(rtnl, routes[i].ifindex, routes[i].device);
	*ret_routes = routes;
	*ret_count = dump.list.count;
	return 0;
}

/* ---- looking up ---- */

static struct nlmsghdr *put_lookup(void *buffer, const struct rtnl_route_query *query)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header;

	message->nlmsg_type = RTM_GETROUTE;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->rtm_family = query->to.family;
	header->rtm_dst_len = (uint8_t)addr_bits(&query->to);
	/* IPv6 says where it found the route anyway, and refuses the flag. */
	header->rtm_flags = query->to.family == AF_INET ? RTM_F_LOOKUP_TABLE : 0;
	attribute_put_addr(message, RTA_DST, &query->to);
	if (addr_is_set(&query->from)) {
		header->rtm_src_len = (uint8_t)addr_bits(&query->from);
		attribute_put_addr(message, RTA_SRC, &query->from);
	}
	if (query->mark)
		mnl_attr_put_u32(message, RTA_MARK, query->mark);
	if (query->oif)
		mnl_attr_put_u32(message, RTA_OIF, query->oif);
	if (query->iif)
		mnl_attr_put_u32(message, RTA_IIF, query->iif);
	return message;
}

static int take_lookup(const struct nlmsghdr *message, void *context)
{
	return message->nlmsg_type == RTM_NEWROUTE ? rtnl_route_parse(message, context) : 0;
}

int rtnl_route_lookup(struct rtnl *rtnl, const struct rtnl_route_query *query, struct rtnl_route *ret_route,
	struct err *err)
{
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};
	struct rtnl_route route = {0};
	char to[ADDR_TEXT_MAX];
	int r = -EINVAL;

	if (addr_is_set(&query->to))
		r = netlink_talk(rtnl->netlink, put_lookup(buffer, query), take_lookup, &route);
	if (r == 0 && !addr_is_set(&route.to.addr))
		r = -EPROTO;
	if (r < 0)
		return err_set(err, r, "ip route get %s mark 0x%x: %s",
			addr_format(&query->to, to, sizeof to), query->mark, strerror(-r));
	rtnl_names_forget(rtnl);
	rtnl_name_of(rtnl, route.ifindex, route.device);
	*ret_route = route;
	return 0;
}

int rtnl_route_request(struct rtnl *rtnl, enum rtnl_op op, const struct rtnl_route *route, struct err *err)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	int r;

	rtnl_batch_route(batch, op, route);
	r = rtnl_batch_run(rtnl, batch, err);
	rtnl_batch_free(batch);
	return r;
}
