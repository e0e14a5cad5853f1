/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h> /* before the kernel's, which then leave out what it has */

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/trace/rule.h"

static void give(struct trace_loaded *loaded, const void *bytes, size_t length)
{
	memcpy(loaded->value.bytes, bytes, length);
	loaded->value.length = (uint8_t)length;
}

static void give_u8(struct trace_loaded *loaded, uint8_t value)
{
	give(loaded, &value, sizeof value);
}

static void give_u32(struct trace_loaded *loaded, uint32_t value)
{
	give(loaded, &value, sizeof value);
}

static uint64_t low_bits(size_t count)
{
	return count < 64 ? (1ULL << count) - 1 : UINT64_MAX;
}

static void __attribute__((format(printf, 3, 4)))
give_unknown(struct trace_loaded *loaded, size_t length, const char *format, ...)
{
	va_list arguments;

	loaded->value.length = (uint8_t)length;
	loaded->unknown = low_bits(length);
	va_start(arguments, format);
	vsnprintf(loaded->cause, sizeof loaded->cause, format, arguments);
	va_end(arguments);
}

/* ---- meta ---- */

static const char *meta_name(uint32_t key)
{
	static const char *const names[] = {[NFT_META_LEN] = "length",
		[NFT_META_PRIORITY] = "priority",
		[NFT_META_MARK] = "mark",
		[NFT_META_IIFTYPE] = "iiftype",
		[NFT_META_OIFTYPE] = "oiftype",
		[NFT_META_SKUID] = "skuid",
		[NFT_META_SKGID] = "skgid",
		[NFT_META_RTCLASSID] = "rtclassid",
		[NFT_META_SECMARK] = "secmark",
		[NFT_META_PKTTYPE] = "pkttype",
		[NFT_META_CPU] = "cpu",
		[NFT_META_IIFGROUP] = "iifgroup",
		[NFT_META_OIFGROUP] = "oifgroup",
		[NFT_META_CGROUP] = "cgroup",
		[NFT_META_PRANDOM] = "random",
		[NFT_META_IIFKIND] = "iifkind",
		[NFT_META_OIFKIND] = "oifkind",
		[NFT_META_TIME_NS] = "time",
		[NFT_META_TIME_DAY] = "day",
		[NFT_META_TIME_HOUR] = "hour"};

	return key < ARRAY_COUNT(names) && names[key] ? names[key] : "of a kind not known here";
}

static size_t meta_bytes(uint32_t key)
{
	switch (key) {
	case NFT_META_IIFTYPE:
	case NFT_META_OIFTYPE:
		return 2;
	case NFT_META_PKTTYPE:
	case NFT_META_TIME_DAY:
		return 1;
	case NFT_META_TIME_NS:
		return 8;
	case NFT_META_IIFKIND:
	case NFT_META_OIFKIND:
	case NFT_META_SDIFNAME:
	case NFT_META_BRI_IIFNAME:
	case NFT_META_BRI_OIFNAME:
		return IFNAMSIZ;
	default: /* a number from the kernel */
		return 4;
	}
}

static void give_mark(struct trace_loaded *loaded, const struct trace_mark *mark, const char *name)
{
	if (mark->unknown)
		give_unknown(loaded, sizeof mark->value, "%s", name);
	else
		give_u32(loaded, mark->value);
}

static void give_name(struct trace_loaded *loaded, const char name[IFNAMSIZ])
{
	char padded[IFNAMSIZ] = "";

	memcpy(padded, name, strlen(name));
	give(loaded, padded, sizeof padded);
}

