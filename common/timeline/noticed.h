/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TIMELINE_NOTICED_H
#define HOLDFAST_TIMELINE_NOTICED_H

#include "common/cluster/verdict.h"
#include "common/timeline/timeline.h"
#include "proto/datagram.h"
#include "proto/instruction.h"

/* What an observer, controller or gateway, writes down of a partner's silence and of what follows. Pure. */

/* Of a verdict that says somebody is dead or its agent down: since when it was suspected (ms of the own clock, or VERDICT_NEVER),
 * and the verdict. A suspicion is worth a word only if something came of it: with loss there are many. */
void timeline_note_verdict(struct timeline *timeline, const char *subject, enum verdict_kind verdict,
	int64_t suspected_ms, int64_t now_us);
/* What an observer found, once its burst is done, unless it was answered; not again within TIMELINE_REPEATS_US. */
void timeline_note_vote(struct timeline *timeline, const char *observer,
	const struct datagram_silence *silence, int64_t now_us);
/* DECIDED or ORDERED. */
void timeline_note_order(
	struct timeline *timeline, enum moment_kind kind, const struct order *order, int64_t now_us);

#endif
