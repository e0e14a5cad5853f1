/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/encode.h"

#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/nft/udata.h"

#define COMMENT_PREFIX "holdfast "

enum {
	IP_CHECKSUM_OFFSET = 10, /* RFC 791 */
	TCP_OPTION_MSS = 2,      /* RFC 9293; its value is at offset 2, 2 bytes */
};

uint16_t nft_family(enum fw_family family)
{
	switch (family) {
	case FW_IP:
		return NFPROTO_IPV4;
	case FW_IP6:
		return NFPROTO_IPV6;
	case FW_INET:
		return NFPROTO_INET;
	case FW_ARP:
		return NFPROTO_ARP;
	case FW_NETDEV:
		return NFPROTO_NETDEV;
	}
	abort();
}

uint32_t nft_hook(enum fw_family family, enum fw_hook hook)
{
	if (family == FW_ARP)
		return hook == FW_INPUT ? NF_ARP_IN : NF_ARP_OUT;
	switch (hook) {
	case FW_PREROUTING:
		return NF_INET_PRE_ROUTING;
	case FW_INPUT:
		return NF_INET_LOCAL_IN;
	case FW_FORWARD:
		return NF_INET_FORWARD;
	case FW_OUTPUT:
		return NF_INET_LOCAL_OUT;
	case FW_POSTROUTING:
		return NF_INET_POST_ROUTING;
	case FW_INGRESS:
		return NF_NETDEV_INGRESS;
	case FW_EGRESS:
		return NF_NETDEV_EGRESS;
	}
	abort();
}

/* libnftnl has no other error than running out of memory. */
static void *must(void *object)
{
	return object ? object : mem_new(SIZE_MAX, 1);
}

