/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/reconcile/convert.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "common/base/mem.h"
#include "common/base/text.h"

struct rtnl_address convert_address(const struct plan_address *from)
{
	struct rtnl_address address = {.prefix = from->prefix, .peer = from->peer};

	text_copy(address.device, sizeof(address.device), from->device);
	address.scope = from->host_scope ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	address.valid_lft_s = address.preferred_lft_s = from->lifetime_s;
	if (from->unpreferred) {
		address.flags = IFA_F_NODAD;
		address.valid_lft_s = from->lifetime_s ? from->lifetime_s : RTNL_LIFETIME_FOREVER;
		address.preferred_lft_s = 0;
	}
	return address;
}

struct rtnl_route convert_route(const struct plan_route *from)
{
	struct rtnl_route route = {.to = from->to,
		.via = from->via,
		.src = from->src,
		.table = from->table,
		.metric = from->metric,
		.onlink = from->onlink,
		.protocol = PLAN_PROTOCOL};

	if (from->unreachable)
		return (struct rtnl_route){.to = from->to,
			.table = from->table,
			.metric = from->metric,
			.protocol = route.protocol,
			.type = RTN_UNREACHABLE};
	text_copy(route.device, sizeof(route.device), from->device);
	if (from->connected) {
		route.protocol = RTPROT_KERNEL;
		route.scope = RT_SCOPE_LINK;
	}
	return route;
}

struct rtnl_rule convert_rule(const struct plan_rule *from)
{
	return (struct rtnl_rule){.family = from->family,
		.priority = from->priority,
		.has_priority = true,
		.invert = from->invert,
		.has_fwmark = from->has_fwmark,
		.fwmark = from->fwmark,
		.table = from->table,
		.has_suppress = from->has_suppress,
		.suppress_prefixlength = from->suppress_prefixlength,
		.protocol = PLAN_PROTOCOL};
}

static unsigned peer_flags(unsigned from)
{
	unsigned flags = 0;

	if (from & PLAN_PEER_REMOVE)
		return WG_PEER_REMOVE;
	if (!(from & PLAN_PEER_ADD))
		flags |= WG_PEER_UPDATE_ONLY;
	if (from & PLAN_PEER_PRESHARED_KEY)
		flags |= WG_PEER_SET_PRESHARED_KEY;
	if (from & PLAN_PEER_ENDPOINT)
		flags |= WG_PEER_SET_ENDPOINT;
	if (from & PLAN_PEER_KEEPALIVE)
		flags |= WG_PEER_SET_KEEPALIVE;
	if (from & PLAN_PEER_ALLOWED_IPS)
		flags |= WG_PEER_REPLACE_ALLOWED_IPS;
	return flags;
}

struct wg_peer_change *convert_peers(const struct plan_wireguard *from)
{
	struct wg_peer_change *peers = mem_new(from->change_count + 1, sizeof(*peers));

	for (size_t i = 0; i < from->change_count; i++) {
		const struct plan_peer *peer = &from->changes[i].peer;

		peers[i] = (struct wg_peer_change){.public_key = peer->public_key,
			.flags = peer_flags(from->changes[i].flags),
			.preshared_key = peer->preshared_key,
			.endpoint = peer->endpoint,
			.keepalive_s = peer->keepalive_s};
		if (from->changes[i].flags & PLAN_PEER_ALLOWED_IPS) {
			peers[i].allowed_ips = peer->allowed_ips;
			peers[i].allowed_ip_count = peer->allowed_ip_count;
		}
	}
	return peers;
}
