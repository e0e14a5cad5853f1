/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/core/plan/plan.h"

static const char *family_option(uint8_t family)
{
	return family == AF_INET6 ? " -6" : "";
}

static void format_rule(struct text *text, const char *verb, const struct plan_rule *rule)
{
	text_add(text, "ip%s rule %s priority %" PRIu32, family_option(rule->family), verb, rule->priority);
	if (rule->invert)
		text_add(text, " not");
	if (rule->has_fwmark)
		text_add(text, " fwmark 0x%" PRIx32, rule->fwmark);
	text_add(text, " table %" PRIu32, rule->table);
	if (rule->has_suppress)
		text_add(text, " suppress_prefixlength %" PRIu32, rule->suppress_prefixlength);
}

static void format_route(struct text *text, const char *verb, const struct plan_route *route)
{
	char to[PREFIX_TEXT_MAX], via[ADDR_TEXT_MAX], src[ADDR_TEXT_MAX];

	text_add(text, "ip%s route %s %s%s", family_option(route->to.addr.family), verb,
		route->unreachable ? "unreachable " : "", prefix_format(&route->to, to, sizeof(to)));
	if (addr_is_set(&route->via))
		text_add(text, " via %s", addr_format(&route->via, via, sizeof(via)));
	if (!route->unreachable)
		text_add(text, " dev %s", route->device);
	if (route->table != PLAN_TABLE_MAIN)
		text_add(text, " table %" PRIu32, route->table);
	if (route->metric)
		text_add(text, " metric %" PRIu32, route->metric);
	if (route->connected)
		text_add(text, " proto kernel scope link");
	if (route->onlink)
		text_add(text, " onlink");
	if (addr_is_set(&route->src))
		text_add(text, " src %s", addr_format(&route->src, src, sizeof(src)));
}

static void format_address(struct text *text, const char *verb, const struct plan_address *address)
{
	struct prefix peer = {.addr = address->peer, .length = address->prefix.length};
	char local[PREFIX_TEXT_MAX], far[PREFIX_TEXT_MAX];

	if (addr_is_set(&peer.addr))
		text_add(text, "ip address %s %s peer %s dev %s", verb,
			addr_format(&address->prefix.addr, local, sizeof(local)),
			prefix_format(&peer, far, sizeof(far)), address->device);
	else
		text_add(text, "ip address %s %s dev %s", verb,
			prefix_format(&address->prefix, local, sizeof(local)), address->device);
	if (address->host_scope)
		text_add(text, " scope host");
	if (address->unpreferred)
		text_add(text, " nodad preferred_lft 0");
}

static void format_link(struct text *text, const struct plan_op *op)
{
	text_add(text, "ip link set dev %s", op->link.name);
	if (op->set_mtu)
		text_add(text, " mtu %" PRIu32, op->link.mtu);
	if (op->set_up)
		text_add(text, op->link.up ? " up" : " down");
	if (op->set_multicast)
		text_add(text, op->link.multicast ? " multicast on" : " multicast off");
}

static void format_wireguard(struct text *text, const struct plan_wireguard *wireguard)
{
	size_t removed = 0;

	for (size_t i = 0; i < wireguard->change_count; i++)
		removed += (wireguard->changes[i].flags & PLAN_PEER_REMOVE) != 0;
	text_add(text, "wg set %s", wireguard->name);
	if (wireguard->set_private_key)
		text_add(text, " private-key (from its file)");
	if (wireguard->set_listen_port)
		text_add(text, " listen-port %u", wireguard->listen_port);
	if (wireguard->set_fwmark)
		text_add(text, " fwmark 0x%" PRIx32, wireguard->fwmark);
	if (removed)
		text_add(text, " remove %zu peers", removed);
	if (wireguard->change_count > removed)
		text_add(text, " set %zu peers", wireguard->change_count - removed);
}

static void format(struct text *text, const struct plan_op *op)
{
	switch (op->kind) {
	case PLAN_FIREWALL_LOAD:
		text_add(text, "nft load table holdfast");
		return;
	case PLAN_SYSCTL_SET:
		text_add(text, "sysctl -w %s=%s", op->sysctl.key, op->sysctl.value);
		return;
	case PLAN_OFFLOAD_SET:
		text_add(text, "ethtool -K %s rx-gro-list off rx-udp-gro-forwarding off", op->offload.device);
		return;
	case PLAN_RULE_DELETE:
		format_rule(text, "delete", &op->rule);
		return;
	case PLAN_ROUTE_DELETE:
		format_route(text, "delete", &op->route);
		return;
	case PLAN_ADDRESS_DELETE:
		format_address(text, "delete", &op->address);
		return;
	case PLAN_LINK_DELETE:
		text_add(text, "ip link delete dev %s", op->link.name);
		return;
	case PLAN_LINK_CREATE:
		text_add(text, "ip link add dev %s type wireguard", op->link.name);
		return;
	case PLAN_WIREGUARD_SET:
		format_wireguard(text, &op->wireguard);
		return;
	case PLAN_ADDRESS_ADD:
		format_address(text, "add", &op->address);
		return;
	case PLAN_LINK_SET:
		format_link(text, op);
		return;
	case PLAN_RULE_ADD:
		format_rule(text, "add", &op->rule);
		return;
	case PLAN_ROUTE_SET:
		format_route(text, "replace", &op->route);
		return;
	}
}

char *plan_op_format(const struct plan_op *op, char buffer[PLAN_TEXT_MAX])
{
	struct text text = {0};

	format(&text, op);
	text_copy(buffer, PLAN_TEXT_MAX, text.data ? text.data : "");
	text_clear(&text);
	return buffer;
}