static void put_comment(struct nftnl_table *to, const char *scope)
{
	char comment[sizeof COMMENT_PREFIX + FW_SCOPE_MAX];
	snprintf(comment, sizeof comment, COMMENT_PREFIX "%s", scope);
	struct nftnl_udata_buf *data = must(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
	nftnl_udata_put_strz(data, NFTNL_UDATA_TABLE_COMMENT, comment);
	nftnl_table_set_data(to, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(data), nftnl_udata_buf_len(data));
	nftnl_udata_buf_free(data);
}

struct nftnl_table *nft_encode_table(const struct fw_table *table, const char *scope)
{
	struct nftnl_table *to = must(nftnl_table_alloc());
	nftnl_table_set_u32(to, NFTNL_TABLE_FAMILY, nft_family(table->family));
	nftnl_table_set_str(to, NFTNL_TABLE_NAME, table->name);
	if (scope[0])
		put_comment(to, scope);
	return to;
}

bool nft_decode_scope(const struct nftnl_table *table, char *scope, size_t size)
{
	uint32_t length = 0;
	const void *data = nftnl_table_get_data(table, NFTNL_TABLE_USERDATA, &length);
	const char *comment = data ? nft_udata_text(data, length, NFTNL_UDATA_TABLE_COMMENT) : NULL;
	size_t prefix = strlen(COMMENT_PREFIX);
	if (!comment || strncmp(comment, COMMENT_PREFIX, prefix) != 0)
		return false;
	return text_copy(scope, size, comment + prefix);
}

/* The numbers of nft's own data types and expressions (nftables, include/datatype.h, include/expression.h): without
 * them in the set's user data a listing says `type 0`, and does not load again. */
enum {
	TYPE_INTEGER = 4,
	TYPE_IPADDR = 7,
	TYPE_IP6ADDR = 8,
	TYPE_MARK = 19,
	BYTEORDER_HOST = 1,
	BYTEORDER_BIG = 2,
	EXPR_PAYLOAD = 7,
	PAYLOAD_DESC = 0,
	PAYLOAD_TYPE = 1,
	PAYLOAD_BASE = 2,
	PAYLOAD_OFFSET = 3,
	PAYLOAD_LENGTH = 4,
	BASE_TRANSPORT = 3,
};

static uint32_t key_type(enum fw_key key)
{
	switch (key) {
	case FW_KEY_IPV4:
		return TYPE_IPADDR;
	case FW_KEY_IPV6:
		return TYPE_IP6ADDR;
	case FW_KEY_MARK:
		return TYPE_MARK;
	case FW_KEY_ND_TARGET:
	case FW_KEY_INDEX:
		return TYPE_INTEGER;
	}
	abort();
}

/* typeof @th,OFFSET,LENGTH in bits: @th,64,128 or @th,96,32 */
static void put_typeof(struct nftnl_udata_buf *data, uint32_t offset, uint32_t length)
{
	struct nftnl_udata *of = nftnl_udata_nest_start(data, NFTNL_UDATA_SET_KEY_TYPEOF);
	nftnl_udata_put_u32(data, NFTNL_UDATA_SET_TYPEOF_EXPR, EXPR_PAYLOAD);
	struct nftnl_udata *payload = nftnl_udata_nest_start(data, NFTNL_UDATA_SET_TYPEOF_DATA);
	nftnl_udata_put_u32(data, PAYLOAD_DESC, 0);
	nftnl_udata_put_u32(data, PAYLOAD_TYPE, 0);
	nftnl_udata_put_u32(data, PAYLOAD_BASE, BASE_TRANSPORT);
	nftnl_udata_put_u32(data, PAYLOAD_OFFSET, offset);
	nftnl_udata_put_u32(data, PAYLOAD_LENGTH, length);
	nftnl_udata_nest_end(data, payload);
	nftnl_udata_nest_end(data, of);
}

static void put_set_userdata(struct nftnl_set *to, enum fw_key key, const char *comment)
{
	struct nftnl_udata_buf *data = must(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
	nftnl_udata_put_u32(
		data, NFTNL_UDATA_SET_KEYBYTEORDER, key == FW_KEY_MARK ? BYTEORDER_HOST : BYTEORDER_BIG);
	if (key == FW_KEY_ND_TARGET)
		put_typeof(data, 64, 128);
	if (key == FW_KEY_INDEX)
		put_typeof(data, 96, 32);
	if (comment[0])
		nftnl_udata_put_strz(data, NFTNL_UDATA_SET_COMMENT, comment);
	nftnl_set_set_data(to, NFTNL_SET_USERDATA, nftnl_udata_buf_data(data), nftnl_udata_buf_len(data));
	nftnl_udata_buf_free(data);
}

struct nftnl_set *nft_encode_set(const struct fw_table *table, const struct fw_set *set, uint32_t id)
{
	struct nftnl_set *to = must(nftnl_set_alloc());
	nftnl_set_set_u32(to, NFTNL_SET_FAMILY, nft_family(table->family));
	nftnl_set_set_str(to, NFTNL_SET_TABLE, table->name);
	nftnl_set_set_str(to, NFTNL_SET_NAME, set->name);
	nftnl_set_set_u32(to, NFTNL_SET_FLAGS, NFT_SET_TIMEOUT | (set->size ? NFT_SET_EVAL : 0));
	nftnl_set_set_u32(to, NFTNL_SET_KEY_TYPE, key_type(set->key));
	nftnl_set_set_u32(to, NFTNL_SET_KEY_LEN, (uint32_t)fw_key_bytes(set->key));
	nftnl_set_set_u32(to, NFTNL_SET_ID, id);
	if (set->size) {
		nftnl_set_set_u32(to, NFTNL_SET_DESC_SIZE, set->size);
		nftnl_set_set_u64(to, NFTNL_SET_TIMEOUT, set->timeout_ms);
	}
	put_set_userdata(to, set->key, set->comment);
	return to;
}

struct nftnl_chain *nft_encode_chain(const struct fw_table *table, const struct fw_chain *chain)
{
	struct nftnl_chain *to = must(nftnl_chain_alloc());
	nftnl_chain_set_u32(to, NFTNL_CHAIN_FAMILY, nft_family(table->family));
	nftnl_chain_set_str(to, NFTNL_CHAIN_TABLE, table->name);
	nftnl_chain_set_str(to, NFTNL_CHAIN_NAME, chain->name);
	nftnl_chain_set_str(to, NFTNL_CHAIN_TYPE, fw_type_name(chain->type));
	nftnl_chain_set_u32(to, NFTNL_CHAIN_HOOKNUM, nft_hook(table->family, chain->hook));
	nftnl_chain_set_s32(to, NFTNL_CHAIN_PRIO, chain->priority);
	if (chain->device[0])
		nftnl_chain_set_str(to, NFTNL_CHAIN_DEV, chain->device);
	nftnl_chain_set_u32(to, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	return to;
}

static struct nftnl_expr *add(struct nftnl_rule *rule, const char *name)
{
	struct nftnl_expr *expr = must(nftnl_expr_alloc(name));
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

static void encode_load(struct nftnl_rule *to, const struct fw_value *value)
{
	struct nftnl_expr *expr = add(to, "immediate");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set_data(expr, NFTNL_EXPR_IMM_DATA, value->bytes, value->length);
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

static void encode_immediate(struct nftnl_rule *to, uint32_t reg, const void *bytes, uint32_t length)
{
	struct nftnl_expr *expr = add(to, "immediate");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set_data(expr, NFTNL_EXPR_IMM_DATA, bytes, length);
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
		encode_load(to, &from->value);
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
	struct nftnl_rule *to = must(nftnl_rule_alloc());
	nftnl_rule_set_u32(to, NFTNL_RULE_FAMILY, nft_family(table->family));
	nftnl_rule_set_str(to, NFTNL_RULE_TABLE, table->name);
	nftnl_rule_set_str(to, NFTNL_RULE_CHAIN, chain->name);
	for (size_t i = 0; i < rule->count; i++)
		encode_expr(to, &rule->exprs[i]);
	return to;
}
