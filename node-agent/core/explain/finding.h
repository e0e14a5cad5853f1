/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_EXPLAIN_FINDING_H
#define HOLDFAST_EXPLAIN_FINDING_H

#include <stdbool.h>
#include <stddef.h>

/* What was found at each step of a packet's way. */
enum explain_says { EXPLAIN_OK, EXPLAIN_NO, EXPLAIN_DOUBTFUL };

enum explain_step {
	EXPLAIN_PEER,            /* who is meant, on which tunnel */
	EXPLAIN_TUNNEL,          /* is the device up, does it listen */
	EXPLAIN_OWNER,           /* of the virtual endpoint that the tunnel belongs to */
	EXPLAIN_FORWARDING,      /* of a packet from another host */
	EXPLAIN_RULE,            /* which policy rule decides */
	EXPLAIN_ROUTE,           /* which route */
	EXPLAIN_SOURCE,          /* which source address */
	EXPLAIN_FIREWALL,        /* on the way into the tunnel */
	EXPLAIN_ALLOWED,         /* whose allowed IP it is */
	EXPLAIN_ENDPOINT,        /* where the peer is */
	EXPLAIN_OUTER_RULE,      /* of WireGuard's packet to the endpoint */
	EXPLAIN_OUTER_ROUTE,     /* likewise */
	EXPLAIN_MTU,             /* does what the tunnel takes fit into that way */
	EXPLAIN_OUTER_FIREWALL,  /* on WireGuard's packet; the lease's fence is part of it */
	EXPLAIN_ANSWER_FIREWALL, /* on the peer's answer */
	EXPLAIN_OUTER_RP_FILTER, /* likewise */
	EXPLAIN_HANDSHAKE,       /* what came of it so far */
	EXPLAIN_RP_FILTER,       /* on the answer out of the tunnel */
	EXPLAIN_REPLY_FIREWALL,  /* likewise */
};

enum { EXPLAIN_TEXT_MAX = 640 };

struct explain_finding {
	enum explain_step step;
	enum explain_says says;
	char text[EXPLAIN_TEXT_MAX]; /* a sentence */
	char todo[EXPLAIN_TEXT_MAX]; /* what to do; "": nothing */
};

struct explain_findings {
	struct explain_finding *items; /* owned; in the order of the way */
	size_t count, capacity;
};

void explain_findings_clear(struct explain_findings *findings); /* frees; NULL-safe */

/* Appends; valid until the next. */
struct explain_finding *explain_find(struct explain_findings *findings, enum explain_step step,
	enum explain_says says, const char *format, ...) __attribute__((format(printf, 4, 5)));
void explain_todo(struct explain_finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL: nothing says no. */
const struct explain_finding *explain_first_no(const struct explain_findings *findings);

const char *explain_step_name(enum explain_step step); /* "outer-route" */
const char *explain_says_name(enum explain_says says); /* "ok", "no", "doubtful" */

#endif
