/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/listing.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/nft/decode.h"

static void clear_contents(struct listed_table *table)
{
	if (table->sets)
		nftnl_set_list_free(table->sets);
	if (table->chains)
		nftnl_chain_list_free(table->chains);
	if (table->rules)
		nftnl_rule_list_free(table->rules);
	table->sets = NULL;
	table->chains = NULL;
	table->rules = NULL;
}

void nft_listing_clear(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		clear_contents(&listing->tables[i]);
	free(listing->tables);
	*listing = (struct listing){0};
}

static void add_table(struct listing *listing, const struct nftnl_table *table)
{
	const char *name = nftnl_table_get_str(table, NFTNL_TABLE_NAME);
	if (!name || strlen(name) > FW_NAME_MAX)
		return;
	listing->tables =
		mem_grow(listing->tables, &listing->capacity, listing->count + 1, sizeof *listing->tables);
	struct listed_table *to = &listing->tables[listing->count++];
	*to = (struct listed_table){.family = nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY)};
	text_copy(to->name, sizeof to->name, name);
	if (!nft_decode_scope(table, to->scope, sizeof to->scope))
		to->scope[0] = '\0';
}

int nft_take_table(const struct nlmsghdr *message, void *context)
{
	struct listing *listing = context;
	struct nftnl_table *table;
	int error = nft_decode_table(message, &table);
	if (error)
		return error;
	error = listing->count < NFT_TABLES_MAX ? 0 : -E2BIG;
	if (!error)
		add_table(listing, table);
	nftnl_table_free(table);
	return error;
}

static void forget_tables(void *context)
{
	nft_listing_clear(context);
}

int nft_list_tables(struct nft *nft, struct listing *listing)
{
	const struct nft_question question = {.type = NFT_MSG_GETTABLE,
		.restart = forget_tables,
		.message = nft_take_table,
		.context = listing};
	return nft_dump(nft, &question);
}

int nft_take_set(const struct nlmsghdr *message, void *context)
{
	struct listed_table *table = context;
	struct nftnl_set *set;
	int error = nft_decode_set(message, &set);
	if (error)
		return error;
	if (table->set_count == NFT_LISTED_MAX) {
		nftnl_set_free(set);
		return 0;
	}
	table->set_count++;
	nftnl_set_list_add_tail(set, table->sets);
	return 0;
}

/* Older kernels list the chains of all tables of the family. */
int nft_take_chain(const struct nlmsghdr *message, void *context)
{
	struct listed_table *table = context;
	struct nftnl_chain *chain;
	int error = nft_decode_chain(message, &chain);
	if (error)
		return error;
	if (table->chain_count == NFT_LISTED_MAX ||
		strcmp(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE), table->name) != 0) {
		nftnl_chain_free(chain);
		return 0;
	}
	table->chain_count++;
	nftnl_chain_list_add_tail(chain, table->chains);
	return 0;
}

int nft_take_rule(const struct nlmsghdr *message, void *context)
{
	struct listed_table *table = context;
	struct nftnl_rule *rule;
	int error = nft_decode_rule(message, &rule);
	if (error)
		return error;
	if (table->rule_count == NFT_LISTED_MAX) {
		nftnl_rule_free(rule);
		return 0;
	}
	table->rule_count++;
	nftnl_rule_list_add_tail(rule, table->rules);
	return 0;
}

static void forget_sets(void *context)
{
	struct listed_table *table = context;
	if (table->sets)
		nftnl_set_list_free(table->sets);
	table->sets = nftnl_set_list_alloc();
	table->set_count = 0;
}

static void forget_chains(void *context)
{
	struct listed_table *table = context;
	if (table->chains)
		nftnl_chain_list_free(table->chains);
	table->chains = nftnl_chain_list_alloc();
	table->chain_count = 0;
}

static void forget_rules(void *context)
{
	struct listed_table *table = context;
	if (table->rules)
		nftnl_rule_list_free(table->rules);
	table->rules = nftnl_rule_list_alloc();
	table->rule_count = 0;
}

void nft_listed_start(struct listed_table *table)
{
	forget_sets(table);
	forget_chains(table);
	forget_rules(table);
}

int nft_list_contents(struct nft *nft, struct listed_table *table)
{
	const struct {
		uint16_t type;
		void (*restart)(void *context);
		int (*message)(const struct nlmsghdr *message, void *context);
	} parts[] = {{NFT_MSG_GETSET, forget_sets, nft_take_set},
		{NFT_MSG_GETCHAIN, forget_chains, nft_take_chain},
		{NFT_MSG_GETRULE, forget_rules, nft_take_rule}};
	int error = 0;
	for (size_t i = 0; i < ARRAY_COUNT(parts) && !error; i++) {
		const struct nft_question question = {.type = parts[i].type,
			.family = (uint16_t)table->family,
			.table = table->name,
			.restart = parts[i].restart,
			.message = parts[i].message,
			.context = table};
		error = nft_dump(nft, &question);
	}
	return error;
}

struct listed_table *nft_listed(const struct listing *listing, const struct fw_table *table)
{
	for (size_t i = 0; i < listing->count; i++) {
		struct listed_table *listed = &listing->tables[i];
		if (listed->family == nft_family(table->family) && strcmp(listed->name, table->name) == 0)
			return listed;
	}
	return NULL;
}

const struct nftnl_chain *nft_listed_chain(const struct listed_table *table, const char *name)
{
	return nftnl_chain_list_lookup_byname(table->chains, name);
}

const struct nftnl_set *nft_listed_set(const struct listed_table *table, const char *name)
{
	return nftnl_set_list_lookup_byname(table->sets, name);
}

/* The kernel tells a chain's device alone, or as the only one of a list. */
static bool is_on(const struct nftnl_chain *listed, const char *device)
{
	const char *name = nftnl_chain_get_str(listed, NFTNL_CHAIN_DEV);
	const char *const *names = nftnl_chain_get_array(listed, NFTNL_CHAIN_DEVICES);
	if (!name && names)
		name = names[0];
	return strcmp(name ? name : "", device) == 0;
}

bool nft_chain_is(
	const struct nftnl_chain *listed, const struct fw_table *table, const struct fw_chain *chain)
{
	const char *type = nftnl_chain_get_str(listed, NFTNL_CHAIN_TYPE); /* NULL: not hooked in anywhere */
	return type && strcmp(type, fw_type_name(chain->type)) == 0 &&
	       nftnl_chain_get_u32(listed, NFTNL_CHAIN_HOOKNUM) == nft_hook(table->family, chain->hook) &&
	       nftnl_chain_get_s32(listed, NFTNL_CHAIN_PRIO) == chain->priority &&
	       nftnl_chain_get_u32(listed, NFTNL_CHAIN_POLICY) == NF_ACCEPT && is_on(listed, chain->device);
}

bool nft_set_is(const struct nftnl_set *listed, const struct fw_set *set)
{
	return nftnl_set_get_u32(listed, NFTNL_SET_FLAGS) ==
		       (NFT_SET_TIMEOUT | (set->size ? NFT_SET_EVAL : 0U)) &&
	       nftnl_set_get_u32(listed, NFTNL_SET_KEY_LEN) == fw_key_bytes(set->key);
}
