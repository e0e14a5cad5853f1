/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_CLAIM_H
#define HOLDFAST_PROTO_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/epoch.h"
#include "proto/limits.h"

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
	struct nonce nonce;
};

#endif
