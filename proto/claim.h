/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_CLAIM_H
#define HOLDFAST_PROTO_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/epoch.h"
#include "proto/limits.h"
#include "proto/wire.h"

/*
 * `isolation: fence` (FAILOVER rules 2, 3 and 7): whoever serves, or has been ordered to, asks for leave again and again;
 * the controller grants it, or every other member of the pool promises to stay out of the way.
 *
 * The nonce is when it was asked: whoever asked knows from it how old the answer is, whatever way that came and however
 * long it took. One from before a restart has another boot, and counts for nothing.
 */
struct nonce {
	uint64_t boot;    /* the life of the gateway that asks; never 0 */
	uint64_t time_us; /* its own monotonic clock when it asked */
};

struct claim {
	char endpoint[PROTO_NAME_MAX + 1];
	char gateway[PROTO_NAME_MAX + 1]; /* who asks */
	struct epoch epoch;
	bool serves; /* it serves under that epoch already; else it was ordered to */
	uint64_t
		terms; /* whose leave it takes to be enough, and for how long it lasts: common/cluster/terms.h */
	struct nonce nonce;
};

/* The leading controller's answer: the claim as it was, signed (Ed25519), and so good by whatever way it comes. */
enum { GRANT_SIGNATURE_BYTES = 64 };

struct grant {
	struct claim claim;
	uint8_t signature[GRANT_SIGNATURE_BYTES];
};

/* What is signed: a label, the version, the store's id and the claim. */
enum { GRANT_TEXT_MAX = 256 };
/* Returns the number of bytes, always <= GRANT_TEXT_MAX; -EINVAL for a name that is none. */
int grant_text(uint64_t store, const struct claim *claim, uint8_t buffer[GRANT_TEXT_MAX]);

/* A part of other messages. */
void claim_put(struct wire_writer *writer, const struct claim *claim);
/* False: a value that no claim has. */
bool claim_get(struct wire_reader *reader, struct claim *ret_claim);

#endif
