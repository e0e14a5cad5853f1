/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_SOCKET_H
#define HOLDFAST_IO_NFT_SOCKET_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "node-agent/io/nft/batch.h"
#include "node-agent/io/nft/nft.h"

/*
 * One netlink socket and how to speak through it. The kernel answers within the system call that sends, so answers
 * are waiting when it returns; waiting longer than a second for one is reported as -ETIMEDOUT.
 */
enum { NFT_ANSWER_BYTES = 32768 }; /* the largest datagram the kernel makes for a dump */

struct nft {
	struct mnl_socket *socket;
	uint32_t sequence;
	struct nft_batch batch; /* kept, so that a renewal allocates nothing */
	uint8_t answer[NFT_ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

uint32_t nft_next_sequence(struct nft *nft);

/* Send a batch begun with nft_batch_begin() and closed with nft_batch_end(). 0 if it was committed, else the first
 * error; *ret_failed (may be NULL) is then the sequence number of the message that was refused, 0 if it is not known. */
int nft_commit(struct nft *nft, const struct nft_batch *batch, uint32_t *ret_failed);

/*
 * Ask a question whose answer is a list. `message` is called for each entry; `restart` before each attempt, to forget
 * what an interrupted one has brought. Retries when the list changed under it, or the kernel was busy.
 */
struct nft_question {
	uint16_t type; /* NFT_MSG_GET... */
	uint16_t family;
	const char *table; /* attribute 1; NULL: all */
	const char *set;   /* attribute 2, of a question about elements; NULL: none */
	void (*restart)(void *context);
	int (*message)(const struct nlmsghdr *message, void *context); /* 0 or -errno, which ends it */
	void *context;
};

int nft_dump(struct nft *nft, const struct nft_question *question);

/* Ask one question that is answered by one message or an error. `message` may be NULL. */
int nft_ask(struct nft *nft, struct nlmsghdr *request, int (*message)(const struct nlmsghdr *, void *),
	void *context);

#endif
