/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_PARTS_H
#define HOLDFAST_FIREWALL_PARTS_H

#include "node-agent/core/firewall/firewall.h"
#include "node-agent/core/firewall/permit.h"

/* The parts that firewall_build() puts together. The input has been checked; a part without rules adds nothing. */

/* Who a tunnel is behind; NULL: no endpoint. */
const struct firewall_endpoint *firewall_endpoint_of(
	const struct firewall *firewall, const struct firewall_tunnel *tunnel);
const struct firewall_tunnel *firewall_tunnel_named(const struct firewall *firewall, const char *interface);

void firewall_add_source(const struct firewall *firewall, struct fw_table *inet);
void firewall_add_fence(const struct firewall *firewall, struct fw_table *inet);
void firewall_add_arp_fence(const struct firewall *firewall, struct fw_table *arp);
void firewall_add_forward(const struct firewall *firewall, struct fw_table *inet);
void firewall_add_multicast(const struct firewall *firewall, struct fw_table *inet);
/* -EINVAL: no inside address to translate to. */
int firewall_add_srcnat(const struct firewall *firewall, struct fw_table *inet, struct err *err);
void firewall_add_wg_quick(
	const struct firewall *firewall, const struct firewall_tunnel *tunnel, struct fw_ruleset *ruleset);

#endif
