/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/succession/internal.h"

void address_reset(struct succession_address *address, int64_t next_ms)
{
	*address = (struct succession_address){.last_ms = SUCCESSION_NEVER, .next_ms = next_ms};
}

int64_t address_open_ms(const struct succession_address *address)
{
	return address->asked < SUCCESSION_PROBES ? INT64_MAX
						  : address->counted_ms + SUCCESSION_PROBE_WAIT_MS;
}

/* Only when there is no controller to decide: others need not know that we wonder. */
int64_t address_due_ms(const struct succession *succession)
{
	int64_t missed_ms = leader_missed_ms(succession);

	if (!pool_owner_is_gone(succession))
		return INT64_MAX;
	return succession->address.next_ms > missed_ms ? succession->address.next_ms : missed_ms;
}

/* Nobody asked for a while: somebody may have come up unnoticed. */
static bool is_interrupted(const struct succession_address *address, int64_t now_ms)
{
	return address->last_ms != SUCCESSION_NEVER &&
	       now_ms - address->last_ms > 2 * SUCCESSION_PROBE_AGAIN_MS;
}

void address_asked(struct succession_address *address, int64_t now_ms)
{
	if (is_interrupted(address, now_ms))
		address->asked = 0;
	if (address->asked < SUCCESSION_PROBES) {
		address->asked++;
		address->counted_ms = now_ms;
	}
	address->last_ms = now_ms;
	address->next_ms = now_ms + (address->asked < SUCCESSION_PROBES ? SUCCESSION_PROBE_GAP_MS
									: SUCCESSION_PROBE_AGAIN_MS);
}
