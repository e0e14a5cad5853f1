/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/encode.h"

#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "node-agent/io/nft/encode_int.h"

enum {
	IP_CHECKSUM_OFFSET = 10, /* RFC 791 */
	TCP_OPTION_MSS = 2,      /* RFC 9293; its value is at offset 2, 2 bytes */
};

static struct nftnl_expr *add(struct nftnl_rule *rule, const char *name)
{
	struct nftnl_expr *expr = nft_must(nftnl_expr_alloc(name));
	nftnl_rule_add_expr(rule, expr);
	return expr;
}

static uint32_t meta_key(enum fw_meta meta)
{
	switch (meta) {
	case FW_META_MARK:
		return NFT_META_MARK;
	case FW_META_IIFNAME:
		return NFT_META_IIFNAME;
	case FW_META_OIFNAME:
		return NFT_META_OIFNAME;
	case FW_META_NFPROTO:
		return NFT_META_NFPROTO;
	case FW_META_L4PROTO:
		return NFT_META_L4PROTO;
	case FW_META_PROTOCOL:
		return NFT_META_PROTOCOL;
	}
	abort();
}

static void encode_meta(struct nftnl_rule *to, enum fw_meta meta, uint16_t direction)
{
	struct nftnl_expr *expr = add(to, "meta");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, meta_key(meta));
	nftnl_expr_set_u32(expr, direction, NFT_REG_1);
}

static uint32_t payload_base(enum fw_base base)
{
	switch (base) {
	case FW_NETWORK:
		return NFT_PAYLOAD_NETWORK_HEADER;
	case FW_TRANSPORT:
		return NFT_PAYLOAD_TRANSPORT_HEADER;
	case FW_LINK:
		return NFT_PAYLOAD_LL_HEADER;
	}
	abort();
}

static struct nftnl_expr *encode_payload(
	struct nftnl_rule *to, const struct fw_payload *payload, uint16_t direction)
{
	struct nftnl_expr *expr = add(to, "payload");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, payload_base(payload->base));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, payload->offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, payload->length);
	nftnl_expr_set_u32(expr, direction, NFT_REG_1);
	return expr;
}

/* An address is part of the pseudo header of UDP and TCP (RFC 768, RFC 8200 section 8.1), and of IPv4's own sum. */
static void encode_payload_set(struct nftnl_rule *to, const struct fw_payload *payload)
{
	bool ip4 = payload->length == sizeof(uint32_t);
	struct nftnl_expr *expr = encode_payload(to, payload, NFTNL_EXPR_PAYLOAD_SREG);
	nftnl_expr_set_u32(
		expr, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, ip4 ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, ip4 ? IP_CHECKSUM_OFFSET : 0);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_FLAGS, NFT_PAYLOAD_L4CSUM_PSEUDOHDR);
}

static void encode_compare(struct nftnl_rule *to, const struct fw_expr *from)
{
	struct nftnl_expr *expr = add(to, "cmp");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, from->compare == FW_EQUAL ? NFT_CMP_EQ : NFT_CMP_NEQ);
	nftnl_expr_set_data(expr, NFTNL_EXPR_CMP_DATA, from->value.bytes, from->value.length);
}

static void encode_mask(struct nftnl_rule *to, const struct fw_value *mask)
{
	static const uint8_t zeros[FW_DATA_MAX];
	struct nftnl_expr *expr = add(to, "bitwise");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, mask->length);
	nftnl_expr_set_data(expr, NFTNL_EXPR_BITWISE_MASK, mask->bytes, mask->length);
	nftnl_expr_set_data(expr, NFTNL_EXPR_BITWISE_XOR, zeros, mask->length);
}

static void encode_lookup(struct nftnl_rule *to, const struct fw_expr *from)
{
	struct nftnl_expr *expr = add(to, "lookup");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, from->set);
	nftnl_expr_set_u32(
		expr, NFTNL_EXPR_LOOKUP_FLAGS, from->compare == FW_NOT_EQUAL ? NFT_LOOKUP_F_INV : 0);
}

static void encode_ct(struct nftnl_rule *to, uint32_t key, uint16_t direction)
{
	struct nftnl_expr *expr = add(to, "ct");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expr, direction, NFT_REG_1);
}

static void encode_fib_type(struct nftnl_rule *to)
{
	struct nftnl_expr *expr = add(to, "fib");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_SADDR);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
}

static void encode_immediate(struct nftnl_rule *to, uint32_t reg, const void *bytes, uint32_t length)
{
	struct nftnl_expr *expr = add(to, "immediate");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set_data(expr, NFTNL_EXPR_IMM_DATA, bytes, length);
}

static void encode_verdict(struct nftnl_rule *to, enum fw_verdict verdict)
{
	struct nftnl_expr *expr = add(to, "immediate");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, verdict == FW_ACCEPT ? NF_ACCEPT : NF_DROP);
}

