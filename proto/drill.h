/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_DRILL_H
#define HOLDFAST_PROTO_DRILL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "proto/limits.h"

/*
 * A drill measures what a planned move loses: while it runs, whoever serves the endpoint pings live clients through the tunnel,
 * and every member of the pool counts the answers, to whomever the client sends them.
 */
enum {
	DRILL_TARGETS_MAX = 8, /* clients that one gateway pings */
	DRILL_ROWS_MAX = 64,   /* of one result */
	DRILL_MS_MAX = 60000,  /* it ends by itself after so long */
};

/* Instruction: begin, or, with for_ms 0, end and report the result. */
struct drill_order {
	char endpoint[PROTO_NAME_MAX + 1];
	uint64_t id;     /* random; never 0: nobody else's packets have it */
	uint32_t for_ms; /* at most DRILL_MS_MAX */
};

/* What one gateway saw of the pings that one member sent to one client. */
struct drill_row {
	char sender[PROTO_NAME_MAX + 1];
	struct addr target;
	uint32_t sent;     /* by itself; 0 of another's */
	uint32_t received; /* answers that came here, each once */
};

struct drill_result {
	uint64_t id; /* 0: none in this report */
	char endpoint[PROTO_NAME_MAX + 1];
	size_t row_count;
	struct drill_row rows[DRILL_ROWS_MAX];
};

#endif
