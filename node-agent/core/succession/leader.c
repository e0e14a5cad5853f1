/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/succession/internal.h"

void leader_reset(struct succession_leader *leader, int64_t now_ms)
{
	leader->heard_ms = now_ms;
	leader->asked_ms = leader->asked_again_ms = SUCCESSION_NEVER;
}

void leader_hear(struct succession_leader *leader, int64_t at_ms, int64_t now_ms)
{
	if (at_ms <= now_ms && at_ms > leader->heard_ms)
		leader_reset(leader, at_ms);
}

int64_t leader_open_ms(const struct succession_leader *leader)
{
	int64_t silent_ms = leader->heard_ms + SUCCESSION_LEADER_MS;

	if (leader->asked_ms == SUCCESSION_NEVER)
		return INT64_MAX;
	int64_t answer_ms = leader->asked_ms + SUCCESSION_ANSWER_MS;
	return silent_ms > answer_ms ? silent_ms : answer_ms;
}

int64_t leader_missed_ms(const struct succession *succession)
{
	return succession->leader.heard_ms + succession->config.timing.contact_ms;
}

int64_t leader_due_ms(const struct succession *succession)
{
	const struct succession_leader *leader = &succession->leader;

	if (leader->asked_again_ms == SUCCESSION_NEVER)
		return leader_missed_ms(succession);
	return leader->asked_again_ms + SUCCESSION_ASK_MS;
}

void leader_asked(struct succession_leader *leader, int64_t now_ms)
{
	if (leader->asked_ms == SUCCESSION_NEVER)
		leader->asked_ms = now_ms;
	leader->asked_again_ms = now_ms;
}
