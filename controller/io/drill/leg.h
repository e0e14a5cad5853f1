/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_DRILL_LEG_H
#define HOLDFAST_CONTROLLER_IO_DRILL_LEG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/drill.h"
#include "proto/report.h"

/* One move of a drill, and what the gateways saw of it. Pure. */
struct leg {
	uint64_t id; /* of its pings */
	char from[PROTO_NAME_MAX + 1], to[PROTO_NAME_MAX + 1];
	struct epoch epoch; /* under which `to` serves; zero: it did not come to that */
	int64_t took_ms;
	char failure[PROTO_REASON_MAX + 1]; /* why it did not; "": it did */
	struct takeover takeover;           /* what `to` told last of how one ended; endpoint "": nothing */
	size_t teller_count;                /* whose results are in */
	char tellers[PROTO_POOL_MAX][PROTO_NAME_MAX + 1];
	size_t row_count, row_capacity;
	struct drill_row *rows; /* owned: of everybody, by sender and target */
};

/* Over all clients that answered at all: of one that never did, nothing can be lost. */
struct leg_sum {
	size_t clients, silent; /* that answered; that never did */
	uint64_t sent, lost;
};

void leg_begin(struct leg *leg, uint64_t id, const char *from, const char *to);
void leg_clear(struct leg *leg);
/* A gateway's result, if it is of this leg: once. True: it was. */
bool leg_take(struct leg *leg, const char *gateway, const struct drill_result *result);
bool leg_has_told(const struct leg *leg, const char *gateway);
struct leg_sum leg_sum(const struct leg *leg);
/* Has `to` told how many of its sessions are back? It does when all are, or the rest is given up, which takes up to 15 s. */
bool leg_knows_sessions(const struct leg *leg);
/* Moved, all sessions known to be back, nothing lost. */
bool leg_is_clean(const struct leg *leg);
void leg_put(json_t *to, const struct leg *leg, const char *endpoint);

#endif
