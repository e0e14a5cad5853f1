/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_LEASE_H
#define HOLDFAST_IO_NFT_LEASE_H

#include <stdint.h>

#include "node-agent/io/nft/nft.h"

/*
 * The lease as the kernel holds it: elements with a timeout in the fence's sets, all elements of an endpoint in one
 * batch, one send and one receive each. Results other than those below: -EPERM, -ENOMEM, -ENOBUFS and the like.
 *
 * The kernel counts in jiffies (1 to 10 ms, Debian 4 ms) and rounds: a timeout ends up to one jiffy late or early.
 */

/* From nothing. -EEXIST: an element is held already (adopt it, or release first). -ESTALE: the fence's sets are not
 * there, see nft_apply(). On failure nothing is permitted that was not before. */
int nft_permit_acquire(struct nft *nft, const struct fw_permit *permit, int64_t timeout_ms);

/* Delete and add in one batch. -ENOENT: an element had run out, the lease was lost, nothing is un-fenced: step down
 * (nft_permit_release() takes what may be left). -ESTALE: as above, the fence itself is gone. */
int nft_permit_renew(struct nft *nft, const struct fw_permit *permit, int64_t timeout_ms);

/* The same while the endpoint changes: what `from` permits ends, what `to` permits begins, in one step. */
int nft_permit_change(
	struct nft *nft, const struct fw_permit *from, const struct fw_permit *to, int64_t timeout_ms);

/* Fence now. 0 also if nothing was held, or the fence is gone. */
int nft_permit_release(struct nft *nft, const struct fw_permit *permit);

/* The time left of the element that ends first; 0: at least one is missing. For an agent that restarts and adopts. */
int nft_permit_read(struct nft *nft, const struct fw_permit *permit, int64_t *ret_left_ms);

#endif
