/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/burst.h"

void burst_reset(struct burst *burst)
{
	*burst = (struct burst){
		.began_ms = INT64_MIN,
		.ended_ms = INT64_MIN,
		.probe_ms = INT64_MAX,
		.concludes_ms = INT64_MAX,
	};
}

void burst_begin(struct burst *burst, const struct timing *timing, bool lone, int64_t now_ms)
{
	int64_t ended_ms = burst->ended_ms;

	burst_reset(burst);
	burst->ended_ms = ended_ms;
	burst->running = true;
	burst->began_ms = now_ms;
	burst->probe_ms = now_ms;
	burst->wanted = lone ? timing->probes_lone : timing->probes;
}

bool burst_go_on_alone(struct burst *burst, const struct timing *timing, int64_t now_ms)
{
	if (burst->wanted >= timing->probes_lone)
		return false;
	burst->waited = true;
	burst->wanted = timing->probes_lone;
	burst->probe_ms = now_ms;
	burst->concludes_ms = INT64_MAX;
	return true;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static int64_t wait_ms(const struct burst *burst, const struct timing *timing, uint32_t rtt_wait_ms)
{
	uint32_t least_ms = burst->wanted > timing->probes ? timing->wait_lone_ms : timing->wait_ms;
	return smaller(rtt_wait_ms > least_ms ? rtt_wait_ms : least_ms, timing->wait_max_ms);
}

uint32_t burst_due(struct burst *burst, const struct timing *timing, uint32_t rtt_wait_ms, uint32_t allowed,
	int64_t now_ms)
{
	if (!burst->running || now_ms < burst->probe_ms)
		return 0;
	uint32_t late = (uint32_t)((now_ms - burst->probe_ms) / timing->probe_gap_ms);
	uint32_t due = smaller(smaller(1 + late, burst->wanted - burst->sent), allowed);
	burst->sent += due;
	burst->probe_ms += (int64_t)(1 + late) * timing->probe_gap_ms;
	if (burst->sent == burst->wanted) {
		burst->probe_ms = INT64_MAX;
		burst->concludes_ms = now_ms + wait_ms(burst, timing, rtt_wait_ms);
	}
	return due;
}

void burst_end(struct burst *burst, int64_t now_ms)
{
	if (!burst->running)
		return;
	burst->running = false;
	burst->ended_ms = now_ms;
	burst->probe_ms = INT64_MAX;
	burst->concludes_ms = INT64_MAX;
}
