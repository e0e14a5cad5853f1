/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "common/cluster/lease.h"
#include "controller/core/ownership/internal.h"

/*
 * What members tell of another whom this controller may not hear itself. It may be old, and says nothing of the present: nobody
 * is adopted for it, nor taken for alive. But whose an epoch is stays true, and so does what that one has let go of (FAILOVER
 * rule 7).
 */

static bool has_let_go(const struct seat_state *seat)
{
	struct epoch gone = seat_let_go(seat);

	return epoch_compare(&gone, &seat->epoch) >= 0;
}

/* The pool does not hear one that is in it no more: what is told of it is no news the second time. Like one that leaves, it is
 * waited for as long as its lease may be. */
static void hear_outsider(
	struct ownership *ownership, const char *name, const struct seat_state *seat, int64_t now_ms)
{
	int64_t expiry_ms = now_ms + lease_outlast_ms(grant_longest_lease_ms(ownership));

	if (epoch_compare(&seat->epoch, &ownership->outside) <= 0 ||
		epoch_compare(&seat->epoch, &ownership->epoch) <= 0)
		return;
	ownership->outside = seat->epoch;
	text_copy(ownership->outsider, sizeof(ownership->outsider), name);
	if (has_let_go(seat) || expiry_ms <= ownership->vacant_ms)
		return;
	ownership->vacant_ms = expiry_ms;
	text_copy(ownership->leaver, sizeof(ownership->leaver), name);
}

void relay_admit(struct ownership *ownership)
{
	size_t member = ownership_find(ownership, ownership->outsider);

	if (member == OWNERSHIP_NOBODY || epoch_is_zero(&ownership->outside))
		return;
	if (epoch_compare(&ownership->outside, &ownership->members[member].recalled) > 0)
		ownership->members[member].recalled = ownership->outside;
	ownership->outside = (struct epoch){0};
}

void relay_note_holder(struct ownership *ownership, const struct epoch *epoch)
{
	if (epoch_compare(epoch, &ownership->outside) == 0)
		ownership->outside = (struct epoch){0};
}

void relay_hear(struct ownership *ownership, const char *about, const struct seat_state *seat, int64_t now_ms)
{
	size_t member = ownership_find(ownership, about);

	if (epoch_is_zero(&seat->epoch))
		return;
	if (member == OWNERSHIP_NOBODY) {
		hear_outsider(ownership, about, seat, now_ms);
		return;
	}
	member_hear_relayed(&ownership->members[member], seat, now_ms);
	relay_note_holder(ownership, &seat->epoch);
}
