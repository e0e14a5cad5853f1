/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SUCCESSION_HEIR_H
#define HOLDFAST_TESTS_SUCCESSION_HEIR_H

#include "node-agent/core/succession/succession.h"

/* gw-b of the pool gw-a, gw-b, gw-c under a virtual clock. gw-a has served under 7.5; a controller, gw-c and a witness
 * answer as long as they are said to. */
enum { OWNER_EPOCH_N = 5, GENERATION = 3, RANK_B = 1 };

struct heir {
	struct succession succession;
	struct succession_view view;
	int64_t now;
	bool controller;    /* its beats arrive */
	bool tls;           /* it answers over TLS */
	bool witness;       /* answers */
	bool third;         /* gw-c's beats arrive ... */
	bool third_has_one; /* ... and say that it has a controller */
	uint64_t third_generation;
	bool address; /* somebody answers for it */
	bool disk;    /* takes what is given to it */
	unsigned asked_leader, asked_witness, probes, persisted, taken;
	int64_t taken_ms;
	struct epoch claim;            /* last on disk */
	struct succession_action last; /* TAKE */
};

/* All is well: gw-a serves, everybody is heard. */
void heir_init(struct heir *heir);
/* The same, with what an earlier life has left on disk. */
void heir_init_claimed(struct heir *heir, struct epoch claimed);
void heir_step(struct heir *heir, struct succession_event event);
void heir_hear(struct heir *heir, const char *from, enum seat_role role, struct epoch epoch);
void heir_verdict(struct heir *heir, enum verdict_kind kind); /* on gw-a */
/* gw-a was last heard just now, and is dead as found 150 ms later. */
void heir_bury(struct heir *heir);
void heir_pass(struct heir *heir, int64_t ms);

#endif
