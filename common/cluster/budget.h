/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_BUDGET_H
#define HOLDFAST_CLUSTER_BUDGET_H

#include <stdint.h>

/*
 * How many probes one process sends at most: BUDGET_PROBES in any BUDGET_SPAN_MS (FAILOVER section 3). When many gateways
 * fall silent at once it is more likely the own network, and the bursts must not be what fills it. Who may not send now
 * sends later: a burst ends only when all of it was sent. Zeroed: nothing was sent. Pure; ms of the own monotonic clock.
 */
enum { BUDGET_PROBES = 500, BUDGET_SPAN_MS = 30 };

struct budget {
	int64_t last_ms;                /* that spent[] is about, and the span before it */
	uint32_t spent[BUDGET_SPAN_MS]; /* in each millisecond, at its number modulo the span */
	uint32_t sum;                   /* of spent[] */
};

/* now_ms must not fall. */
uint32_t budget_left(struct budget *budget, int64_t now_ms);
/* count: not more than budget_left() has just said. */
void budget_spend(struct budget *budget, uint32_t count);

#endif
