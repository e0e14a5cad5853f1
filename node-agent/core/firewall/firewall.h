/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_FIREWALL_H
#define HOLDFAST_FIREWALL_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "node-agent/core/firewall/ruleset.h"
#include "proto/desired.h"

/*
 * The firewall of one gateway: what is fenced without a permit, the source address of what WireGuard sends,
 * forwarding, source NAT, and wg-quick's own tables for tunnels that carry a default route.
 *
 *   table inet holdfast   sets permit4, permit6 (virtual addresses that may be served here), permit_mark (marks of
 *                         tunnels that may send), announce6 (addresses whose neighbour solicitations may be
 *                         answered); chains source, fence_out, fence_in, forward, srcnat,
 *                         multicast_out, multicast_in
 *   table arp holdfast    set announce4; chains input, output
 *   table ip|ip6 wg-quick-X
 *
 * The table of a tunnel made by hand has no sets, and of the chains forward, srcnat and multicast_*.
 *
 * It is the same on an owner and on a standby: ownership is only in the sets' elements, which come with a timeout
 * (struct fw_permit, node-agent/io/nft/lease.h), so an agent that dies leaves a kernel that fences by itself.
 */

enum firewall_forward { FIREWALL_FORWARD_UNMANAGED, FIREWALL_FORWARD_ACCEPT, FIREWALL_FORWARD_DROP };

struct firewall_snat {
	struct prefix from;
	const char *interface; /* out of which */
	struct addr to;        /* family 0: not said, see struct firewall_tunnel */
};

struct firewall_tunnel {
	const char *interface;
	uint32_t fwmark;      /* never 0 for a tunnel behind an endpoint; 0: default routes do without */
	uint16_t listen_port; /* as bound; never 0 for a tunnel behind an endpoint */
	const struct prefix *addresses;
	size_t address_count;
	bool default_ip4,
		default_ip6; /* carries 0.0.0.0/0 or ::/0 through a table of its own: wg-quick's tables */
	enum firewall_forward forward;
	bool no_multicast; /* none goes out through it or comes in */
	bool clamp_mss;    /* TCP's MSS to the path's MTU, both ways through the tunnel */
	/* Where it does not say to which address: the endpoint's inside address; behind none it masquerades. */
	const struct firewall_snat *snat;
	size_t snat_count;
	const struct firewall_snat *masquerade; /* to the gateway's own address: does not survive a move */
	size_t masquerade_count;
};

struct firewall_inside {
	const char *interface;
	struct addr address;
};

struct firewall_endpoint {
	const char *name;
	const struct addr *dial;
	size_t dial_count;
	const struct firewall_inside *inside;
	size_t inside_count;
	const char *const *tunnels; /* interfaces */
	size_t tunnel_count;
};

/* What a kernel may lack the expressions for. */
enum firewall_part {
	FIREWALL_SPOOFING = 1 << 0, /* wg-quick's preraw: fib */
	FIREWALL_MARKING = 1 << 1,  /* wg-quick's premangle and postmangle: ct */
	FIREWALL_DROPPING = 1 << 2, /* forward, with established connections let through: ct */
	FIREWALL_TRANSLATING = 1 << 3,
	FIREWALL_CLAMPING = 1 << 4,
	FIREWALL_SILENCING = 1 << 5, /* multicast */
	FIREWALL_ALL = (1 << 6) - 1,
};

struct firewall {
	const char *scope; /* see struct fw_ruleset */
	const char *table; /* NULL: "holdfast"; a tunnel made by hand has one of its own */
	const struct firewall_tunnel *tunnels;
	size_t tunnel_count;
	const struct firewall_endpoint *endpoints;
	size_t endpoint_count;
	unsigned without; /* parts to leave out */
};

/*
 * -EINVAL with a text: an interface's name too long; an endpoint that names an unknown tunnel; a tunnel behind an
 * endpoint without mark or port; a snat rule out of an interface on which the tunnel's endpoint has no inside
 * address of that family. Free the result with fw_ruleset_free().
 */
int firewall_build(const struct firewall *firewall, struct fw_ruleset **ret_ruleset, struct err *err);

/* The same from a gateway's desired state (a tunnel carries a default route if a peer of its claims one and its table
 * is automatic). Scope is "agent". */
int firewall_from_desired(const struct desired *desired, struct fw_ruleset **ret_ruleset, struct err *err);

#endif
