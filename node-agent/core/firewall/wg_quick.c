/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "node-agent/core/firewall/compose.h"
#include "node-agent/core/firewall/parts.h"

/*
 * What wg-quick(8) sets up for a tunnel that carries the default route, name by name and expression by expression
 * (add_default() in its linux.bash), so that `wg-quick down` finds it too: nobody may send to the tunnel's addresses
 * from outside of it, and answers to marked packets come in marked, for the reverse path filter. Without a mark the first
 * is all there is to do.
 */
enum { PRIORITY_RAW = -300, PRIORITY_MANGLE = -150 };

static void add_preraw(const struct firewall_tunnel *tunnel, uint8_t family, struct fw_table *table)
{
	struct fw_chain *chain = fw_add_chain(table, "preraw", FW_FILTER, FW_PREROUTING, PRIORITY_RAW);
	for (size_t i = 0; i < tunnel->address_count; i++) {
		const struct addr *address = &tunnel->addresses[i].addr;
		if (address->family != family)
			continue;
		struct fw_rule *rule = fw_add_rule(chain);
		rule_iifname(rule, FW_NOT_EQUAL, tunnel->interface);
		rule_ip(rule, FW_DESTINATION, FW_EQUAL, address);
		rule_source_not_local(rule);
		rule_drop(rule);
	}
}

static void add_marking(const struct firewall_tunnel *tunnel, struct fw_table *table)
{
	struct fw_chain *pre = fw_add_chain(table, "premangle", FW_FILTER, FW_PREROUTING, PRIORITY_MANGLE);
	struct fw_rule *rule = fw_add_rule(pre);
	rule_l4proto(rule, IPPROTO_UDP);
	rule_mark_from_connection(rule);

	struct fw_chain *post = fw_add_chain(table, "postmangle", FW_FILTER, FW_POSTROUTING, PRIORITY_MANGLE);
	rule = fw_add_rule(post);
	rule_l4proto(rule, IPPROTO_UDP);
	rule_mark(rule, tunnel->fwmark);
	rule_mark_to_connection(rule);
}

static void add_family(
	const struct firewall_tunnel *tunnel, uint8_t family, unsigned without, struct fw_ruleset *ruleset)
{
	bool drops = !(without & FIREWALL_SPOOFING);
	bool marks = tunnel->fwmark && !(without & FIREWALL_MARKING);
	char name[FW_NAME_MAX + 1];
	if (!drops && !marks)
		return;
	snprintf(name, sizeof name, "wg-quick-%.15s", tunnel->interface);
	struct fw_table *table = fw_add_table(ruleset, family == AF_INET ? FW_IP : FW_IP6, name);
	if (drops)
		add_preraw(tunnel, family, table);
	if (marks)
		add_marking(tunnel, table);
}

void firewall_add_wg_quick(
	const struct firewall *firewall, const struct firewall_tunnel *tunnel, struct fw_ruleset *ruleset)
{
	if (tunnel->default_ip4)
		add_family(tunnel, AF_INET, firewall->without, ruleset);
	if (tunnel->default_ip6)
		add_family(tunnel, AF_INET6, firewall->without, ruleset);
}
