/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/neighbour.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "node-agent/io/rtnl/internal.h"

enum { VALID = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY };

struct found {
	int result;
	uint8_t mac[RTNL_MAC_BYTES];
};

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
	const struct ndmsg *head = mnl_nlmsg_get_payload(message);
	struct found *found = context;
	struct nlattr *attribute;

	if (message->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(message) < sizeof(*head))
		return 0;
	mnl_attr_for_each(attribute, message, sizeof(*head))
	{
		if (mnl_attr_get_type(attribute) != NDA_LLADDR || !(head->ndm_state & VALID))
			continue;
		found->result = mnl_attr_get_payload_len(attribute) == RTNL_MAC_BYTES ? 0 : -EAFNOSUPPORT;
		if (found->result == 0)
			memcpy(found->mac, mnl_attr_get_payload(attribute), RTNL_MAC_BYTES);
	}
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
