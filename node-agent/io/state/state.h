/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_STATE_H
#define HOLDFAST_AGENT_STATE_H

#include "common/base/err.h"
#include "node-agent/core/seat/seat.h"
#include "proto/desired.h"

/*
 * What outlives an agent, in its state directory (0700), every file written whole or not at all (0600):
 *
 *   desired.json  the generation it holds; secret (pair keys)
 *   seats.json    per endpoint: highest epoch seen, the one it serves under, the one it released, the one it claimed; and
 *                 whether it is a gateway of the fleet still, and the revocation floor
 *
 * With both, and what the kernel holds, an agent that starts carries on without any controller.
 */
struct state_seat {
	char endpoint[PROTO_NAME_MAX + 1];
	struct seat_disk disk;
};

struct state_seats {
	bool stranger;  /* the fleet knows this gateway no more */
	uint64_t floor; /* of revocation, as known; 0: none */
	size_t count;
	struct state_seat items[PROTO_ENDPOINTS_MAX];
};

/* Makes the directory when it is missing; an error says what to do. */
int state_prepare(const char *directory, struct err *err);

/* -ENOENT: there is none. */
int state_load_desired(const char *directory, struct desired **ret_desired, struct err *err);
int state_save_desired(const char *directory, const struct desired *desired, struct err *err);

/* *ret_seats is empty when there is no such file. */
int state_load_seats(const char *directory, struct state_seats *ret_seats, struct err *err);
int state_save_seats(const char *directory, const struct state_seats *seats, struct err *err);

/* Endpoints that *seats lacks stay as they were in *before, while there is room: those not begun yet after a start, and
 * those that have left the fleet, which may come back. */
void state_keep_seats(struct state_seats *seats, const struct state_seats *before);

/* NULL: nothing is known of that endpoint. */
const struct seat_disk *state_find_seat(const struct state_seats *seats, const char *endpoint);

#endif
