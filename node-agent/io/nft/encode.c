/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/encode.h"

#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/nft/encode_int.h"
#include "node-agent/io/nft/udata.h"

#define COMMENT_PREFIX "holdfast "

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

void *nft_must(void *object)
{
	return object ? object : mem_new(SIZE_MAX, 1);
}

static void put_comment(struct nftnl_table *to, const char *scope)
{
	char comment[sizeof COMMENT_PREFIX + FW_SCOPE_MAX];
	snprintf(comment, sizeof comment, COMMENT_PREFIX "%s", scope);
	struct nftnl_udata_buf *data = nft_must(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
	nftnl_udata_put_strz(data, NFTNL_UDATA_TABLE_COMMENT, comment);
	nftnl_table_set_data(to, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(data), nftnl_udata_buf_len(data));
	nftnl_udata_buf_free(data);
}

struct nftnl_table *nft_encode_table(const struct fw_table *table, const char *scope)
{
	struct nftnl_table *to = nft_must(nftnl_table_alloc());
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
	struct nftnl_udata_buf *data = nft_must(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
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
	struct nftnl_set *to = nft_must(nftnl_set_alloc());
	nftnl_set_set_u32(to, NFTNL_SET_FAMILY, nft_family(table->family));
	nftnl_set_set_str(to, NFTNL_SET_TABLE, table->name);
	nftnl_set_set_str(to, NFTNL_SET_NAME, set->name);
	nftnl_set_set_u32(to, NFTNL_SET_FLAGS,
		set->interval ? NFT_SET_INTERVAL : NFT_SET_TIMEOUT | (set->size ? NFT_SET_EVAL : 0U));
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
	struct nftnl_chain *to = nft_must(nftnl_chain_alloc());
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
