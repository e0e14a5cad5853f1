/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/load.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/nft/attr.h"
#include "node-agent/io/nft/load_take.h"
#include "node-agent/io/nft/socket.h"

enum { LOAD_ATTEMPTS_MAX = 10 };

static void forget_tables(void *context)
{
	loaded_clear(context);
}

static void forget_elements(void *context)
{
	loaded_clear_elements(context);
}

static int load_elements(struct nft *nft, const struct loaded_table *table, struct loaded_set *set)
{
	const struct nft_question question = {.type = NFT_MSG_GETSETELEM,
		.family = (uint16_t)table->family,
		.table = table->name,
		.set = set->name,
		.restart = forget_elements,
		.message = nft_load_take_elements,
		.context = set};
	return nft_dump(nft, &question);
}

/* ---- all of it ---- */

static int take_generation(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *attr = nft_attr(message, NFTA_GEN_ID);
	if (attr && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		*(uint32_t *)context = mnl_attr_get_u32(attr);
	return 0;
}

static int ask_generation(struct nft *nft, uint32_t *ret_generation)
{
	char buffer[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETGEN, NFPROTO_UNSPEC, 0, 0);
	return nft_ask(nft, request, take_generation, ret_generation);
}

static void forget_chains(void *context)
{
	struct loaded_ruleset *ruleset = context;
	for (size_t i = 0; i < ruleset->count; i++)
		loaded_clear_chains(&ruleset->tables[i]);
}

static void forget_rules(void *context)
{
	loaded_clear_rules(context);
}

static void forget_sets(void *context)
{
	struct loaded_ruleset *ruleset = context;
	for (size_t i = 0; i < ruleset->count; i++)
		loaded_clear_sets(&ruleset->tables[i]);
}

static int load_all_elements(struct nft *nft, struct loaded_ruleset *ruleset)
{
	int error = 0;
	for (size_t i = 0; i < ruleset->count && !error; i++)
		for (size_t j = 0; j < ruleset->tables[i].set_count && !error; j++)
			error = load_elements(nft, &ruleset->tables[i], &ruleset->tables[i].sets[j]);
	return error;
}

static int load_once(struct nft *nft, struct loaded_ruleset *ruleset)
{
	const struct nft_question questions[] = {
		{.type = NFT_MSG_GETTABLE,
			.restart = forget_tables,
			.message = nft_load_take_table,
			.context = ruleset},
		{.type = NFT_MSG_GETCHAIN,
			.restart = forget_chains,
			.message = nft_load_take_chain,
			.context = ruleset},
		{.type = NFT_MSG_GETRULE,
			.restart = forget_rules,
			.message = nft_load_take_rule,
			.context = ruleset},
		{.type = NFT_MSG_GETSET,
			.restart = forget_sets,
			.message = nft_load_take_set,
			.context = ruleset},
	};
	int error = 0;
	for (size_t i = 0; i < ARRAY_COUNT(questions) && !error; i++)
		error = nft_dump(nft, &questions[i]);
	return error ? error : load_all_elements(nft, ruleset);
}

/* A set may go between the list of sets and that of its elements, and a rule come that names a new one. */
int nft_load(struct nft *nft, struct loaded_ruleset *ret_ruleset, struct err *err)
{
	struct loaded_ruleset ruleset = {0};
	uint32_t before = 0, after = 0;
	int error = ask_generation(nft, &before);
	if (error == -EINVAL || error == -EOPNOTSUPP || error == -EPROTONOSUPPORT) {
		*ret_ruleset = ruleset; /* nobody answers for nftables: there are no rules */
		return 0;
	}
	for (int attempt = 0; attempt < LOAD_ATTEMPTS_MAX; attempt++) {
		if (!error)
			error = load_once(nft, &ruleset);
		if (!error)
			error = ask_generation(nft, &after);
		if (!error && before != after)
			error = -EAGAIN;
		if (error != -ENOENT && error != -EAGAIN)
			break;
		if (attempt + 1 < LOAD_ATTEMPTS_MAX)
			error = ask_generation(nft, &before);
	}
	if (error) {
		loaded_clear(&ruleset);
		return err_set(err, error, "nft list ruleset: %s", strerror(-error));
	}
	*ret_ruleset = ruleset;
	return 0;
}
