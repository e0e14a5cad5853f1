/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FORWARDING_PROOF_H
#define HOLDFAST_FORWARDING_PROOF_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When is a packet sent through to prove that this host forwards one way, and what does it mean that it got lost? Pure; times
 * are monotonic milliseconds.
 *
 * A way counts as broken only if a packet came through it before, and PROOF_LOST_MAX in a row no longer do: a firewall that
 * nothing here can read may mean to refuse these very packets from the start.
 */
enum {
	PROOF_EVERY_MS = 10000,
	PROOF_RETRY_MS = 200,   /* one that got lost is followed by the next */
	PROOF_BROKEN_MS = 2000, /* while it is broken: it shall be noticed soon that it no longer is */
	PROOF_LOST_MAX = 3,
};

enum proof_result {
	PROOF_THROUGH,
	PROOF_LOST,
	PROOF_UNSENT, /* none could be sent: nothing new is known */
	PROOF_NO_WAY, /* no route leads it that way, as on a standby that has none there: nothing is known any more */
};

struct proof {
	int64_t next_ms;   /* when it is due; 0: now */
	int64_t proven_ms; /* when the last one came through; 0: none did, as far as it matters */
	unsigned lost;     /* in a row since then */
};

void proof_take(struct proof *proof, enum proof_result result, int64_t now_ms);
bool proof_is_broken(const struct proof *proof);

#endif
