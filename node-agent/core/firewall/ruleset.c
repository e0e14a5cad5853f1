/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/ruleset.h"

#include <stdlib.h>

void fw_ruleset_free(struct fw_ruleset *ruleset)
{
	if (!ruleset)
		return;
	for (size_t t = 0; t < ruleset->count; t++) {
		for (size_t c = 0; c < ruleset->tables[t].chain_count; c++)
			free(ruleset->tables[t].chains[c].rules);
		free(ruleset->tables[t].sets);
	}
	free(ruleset->tables);
	free(ruleset);
}

const char *fw_family_name(enum fw_family family)
{
	switch (family) {
	case FW_IP:
		return "ip";
	case FW_IP6:
		return "ip6";
	case FW_INET:
		return "inet";
	case FW_ARP:
		return "arp";
	case FW_NETDEV:
		return "netdev";
	}
	abort();
}

const char *fw_hook_name(enum fw_hook hook)
{
	switch (hook) {
	case FW_PREROUTING:
		return "prerouting";
	case FW_INPUT:
		return "input";
	case FW_FORWARD:
		return "forward";
	case FW_OUTPUT:
		return "output";
	case FW_POSTROUTING:
		return "postrouting";
	case FW_INGRESS:
		return "ingress";
	case FW_EGRESS:
		return "egress";
	}
	abort();
}

const char *fw_type_name(enum fw_chain_type type)
{
	switch (type) {
	case FW_FILTER:
		return "filter";
	case FW_NAT:
		return "nat";
	}
	abort();
}

size_t fw_key_bytes(enum fw_key key)
{
	switch (key) {
	case FW_KEY_IPV4:
	case FW_KEY_MARK:
	case FW_KEY_INDEX:
		return 4;
	case FW_KEY_IPV6:
	case FW_KEY_ND_TARGET:
		return 16;
	}
	abort();
}
