/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/catch.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/expr.h> /* after stdio.h, which it needs */

#include "node-agent/io/nft/decode.h"
#include "node-agent/io/nft/encode.h"
#include "node-agent/io/nft/socket.h"

static void add_table(struct nft *nft, const struct fw_table *table)
{
	struct nftnl_table *object = nft_encode_table(table, "");

	nftnl_table_set_u32(object, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	nftnl_table_nlmsg_build_payload(
		nft_batch_add(&nft->batch, nft, NFT_MSG_NEWTABLE, NFPROTO_INET, NLM_F_CREATE | NLM_F_EXCL),
		object);
	nftnl_table_free(object);
}

static void add_rule(struct nft *nft, const struct fw_table *table, const struct fw_chain *chain,
	const struct fw_rule *rule)
{
	struct nftnl_rule *object = nft_encode_rule(table, chain, rule);

	nftnl_rule_nlmsg_build_payload(
		nft_batch_add(&nft->batch, nft, NFT_MSG_NEWRULE, NFPROTO_INET, NLM_F_CREATE | NLM_F_APPEND),
		object);
	nftnl_rule_free(object);
}

static void add_chain(struct nft *nft, const struct fw_table *table, const struct fw_chain *chain)
{
	struct nftnl_chain *object = nft_encode_chain(table, chain);

	nftnl_chain_nlmsg_build_payload(
		nft_batch_add(&nft->batch, nft, NFT_MSG_NEWCHAIN, NFPROTO_INET, NLM_F_CREATE), object);
	nftnl_chain_free(object);
	for (size_t i = 0; i < chain->count; i++)
		add_rule(nft, table, chain, &chain->rules[i]);
}

int nft_catch_open(struct nft *nft, const struct fw_catch *catches, size_t count, struct err *err)
{
	struct fw_ruleset *ruleset = firewall_catch(catches, count);
	const struct fw_table *table = &ruleset->tables[0];
	int r;

	nft_batch_begin(&nft->batch, nft);
	add_table(nft, table);
	for (size_t i = 0; i < table->chain_count; i++)
		add_chain(nft, table, &table->chains[i]);
	nft_batch_end(&nft->batch, nft);
	r = nft_commit(nft, &nft->batch, NULL);
	fw_ruleset_free(ruleset);
	return r < 0 ? err_set(err, r, "cannot make table inet " FW_CATCH_TABLE ": %s", strerror(-r)) : 0;
}

/* The rules as they are listed. */
struct tally {
	uint64_t *packets;
	size_t count, rule;
};

static void restart(void *context)
{
	struct tally *tally = context;

	tally->rule = 0;
	memset(tally->packets, 0, tally->count * sizeof(*tally->packets));
}

static uint64_t packets_of(const struct nftnl_rule *rule)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule);
	const struct nftnl_expr *expr;
	uint64_t packets = 0;

	while ((expr = nftnl_expr_iter_next(iter)))
		if (!strcmp(nftnl_expr_get_str(expr, NFTNL_EXPR_NAME), "counter"))
			packets = nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_PACKETS);
	nftnl_expr_iter_destroy(iter);
	return packets;
}

/* Older kernels list the rules of all tables: only ours are looked at. */
static bool is_ours(const struct nftnl_rule *rule)
{
	return !strcmp(nftnl_rule_get_str(rule, NFTNL_RULE_TABLE), FW_CATCH_TABLE) &&
	       !strcmp(nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN), FW_CATCH_CHAIN);
}

static int take(const struct nlmsghdr *message, void *context)
{
	struct tally *tally = context;
	struct nftnl_rule *rule;
	int r = nft_decode_rule(message, &rule);

	if (r < 0)
		return r;
	if (is_ours(rule)) {
		size_t i = tally->rule / FW_CATCH_RULES;

		if (tally->rule % FW_CATCH_RULES == 0 && i < tally->count)
			tally->packets[i] = packets_of(rule);
		tally->rule++;
	}
	nftnl_rule_free(rule);
	return 0;
}

int nft_catch_read(struct nft *nft, uint64_t *ret_packets, size_t count, struct err *err)
{
	struct tally tally = {.packets = ret_packets, .count = count};
	struct nft_question question = {.type = NFT_MSG_GETRULE,
		.family = NFPROTO_INET,
		.table = FW_CATCH_TABLE,
		.restart = restart,
		.message = take,
		.context = &tally};
	int r = nft_dump(nft, &question);

	if (r == 0 && tally.rule != count * FW_CATCH_RULES)
		r = -ENOENT;
	return r < 0 ? err_set(err, r, "cannot read table inet " FW_CATCH_TABLE ": %s", strerror(-r)) : 0;
}

void nft_catch_close(struct nft *nft)
{
	struct nlmsghdr *message;

	nft_batch_begin(&nft->batch, nft);
	message = nft_batch_add(&nft->batch, nft, NFT_MSG_DELTABLE, NFPROTO_INET, 0);
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, FW_CATCH_TABLE);
	nft_batch_end(&nft->batch, nft);
	(void)nft_commit(
		nft, &nft->batch, NULL); /* else the socket's end removes it; a next one says -EEXIST */
}
