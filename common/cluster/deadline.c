/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/deadline.h"

#include "common/cluster/finding.h"

/* The kernel of one whose agent has just fallen silent may have answered just before it died, too. */
uint32_t deadline_recheck_ms(const struct verdict *verdict, enum verdict_kind kind)
{
	if (kind == VERDICT_AGENT_DOWN && verdict->kind != kind)
		return verdict->timing.suspect_ms;
	return kind == VERDICT_BLIND ? verdict->timing.recheck_ms / 5 : verdict->timing.recheck_ms;
}

uint32_t verdict_window_ms(const struct verdict *verdict, int64_t now_ms)
{
	return patience_window_ms(&verdict->patience, &verdict->timing, now_ms);
}

/* For how long it must have been silent. Whoever is about to go on alone has not come to an end yet. */
static int64_t least_silence_ms(const struct verdict *verdict)
{
	uint32_t window_ms = verdict_window_ms(verdict, verdict->burst.began_ms);
	bool ends = verdict->burst.waited || finding_is_conclusive(verdict);

	return ends && window_ms > verdict->timing.window_ms ? window_ms : verdict->timing.suspect_ms;
}

int64_t deadline_conclusion_ms(const struct verdict *verdict)
{
	int64_t sign_ms = verdict_last_sign_ms(verdict);
	int64_t silent_ms = sign_ms == VERDICT_NEVER ? INT64_MIN : sign_ms + least_silence_ms(verdict);
	int64_t over_ms = verdict->burst.concludes_ms;

	if (verdict->burst.waited && finding_is_conclusive(verdict))
		over_ms = verdict->burst.began_ms;
	return over_ms > silent_ms ? over_ms : silent_ms;
}

int64_t deadline_suspicion_ms(const struct verdict *verdict)
{
	switch (verdict->kind) {
	case VERDICT_UNKNOWN:
		return verdict->started_ms + verdict->timing.start_ms;
	case VERDICT_ALIVE:
		if (verdict->blocked)
			return verdict->recheck_ms;
		if (verdict->by_others)
			return INT64_MAX;
		return verdict_last_sign_ms(verdict) + verdict->timing.suspect_ms;
	case VERDICT_SUSPECT:
	case VERDICT_AGENT_DOWN:
	case VERDICT_DEAD:
	case VERDICT_BLIND:
		return INT64_MAX;
	}
	return INT64_MAX;
}

int64_t verdict_deadline(const struct verdict *verdict)
{
	int64_t deadline_ms = deadline_suspicion_ms(verdict);

	if (!verdict->burst.running)
		return verdict->recheck_ms < deadline_ms ? verdict->recheck_ms : deadline_ms;
	int64_t burst_ms = verdict->burst.probe_ms;
	if (burst_ms == INT64_MAX)
		burst_ms = deadline_conclusion_ms(verdict);
	return burst_ms < deadline_ms ? burst_ms : deadline_ms;
}
