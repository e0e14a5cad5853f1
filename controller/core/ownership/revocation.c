/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "controller/core/ownership/internal.h"

/* FAILOVER rule 10: below the revocation floor nobody gets an endpoint, and an owner that stays there loses it. */

static void note(struct ownership *ownership, size_t member, int64_t now_ms)
{
	struct ownership_member *m = &ownership->members[member];

	if (m->generation >= ownership->floor)
		m->below_since_ms = INT64_MAX;
	else if (m->below_since_ms == INT64_MAX)
		m->below_since_ms = now_ms;
}

void revocation_raise(struct ownership *ownership, uint64_t floor, int64_t now_ms)
{
	if (floor <= ownership->floor)
		return;
	ownership->floor = floor;
	for (size_t i = 0; i < ownership->config.member_count; i++)
		note(ownership, i, now_ms);
}

void revocation_hold(struct ownership *ownership, size_t member, uint64_t generation, int64_t now_ms)
{
	ownership->members[member].generation = generation;
	note(ownership, member, now_ms);
}

int revocation_check(const struct ownership *ownership, size_t member, struct err *err)
{
	const struct ownership_member *m = &ownership->members[member];

	if (m->generation >= ownership->floor)
		return 0;
	if (m->generation == 0)
		return err_set(err, -ENOTSUP, "%s has no generation yet, and the revocation floor is %llu",
			m->name, (unsigned long long)ownership->floor);
	return err_set(err, -ENOTSUP, "%s holds generation %llu, below the revocation floor %llu", m->name,
		(unsigned long long)m->generation, (unsigned long long)ownership->floor);
}

static int64_t after_ms(const struct ownership *ownership, int64_t ms)
{
	int64_t since_ms = ownership->members[ownership->owner].below_since_ms;

	return since_ms == INT64_MAX ? INT64_MAX : since_ms + ms;
}

bool revocation_bars_owner(const struct ownership *ownership, int64_t now_ms)
{
	return now_ms >= after_ms(ownership, OWNERSHIP_BARRED_MS) &&
	       ownership_pick(ownership, ownership->owner, now_ms) != OWNERSHIP_NOBODY;
}

bool revocation_moves_owner(const struct ownership *ownership, int64_t now_ms)
{
	const struct ownership_member *owner = &ownership->members[ownership->owner];

	/* One that has fallen silent since cannot be told. */
	return now_ms >= after_ms(ownership, OWNERSHIP_BEHIND_MS) &&
	       owner->seat_ms >= after_ms(ownership, OWNERSHIP_BEHIND_MS / 2);
}

int64_t revocation_deadline(const struct ownership *ownership, int64_t now_ms)
{
	int64_t behind_ms = after_ms(ownership, OWNERSHIP_BEHIND_MS);
	int64_t barred_ms = after_ms(ownership, OWNERSHIP_BARRED_MS);

	if (now_ms < behind_ms)
		return behind_ms;
	return now_ms < barred_ms ? barred_ms : INT64_MAX; /* then it waits for somebody else's word */
}
