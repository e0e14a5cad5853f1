/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_REFUSAL_H
#define HOLDFAST_IO_NFT_REFUSAL_H

#include <stdint.h>

#include "common/base/err.h"
#include "node-agent/io/nft/batch.h"

/*
 * The kernel's no to a batch, for a person: `what` was to be loaded, which message of it was refused (its sequence number; 0: not
 * known), why, and what to do. Returns error, but -EOPNOTSUPP for a rule whose expression the kernel does not know.
 */
int nft_refusal(const struct nft_batch *batch, uint32_t failed, int error, const char *what, struct err *err);

#endif
