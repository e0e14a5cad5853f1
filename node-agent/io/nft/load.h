/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_LOAD_H
#define HOLDFAST_IO_NFT_LOAD_H

#include "node-agent/core/trace/loaded.h"
#include "node-agent/io/nft/nft.h"

/*
 * The whole ruleset of the network namespace, everybody's, as the kernel lists it. Read between two commits if it can be
 * (asked again a few times when the generation changed meanwhile). Clear it with loaded_clear(). A kernel without
 * nftables has an empty one.
 */
int nft_load(struct nft *nft, struct loaded_ruleset *ret_ruleset, struct err *err);

#endif
