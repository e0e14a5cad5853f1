/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/groups.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "node-agent/core/firewall/range.h"
#include "node-agent/io/nft/encode.h"
#include "node-agent/io/nft/refusal.h"
#include "node-agent/io/nft/socket.h"

/* Two elements of up to 40 bytes for each: far below NFT_MESSAGE_BYTES_MAX. */
enum { RANGES_PER_MESSAGE = 128 };

static struct nlmsghdr *add(struct nft *nft, uint16_t type, uint16_t flags)
{
	return nft_batch_add(&nft->batch, nft, type, NFPROTO_INET, flags);
}

static void put_element(struct nlmsghdr *message, const struct addr *key, uint32_t flags)
{
	struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);

	mnl_attr_put(message, NFTA_DATA_VALUE, addr_bytes(key), key->bytes);
	mnl_attr_nest_end(message, nest);
	if (flags)
		mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(flags));
	mnl_attr_nest_end(message, element);
}

/* To the kernel a range is its first address, and an end at the first that is not in it any more. */
static void put_range(struct nlmsghdr *message, const struct reach_range *range)
{
	struct addr end = range->last;

	put_element(message, &range->first, 0);
	if (range_next(&end))
		put_element(message, &end, NFT_SET_ELEM_INTERVAL_END);
}

static void put_ranges(
	struct nlmsghdr *message, const char *set, const struct reach_range *ranges, size_t count)
{
	struct nlattr *elements;

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, FW_GROUPS_TABLE);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
	elements = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < count; i++)
		put_range(message, &ranges[i]);
	mnl_attr_nest_end(message, elements);
}

static void add_ranges(struct nft *nft, const struct reach_set *set)
{
	for (size_t i = 0; i < set->count; i += RANGES_PER_MESSAGE) {
		size_t left = set->count - i;

		put_ranges(add(nft, NFT_MSG_NEWSETELEM, NLM_F_CREATE), set->name, &set->ranges[i],
			left < RANGES_PER_MESSAGE ? left : RANGES_PER_MESSAGE);
	}
}

static int compare_ranges(const struct reach_range *a, const struct reach_range *b)
{
	int order = addr_compare(&a->first, &b->first);

	return order ? order : addr_compare(&a->last, &b->last);
}

/* Those of a that b lacks: both rise. */
static void change_ranges(
	struct nft *nft, const struct reach_set *a, const struct reach_set *b, uint16_t type, uint16_t flags)
{
	for (size_t i = 0, j = 0; i < a->count; i++) {
		while (j < b->count && compare_ranges(&b->ranges[j], &a->ranges[i]) < 0)
			j++;
		if (j == b->count || compare_ranges(&b->ranges[j], &a->ranges[i]) > 0)
			put_ranges(add(nft, type, flags), a->name, &a->ranges[i], 1);
	}
}

static int commit(struct nft *nft, bool tries, struct err *err)
{
	uint32_t failed = 0;
	int r;

	if (!nft_batch_count(&nft->batch))
		return 0;
	if (tries)
		nft_batch_try(&nft->batch);
	else
		nft_batch_end(&nft->batch, nft);
	r = nft_commit(nft, &nft->batch, &failed);
	return r ? nft_refusal(&nft->batch, failed, r, "the rules of groups", err) : 0;
}

/* What goes goes first: a new range may lie where an old one was. */
static int change(
	struct nft *nft, const struct reach *from, const struct reach *to, bool tries, struct err *err)
{
	nft_batch_begin(&nft->batch, nft);
	for (size_t i = 0; i < to->set_count; i++)
		change_ranges(nft, &from->sets[i], &to->sets[i], NFT_MSG_DELSETELEM, 0);
	for (size_t i = 0; i < to->set_count; i++)
		change_ranges(nft, &to->sets[i], &from->sets[i], NFT_MSG_NEWSETELEM, NLM_F_CREATE);
	return commit(nft, tries, err);
}

static void add_table(struct nft *nft, const struct fw_ruleset *rules)
{
	struct nftnl_table *object = nft_encode_table(&rules->tables[0], rules->scope);

	nftnl_table_nlmsg_build_payload(add(nft, NFT_MSG_NEWTABLE, NLM_F_CREATE), object);
	nftnl_table_free(object);
}

static void delete_table(struct nft *nft)
{
	mnl_attr_put_strz(add(nft, NFT_MSG_DELTABLE, 0), NFTA_TABLE_NAME, FW_GROUPS_TABLE);
}

static void add_sets(struct nft *nft, const struct reach *reach)
{
	const struct fw_table *table = &reach->rules->tables[0];

	for (size_t i = 0; i < reach->set_count; i++) {
		struct nftnl_set *object = nft_encode_set(table, &table->sets[i], (uint32_t)i + 1);

		nftnl_set_nlmsg_build_payload(add(nft, NFT_MSG_NEWSET, NLM_F_CREATE), object);
		nftnl_set_free(object);
		add_ranges(nft, &reach->sets[i]);
	}
}

static void add_chain(struct nft *nft, const struct fw_table *table, const struct fw_chain *chain)
{
	struct nftnl_chain *object = nft_encode_chain(table, chain);

	nftnl_chain_nlmsg_build_payload(add(nft, NFT_MSG_NEWCHAIN, NLM_F_CREATE), object);
	nftnl_chain_free(object);
	for (size_t i = 0; i < chain->count; i++) {
		struct nftnl_rule *rule = nft_encode_rule(table, chain, &chain->rules[i]);

		nftnl_rule_nlmsg_build_payload(add(nft, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), rule);
		nftnl_rule_free(rule);
	}
}

static int replace(struct nft *nft, const struct reach *to, bool is_there, bool tries, struct err *err)
{
	nft_batch_begin(&nft->batch, nft);
	if (is_there)
		delete_table(nft);
	if (to->rules->count) {
		add_table(nft, to->rules);
		add_sets(nft, to);
		for (size_t i = 0; i < to->rules->tables[0].chain_count; i++)
			add_chain(nft, &to->rules->tables[0], &to->rules->tables[0].chains[i]);
	}
	return commit(nft, tries, err);
}

static int settle(
	struct nft *nft, const struct reach *from, const struct reach *to, bool tries, struct err *err)
{
	bool is_there = false;
	int r;

	if (from && reach_same_rules(from, to) && !change(nft, from, to, tries, NULL))
		return 0;
	r = nft_has_table(nft, FW_INET, FW_GROUPS_TABLE, &is_there, err);
	if (r == -EPROTONOSUPPORT && !to->rules->count)
		return 0; /* nothing is wanted of a kernel that has none */
	return r ? r : replace(nft, to, is_there, tries, err);
}

int nft_reach_apply(struct nft *nft, const struct reach *from, const struct reach *to, struct err *err)
{
	return settle(nft, from, to, false, err);
}

int nft_reach_try(struct nft *nft, const struct reach *from, const struct reach *to, struct err *err)
{
	return settle(nft, from, to, true, err);
}
