/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TIMELINE_H
#define HOLDFAST_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/moment.h"

/*
 * The moments of one gateway or controller, the last TIMELINE_MAX of them. Pure.
 *
 * Each tells its time by its own monotonic clock. Those of somebody else are settled, that is, turned into the keeper's
 * time, once it is known how far the two clocks are apart (from the echoes of liveness: liveness_view()).
 */
enum {
	TIMELINE_MAX = 512,
	TIMELINE_BACK_MAX = 64,         /* peers told by name, of one takeover */
	TIMELINE_REPEATS_US = 10000000, /* so long a word said again is no news */
};

struct timeline_entry {
	struct moment moment; /* at_us by the keeper's clock if settled, else by that of the one it is of */
	bool settled;
	uint32_t uncertain_us; /* at most so far off */
};

struct timeline {
	uint64_t newest;                /* seq; 0: none yet */
	size_t count;                   /* ever taken in */
	struct timeline_entry *entries; /* owned; NULL: none yet */
};

void timeline_clear(struct timeline *timeline); /* NULL-safe */

/* One of the keeper's own: numbered here. */
void timeline_add(struct timeline *timeline, const struct moment *moment);
/* Is the same (but for the time) among the keeper's own of the last within_us? */
bool timeline_repeats(const struct timeline *timeline, const struct moment *moment, int64_t within_us);
/* Another's. False: it, or a newer one, is here already. */
bool timeline_take(struct timeline *timeline, const struct moment *moment);
/* ahead_us: that other clock minus the keeper's, right within uncertain_us. Of everything that is not settled yet. */
void timeline_settle(struct timeline *timeline, int64_t ahead_us, uint32_t uncertain_us);
/* A new life of its begins, with numbers, and perhaps a clock, of its own: what could not be settled is forgotten. */
void timeline_begin_life(struct timeline *timeline);

/* Oldest first. */
size_t timeline_length(const struct timeline *timeline);
const struct timeline_entry *timeline_at(const struct timeline *timeline, size_t index);
/* Up to max with a number above `after`, oldest first. Returns how many. */
size_t timeline_since(
	const struct timeline *timeline, uint64_t after, const struct moment **ret_moments, size_t max);

#endif
