/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_EXPIRY_H
#define HOLDFAST_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/key.h"
#include "proto/desired.h"

/*
 * Peers that `expires` has ended, by the gateway's own wall clock: so it holds also while no controller lives, and follows the
 * clock wherever it jumps. Times are seconds since 1970.
 */
struct expiry {
	int64_t last_s; /* the latest that is over; INT64_MIN: none is */
	int64_t next_s; /* the earliest to come; INT64_MAX: none */
};

struct expiry expiry_of(const struct desired *desired, int64_t now_s);
/* Is it another time by now: has one passed since, or has the clock gone back behind one? */
bool expiry_is_due(const struct expiry *expiry, int64_t now_s);

/* A copy without those that are expired. keys: one for each peer of desired, or NULL; *ret_keys: those of the copy, likewise. */
struct desired *expiry_apply(
	const struct desired *desired, const struct key *keys, int64_t now_s, struct key **ret_keys);

#endif
