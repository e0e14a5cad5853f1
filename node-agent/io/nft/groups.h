/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_GROUPS_H
#define HOLDFAST_IO_NFT_GROUPS_H

#include "node-agent/core/firewall/reach.h"
#include "node-agent/io/nft/nft.h"

/*
 * The table of core/firewall/reach.h in the kernel, in one batch: packets see the old rules or the new ones. Where `from` is what
 * is there (the last one that was applied, and nobody else has changed the table since) and its rules will do, only elements
 * that differ are sent; otherwise, and where `from` is NULL, the table is made anew. Without groups it is removed.
 */
int nft_reach_apply(struct nft *nft, const struct reach *from, const struct reach *to, struct err *err);
/* Would the kernel take it? As nft_try(): nothing is changed. */
int nft_reach_try(struct nft *nft, const struct reach *from, const struct reach *to, struct err *err);

#endif
