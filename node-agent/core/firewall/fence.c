/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include "node-agent/core/firewall/compose.h"
#include "node-agent/core/firewall/parts.h"

/*
 * The fence. A gateway without a permit neither takes nor sends anything in the name of a virtual address.
 *
 * Traffic through lo is let through on owner and standby alike: a virtual address is local on every member of the
 * pool, so what a program here sends to it never leaves this host, and cannot disturb the owner. Dropped it would
 * hang until it times out (a resolver, a health check of something else); let through it is answered or refused at
 * once, by this host.
 */
enum {
	PRIORITY_SOURCE = -350,    /* before connection tracking (-200), which must see the right source */
	PRIORITY_FENCE_OUT = -340, /* after the source is right: judge what would leave */
	PRIORITY_FENCE_IN = -300,  /* raw: before connection tracking spends anything on it */
	PRIORITY_ARP = 0,
};

typedef void (*each_address)(struct fw_chain *chain, const struct addr *address);

static void for_each_address(const struct firewall *firewall, struct fw_chain *chain, each_address add)
{
	for (size_t e = 0; e < firewall->endpoint_count; e++) {
		const struct firewall_endpoint *endpoint = &firewall->endpoints[e];
		for (size_t i = 0; i < endpoint->dial_count; i++)
			add(chain, &endpoint->dial[i]);
		for (size_t i = 0; i < endpoint->inside_count; i++)
			add(chain, &endpoint->inside[i].address);
	}
}

/* All tunnels of all endpoints. */
typedef void (*each_tunnel)(struct fw_chain *chain, const struct firewall_endpoint *endpoint,
	const struct firewall_tunnel *tunnel);

static void for_each_tunnel(const struct firewall *firewall, struct fw_chain *chain, each_tunnel add)
{
	for (size_t e = 0; e < firewall->endpoint_count; e++) {
		const struct firewall_endpoint *endpoint = &firewall->endpoints[e];
		for (size_t t = 0; t < endpoint->tunnel_count; t++)
			add(chain, endpoint, firewall_tunnel_named(firewall, endpoint->tunnels[t]));
	}
}

/* What WireGuard sends: the mark says which tunnel, the port says that it is not somebody else's use of the mark. */
static struct fw_rule *add_rule_for_tunnel(struct fw_chain *chain, const struct firewall_tunnel *tunnel)
{
	struct fw_rule *rule = fw_add_rule(chain);
	rule_mark(rule, tunnel->fwmark);
	rule_udp_sport(rule, tunnel->listen_port);
	return rule;
}

/* The first dial address of a family is what a tunnel sends from; it may also send from the others, which WireGuard
 * remembers for a peer that dialled one of them. */
static void add_source_of_family(struct fw_chain *chain, const struct firewall_endpoint *endpoint,
	const struct firewall_tunnel *tunnel, uint8_t family)
{
	const struct addr *first = NULL;
	for (size_t i = 0; i < endpoint->dial_count; i++) {
		const struct addr *dial = &endpoint->dial[i];
		if (dial->family != family)
			continue;
		if (!first) {
			first = dial;
			continue;
		}
		struct fw_rule *rule = add_rule_for_tunnel(chain, tunnel);
		rule_nfproto(rule, family);
		rule_ip(rule, FW_SOURCE, FW_EQUAL, dial);
		rule_accept(rule);
	}
	if (!first)
		return;
	struct fw_rule *rule = add_rule_for_tunnel(chain, tunnel);
	rule_nfproto(rule, family);
	rule_ip(rule, FW_SOURCE, FW_NOT_EQUAL, first);
	rule_ip_set(rule, FW_SOURCE, first);
}

static void add_source(struct fw_chain *chain, const struct firewall_endpoint *endpoint,
	const struct firewall_tunnel *tunnel)
{
	add_source_of_family(chain, endpoint, tunnel, AF_INET);
	add_source_of_family(chain, endpoint, tunnel, AF_INET6);
}

/* Type filter, not route: the packet keeps the way it was routed. */
void firewall_add_source(const struct firewall *firewall, struct fw_table *inet)
{
	struct fw_chain *chain = fw_add_chain(inet, "source", FW_FILTER, FW_OUTPUT, PRIORITY_SOURCE);
	for_each_tunnel(firewall, chain, add_source);
}

