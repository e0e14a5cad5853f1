/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/address.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/rtnl/batch.h"
#include "node-agent/io/rtnl/internal.h"

static bool is_ip(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool is_well_formed(const struct nlattr *const table[], int family)
{
	const size_t addr_size = family == AF_INET ? 4 : 16;
	const struct attribute_size sizes[] = {
		{IFA_ADDRESS, addr_size},
		{IFA_LOCAL, addr_size},
		{IFA_FLAGS, sizeof(uint32_t)},
		{IFA_CACHEINFO, sizeof(struct ifa_cacheinfo)},
	};

	return attribute_sizes_hold(table, sizes, ARRAY_COUNT(sizes));
}

static void parse_lifetimes(const struct nlattr *attribute, struct rtnl_address *address)
{
	struct ifa_cacheinfo info;

	address->valid_lft_s = address->preferred_lft_s = RTNL_LIFETIME_FOREVER;
	if (!attribute_bytes(attribute, &info, sizeof info))
		return;
	address->valid_lft_s = info.ifa_valid;
	address->preferred_lft_s = info.ifa_prefered;
}

int rtnl_address_parse(const struct nlmsghdr *message, struct rtnl_address *ret_address)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[IFA_MAX + 1];
	struct rtnl_address address = {0};

	if (!attribute_table(message, sizeof *header, table, ARRAY_COUNT(table)) ||
		!is_ip(header->ifa_family) || !is_well_formed(table, header->ifa_family))
		return -EPROTO;
	/* Of a point-to-point address IFA_LOCAL is ours, and IFA_ADDRESS the peer's. */
	(void)attribute_addr(table[IFA_ADDRESS], header->ifa_family, &address.peer);
	if (!attribute_addr(table[IFA_LOCAL], header->ifa_family, &address.prefix.addr))
		address.prefix.addr = address.peer;
	if (!addr_is_set(&address.prefix.addr))
		return -EPROTO;
	if (addr_equal(&address.prefix.addr, &address.peer))
		address.peer = (struct addr){0};
	if (header->ifa_prefixlen > addr_bits(&address.prefix.addr))
		return -EPROTO;
	address.prefix.length = header->ifa_prefixlen;
	address.ifindex = header->ifa_index;
	address.scope = header->ifa_scope;
	address.flags = header->ifa_flags;
	(void)attribute_u32(table[IFA_FLAGS], &address.flags);
	parse_lifetimes(table[IFA_CACHEINFO], &address);
	*ret_address = address;
	return 0;
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

static void put_properties(
	struct nlmsghdr *message, struct ifaddrmsg *header, const struct rtnl_address *address)
{
	struct ifa_cacheinfo info = {
		.ifa_valid = address->valid_lft_s, .ifa_prefered = address->preferred_lft_s};

	header->ifa_scope = address->scope;
	header->ifa_flags = (uint8_t)address->flags;
	if (address->flags)
		mnl_attr_put_u32(message, IFA_FLAGS, address->flags);
	if (address->valid_lft_s)
		mnl_attr_put(message, IFA_CACHEINFO, sizeof info, &info);
}

void rtnl_address_put(void *buffer, enum rtnl_op op, const struct rtnl_address *address)
{
	bool remove = op == RTNL_DELETE || op == RTNL_DISCARD;
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *header;

	message->nlmsg_type = remove ? RTM_DELADDR : RTM_NEWADDR;
	message->nlmsg_flags = NLM_F_REQUEST | request_flags(op);
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->ifa_family = address->prefix.addr.family;
	header->ifa_prefixlen = address->prefix.length;
	header->ifa_index = address->ifindex;
	attribute_put_addr(message, IFA_LOCAL, &address->prefix.addr);
	attribute_put_addr(
		message, IFA_ADDRESS, addr_is_set(&address->peer) ? &address->peer : &address->prefix.addr);
	if (!remove)
		put_properties(message, header, address);
}

static const char *scope_word(uint8_t scope)
{
	if (scope == RT_SCOPE_HOST)
		return " scope host";
	return scope == RT_SCOPE_LINK ? " scope link" : "";
}

static void format_lifetime(uint32_t seconds, char text[16])
{
	if (seconds == RTNL_LIFETIME_FOREVER)
		snprintf(text, 16, "forever");
	else
		snprintf(text, 16, "%u", seconds);
}

char *rtnl_address_format(enum rtnl_op op, const struct rtnl_address *address, char *buffer, size_t size)
{
	struct prefix far = {.addr = address->peer, .length = address->prefix.length};
	char local[PREFIX_TEXT_MAX], peer[PREFIX_TEXT_MAX] = "";
	char lifetimes[64] = "", valid[16], preferred[16];
	bool remove = op == RTNL_DELETE || op == RTNL_DISCARD;

	if (address->valid_lft_s) {
		format_lifetime(address->valid_lft_s, valid);
		format_lifetime(address->preferred_lft_s, preferred);
		snprintf(lifetimes, sizeof lifetimes, " valid_lft %s preferred_lft %s", valid, preferred);
	}
	if (addr_is_set(&far.addr)) {
		addr_format(&address->prefix.addr, local, sizeof local);
		prefix_format(&far, peer, sizeof peer);
	} else {
		prefix_format(&address->prefix, local, sizeof local);
	}
	snprintf(buffer, size, "ip addr %s %s%s%s dev %s%s%s%s%s", rtnl_op_word(op), local,
		peer[0] ? " peer " : "", peer, address->device, remove ? "" : scope_word(address->scope),
		remove ? "" : lifetimes, !remove && address->flags & IFA_F_NODAD ? " nodad" : "",
		!remove && address->flags & IFA_F_NOPREFIXROUTE ? " noprefixroute" : "");
	return buffer;
}

/* ---- asking ---- */

struct address_dump {
	struct rtnl_list list;
	unsigned ifindex;
};

static int take_address(const struct nlmsghdr *message, void *context)
{
	struct address_dump *dump = context;
	struct rtnl_address address;

	if (message->nlmsg_type != RTM_NEWADDR || rtnl_address_parse(message, &address) < 0)
		return 0;
	if (dump->ifindex && dump->ifindex != address.ifindex)
		return 0;
	return rtnl_list_add(&dump->list, &address);
}

static void forget_addresses(void *context)
{
	struct address_dump *dump = context;

	dump->list.count = 0;
}

static int dump_addresses(struct rtnl *rtnl, int family, struct address_dump *dump)
{
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *header;

	message->nlmsg_type = RTM_GETADDR;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->ifa_family = (uint8_t)family;
	/* The kernel could restrict it to a device, but does not notice then that a change interrupted the dump. */
	return netlink_dump(rtnl->netlink, message, take_address, forget_addresses, dump);
}

int rtnl_address_list(struct rtnl *rtnl, const char *device, int family, struct rtnl_address **ret_addresses,
	size_t *ret_count, struct err *err)
{
	struct address_dump dump = {.list = {.item_size = sizeof(struct rtnl_address)}};
	struct rtnl_address *addresses;
	size_t i;
	int r = 0;

	rtnl_names_forget(rtnl);
	if (device)
		r = rtnl_index_of(rtnl, device, &dump.ifindex);
	if (r == 0)
		r = dump_addresses(rtnl, family, &dump);
	if (r < 0) {
		free(dump.list.items);
		return err_set(err, r, "ip addr show%s%s: %s", device ? " dev " : "", device ? device : "",
			strerror(-r));
	}
	addresses = dump.list.items;
	for (i = 0; i < dump.list.count; i++)
		rtnl_name_of(rtnl, addresses[i].ifindex, addresses[i].device);
	*ret_addresses = addresses;
	*ret_count = dump.list.count;
	return 0;
}

int rtnl_address_request(
	struct rtnl *rtnl, enum rtnl_op op, const struct rtnl_address *address, struct err *err)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	int r;

	rtnl_batch_address(batch, op, address);
	r = rtnl_batch_run(rtnl, batch, err);
	rtnl_batch_free(batch);
	return r;
}
