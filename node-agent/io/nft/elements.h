/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_ELEMENTS_H
#define HOLDFAST_IO_NFT_ELEMENTS_H

#include <stdint.h>

#include "node-agent/core/firewall/permit.h"
#include "node-agent/io/nft/batch.h"

/* What a permit means in elements: one slot per set that can hold some of them. */
struct nft_slot {
	const char *set;
	uint16_t family; /* NFPROTO_... of the table */
	uint8_t key_bytes;
};

enum { NFT_SLOTS = 5, NFT_SLOT_KEYS_MAX = FW_PERMIT_MARKS_MAX };

extern const struct nft_slot nft_slots[NFT_SLOTS];

struct nft_keys {
	size_t count;
	uint8_t bytes[NFT_SLOT_KEYS_MAX][16];
};

/* The keys that a permit has in the slot. */
void nft_slot_keys(const struct nft_slot *slot, const struct fw_permit *permit, struct nft_keys *keys);

/* Messages that add (exclusively: -EEXIST if one is there) or delete (-ENOENT if one is not) the elements of a permit, in one slot or in
 * all. Nothing is added for a slot without keys. */
void nft_add_slot(struct nft_batch *batch, struct nft *nft, const struct nft_slot *slot,
	const struct fw_permit *permit, int64_t timeout_ms);
void nft_add_elements(
	struct nft_batch *batch, struct nft *nft, const struct fw_permit *permit, int64_t timeout_ms);
void nft_delete_elements(struct nft_batch *batch, struct nft *nft, const struct fw_permit *permit);
void nft_delete_element(
	struct nft_batch *batch, struct nft *nft, const struct nft_slot *slot, const uint8_t *key);

/* The attributes of a message about one key, for a question. */
void nft_put_key(struct nlmsghdr *message, const struct nft_slot *slot, const uint8_t *key);

#endif
