/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "node-agent/core/firewall/compose.h"
#include "node-agent/core/firewall/parts.h"

/* What tunnels forward, and the source it leaves with. */
enum { PRIORITY_FORWARD = 0, PRIORITY_SRCNAT = 100 };

static bool wants_drop(const struct firewall_tunnel *tunnel)
{
	return tunnel->forward == FIREWALL_FORWARD_DROP;
}

static void add_clamp(struct fw_chain *chain, const struct firewall_tunnel *tunnel)
{
	struct fw_rule *rule = fw_add_rule(chain);
	rule_iifname(rule, FW_EQUAL, tunnel->interface);
	rule_clamp_mss(rule);
	rule = fw_add_rule(chain);
	rule_oifname(rule, FW_EQUAL, tunnel->interface);
	rule_clamp_mss(rule);
}

static void add_drop(struct fw_chain *chain, const struct firewall_tunnel *tunnel)
{
	struct fw_rule *rule = fw_add_rule(chain);
	rule_iifname(rule, FW_EQUAL, tunnel->interface);
	rule_count_and_drop(rule);
	rule = fw_add_rule(chain);
	rule_oifname(rule, FW_EQUAL, tunnel->interface);
	rule_count_and_drop(rule);
}

/*
 * Clamping comes first, since accepting ends the chain. The chain's own policy accepts, so a tunnel that accepts needs
 * no rule. Connection tracking costs 720 ns a packet once a rule mentions it: only where something is dropped.
 */
void firewall_add_forward(const struct firewall *firewall, struct fw_table *inet)
{
	bool drops = false, clamps = false;
	for (size_t t = 0; t < firewall->tunnel_count; t++) {
		drops |= wants_drop(&firewall->tunnels[t]);
		clamps |= firewall->tunnels[t].clamp_mss;
	}
	drops &= !(firewall->without & FIREWALL_DROPPING);
	clamps &= !(firewall->without & FIREWALL_CLAMPING);
	if (!drops && !clamps)
		return;
	struct fw_chain *chain = fw_add_chain(inet, "forward", FW_FILTER, FW_FORWARD, PRIORITY_FORWARD);
	for (size_t t = 0; t < firewall->tunnel_count; t++)
		if (clamps && firewall->tunnels[t].clamp_mss)
			add_clamp(chain, &firewall->tunnels[t]);
	if (!drops)
		return;
	struct fw_rule *established = fw_add_rule(chain);
	rule_established(established);
	rule_accept(established);
	for (size_t t = 0; t < firewall->tunnel_count; t++)
		if (wants_drop(&firewall->tunnels[t]))
			add_drop(chain, &firewall->tunnels[t]);
}

/* The inside address that moves with the tunnel's endpoint: connections keep their source through a move. */
static const struct addr *inside_address(
	const struct firewall_endpoint *endpoint, const char *interface, uint8_t family)
{
	for (size_t i = 0; i < endpoint->inside_count; i++) {
		const struct firewall_inside *inside = &endpoint->inside[i];
		if (inside->address.family == family && strcmp(inside->interface, interface) == 0)
			return &inside->address;
	}
	return NULL;
}

static void add_translation(struct fw_chain *chain, const struct firewall_snat *snat, const struct addr *to)
{
	struct fw_rule *rule = fw_add_rule(chain);
	rule_nfproto(rule, snat->from.addr.family);
	rule_ip_within(rule, FW_SOURCE, &snat->from);
	rule_oifname(rule, FW_EQUAL, snat->interface);
	if (to)
		rule_snat(rule, to);
	else
		rule_masquerade(rule);
}

static int add_snat(const struct firewall *firewall, const struct firewall_tunnel *tunnel,
	const struct firewall_snat *snat, struct fw_chain *chain, struct err *err)
{
	const struct firewall_endpoint *endpoint = firewall_endpoint_of(firewall, tunnel);
	const struct addr *to = addr_is_set(&snat->to) ? &snat->to : NULL;
	if (endpoint && !to) {
		to = inside_address(endpoint, snat->interface, snat->from.addr.family);
		if (!to)
			return err_set(err, -EINVAL,
				"tunnel %s: snat out of %s needs an inside address of IPv%d on it in "
				"endpoint %s",
				tunnel->interface, snat->interface, snat->from.addr.family == AF_INET ? 4 : 6,
				endpoint->name);
	}
	add_translation(chain, snat, to);
	return 0;
}

static bool translates(const struct firewall *firewall)
{
	for (size_t t = 0; t < firewall->tunnel_count; t++)
		if (firewall->tunnels[t].snat_count || firewall->tunnels[t].masquerade_count)
			return true;
	return false;
}

int firewall_add_srcnat(const struct firewall *firewall, struct fw_table *inet, struct err *err)
{
	if (!translates(firewall) || (firewall->without & FIREWALL_TRANSLATING))
		return 0;
	struct fw_chain *chain = fw_add_chain(inet, "srcnat", FW_NAT, FW_POSTROUTING, PRIORITY_SRCNAT);
	for (size_t t = 0; t < firewall->tunnel_count; t++) {
		const struct firewall_tunnel *tunnel = &firewall->tunnels[t];
		for (size_t i = 0; i < tunnel->snat_count; i++) {
			int error = add_snat(firewall, tunnel, &tunnel->snat[i], chain, err);
			if (error)
				return error;
		}
		for (size_t i = 0; i < tunnel->masquerade_count; i++)
			add_translation(chain, &tunnel->masquerade[i], NULL);
	}
	return 0;
}
