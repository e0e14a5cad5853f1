/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_MOMENT_H
#define HOLDFAST_PROTO_MOMENT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/epoch.h"
#include "proto/limits.h"

/* Something that one gateway or controller did or noticed on the way of an endpoint from one owner to the next, and when,
 * by its own clock: what a report of that event is made of (common/timeline). Told once, after the fact. */
enum moment_kind {
	MOMENT_SUSPECTED = 0, /* subject fell silent; since when it was suspected */
	MOMENT_VERDICT = 1,   /* on subject; detail: "dead", "agent-down" */
	MOMENT_VOTE = 2,      /* an observer's word on subject was heard; detail: whose, and what */
	MOMENT_DECIDED = 3,   /* subject shall own it; detail: the cause */
	MOMENT_ORDERED = 4,   /* the order was received: subject owns it ("": release); detail: the cause */
	MOMENT_ROLE = 5,      /* its seat's role is now detail */
	MOMENT_PERMIT = 6,    /* the lease is in the kernel: packets pass from now on */
	MOMENT_ADDRESS = 7,   /* addresses and routes are in the kernel */
	MOMENT_ANNOUNCED = 8, /* for the first time */
	MOMENT_BACK = 9,      /* subject, a peer, has completed its handshake */
	MOMENT_OVER = 10,     /* detail: how many are back */
};

enum {
	MOMENT_KINDS = 11,
	MOMENT_DETAIL_MAX = 95,
	MOMENTS_REPORT_MAX = 64, /* in one report; the rest follows in the next */
};

#define MOMENT_AT_US_MAX \
	INT64_C(4000000000000000) /* 126 years of a host that runs: sums with wall times stay far from overflow */

struct moment {
	uint64_t seq;  /* rises within a life of the one it is of */
	int64_t at_us; /* its monotonic clock; 0 to MOMENT_AT_US_MAX */
	enum moment_kind kind;
	char endpoint[PROTO_NAME_MAX + 1]; /* "": of a gateway, not of an endpoint */
	struct epoch epoch;                /* zero: none */
	char subject[PROTO_NAME_MAX + 1];  /* "": none */
	char detail[MOMENT_DETAIL_MAX + 1];
};

/* Of PERMIT, ADDRESS and BACK, when the one it is of was no owner yet. */
#define MOMENT_AS_GUEST "guest"

const char *moment_kind_name(enum moment_kind kind); /* "suspected", "verdict", ... */

#endif
