/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_OBSERVE_H
#define HOLDFAST_IO_NFT_OBSERVE_H

#include "node-agent/io/nft/listing.h"

/* The tables, and the contents of those the ruleset names. Clear the listing also after an error. */
int nft_list_for(struct nft *nft, const struct fw_ruleset *ruleset, struct listing *listing);

/* Its error in words, and -EPROTONOSUPPORT for a kernel without nftables. */
int nft_explain_list(int error, struct err *err);

void nft_compare(
	const struct listing *listing, const struct fw_ruleset *ruleset, struct nft_difference *difference);
/* One table; listed may be NULL: it is not there. Adds to *difference. A table without sets is made anew where it
 * differs, so it also differs where it has another scope's comment, or none; one with sets keeps what it has. */
void nft_compare_table(const struct listed_table *listed, const struct fw_table *table, const char *scope,
	struct nft_difference *difference);
/* Is it of the ruleset's scope, and not in the ruleset? */
bool nft_is_left_over(const struct listed_table *listed, const struct fw_ruleset *ruleset);

#endif
