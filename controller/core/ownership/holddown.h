/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_OWNERSHIP_HOLDDOWN_H
#define HOLDFAST_OWNERSHIP_HOLDDOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Flapping: a member that keeps losing an endpoint through faults is no first choice for a while (the idea is RFC
 * 2439's: the penalty grows with each loss, and is forgotten after quiet). Pure; times are monotonic.
 */
enum {
	HOLDDOWN_LOSSES = 3,             /* that many ... */
	HOLDDOWN_WINDOW_MS = 600 * 1000, /* ... within that time begin it */
	HOLDDOWN_FIRST_MS = 60 * 1000,   /* how long; each loss more within the window doubles it */
	HOLDDOWN_LONGEST_MS = 3600 * 1000,
};

struct holddown {
	size_t count; /* of losses_ms */
	int64_t losses_ms[HOLDDOWN_LOSSES];
	unsigned doublings;
	int64_t until_ms; /* 0: never yet */
};

/* It was lost through a fault. How long it is held down from now; 0: it is not. */
int64_t holddown_lose(struct holddown *holddown, int64_t now_ms);
bool holddown_is_on(const struct holddown *holddown, int64_t now_ms);
/* Is the loss of an endpoint for this cause (struct order) the fault of who had it? */
bool holddown_is_fault(const char *cause);
/* People know better. */
void holddown_forgive(struct holddown *holddown);

#endif
