/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_REPAIR_REPAIR_H
#define HOLDFAST_REPAIR_REPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

/*
 * When to look at the kernel again after somebody touched it, and which of a look's operations were repairs:
 * what they put right, why it was wrong, how long it was.
 *
 * An operation is a repair if the gateway had been whole with the same orders before: same generation, same roles.
 * Everything else is setting up. Times are monotonic.
 */
enum repair_what {
	REPAIR_FIREWALL,
	REPAIR_PARAMETER,
	REPAIR_RULE,
	REPAIR_ROUTE,
	REPAIR_ADDRESS,
	REPAIR_LINK, /* made anew, or up again */
	REPAIR_MTU,
	REPAIR_WIREGUARD,
	REPAIR_ENDPOINT, /* a host name's new address */
	REPAIR_DNS,      /* name servers */
};
enum {
	REPAIR_WHATS = REPAIR_DNS + 1,
	REPAIR_WHY_MAX = 128,
	REPAIR_DEBOUNCE_MS = 50,       /* between the first event of a burst and the look that it causes */
	REPAIR_DEBOUNCE_MAX_MS = 2000, /* ... while somebody undoes our work over and over */
	REPAIR_IDS_MAX = 16,           /* repairs of a look that the next one is compared with */
	REPAIR_FOUGHT = 6, /* looks with repairs, each within REPAIR_CALM_MS of the last: a fight */
	REPAIR_CALM_MS = 10000,
	REPAIR_REASON_MS = 60000, /* how long looks that fail leave a reason to the next one */
};

/* "rule": the label of holdfast_repairs_total{what}. */
const char *repair_what_name(enum repair_what what);

/* What the gateway was told to be. */
struct repair_basis {
	uint64_t generation;
	bool serving[PROTO_ENDPOINTS_MAX], waking[PROTO_ENDPOINTS_MAX];
};

struct repair_event {
	bool told;
	int64_t at_ms;
	char why[REPAIR_WHY_MAX];
};

struct repair {
	struct repair_basis basis;
	bool whole;                               /* it was once, under this basis */
	bool repairing;                           /* the look under way makes repairs, not a set-up */
	int64_t look_ms;                          /* when it began */
	struct repair_event events[REPAIR_WHATS]; /* since the last look began: the first of each kind */
	struct repair_event seen[REPAIR_WHATS];   /* those that led to the look under way */
	bool done[REPAIR_WHATS];                  /* kinds that the look under way has repaired */
	size_t in_look;                           /* repairs of the look under way */
	bool again;                               /* one of them was one of the last, too */
	uint64_t ids[REPAIR_IDS_MAX],
		last_ids[REPAIR_IDS_MAX]; /* of this look, of the last that repaired; 0: none */
	uint64_t totals[REPAIR_WHATS];
	unsigned fights;
	int64_t last_ms; /* of the last look with repairs */
};

/* The kernel told of something. The first of a kind counts: that is when it broke. */
void repair_tell(struct repair *repair, enum repair_what what, int64_t now_ms, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What was told of this kind since the look began was the look's own doing. */
void repair_forget(struct repair *repair, enum repair_what what);

/* How long to wait after the first event of a burst. */
int64_t repair_delay_ms(const struct repair *repair, int64_t now_ms);

/* A look begins; it takes the events told so far for its reasons. */
void repair_begin(struct repair *repair, const struct repair_basis *basis, int64_t now_ms);
/* It did this operation (its text tells whether it is the same again). false: not a repair. Else why (valid until the next look) and how long it was wrong, as far as known. */
bool repair_done(struct repair *repair, enum repair_what what, const char *operation, int64_t now_ms,
	const char **ret_why, int64_t *ret_took_ms);
/* It is over; all went well, or not: then the next one has the reasons that this one did nothing about. */
void repair_end(struct repair *repair, bool well, int64_t now_ms);

/* A repair that was made outside a look. */
void repair_count(struct repair *repair, enum repair_what what);

/* Does somebody undo our work over and over? */
bool repair_is_fought(const struct repair *repair, int64_t now_ms);

#endif
