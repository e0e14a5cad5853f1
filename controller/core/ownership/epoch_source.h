/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_OWNERSHIP_EPOCH_SOURCE_H
#define HOLDFAST_OWNERSHIP_EPOCH_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/epoch.h"

/*
 * Gives out epochs (FAILOVER rule 6). One per controller, shared by all its endpoints; pure: the caller does
 * the disk write. term = max(stored, heard from every agent, seconds since 2025) + 1, on disk before the first
 * epoch of it is used; n counts in memory. If a term above the own one is heard later (a database restored, a
 * second controller), the source wants a new term, and gives out nothing until that is on disk.
 */
struct epoch_source {
	uint32_t stored;  /* the highest term that is known to be on disk here */
	uint32_t heard;   /* the highest term ever heard */
	uint32_t term, n; /* in use; term 0: none claimed yet */
};

void epoch_source_init(struct epoch_source *source, uint32_t stored_term);
void epoch_source_hear(struct epoch_source *source, const struct epoch *epoch);

/* True when a term has to be claimed: at start, and when a higher one was heard. Then *ret_term, or a little more, is what
 * the caller writes to disk, and hands to epoch_source_claimed() once that is synced. */
bool epoch_source_wants_term(
	const struct epoch_source *source, int64_t seconds_since_2025, uint32_t *ret_term);
void epoch_source_claimed(struct epoch_source *source, uint32_t term);

/* Can epoch_source_next() succeed? */
bool epoch_source_is_ready(const struct epoch_source *source);
/* The next epoch, above all heard. -EAGAIN while a term must be claimed first; -EOVERFLOW when n is used up
 * (claim a new term: wants_term() says so). */
int epoch_source_next(struct epoch_source *source, struct epoch *ret_epoch);

#endif
