/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_HEARSAY_H
#define HOLDFAST_PROTO_HEARSAY_H

#include "proto/limits.h"
#include "proto/seat.h"

/* Whom a gateway last heard serve an endpoint that it shares, and what that one has said since (FAILOVER rule 2: reports of
 * who was last heard). In reports: a controller may hear the one but not the other. It may be old. Two things in it stay true
 * however old it is: whose the epoch is, and what that one has let go of. */
struct hearsay {
	char gateway[PROTO_NAME_MAX + 1]; /* "": nobody yet. It may have left the pool since */
	struct seat_state
		seat; /* as its beats said, but `epoch`: the highest that it was heard serving under */
};

#endif
