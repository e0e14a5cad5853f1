/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/rtnl/batch.h"
#include "node-agent/io/rtnl/internal.h"

/* IFF_LOWER_UP lives in linux/if.h, which does not get along with net/if.h. */
#define LOWER_UP (1U << 16)

static bool is_well_formed(const struct nlattr *const table[], const struct ifinfomsg *header)
{
	const struct attribute_size sizes[] = {
		{IFLA_MTU, sizeof(uint32_t)},
		{IFLA_OPERSTATE, sizeof(uint8_t)},
		{IFLA_MASTER, sizeof(uint32_t)},
		{IFLA_ADDRESS, header->ifi_type == ARPHRD_ETHER ? RTNL_MAC_BYTES : 0},
	};

	return attribute_sizes_hold(table, sizes, ARRAY_COUNT(sizes));
}

/* Of a kind with a longer name than any that we look for it is a link all the same. */
static void parse_linkinfo(const struct nlattr *nest, struct rtnl_link *link)
{
	const struct nlattr *info[IFLA_INFO_MAX + 1];

	attribute_nest(nest, info, ARRAY_COUNT(info));
	(void)attribute_text(info[IFLA_INFO_KIND], link->kind, sizeof link->kind);
}

static bool parse_attributes(
	const struct nlattr *const table[], const struct ifinfomsg *header, struct rtnl_link *link)
{
	if (!is_well_formed(table, header))
		return false;
	(void)attribute_u32(table[IFLA_MTU], &link->mtu);
	(void)attribute_u8(table[IFLA_OPERSTATE], &link->operstate);
	(void)attribute_u32(table[IFLA_MASTER], &link->master);
	if (header->ifi_type == ARPHRD_ETHER)
		link->has_mac = attribute_bytes(table[IFLA_ADDRESS], link->mac, sizeof link->mac);
	parse_linkinfo(table[IFLA_LINKINFO], link);
	return attribute_text_if_any(table[IFLA_IFNAME], link->name, sizeof link->name);
}

int rtnl_link_parse(const struct nlmsghdr *message, struct rtnl_link *ret_link)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[IFLA_MAX + 1];
	struct rtnl_link link = {0};

	if (!attribute_table(message, sizeof *header, table, ARRAY_COUNT(table)))
		return -EPROTO;
	/* Bridges tell of their ports under a family of their own: that is not the link. */
	if (header->ifi_family != AF_UNSPEC || header->ifi_index <= 0)
		return -EPROTO;
	if (!parse_attributes(table, header, &link))
		return -EPROTO;
	link.ifindex = (unsigned)header->ifi_index;
	link.flags = header->ifi_flags;
	link.up = header->ifi_flags & IFF_UP;
	link.carrier = header->ifi_flags & LOWER_UP;
	*ret_link = link;
	return 0;
}

static struct nlmsghdr *put_header(
	void *buffer, uint16_t type, uint16_t flags, const char *name, struct ifinfomsg **ret_header)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	*ret_header = mnl_nlmsg_put_extra_header(message, sizeof **ret_header);
	if (name)
		mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return message;
}

void rtnl_link_put_create(void *buffer, const char *name, const char *kind, int netns_fd)
{
	struct ifinfomsg *header;
	struct nlmsghdr *message = put_header(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name, &header);
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);

	mnl_attr_put_strz(message, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(message, info);
	if (netns_fd >= 0)
		mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns_fd);
}

void rtnl_link_put_move(void *buffer, const char *name, int netns_fd)
{
	struct ifinfomsg *header;
	struct nlmsghdr *message = put_header(buffer, RTM_SETLINK, 0, name, &header);

	mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns_fd);
}

void rtnl_link_put_delete(void *buffer, const char *name)
{
	struct ifinfomsg *header;

	put_header(buffer, RTM_DELLINK, 0, name, &header);
}

void rtnl_link_put_change(void *buffer, const struct rtnl_link_change *change)
{
	struct ifinfomsg *header;
	struct nlmsghdr *message = put_header(buffer, RTM_SETLINK, 0, change->name, &header);

	if (change->set & (RTNL_LINK_UP | RTNL_LINK_DOWN)) {
		header->ifi_change = IFF_UP;
		header->ifi_flags = change->set & RTNL_LINK_UP ? IFF_UP : 0;
	}
	if (change->set & (RTNL_LINK_MULTICAST_ON | RTNL_LINK_MULTICAST_OFF)) {
		header->ifi_change |= IFF_MULTICAST;
		header->ifi_flags |= change->set & RTNL_LINK_MULTICAST_ON ? IFF_MULTICAST : 0;
	}
	if (change->set & RTNL_LINK_MTU)
		mnl_attr_put_u32(message, IFLA_MTU, change->mtu);
}

char *rtnl_link_format_change(const struct rtnl_link_change *change, char *buffer, size_t size)
{
	char mtu[24] = "";

	if (change->set & RTNL_LINK_MTU)
		snprintf(mtu, sizeof mtu, " mtu %u", change->mtu);
	snprintf(buffer, size, "ip link set %s%s%s%s%s%s", change->name, mtu,
		change->set & RTNL_LINK_DOWN ? " down" : "", change->set & RTNL_LINK_UP ? " up" : "",
		change->set & RTNL_LINK_MULTICAST_ON ? " multicast on" : "",
		change->set & RTNL_LINK_MULTICAST_OFF ? " multicast off" : "");
	return buffer;
}