static void encode_route_tcpmss(struct nftnl_rule *to)
{
	struct nftnl_expr *expr = add(to, "rt");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RT_DREG, NFT_REG_1);
}

static void encode_to_network(struct nftnl_rule *to)
{
	struct nftnl_expr *expr = add(to, "byteorder");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_LEN, sizeof(uint16_t));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SIZE, sizeof(uint16_t));
}

static void encode_tcpmss_set(struct nftnl_rule *to)
{
	struct nftnl_expr *expr = add(to, "exthdr");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_SREG, NFT_REG_1);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_EXTHDR_TYPE, TCP_OPTION_MSS);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OFFSET, 2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_LEN, sizeof(uint16_t));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
}

static void encode_snat(struct nftnl_rule *to, enum fw_family family)
{
	struct nftnl_expr *expr = add(to, "nat");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, nft_family(family));
	/* The kernel fills in the latter two if they are missing, and lists them: written, the listing is the same. */
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS);
}

static void encode_learn(struct nftnl_rule *to, const char *set)
{
	struct nftnl_expr *expr = add(to, "dynset");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, set);
}

/* The neighbour's entry gives the frame's destination; the packet itself stays as it is, but for its TTL. */
static void encode_forward(struct nftnl_rule *to, const struct fw_expr *from)
{
	bool ip4 = from->forward.to.length == sizeof(uint32_t);
	encode_immediate(to, NFT_REG_1, &from->forward.ifindex, sizeof from->forward.ifindex);
	encode_immediate(to, NFT_REG_2, from->forward.to.bytes, from->forward.to.length);
	struct nftnl_expr *expr = add(to, "fwd");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FWD_SREG_DEV, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FWD_SREG_ADDR, NFT_REG_2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FWD_NFPROTO, ip4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

static void encode_expr(struct nftnl_rule *to, const struct fw_expr *from)
{
	switch (from->op) {
	case FW_OP_META:
		encode_meta(to, from->meta, NFTNL_EXPR_META_DREG);
		break;
	case FW_OP_META_SET:
		encode_meta(to, from->meta, NFTNL_EXPR_META_SREG);
		break;
	case FW_OP_PAYLOAD:
		encode_payload(to, &from->payload, NFTNL_EXPR_PAYLOAD_DREG);
		break;
	case FW_OP_PAYLOAD_SET:
		encode_payload_set(to, &from->payload);
		break;
	case FW_OP_COMPARE:
		encode_compare(to, from);
		break;
	case FW_OP_MASK:
		encode_mask(to, &from->value);
		break;
	case FW_OP_LOOKUP:
		encode_lookup(to, from);
		break;
	case FW_OP_CT_MARK:
		encode_ct(to, NFT_CT_MARK, NFTNL_EXPR_CT_DREG);
		break;
	case FW_OP_CT_MARK_SET:
		encode_ct(to, NFT_CT_MARK, NFTNL_EXPR_CT_SREG);
		break;
	case FW_OP_CT_STATE:
		encode_ct(to, NFT_CT_STATE, NFTNL_EXPR_CT_DREG);
		break;
	case FW_OP_FIB_TYPE:
		encode_fib_type(to);
		break;
	case FW_OP_LOAD:
		encode_immediate(to, NFT_REG_1, from->value.bytes, from->value.length);
		break;
	case FW_OP_ROUTE_TCPMSS:
		encode_route_tcpmss(to);
		break;
	case FW_OP_TO_NETWORK:
		encode_to_network(to);
		break;
	case FW_OP_TCPMSS_SET:
		encode_tcpmss_set(to);
		break;
	case FW_OP_SNAT:
		encode_snat(to, from->nat);
		break;
	case FW_OP_MASQUERADE:
		add(to, "masq");
		break;
	case FW_OP_COUNTER:
		add(to, "counter");
		break;
	case FW_OP_VERDICT:
		encode_verdict(to, from->verdict);
		break;
	case FW_OP_LEARN:
		encode_learn(to, from->set);
		break;
	case FW_OP_FORWARD:
		encode_forward(to, from);
		break;
	}
}

struct nftnl_rule *nft_encode_rule(
	const struct fw_table *table, const struct fw_chain *chain, const struct fw_rule *rule)
{
	struct nftnl_rule *to = nft_must(nftnl_rule_alloc());
	nftnl_rule_set_u32(to, NFTNL_RULE_FAMILY, nft_family(table->family));
	nftnl_rule_set_str(to, NFTNL_RULE_TABLE, table->name);
	nftnl_rule_set_str(to, NFTNL_RULE_CHAIN, chain->name);
	for (size_t i = 0; i < rule->count; i++)
		encode_expr(to, &rule->exprs[i]);
	return to;
}
