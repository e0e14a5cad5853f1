/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_API_STANDBY_H
#define HOLDFAST_CONTROLLER_IO_API_STANDBY_H

#include <jansson.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "controller/core/ownership/ownership.h"
#include "proto/standing.h"

struct controller;

/* One member of a pool that does not own the endpoint: what this controller would let it do, and what it says itself of
 * what its kernel holds (proto/standing.h). */
struct standby {
	bool could;      /* an order would be given to it */
	bool first;      /* ... and before others that are a second choice */
	bool ready;      /* ... and all that an owner needs was seen to be there */
	struct err why;  /* could or first is false: why */
	bool uninformed; /* ready is false, because it does not know yet where the clients are */
	const struct standing *standing; /* its own word; NULL: none (an agent that does not say) */
	int64_t proved_ago_ms;           /* < 0: not */
};

void standby_look(const struct controller *controller, const struct ownership *ownership, size_t member,
	struct standby *ret_standby);
/* The first thing that keeps it from being ready; "" if it is. */
void standby_why(const struct standby *standby, char ret_why[PROTO_REASON_MAX + 1]);
/* How many of the endpoint's members are ready. */
size_t standby_count_ready(const struct controller *controller, const struct ownership *ownership);
/* Could anybody follow a dead owner while no controller lives? If not, a sentence; "" if one could. */
void standby_alone(const struct controller *controller, const struct ownership *ownership,
	char ret_why[PROTO_REASON_MAX + 1]);

/* The members of GET /v1/status: "ready", "standbys", "alone". */
void standby_put(json_t *json, const struct controller *controller, const struct ownership *ownership);

#endif
