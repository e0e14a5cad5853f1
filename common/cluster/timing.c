/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/timing.h"

enum {
	SUSPECT_MIN_MS = 80, /* three beats of 25 ms, or a loop that is late by 25 ms after two of 25 */
	PROBES = 8,
	PROBE_GAP_MS = 4,
	WAIT_MS = 20,
	CONTACT_BEYOND_MIN_MS = 50, /* contact outlives suspicion by the burst at least */
};

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

struct timing timing_from_interval(uint32_t interval_ms)
{
	if (interval_ms < TIMING_INTERVAL_MIN_MS)
		interval_ms = TIMING_INTERVAL_MIN_MS;
	if (interval_ms > TIMING_INTERVAL_MAX_MS)
		interval_ms = TIMING_INTERVAL_MAX_MS;
	uint32_t suspect_ms = larger(interval_ms * 22 / 10, SUSPECT_MIN_MS);
	uint32_t contact_ms = suspect_ms + larger(interval_ms, CONTACT_BEYOND_MIN_MS);
	uint32_t burst_ms = (PROBES - 1) * PROBE_GAP_MS + WAIT_MS;

	return (struct timing){
		.interval_ms = interval_ms,
		.suspect_ms = suspect_ms,
		.contact_ms = contact_ms,
		.echo_ms = 2 * contact_ms,
		.together_ms = suspect_ms * 3 / 4,
		.probes = PROBES,
		.probes_lone = 2 * PROBES,
		.probe_gap_ms = PROBE_GAP_MS,
		.answers = 2,
		.copies = 3,
		.wait_ms = WAIT_MS,
		.wait_lone_ms = 25,
		.wait_max_ms = 1000,
		.window_ms = suspect_ms + burst_ms,
		.lag_ms = 25,
		.stall_ms = larger(100, 2 * interval_ms),
		.start_ms = larger(500, 10 * interval_ms),
		.recheck_ms = 1000,
		.tls_ms = 3500,
	};
}
