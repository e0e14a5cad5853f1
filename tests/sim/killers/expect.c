/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/killers/killers.h"

void expect_no_move(struct world *world, size_t before)
{
	if (world->moves > 0 || course_owner(world) != before || world->longest_ms > 0)
		world_fail(world, "L3: %u moves (%s), nobody served for %u ms: for nothing", world->moves,
			world->cause, world->longest_ms);
}

/* `fence`: leave goes by way of others, and where many datagrams are lost it may be for all of a lease. Then the owner fences
 * itself, which others tell of, and is followed; by one that has just promised to take nothing, at worst. */
void expect_kept_or_followed(struct world *world, size_t before)
{
	bool followed = world->moves == 1 && course_owner(world) != before;

	if (!followed)
		expect_no_move(world, before);
	else if (course_owner(world) == SIZE_MAX || world->longest_ms > FENCE_MS)
		world_fail(world, "L2: nobody served for %u ms", world->longest_ms);
}

void expect_one_move(struct world *world, size_t from)
{
	if (world->moves != 1 || kernel_serves(world, from))
		world_fail(world, "L1: %u moves away from %s", world->moves, world_name(from));
}

void expect_succession(struct world *world)
{
	unsigned most = world->loss > 0 ? (unsigned)world->gateways - 1 : 1;

	if (world->successions == 0 || world->successions > most || world->moves != world->successions ||
		course_owner(world) == SIZE_MAX)
		world_fail(world, "L1: %u successions, %u moves", world->successions, world->moves);
}

bool has_witness(const struct world *world)
{
	return world->witness || world->gateways > 2;
}
