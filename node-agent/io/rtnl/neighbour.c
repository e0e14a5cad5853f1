/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/neighbour.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/rtnl/attribute.h"
#include "node-agent/io/rtnl/internal.h"

enum { VALID = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY };

struct found {
	int result;
	uint8_t mac[RTNL_MAC_BYTES];
};

int rtnl_neighbour_parse(const struct nlmsghdr *message, uint8_t ret_mac[RTNL_MAC_BYTES])
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[NDA_MAX + 1];

	if (!attribute_table(message, sizeof(*header), table, ARRAY_COUNT(table)))
		return -EPROTO;
	if (!table[NDA_LLADDR] || !(header->ndm_state & VALID))
		return -ENOENT;
	if (mnl_attr_get_payload_len(table[NDA_LLADDR]) != RTNL_MAC_BYTES)
		return -EAFNOSUPPORT;
	memcpy(ret_mac, mnl_attr_get_payload(table[NDA_LLADDR]), RTNL_MAC_BYTES);
	return 0;
}

static struct nlmsghdr *put_question(void *buffer, unsigned ifindex, const struct addr *address)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ndmsg *head = mnl_nlmsg_put_extra_header(message, sizeof(*head));

	message->nlmsg_type = RTM_GETNEIGH;
	message->nlmsg_flags = NLM_F_REQUEST;
	head->ndm_family = address->family;
	head->ndm_ifindex = (int)ifindex;
	mnl_attr_put(message, NDA_DST, addr_bytes(address), address->bytes);
	return message;
}

static int take(const struct nlmsghdr *message, void *context)
{
	struct found *found = context;

	if (message->nlmsg_type == RTM_NEWNEIGH)
		found->result = rtnl_neighbour_parse(message, found->mac);
	return 0;
}

int rtnl_neighbour_get(struct rtnl *rtnl, unsigned ifindex, const struct addr *address,
	uint8_t ret_mac[RTNL_MAC_BYTES], struct err *err)
{
	uint8_t buffer[RTNL_REQUEST_MAX] = {0};
	struct found found = {.result = -ENOENT};
	char text[ADDR_TEXT_MAX];
	int r = netlink_talk(rtnl->netlink, put_question(buffer, ifindex, address), take, &found);

	if (r == 0)
		r = found.result;
	if (r < 0)
		return err_set(
			err, r, "neighbour %s: %s", addr_format(address, text, sizeof(text)), strerror(-r));
	memcpy(ret_mac, found.mac, RTNL_MAC_BYTES);
	return 0;
}
