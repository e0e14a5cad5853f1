/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_BATCH_H
#define HOLDFAST_IO_NFT_BATCH_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nft;

/* A transaction as bytes: NFNL_MSG_BATCH_BEGIN, messages, NFNL_MSG_BATCH_END. All of it happens, or nothing. */
struct nft_batch {
	uint8_t *data; /* owned */
	size_t length, capacity;
	size_t last; /* offset of the message added last */
	uint32_t first_sequence, last_sequence;
};

enum { NFT_MESSAGE_BYTES_MAX = 16384 }; /* room that each message finds */

void nft_batch_begin(struct nft_batch *batch, struct nft *nft);
/* A message of NFT_MSG_... with attributes to be added by the caller until the next call. */
struct nlmsghdr *nft_batch_add(
	struct nft_batch *batch, struct nft *nft, uint16_t type, uint16_t family, uint16_t flags);
/* Asks for one acknowledgement, of the last message. Do not send a batch without messages. */
void nft_batch_end(struct nft_batch *batch, struct nft *nft);
/* Instead of nft_batch_end(): the kernel tries every message, checks the tables that would come of it, answers, and undoes all of it; nobody is
 * told, no packet sees it. It takes a batch that just stops for one whose sender is only asking, as nft --check does (nfnetlink_rcv_batch(),
 * net/netfilter/nfnetlink.c). */
void nft_batch_try(struct nft_batch *batch);
void nft_batch_clear(struct nft_batch *batch); /* frees */

size_t nft_batch_count(const struct nft_batch *batch); /* messages between begin and end */
/* Is that message about a rule? */
bool nft_batch_is_rule(const struct nft_batch *batch, uint32_t sequence);
/* "a rule of chain forward in table inet holdfast": what the message of that sequence number is about, for a person. Returns buffer. */
enum { NFT_OBJECT_TEXT_MAX = 160 };
char *nft_batch_describe(const struct nft_batch *batch, uint32_t sequence, char *buffer, size_t size);

#endif
