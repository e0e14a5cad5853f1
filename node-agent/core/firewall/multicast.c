/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/socket.h>

#include "node-agent/core/firewall/compose.h"
#include "node-agent/core/firewall/parts.h"

/*
 * Tunnels without multicast. That an interface does not say that it takes multicast stops neither the kernel nor every
 * routing daemon (BIRD speaks over any point-to-point interface): nobody shall be able to offer routes over a tunnel
 * that is not meant for them. It also keeps the kernel's own reports from waking a standby's tunnel.
 */
enum { PRIORITY_OUT = 0, PRIORITY_IN = -300 };

static const struct prefix groups[] = {
	{.addr = {.family = AF_INET, .bytes = {224}}, .length = 4},   /* RFC 1112 */
	{.addr = {.family = AF_INET6, .bytes = {0xff}}, .length = 8}, /* RFC 4291, section 2.7 */
};

typedef void interface_is(struct fw_rule *rule, enum fw_compare compare, const char *name);

static void add_drops(const struct firewall *firewall, struct fw_chain *chain, interface_is *interface)
{
	for (size_t t = 0; t < firewall->tunnel_count; t++) {
		if (!firewall->tunnels[t].no_multicast)
			continue;
		for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
			struct fw_rule *rule = fw_add_rule(chain);
			interface(rule, FW_EQUAL, firewall->tunnels[t].interface);
			rule_nfproto(rule, groups[g].addr.family);
			rule_ip_within(rule, FW_DESTINATION, &groups[g]);
			rule_drop(rule);
		}
	}
}

void firewall_add_multicast(const struct firewall *firewall, struct fw_table *inet)
{
	bool any = false;
	for (size_t t = 0; t < firewall->tunnel_count; t++)
		any |= firewall->tunnels[t].no_multicast;
	if (!any)
		return;
	add_drops(firewall, fw_add_chain(inet, "multicast_out", FW_FILTER, FW_POSTROUTING, PRIORITY_OUT),
		rule_oifname);
	add_drops(firewall, fw_add_chain(inet, "multicast_in", FW_FILTER, FW_PREROUTING, PRIORITY_IN),
		rule_iifname);
}
