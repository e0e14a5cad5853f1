/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_LISTING_H
#define HOLDFAST_IO_NFT_LISTING_H

#include "node-agent/core/firewall/ruleset.h"
#include "node-agent/io/nft/encode.h"
#include "node-agent/io/nft/socket.h"

/* What the kernel holds of our tables. */
struct listed_table {
	uint32_t family; /* NFPROTO_... */
	char name[FW_NAME_MAX + 1];
	char scope[FW_SCOPE_MAX + 1]; /* "": not written by us */
	/* NULL until nft_list_contents(); owned */
	struct nftnl_set_list *sets;
	struct nftnl_chain_list *chains;
	struct nftnl_rule_list *rules; /* of all chains, in order */
};

struct listing {
	size_t count, capacity;
	struct listed_table *tables; /* owned; without those whose name is longer than any of ours */
};

int nft_list_tables(struct nft *nft, struct listing *listing);
int nft_list_contents(struct nft *nft, struct listed_table *table);
struct listed_table *nft_listed(const struct listing *listing, const struct fw_table *table);
void nft_listing_clear(struct listing *listing);

/* NULL: it has none of that name. */
const struct nftnl_chain *nft_listed_chain(const struct listed_table *table, const char *name);
const struct nftnl_set *nft_listed_set(const struct listed_table *table, const char *name);

/* Are they as the ruleset wants them (what a chain hooks into; a set's key and flags)? */
bool nft_chain_is(
	const struct nftnl_chain *listed, const struct fw_table *table, const struct fw_chain *chain);
bool nft_set_is(const struct nftnl_set *listed, const struct fw_set *set);

#endif