static uint8_t nfproto(const struct loaded_table *table, const struct trace_packet *packet)
{
	if (table->family == NFPROTO_NETDEV)
		return NFPROTO_NETDEV;
	return packet->to.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

static void load_meta(const struct loaded_table *table, uint32_t key, const struct trace_packet *packet,
	struct trace_loaded *loaded)
{
	uint16_t protocol = htons(packet->to.family == AF_INET ? ETH_P_IP : ETH_P_IPV6);

	switch (key) {
	case NFT_META_PROTOCOL:
		give(loaded, &protocol, sizeof protocol);
		return;
	case NFT_META_NFPROTO:
		give_u8(loaded, nfproto(table, packet));
		return;
	case NFT_META_L4PROTO:
		give_u8(loaded, packet->protocol);
		return;
	case NFT_META_MARK:
		give_mark(loaded, &packet->mark, "meta mark");
		return;
	case NFT_META_IIF:
		give_u32(loaded, packet->iif_index);
		return;
	case NFT_META_OIF:
		give_u32(loaded, packet->oif_index);
		return;
	case NFT_META_IIFNAME:
		give_name(loaded, packet->iif);
		return;
	case NFT_META_OIFNAME:
		give_name(loaded, packet->oif);
		return;
	case NFT_META_SECPATH: /* no IPsec */
		give_u8(loaded, 0);
		return;
	default: /* a number from the kernel */
		give_unknown(loaded, meta_bytes(key), "meta %s", meta_name(key));
	}
}

/* ---- ct ---- */

static uint32_t ct_state(const struct trace_packet *packet)
{
	switch (packet->ct) {
	case TRACE_CT_NEW:
		return NF_CT_STATE_BIT(IP_CT_NEW);
	case TRACE_CT_ESTABLISHED:
		return NF_CT_STATE_BIT(IP_CT_ESTABLISHED);
	case TRACE_CT_UNTRACKED:
		return NF_CT_STATE_UNTRACKED_BIT;
	case TRACE_CT_NONE:
		return NF_CT_STATE_INVALID_BIT;
	}
	return 0;
}

static void load_ct(
	const struct loaded_expr *expr, const struct trace_packet *packet, struct trace_loaded *loaded)
{
	uint32_t key = expr->load.key;

	if (key == NFT_CT_STATE) {
		give_u32(loaded, ct_state(packet));
		return;
	}
	if (packet->ct == TRACE_CT_UNTRACKED || packet->ct == TRACE_CT_NONE) {
		loaded->fails = true;
		return;
	}
	if (key == NFT_CT_DIRECTION)
		give_u8(loaded, packet->reply ? IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL);
	else if (key == NFT_CT_MARK)
		give_mark(loaded, &packet->ct_mark, "ct mark");
	else if (key == NFT_CT_L3PROTOCOL)
		give_u8(loaded, packet->to.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	else if (key == NFT_CT_PROTOCOL)
		give_u8(loaded, packet->protocol);
	else
		give_unknown(loaded, LOADED_VALUE_MAX, "ct (key %u)", key);
}

/* ---- fib ---- */

static void load_fib(
	const struct loaded_expr *expr, const struct trace_packet *packet, struct trace_loaded *loaded)
{
	bool source = expr->load.flags & NFTA_FIB_F_SADDR;
	bool present = expr->load.flags & NFTA_FIB_F_PRESENT;
	uint8_t type = source ? packet->from_type : packet->to_type;

	if (expr->load.key == NFT_FIB_RESULT_ADDRTYPE && type != RTN_UNSPEC &&
		!(expr->load.flags & (NFTA_FIB_F_IIF | NFTA_FIB_F_OIF)))
		give_u32(loaded, type);
	else if (expr->load.key == NFT_FIB_RESULT_OIFNAME && !present)
		give_unknown(loaded, IFNAMSIZ, "fib (which interface)");
	else
		give_unknown(loaded, present ? 1 : 4, "fib (%s)",
			expr->load.key == NFT_FIB_RESULT_ADDRTYPE ? "type of an address" : "which interface");
}

/* ---- payload ---- */

static void load_payload(
	const struct loaded_expr *expr, const struct trace_packet *packet, struct trace_loaded *loaded)
{
	static const char *const bases[] = {"link layer", "network", "transport", "inner"};
	uint32_t base = expr->payload.base, offset = expr->payload.offset, length = expr->payload.length;
	struct trace_header header = {0};

	if (!length || length > LOADED_VALUE_MAX) {
		loaded->fails = true; /* the kernel has no such thing */
		return;
	}
	if (base == NFT_PAYLOAD_NETWORK_HEADER)
		trace_network_header(packet, &header);
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER)
		trace_transport_header(packet, &header);
	give_unknown(loaded, length, "the %s header's bytes from %u",
		base < ARRAY_COUNT(bases) ? bases[base] : "?", offset);
	if (offset >= header.length || length > header.length - offset)
		return;
	memcpy(loaded->value.bytes, header.bytes + offset, length);
	loaded->unknown = header.unknown >> offset & low_bits(length);
}

void trace_load(const struct loaded_table *table, const struct loaded_expr *expr,
	const struct trace_packet *packet, struct trace_loaded *ret_loaded)
{
	*ret_loaded = (struct trace_loaded){0};
	if (expr->op == LOADED_META)
		load_meta(table, expr->load.key, packet, ret_loaded);
	else if (expr->op == LOADED_CT)
		load_ct(expr, packet, ret_loaded);
	else if (expr->op == LOADED_FIB)
		load_fib(expr, packet, ret_loaded);
	else
		load_payload(expr, packet, ret_loaded);
}
