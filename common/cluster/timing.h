/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_TIMING_H
#define HOLDFAST_CLUSTER_TIMING_H

#include <stdint.h>

/*
 * The parameters of noticing (FAILOVER section 3), all of them, derived from the interval between beats. At
 * 50 ms they are the figures the protocol was computed with. A host is dead after suspect_ms of silence and a
 * burst that nothing answers, whatever the interval; so a shorter interval gains less than it seems, and below
 * three beats at 25 ms suspicion would come from scheduling alone.
 */
enum { TIMING_INTERVAL_DEFAULT_MS = 50, TIMING_INTERVAL_MIN_MS = 10, TIMING_INTERVAL_MAX_MS = 5000 };

struct timing {
	uint32_t interval_ms;  /* between two beats, +- 10 % */
	uint32_t suspect_ms;   /* silence that raises suspicion: 110 */
	uint32_t contact_ms;   /* rule 1: an echo not older than that is contact: 160 */
	uint32_t echo_ms;      /* an echoed time of mine older than that proves nothing: 320 */
	uint32_t together_ms;  /* silence that counts as "silent together with the others": 82 */
	uint32_t probes;       /* of a burst, each with one for the kernel: 8 */
	uint32_t probes_lone;  /* of a burst whose result nobody confirms: 16 */
	uint32_t probe_gap_ms; /* between two of them: 4 */
	uint32_t answers;      /* sent to each probe: 2 */
	uint32_t copies;       /* of each silence report: 3 */
	uint32_t wait_ms;      /* after the last probe, at least: 20; and 4 x RTT */
	uint32_t wait_lone_ms; /* the same for a lone observer: 25 */
	uint32_t wait_max_ms;  /* whatever the RTT: 1000 */
	uint32_t window_ms;    /* from the last sign of life to a verdict, at least: 158 */
	uint32_t lag_ms;       /* own lag that makes an observer start its window anew: 25 */
	uint32_t stall_ms;     /* a gap in the own loop that counts as a stall (rule 4): 100 */
	uint32_t start_ms;     /* who was never heard within that is suspected: 500 */
	uint32_t recheck_ms;   /* how often one who is down, or heard by others only, is probed again: 1000 */
	uint32_t tls_ms; /* TLS contact not older than that keeps one alive whose UDP is blocked: 3500 */
};

/* interval_ms is taken into TIMING_INTERVAL_MIN_MS .. _MAX_MS. */
struct timing timing_from_interval(uint32_t interval_ms);

#endif
