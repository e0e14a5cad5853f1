/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_PATIENCE_H
#define HOLDFAST_CLUSTER_PATIENCE_H

#include <stddef.h>
#include <stdint.h>

#include "common/cluster/timing.h"

/*
 * How long one gateway may be silent for everybody before it is called dead (FAILOVER section 3): timing.window_ms, or twice
 * the longest silence of the last hour that it lived through, at most PATIENCE_MAX_MS. Loss in bursts on its own link
 * makes it silent for all who watch it, and so do their probes; the first time that may look like a death.
 *
 * Only a silence counts that a whole burst of probes did not end, and no answer of the kernel. Random loss, up to 20 %, ends shorter ones by the
 * thousand and has no such; and what lasts longer than PATIENCE_MAX_MS / 2 is a cut that no patience covers. Pure; ms of
 * the own monotonic clock. Zeroed: no silence yet.
 */
enum { PATIENCE_MAX_MS = 1000, PATIENCE_PARTS = 4, PATIENCE_PART_MS = 20 * 60 * 1000 };

struct patience {
	int64_t part; /* the number of the present part of an hour */
	uint32_t longest_ms
		[PATIENCE_PARTS]; /* of it and of those before, each at its number modulo PATIENCE_PARTS */
};

/* It was heard again after a silence_ms that a whole burst had not ended. */
void patience_note(struct patience *patience, int64_t silence_ms, int64_t now_ms);
uint32_t patience_window_ms(const struct patience *patience, const struct timing *timing, int64_t now_ms);

#endif
