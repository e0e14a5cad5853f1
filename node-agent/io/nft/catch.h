/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_CATCH_H
#define HOLDFAST_IO_NFT_CATCH_H

#include <stdint.h>

#include "node-agent/core/firewall/catch.h"
#include "node-agent/io/nft/nft.h"

/*
 * The table of core/firewall/catch.h for the time that test packets are under way. The kernel removes it with the socket
 * (NFT_TABLE_F_OWNER, Linux 5.12), so an agent that dies leaves none; nobody else can change it meanwhile.
 */

/* -EEXIST: another agent in this network namespace has one. -EOPNOTSUPP: the kernel lacks what it needs. */
int nft_catch_open(struct nft *nft, const struct fw_catch *catches, size_t count, struct err *err);
/* How many packets of each catch would have left by its device. */
int nft_catch_read(struct nft *nft, uint64_t *ret_packets, size_t count, struct err *err);
void nft_catch_close(struct nft *nft);

#endif
