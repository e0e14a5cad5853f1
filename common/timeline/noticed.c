/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/timeline/noticed.h"

#include <stdio.h>

#include "common/base/text.h"

void timeline_note_verdict(struct timeline *timeline, const char *subject, enum verdict_kind verdict,
	int64_t suspected_ms, int64_t now_us)
{
	struct moment moment = {.kind = MOMENT_SUSPECTED};

	if (verdict != VERDICT_DEAD && verdict != VERDICT_AGENT_DOWN)
		return;
	text_copy(moment.subject, sizeof(moment.subject), subject);
	if (suspected_ms != VERDICT_NEVER) {
		moment.at_us = suspected_ms * 1000;
		timeline_add(timeline, &moment);
	}
	moment.kind = MOMENT_VERDICT;
	moment.at_us = now_us;
	text_copy(moment.detail, sizeof(moment.detail), verdict_kind_name(verdict));
	timeline_add(timeline, &moment);
}

void timeline_note_vote(struct timeline *timeline, const char *observer,
	const struct datagram_silence *silence, int64_t now_us)
{
	struct moment moment = {.at_us = now_us, .kind = MOMENT_VOTE};

	if (!silence->burst_done || silence->agent_answered)
		return;
	text_copy(moment.subject, sizeof(moment.subject), silence->suspect);
	(void)snprintf(
		moment.detail, sizeof(moment.detail), "%s: %s", observer, datagram_silence_text(silence));
	if (!timeline_repeats(timeline, &moment, TIMELINE_REPEATS_US))
		timeline_add(timeline, &moment);
}

void timeline_note_order(
	struct timeline *timeline, enum moment_kind kind, const struct order *order, int64_t now_us)
{
	struct moment moment = {.at_us = now_us, .kind = kind, .epoch = order->epoch};

	text_copy(moment.endpoint, sizeof(moment.endpoint), order->endpoint);
	text_copy(moment.subject, sizeof(moment.subject), order->owner);
	text_copy(moment.detail, sizeof(moment.detail), order->cause);
	timeline_add(timeline, &moment);
}
