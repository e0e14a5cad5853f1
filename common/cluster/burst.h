/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_BURST_H
#define HOLDFAST_CLUSTER_BURST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cluster/timing.h"

/*
 * One burst of probes to a silent gateway (FAILOVER section 3): when each is due, when waiting for answers is over,
 * and what has answered. Part of verdict.h. Pure; ms of the own monotonic clock.
 */
struct burst {
	bool running;
	bool waited;           /* the ordinary burst is over, without any answer or confirmation */
	int64_t began_ms;      /* what is heard from here on answers it */
	int64_t ended_ms;      /* of the one before; INT64_MIN: none */
	int64_t probe_ms;      /* the next probe; INT64_MAX: all are out */
	int64_t concludes_ms;  /* INT64_MAX while probes are left */
	uint32_t wanted, sent; /* probes; wanted: timing.probes or probes_lone */
	bool agent_answered, kernel_answered;
	uint64_t reported;    /* observers that have said anything at all */
	uint64_t confirmed;   /* observers whose own burst found nothing, as bits */
	uint64_t kernel_told; /* observers whose kernel probe was answered */
};

void burst_reset(struct burst *burst);
void burst_begin(struct burst *burst, const struct timing *timing, bool lone, int64_t now_ms);
/* Nobody has confirmed: on to timing->probes_lone. False: that many are out already. */
bool burst_go_on_alone(struct burst *burst, const struct timing *timing, int64_t now_ms);
/* How many probes to send now, of each kind, of no more than `allowed`; what is left comes a probe_gap_ms later. With the
 * last the wait begins: 4 x RTT (rtt_wait_ms) if that is longer. */
uint32_t burst_due(struct burst *burst, const struct timing *timing, uint32_t rtt_wait_ms, uint32_t allowed,
	int64_t now_ms);
/* What has answered stays to be read until the next begins. */
void burst_end(struct burst *burst, int64_t now_ms);

#endif
