/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/decode.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <string.h>

#include "node-agent/core/firewall/permit.h"
#include "node-agent/core/firewall/reach.h"
#include "node-agent/io/nft/attr.h"
#include "node-agent/io/nft/shape.h"

#define WG_QUICK_PREFIX "wg-quick-"

static bool has_header(const struct nlmsghdr *message)
{
	return mnl_nlmsg_get_payload_len(message) >= sizeof(struct nfgenmsg);
}

int nft_decode_table(const struct nlmsghdr *message, struct nftnl_table **ret_table)
{
	struct nftnl_table *table = nftnl_table_alloc();
	if (!nft_shape_ok(message) || nftnl_table_nlmsg_parse(message, table) < 0 ||
		!nftnl_table_is_set(table, NFTNL_TABLE_NAME)) {
		nftnl_table_free(table);
		return -EBADMSG;
	}
	*ret_table = table;
	return 0;
}

int nft_decode_set(const struct nlmsghdr *message, struct nftnl_set **ret_set)
{
	struct nftnl_set *set = nftnl_set_alloc();
	if (!nft_shape_ok(message) || nftnl_set_nlmsg_parse(message, set) < 0 ||
		!nftnl_set_is_set(set, NFTNL_SET_TABLE) || !nftnl_set_is_set(set, NFTNL_SET_NAME)) {
		nftnl_set_free(set);
		return -EBADMSG;
	}
	*ret_set = set;
	return 0;
}

int nft_decode_chain(const struct nlmsghdr *message, struct nftnl_chain **ret_chain)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	if (!nft_shape_ok(message) || nftnl_chain_nlmsg_parse(message, chain) < 0 ||
		!nftnl_chain_is_set(chain, NFTNL_CHAIN_TABLE) ||
		!nftnl_chain_is_set(chain, NFTNL_CHAIN_NAME)) {
		nftnl_chain_free(chain);
		return -EBADMSG;
	}
	*ret_chain = chain;
	return 0;
}

int nft_decode_rule(const struct nlmsghdr *message, struct nftnl_rule **ret_rule)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	if (!nft_shape_ok(message) || nftnl_rule_nlmsg_parse(message, rule) < 0 ||
		!nftnl_rule_is_set(rule, NFTNL_RULE_TABLE) || !nftnl_rule_is_set(rule, NFTNL_RULE_CHAIN)) {
		nftnl_rule_free(rule);
		return -EBADMSG;
	}
	*ret_rule = rule;
	return 0;
}

int64_t nft_decode_expiration_ms(const struct nlmsghdr *message)
{
	const struct nlattr *attr = nft_attr(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	if (attr)
		attr = nft_attr_within(attr, NFTA_LIST_ELEM);
	if (attr)
		attr = nft_attr_within(attr, NFTA_SET_ELEM_EXPIRATION);
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_U64) < 0)
		return 0;
	uint64_t left_ms = be64toh(mnl_attr_get_u64(attr));
	return left_ms > INT64_MAX ? INT64_MAX : (int64_t)left_ms;
}

static bool is_ours(uint8_t family, const char *table)
{
	switch (family) {
	case NFPROTO_INET:
		return strcmp(table, FW_TABLE) == 0 || strcmp(table, FW_GROUPS_TABLE) == 0;
	case NFPROTO_ARP:
		return strcmp(table, FW_TABLE) == 0;
	case NFPROTO_NETDEV: /* one per interface: holdfast-steer-eth0 */
		return strncmp(table, FW_TABLE, strlen(FW_TABLE)) == 0;
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
		return strncmp(table, WG_QUICK_PREFIX, strlen(WG_QUICK_PREFIX)) == 0;
	default: /* numbers of the kernel, not an enum of ours */
		return false;
	}
}

enum nft_news nft_decode_news(const struct nlmsghdr *message)
{
	unsigned type = NFNL_MSG_TYPE(message->nlmsg_type);
	if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_NFTABLES || type == NFT_MSG_NEWGEN ||
		!has_header(message))
		return NFT_NEWS_NONE;
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	if (!is_ours(header->nfgen_family, nft_attr_table(message)))
		return NFT_NEWS_OTHERS;
	return type == NFT_MSG_DELTABLE ? NFT_NEWS_GONE : NFT_NEWS_CHANGED;
}
