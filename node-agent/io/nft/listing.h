/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_LISTING_H
#define HOLDFAST_IO_NFT_LISTING_H

#include "node-agent/core/firewall/ruleset.h"
#include "node-agent/io/nft/encode.h"
#include "node-agent/io/nft/socket.h"

/* What the kernel holds of our tables. */
enum {
	NFT_TABLES_MAX = 65536, /* of the whole host */
	/* Of each kind in a table, one more than ours can have: what is beyond is left out, and the table differs anyway. */
	NFT_LISTED_MAX = FW_CHAINS_MAX * FW_RULES_MAX + 1,
};

struct listed_table {
	uint32_t family; /* NFPROTO_... */
	char name[FW_NAME_MAX + 1];
	char scope[FW_SCOPE_MAX + 1]; /* "": not written by us */
	/* NULL until nft_list_contents(); owned */
	struct nftnl_set_list *sets;
	struct nftnl_chain_list *chains;
	struct nftnl_rule_list *rules; /* of all chains, in order */
	size_t set_count, chain_count, rule_count;
};

struct listing {
	size_t count, capacity;
	struct listed_table *tables; /* owned; without those whose name is longer than any of ours */
};

int nft_list_tables(struct nft *nft, struct listing *listing);
int nft_list_contents(struct nft *nft, struct listed_table *table);
struct listed_table *nft_listed(const struct listing *listing, const struct fw_table *table);
void nft_listing_clear(struct listing *listing);

/* Take in one message of the answers: a table into a struct listing; a set, chain or rule into a struct listed_table after
 * nft_listed_start(), which makes its lists, empty. -EBADMSG; -E2BIG: one more than NFT_TABLES_MAX. */
int nft_take_table(const struct nlmsghdr *message, void *listing);
void nft_listed_start(struct listed_table *table);
int nft_take_set(const struct nlmsghdr *message, void *table);
int nft_take_chain(const struct nlmsghdr *message, void *table);
int nft_take_rule(const struct nlmsghdr *message, void *table);

/* NULL: it has none of that name. */
const struct nftnl_chain *nft_listed_chain(const struct listed_table *table, const char *name);
const struct nftnl_set *nft_listed_set(const struct listed_table *table, const char *name);

/* Are they as the ruleset wants them (what a chain hooks into; a set's key and flags)? */
bool nft_chain_is(
	const struct nftnl_chain *listed, const struct fw_table *table, const struct fw_chain *chain);
bool nft_set_is(const struct nftnl_set *listed, const struct fw_set *set);

#endif
