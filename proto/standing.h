/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_STANDING_H
#define HOLDFAST_PROTO_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

/* How ready a standby is to take one endpoint over: its own comparison of what its kernel holds with what an owner needs
 * (node-agent/core/readiness). In reports, for seats that do not serve. */
enum { STANDING_REASONS_MAX = 8 };
#define STANDING_NEVER UINT32_MAX

struct standing {
	char endpoint[PROTO_NAME_MAX + 1];
	bool ready;
	uint32_t
		proved_ago_ms; /* age of the oldest observation that this rests on; STANDING_NEVER: some is lacking */
	size_t reason_count; /* why not; of one that is ready, what else a person should know */
	char reasons[STANDING_REASONS_MAX][PROTO_REASON_MAX + 1];
	/* Why it would not succeed a dead owner while no controller lives (FAILOVER rule 8); "": it would. */
	char alone[PROTO_REASON_MAX + 1];
};

#endif
