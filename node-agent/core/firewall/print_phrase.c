/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/addr.h"
#include "node-agent/core/firewall/print.h"

const char *printer_meta_name(enum fw_meta meta)
{
	switch (meta) {
	case FW_META_MARK:
		return "meta mark";
	case FW_META_IIFNAME:
		return "iifname";
	case FW_META_OIFNAME:
		return "oifname";
	case FW_META_NFPROTO:
		return "meta nfproto";
	case FW_META_L4PROTO:
		return "meta l4proto";
	case FW_META_PROTOCOL:
		return "meta protocol";
	}
	abort();
}

static const char *network_name(const struct printer *printer, uint8_t offset)
{
	switch (printer->family) {
	case FW_IP:
	case FW_INET:
		return offset == 12 ? "ip saddr" : "ip daddr";
	case FW_IP6:
		return offset == 8 ? "ip6 saddr" : "ip6 daddr";
	case FW_NETDEV: /* once the packet's protocol was compared it is one of the others */
		break;
	case FW_ARP:
		return offset == 14 ? "arp saddr ip" : "arp daddr ip";
	}
	abort();
}

static const char *udp_name(uint8_t offset)
{
	switch (offset) {
	case 0:
		return "udp sport";
	case 2:
		return "udp dport";
	case 8:
		return "@th,64,8";
	case 12:
		return "@th,96,32";
	}
	return "@th,128,32";
}

static const char *transport_name(const struct printer *printer, uint8_t offset)
{
	if (printer->protocol == IPPROTO_UDP)
		return udp_name(offset);
	if (printer->protocol == IPPROTO_TCP)
		return "tcp flags";
	switch (offset) {
	case 0:
		return "icmpv6 type";
	case 36:
		return "@th,288,128";
	case 56:
		return "@th,448,128";
	}
	return "@th,64,128";
}

const char *printer_payload_name(const struct printer *printer, const struct fw_payload *payload)
{
	if (payload->base == FW_LINK)
		return "ether saddr";
	return payload->base == FW_NETWORK ? network_name(printer, payload->offset)
					   : transport_name(printer, payload->offset);
}

const char *printer_loaded_name(const struct printer *printer)
{
	const struct fw_expr *loaded = printer->loaded;
	switch (loaded->op) {
	case FW_OP_META:
		return printer_meta_name(loaded->meta);
	case FW_OP_PAYLOAD:
		return printer_payload_name(printer, &loaded->payload);
	case FW_OP_CT_MARK:
		return "ct mark";
	case FW_OP_CT_STATE:
		return "ct state";
	case FW_OP_FIB_TYPE:
		return "fib saddr type";
	case FW_OP_LOAD:
	case FW_OP_ROUTE_TCPMSS:
	case FW_OP_META_SET:
	case FW_OP_PAYLOAD_SET:
	case FW_OP_COMPARE:
	case FW_OP_MASK:
	case FW_OP_LOOKUP:
	case FW_OP_CT_MARK_SET:
	case FW_OP_TO_NETWORK:
	case FW_OP_TCPMSS_SET:
	case FW_OP_SNAT:
	case FW_OP_MASQUERADE:
	case FW_OP_COUNTER:
	case FW_OP_VERDICT:
	case FW_OP_LEARN:
	case FW_OP_FORWARD:
		break;
	}
	abort();
}

void printer_address(struct printer *printer, uint8_t family, const struct fw_value *value)
{
	struct addr address = {.family = family};
	char buffer[ADDR_TEXT_MAX];
	memcpy(address.bytes, value->bytes, value->length);
	text_add(printer->text, "%s", addr_format(&address, buffer, sizeof buffer));
}

static unsigned mask_length(const struct fw_value *mask)
{
	unsigned length = 0;
	for (size_t i = 0; i < mask->length; i++)
		length += (unsigned)__builtin_popcount(mask->bytes[i]);
	return length;
}

static void print_network_value(struct printer *printer, const struct fw_value *value)
{
	uint8_t family = printer->family == FW_IP6 ? AF_INET6 : AF_INET;
	printer_address(printer, family, value);
	if (printer->mask.length)
		text_add(printer->text, "/%u", mask_length(&printer->mask));
	else if (value->length < (family == AF_INET ? 4 : 16))
		text_add(printer->text, "/%u", value->length * 8U);
}

static void print_target(struct printer *printer, const struct fw_value *value)
{
	text_add(printer->text, "0x");
	for (size_t i = 0; i < value->length; i++)
		text_add(printer->text, "%02x", value->bytes[i]);
}

static void print_icmpv6_type(struct printer *printer, uint8_t type)
{
	text_add(printer->text, "%s",
		type == ND_NEIGHBOR_SOLICIT ? "nd-neighbor-solicit" : "nd-neighbor-advert");
}

static void print_transport_value(struct printer *printer, const struct fw_value *value)
{
	if (printer->protocol == IPPROTO_UDP && value->length == 1)
		text_add(printer->text, "%u", value->bytes[0]);
	else if (printer->protocol == IPPROTO_UDP)
		text_add(printer->text, "%u", value->bytes[0] << 8 | value->bytes[1]);
	else if (printer->protocol == IPPROTO_TCP)
		text_add(printer->text, "syn / syn,rst");
	else if (value->length == 1)
		print_icmpv6_type(printer, value->bytes[0]);
	else
		print_target(printer, value);
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_TCP ? "tcp" : "ipv6-icmp";
}

bool printer_is_ip4(const struct fw_value *value)
{
	return value->bytes[0] == 0x08;
}

static void print_mac(struct printer *printer, const struct fw_value *value)
{
	for (size_t i = 0; i < value->length; i++)
		text_add(printer->text, "%s%02x", i ? ":" : "", value->bytes[i]);
}

static void print_meta_value(struct printer *printer, enum fw_meta meta, const struct fw_value *value)
{
	uint32_t mark;
	switch (meta) {
	case FW_META_MARK:
		memcpy(&mark, value->bytes, sizeof mark);
		text_add(printer->text, "0x%08x", mark);
		break;
	case FW_META_IIFNAME:
	case FW_META_OIFNAME:
		text_add(printer->text, "\"%.*s\"", (int)value->length, (const char *)value->bytes);
		break;
	case FW_META_NFPROTO:
		text_add(printer->text, "%s", value->bytes[0] == AF_INET ? "ipv4" : "ipv6");
		break;
	case FW_META_L4PROTO:
		text_add(printer->text, "%s", protocol_name(value->bytes[0]));
		break;
	case FW_META_PROTOCOL:
		text_add(printer->text, "%s", printer_is_ip4(value) ? "ip" : "ip6");
		break;
	}
}

void printer_value(struct printer *printer, const struct fw_value *value)
{
	const struct fw_expr *loaded = printer->loaded;
	if (loaded->op == FW_OP_META)
		print_meta_value(printer, loaded->meta, value);
	else if (loaded->op == FW_OP_FIB_TYPE)
		text_add(printer->text, "local");
	else if (loaded->op == FW_OP_CT_STATE)
		text_add(printer->text, "established,related");
	else if (loaded->payload.base == FW_LINK)
		print_mac(printer, value);
	else if (loaded->payload.base == FW_NETWORK)
		print_network_value(printer, value);
	else
		print_transport_value(printer, value);
}
