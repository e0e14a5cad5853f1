/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SEAT_FLOOR_H
#define HOLDFAST_SEAT_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The revocation floor, as one gateway knows it (FAILOVER rule 10): the last generation that removed or narrowed a
 * peer. Whoever holds an older one would let that peer in, so it does not serve. One for the whole gateway; pure.
 *
 * What is on the disk may have risen while this gateway was away: before it takes anything in this life, somebody who
 * was not away has confirmed it.
 */
struct floor {
	uint64_t known; /* a generation's number; 0: none. Never falls */
	bool confirmed; /* in this life */
};

/* What somebody says of it. confirms: a controller, or a gateway that has had it confirmed itself, by a word that is
 * fresh for certain. True: something is new. */
bool floor_hear(struct floor *floor, uint64_t told, bool confirms);

/* Would a gateway that holds this generation let in whom another has removed? */
bool floor_is_above(const struct floor *floor, uint64_t generation);

#endif
