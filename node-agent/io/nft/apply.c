/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "node-agent/io/nft/elements.h"
#include "node-agent/io/nft/observe.h"
#include "node-agent/io/nft/refusal.h"

/*
 * One batch from what is there to what shall be. A table that holds permit sets is changed in place: its rules are
 * replaced, its sets stay. Chains stay too unless they are hooked in elsewhere now. wg-quick's tables hold nothing to
 * keep: they are deleted and made anew.
 *
 * Within a batch the kernel builds the next generation of the ruleset beside the one packets see, and then switches
 * (net/netfilter/nf_tables_api.c, nf_tables_commit()).
 */
enum { APPLY_ATTEMPTS_MAX = 100 };

struct work {
	struct nft *nft;
	struct nft_batch batch;
	const struct fw_ruleset *ruleset;
	const struct nft_seed *seeds;
	size_t seed_count;
	uint32_t set_id;
	bool tries; /* only asks the kernel whether it would */
};

static struct nlmsghdr *add(struct work *work, uint16_t type, const struct fw_table *table, uint16_t flags)
{
	return nft_batch_add(&work->batch, work->nft, type, nft_family(table->family), flags);
}

static void add_table(struct work *work, const struct fw_table *table, uint16_t flags)
{
	struct nftnl_table *object = nft_encode_table(table, work->ruleset->scope);
	nftnl_table_nlmsg_build_payload(add(work, NFT_MSG_NEWTABLE, table, NLM_F_CREATE | flags), object);
	nftnl_table_free(object);
}

static void delete_table(struct work *work, uint32_t family, const char *name)
{
	struct nlmsghdr *message =
		nft_batch_add(&work->batch, work->nft, NFT_MSG_DELTABLE, (uint16_t)family, 0);
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, name);
}

static void delete_set(struct work *work, const struct fw_table *table, const char *name)
{
	struct nlmsghdr *message = add(work, NFT_MSG_DELSET, table, 0);
	mnl_attr_put_strz(message, NFTA_SET_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_SET_NAME, name);
}

static void add_seeds(struct work *work, const struct fw_table *table, const struct fw_set *set)
{
	for (size_t i = 0; i < NFT_SLOTS; i++) {
		const struct nft_slot *slot = &nft_slots[i];
		if (slot->family != nft_family(table->family) || strcmp(slot->set, set->name) != 0)
			continue;
		for (size_t s = 0; s < work->seed_count; s++)
			nft_add_slot(&work->batch, work->nft, slot, &work->seeds[s].permit,
				work->seeds[s].timeout_ms);
	}
}

/* Made only where it is missing, with what shall be in it from the first packet on. */
static void add_set(struct work *work, const struct fw_table *table, const struct fw_set *set)
{
	struct nftnl_set *object = nft_encode_set(table, set, ++work->set_id);
	nftnl_set_nlmsg_build_payload(add(work, NFT_MSG_NEWSET, table, NLM_F_CREATE | NLM_F_EXCL), object);
	nftnl_set_free(object);
	add_seeds(work, table, set);
}

static void add_chain(struct work *work, const struct fw_table *table, const struct fw_chain *chain)
{
	struct nftnl_chain *object = nft_encode_chain(table, chain);
	nftnl_chain_nlmsg_build_payload(add(work, NFT_MSG_NEWCHAIN, table, NLM_F_CREATE), object);
	nftnl_chain_free(object);
}

static void delete_chain(struct work *work, const struct fw_table *table, const char *name)
{
	struct nlmsghdr *message = add(work, NFT_MSG_DELCHAIN, table, 0);
	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, table->name);
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, name);
}

static void add_rules(struct work *work, const struct fw_table *table, const struct fw_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		struct nftnl_rule *object = nft_encode_rule(table, chain, &chain->rules[i]);
		nftnl_rule_nlmsg_build_payload(
			add(work, NFT_MSG_NEWRULE, table, NLM_F_CREATE | NLM_F_APPEND), object);
		nftnl_rule_free(object);
	}
}

static void delete_rules(struct work *work, const struct fw_table *table)
{
	mnl_attr_put_strz(add(work, NFT_MSG_DELRULE, table, 0), NFTA_RULE_TABLE, table->name);
}

static void add_chains(struct work *work, const struct fw_table *table)
{
	for (size_t i = 0; i < table->chain_count; i++) {
		add_chain(work, table, &table->chains[i]);
		add_rules(work, table, &table->chains[i]);
	}
}

static void make_table(struct work *work, const struct fw_table *table)
{
	add_table(work, table, NLM_F_EXCL);
	for (size_t i = 0; i < table->set_count; i++)
		add_set(work, table, &table->sets[i]);
	add_chains(work, table);
}

static bool is_wanted(const struct nftnl_chain *listed, const struct fw_table *table)
{
	const char *name = nftnl_chain_get_str(listed, NFTNL_CHAIN_NAME);
	for (size_t i = 0; i < table->chain_count; i++)
		if (strcmp(table->chains[i].name, name) == 0)
			return nft_chain_is(listed, table, &table->chains[i]);
	return false;
}