/* ---- asking ---- */

static int take_link(const struct nlmsghdr *message, void *context)
{
	return message->nlmsg_type == RTM_NEWLINK ? rtnl_link_parse(message, context) : 0;
}

static int get(struct rtnl *rtnl, const char *name, unsigned ifindex, struct rtnl_link *ret_link)
{
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};
	struct ifinfomsg *header;
	struct nlmsghdr *message = put_header(buffer, RTM_GETLINK, 0, name, &header);
	struct rtnl_link link = {0};
	int r;

	header->ifi_index = (int)ifindex;
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = netlink_talk(rtnl->netlink, message, take_link, &link);
	if (r < 0)
		return r;
	if (link.ifindex == 0)
		return -ENODEV;
	*ret_link = link;
	return 0;
}

int rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *ret_link, struct err *err)
{
	int r = rtnl_is_device_name(name) ? get(rtnl, name, 0, ret_link) : -EINVAL;

	if (r == -EINVAL)
		return err_set(err, r, "'%.32s' cannot be the name of an interface", name ? name : "");
	if (r == -ENODEV)
		return err_set(err, r, "%s: there is no such interface", name);
	return r < 0 ? err_set(err, r, "ip link show %s: %s", name, strerror(-r)) : 0;
}

int rtnl_link_get_index(struct rtnl *rtnl, unsigned ifindex, struct rtnl_link *ret_link, struct err *err)
{
	int r = get(rtnl, NULL, ifindex, ret_link);

	return r < 0 ? err_set(err, r, "interface %u: %s", ifindex, strerror(-r)) : 0;
}

struct link_dump {
	struct rtnl_list list;
	const char *kind;
};

static int take_listed(const struct nlmsghdr *message, void *context)
{
	struct link_dump *dump = context;
	struct rtnl_link link;

	if (message->nlmsg_type != RTM_NEWLINK || rtnl_link_parse(message, &link) < 0)
		return 0;
	/* The kernel only filters by a kind whose module is loaded. */
	if (dump->kind && strcmp(dump->kind, link.kind) != 0)
		return 0;
	return rtnl_list_add(&dump->list, &link);
}

static void forget_listed(void *context)
{
	struct link_dump *dump = context;

	dump->list.count = 0;
}

static struct nlmsghdr *put_list(void *buffer, const char *kind)
{
	struct ifinfomsg *header;
	struct nlmsghdr *message = put_header(buffer, RTM_GETLINK, 0, NULL, &header);
	struct nlattr *info;

	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (!kind)
		return message;
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(message, info);
	return message;
}

int rtnl_link_list(
	struct rtnl *rtnl, const char *kind, struct rtnl_link **ret_links, size_t *ret_count, struct err *err)
{
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};
	struct link_dump dump = {.list = {.item_size = sizeof(struct rtnl_link)}, .kind = kind};
	int r = netlink_dump(rtnl->netlink, put_list(buffer, kind), take_listed, forget_listed, &dump);

	if (r < 0) {
		free(dump.list.items);
		return err_set(err, r, "ip link show: %s", strerror(-r));
	}
	*ret_links = dump.list.items;
	*ret_count = dump.list.count;
	return 0;
}

/* ---- changing: a batch of one ---- */

int rtnl_link_create(struct rtnl *rtnl, const char *name, const char *kind, struct err *err)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	int r;

	rtnl_batch_link_create(batch, name, kind);
	r = rtnl_batch_run(rtnl, batch, err);
	rtnl_batch_free(batch);
	return r;
}

int rtnl_link_delete(struct rtnl *rtnl, const char *name, struct err *err)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	int r;

	rtnl_batch_link_delete(batch, name);
	r = rtnl_batch_run(rtnl, batch, err);
	rtnl_batch_free(batch);
	return r;
}

int rtnl_link_change(struct rtnl *rtnl, const struct rtnl_link_change *change, struct err *err)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	int r;

	rtnl_batch_link_change(batch, change);
	r = rtnl_batch_run(rtnl, batch, err);
	rtnl_batch_free(batch);
	return r;
}

/* ---- across namespaces ---- */

static int talk_across(struct rtnl *rtnl, void *message, const char *verb, const char *name, struct err *err)
{
	const char *why;
	int r = netlink_talk(rtnl->netlink, message, NULL, NULL);

	if (r >= 0)
		return 0;
	why = netlink_why(rtnl->netlink);
	return err_set(err, r, "ip link %s %s netns ...: %s%s%s%s", verb, name, strerror(-r),
		why[0] ? " (" : "", why, why[0] ? ")" : "");
}

int rtnl_link_create_in(struct rtnl *rtnl, const char *name, const char *kind, int netns_fd, struct err *err)
{
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};

	rtnl_link_put_create(buffer, name, kind, netns_fd);
	return talk_across(rtnl, buffer, "add", name, err);
}

int rtnl_link_move(struct rtnl *rtnl, const char *name, int netns_fd, struct err *err)
{
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};

	rtnl_link_put_move(buffer, name, netns_fd);
	return talk_across(rtnl, buffer, "set", name, err);
}