static void fence_tunnel(struct fw_chain *chain, const struct firewall_endpoint *endpoint,
	const struct firewall_tunnel *tunnel)
{
	(void)endpoint;
	struct fw_rule *rule = add_rule_for_tunnel(chain, tunnel);
	rule_mark_not_in(rule, FW_PERMIT_MARK);
	rule_count_and_drop(rule);
}

static void fence_address(struct fw_chain *chain, enum fw_side side, const struct addr *address)
{
	struct fw_rule *rule = fw_add_rule(chain);
	rule_nfproto(rule, address->family);
	rule_ip(rule, side, FW_EQUAL, address);
	rule_ip_not_in(rule, side, address, address->family == AF_INET ? FW_PERMIT4 : FW_PERMIT6);
	rule_count_and_drop(rule);
}

/* ND is judged by its target: source and destination of the packet are other addresses. */
static void fence_nd(struct fw_chain *chain, uint8_t type, const struct addr *address)
{
	if (address->family != AF_INET6)
		return;
	struct fw_rule *rule = fw_add_rule(chain);
	rule_nfproto(rule, AF_INET6);
	rule_icmpv6_type(rule, type);
	rule_nd_target(rule, address);
	rule_nd_target_not_in(rule, FW_ANNOUNCE6);
	rule_count_and_drop(rule);
}

static void fence_address_in(struct fw_chain *chain, const struct addr *address)
{
	fence_address(chain, FW_DESTINATION, address);
	/* Advertisements of the owner may come in: a standby talks to an inside address like any host. */
	fence_nd(chain, ND_NEIGHBOR_SOLICIT, address);
}

static void fence_address_out(struct fw_chain *chain, const struct addr *address)
{
	fence_address(chain, FW_SOURCE, address);
	fence_nd(chain, ND_NEIGHBOR_ADVERT, address);
}

void firewall_add_fence(const struct firewall *firewall, struct fw_table *inet)
{
	struct fw_chain *out = fw_add_chain(inet, "fence_out", FW_FILTER, FW_OUTPUT, PRIORITY_FENCE_OUT);
	struct fw_rule *rule = fw_add_rule(out);
	rule_oifname(rule, FW_EQUAL, "lo");
	rule_accept(rule);
	for_each_tunnel(firewall, out, fence_tunnel);
	for_each_address(firewall, out, fence_address_out);

	struct fw_chain *in = fw_add_chain(inet, "fence_in", FW_FILTER, FW_PREROUTING, PRIORITY_FENCE_IN);
	rule = fw_add_rule(in);
	rule_iifname(rule, FW_EQUAL, "lo");
	rule_accept(rule);
	for_each_address(firewall, in, fence_address_in);
}

/* Questions for the address are not heard. The owner's announcement (sender and target are the address) is: a standby's
 * entry for an inside address must follow a move. */
static void fence_arp_in(struct fw_chain *chain, const struct addr *address)
{
	if (address->family != AF_INET)
		return;
	struct fw_rule *rule = fw_add_rule(chain);
	rule_arp(rule, FW_DESTINATION, FW_EQUAL, address);
	rule_arp(rule, FW_SOURCE, FW_NOT_EQUAL, address);
	rule_arp_not_in(rule, FW_DESTINATION, FW_ANNOUNCE4);
	rule_count_and_drop(rule);
}

/* Neither answers nor questions name the address as their sender: receivers learn from both. */
static void fence_arp_out(struct fw_chain *chain, const struct addr *address)
{
	if (address->family != AF_INET)
		return;
	struct fw_rule *rule = fw_add_rule(chain);
	rule_arp(rule, FW_SOURCE, FW_EQUAL, address);
	rule_arp_not_in(rule, FW_SOURCE, FW_ANNOUNCE4);
	rule_count_and_drop(rule);
}

void firewall_add_arp_fence(const struct firewall *firewall, struct fw_table *arp)
{
	struct fw_chain *in = fw_add_chain(arp, "input", FW_FILTER, FW_INPUT, PRIORITY_ARP);
	for_each_address(firewall, in, fence_arp_in);
	struct fw_chain *out = fw_add_chain(arp, "output", FW_FILTER, FW_OUTPUT, PRIORITY_ARP);
	for_each_address(firewall, out, fence_arp_out);
}