static void delete_unwanted_chains(
	struct work *work, const struct listed_table *listed, const struct fw_table *table)
{
	struct nftnl_chain_list_iter *iter = nftnl_chain_list_iter_create(listed->chains);
	const struct nftnl_chain *chain;
	while ((chain = nftnl_chain_list_iter_next(iter)))
		if (!is_wanted(chain, table))
			delete_chain(work, table, nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	nftnl_chain_list_iter_destroy(iter);
}

static void mend_sets(struct work *work, const struct listed_table *listed, const struct fw_table *table)
{
	for (size_t i = 0; i < table->set_count; i++) {
		const struct fw_set *set = &table->sets[i];
		const struct nftnl_set *found = nft_listed_set(listed, set->name);
		if (found && nft_set_is(found, set))
			continue;
		if (found)
			delete_set(work, table, set->name);
		add_set(work, table, set);
	}
}

/* Rules first: chains and sets that a rule refers to cannot go. */
static void change_table(struct work *work, const struct listed_table *listed, const struct fw_table *table)
{
	delete_rules(work, table);
	delete_unwanted_chains(work, listed, table);
	mend_sets(work, listed, table);
	add_chains(work, table);
}

static void settle_table(struct work *work, const struct listed_table *listed, const struct fw_table *table)
{
	struct nft_difference difference = {0};
	nft_compare_table(listed, table, work->ruleset->scope, &difference);
	if (!difference.differs)
		return;
	if (!listed) {
		make_table(work, table);
	} else if (table->set_count) {
		change_table(work, listed, table);
	} else {
		delete_table(work, listed->family, listed->name);
		make_table(work, table);
	}
}

static void build(struct work *work, const struct listing *listing)
{
	nft_batch_begin(&work->batch, work->nft);
	for (size_t i = 0; i < work->ruleset->count; i++) {
		const struct fw_table *table = &work->ruleset->tables[i];
		settle_table(work, nft_listed(listing, table), table);
	}
	for (size_t i = 0; i < listing->count; i++)
		if (nft_is_left_over(&listing->tables[i], work->ruleset))
			delete_table(work, listing->tables[i].family, listing->tables[i].name);
	if (work->tries)
		nft_batch_try(&work->batch);
	else
		nft_batch_end(&work->batch, work->nft);
}

static int commit(struct work *work, bool *ret_changed, struct err *err)
{
	uint32_t failed = 0;
	*ret_changed = nft_batch_count(&work->batch) > 0;
	int error = *ret_changed ? nft_commit(work->nft, &work->batch, &failed) : 0;
	return error ? nft_refusal(&work->batch, failed, error, "the firewall", err) : 0;
}

static int apply_once(struct work *work, bool *ret_changed, struct err *err)
{
	struct listing listing = {0};
	int error = nft_list_for(work->nft, work->ruleset, &listing);
	if (error) {
		error = nft_explain_list(error, err);
	} else {
		build(work, &listing);
		error = commit(work, ret_changed, err);
	}
	nft_listing_clear(&listing);
	return error;
}

/* Somebody made or deleted a table, chain or set of ours between the listing and the batch. */
static bool is_outdated(int error)
{
	return error == -ENOENT || error == -EEXIST || error == -EBUSY;
}

static int settle(struct work *work, bool *ret_changed, struct err *err)
{
	bool changed = false;
	int error = -ENOENT;
	for (int attempt = 0; attempt < APPLY_ATTEMPTS_MAX && is_outdated(error); attempt++)
		error = apply_once(work, &changed, err);
	nft_batch_clear(&work->batch);
	if (!error && ret_changed)
		*ret_changed = changed;
	return error;
}

int nft_apply(struct nft *nft, const struct fw_ruleset *ruleset, const struct nft_seed *seeds,
	size_t seed_count, bool *ret_changed, struct err *err)
{
	struct work work = {.nft = nft, .ruleset = ruleset, .seeds = seeds, .seed_count = seed_count};
	return settle(&work, ret_changed, err);
}

int nft_try(struct nft *nft, const struct fw_ruleset *ruleset, struct err *err)
{
	struct work work = {.nft = nft, .ruleset = ruleset, .tries = true};
	int error = settle(&work, NULL, err);
	return error == -EPROTONOSUPPORT && !ruleset->count ? 0 : error;
}

bool nft_is_unsupported(int error)
{
	switch (error) {
	case -EOPNOTSUPP:
	case -EPROTONOSUPPORT:
	case -EAFNOSUPPORT:
	case -ENOENT: /* of a chain's type, after all attempts */
		return true;
	default: /* errno, not an enum */
		return false;
	}
}

int nft_remove(struct nft *nft, const char *scope, struct err *err)
{
	struct fw_ruleset nothing = {0};
	if (strlen(scope) == 0 || strlen(scope) > FW_SCOPE_MAX)
		return err_set(err, -EINVAL, "\"%.40s\" is no scope of a firewall", scope);
	memcpy(nothing.scope, scope, strlen(scope));
	return nft_apply(nft, &nothing, NULL, 0, NULL, err);
}
