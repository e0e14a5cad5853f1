/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/agent_int.h"

/* What others said of themselves, for a controller that may not hear them. */

void agent_hearsay_hear(struct agent_seat *seat, const char *from, const struct seat_state *state)
{
	if (hearsay_hear(&seat->hearsay, from, state))
		control_report_now(seat->agent->control);
}

void agent_hearsay_fill(const struct agent *agent, struct report *report)
{
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct agent_seat *seat = agent->seats[i];

		if (hearsay_is_news(&seat->hearsay, &seat->seat.epoch))
			report->heard[report->heard_count++] = seat->hearsay;
	}
}
