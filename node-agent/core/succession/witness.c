/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/succession/internal.h"

void witness_reset(struct succession_witness *witness)
{
	*witness = (struct succession_witness){
		.at_ms = SUCCESSION_NEVER, .steady_ms = SUCCESSION_NEVER, .asked_ms = SUCCESSION_NEVER};
}

void witness_hear(struct succession_witness *witness, int64_t at_ms, int64_t now_ms)
{
	if (at_ms > now_ms || at_ms <= witness->at_ms)
		return;
	if (witness->at_ms == SUCCESSION_NEVER || at_ms - witness->at_ms > SUCCESSION_STEADY_MS)
		witness->steady_ms = at_ms;
	witness->at_ms = at_ms;
}

int64_t witness_open_ms(const struct succession_witness *witness, int64_t now_ms)
{
	if (witness->at_ms == SUCCESSION_NEVER || now_ms - witness->at_ms > SUCCESSION_STEADY_MS)
		return INT64_MAX;
	return witness->steady_ms + SUCCESSION_LEADER_MS;
}

/* Beats of the controller make up for it: then somebody else decides, and needs no witness of mine. */
int64_t witness_due_ms(const struct succession *succession, int64_t now_ms)
{
	const struct succession_witness *witness = &succession->witness;
	bool long_ago = now_ms - succession->doubt_ms >= SUCCESSION_DOUBT_MS;
	int64_t gap_ms = long_ago ? SUCCESSION_ASK_MS : SUCCESSION_WITNESS_MS;
	int64_t missed_ms = leader_missed_ms(succession);

	if (witness->asked_ms == SUCCESSION_NEVER || witness->asked_ms + gap_ms < missed_ms)
		return missed_ms;
	return witness->asked_ms + gap_ms;
}
