/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/succession/internal.h"

bool claim_is_good(const struct succession *succession, const struct epoch *highest)
{
	const struct succession_claim *claim = &succession->claim;

	return claim->on_disk && epoch_compare(&claim->epoch, highest) > 0;
}

/* The next minor above all seen that leaves this rank; a claim of before may have been served, so it is above that too.
 * False: there is none. */
static bool next_epoch(
	const struct succession *succession, const struct epoch *highest, struct epoch *ret_epoch)
{
	const struct epoch *claimed = &succession->claim.epoch;
	struct epoch above = epoch_compare(claimed, highest) > 0 ? *claimed : *highest;
	uint64_t minor = (uint64_t)above.minor + 1;

	if (succession->rank >= PROTO_POOL_MAX || epoch_is_zero(highest))
		return false;
	minor += (succession->rank + PROTO_POOL_MAX - minor % PROTO_POOL_MAX) % PROTO_POOL_MAX;
	if (minor > UINT32_MAX)
		return false;
	*ret_epoch = (struct epoch){.term = above.term, .n = above.n, .minor = (uint32_t)minor};
	return true;
}

static bool is_under_way(const struct succession_claim *claim, const struct epoch *highest)
{
	return !claim->on_disk && claim->written_ms != SUCCESSION_NEVER &&
	       epoch_compare(&claim->epoch, highest) > 0;
}

int64_t claim_open_ms(const struct succession *succession)
{
	const struct succession_claim *claim = &succession->claim;

	return claim->used_ms == SUCCESSION_NEVER ? SUCCESSION_NEVER : claim->used_ms + SUCCESSION_AGAIN_MS;
}

int64_t claim_due_ms(const struct succession *succession, const struct epoch *highest)
{
	const struct succession_claim *claim = &succession->claim;
	int64_t missed_ms = leader_missed_ms(succession);
	struct epoch next;

	if (claim_is_good(succession, highest))
		return INT64_MAX;
	if (is_under_way(claim, highest))
		return claim->written_ms + SUCCESSION_AGAIN_MS;
	if (!next_epoch(succession, highest, &next))
		return INT64_MAX;
	return missed_ms > claim_open_ms(succession) ? missed_ms : claim_open_ms(succession);
}

void claim_make(struct succession *succession, const struct epoch *highest, int64_t now_ms)
{
	struct succession_claim *claim = &succession->claim;
	bool again = is_under_way(claim, highest);

	claim->written_ms = now_ms;
	claim->on_disk = false;
	if (!again)
		next_epoch(succession, highest, &claim->epoch);
}

void claim_forgo(struct succession_claim *claim)
{
	claim->on_disk = false;
	claim->written_ms = SUCCESSION_NEVER;
}

void claim_persisted(struct succession_claim *claim, const struct epoch *epoch)
{
	if (claim->written_ms != SUCCESSION_NEVER && epoch_compare(epoch, &claim->epoch) == 0)
		claim->on_disk = true;
}
