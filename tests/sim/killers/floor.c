/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/killers/killers.h"

/* The revocation floor (FAILOVER rule 10). */

static void expect_another(struct world *world, size_t owner)
{
	if (kernel_serves(world, owner))
		world_fail(world, "S7: %s still lets the removed peer in", world_name(owner));
	else if (course_owner(world) == SIZE_MAX)
		world_fail(world, "L1: nobody has followed %s, which is below the floor", world_name(owner));
}

/* A peer is removed while a gateway is away. It comes back when no controller lives, and then the owner dies. */
void killer_revoked_while_away(struct world *world)
{
	size_t owner = course_owner(world), away = course_other(world, owner);

	fault_power(world, away, OFF_MS);
	course_run(world, course_between(world, 500, 2000));
	generation_apply(world, true);
	course_run(world, 1000);
	fault_kill(world, CTL, OFF_MS);
	course_run(world, course_between(world, 0, 3000));
	world->hosts[away].starts_ms = world->now;
	course_run_powered(world, 2000);
	fault_power(world, owner, OFF_MS);
	course_run(world, 5000);
	if (kernel_serves(world, away))
		world_fail(world, "S7: %s was away, and lets the removed peer in", world_name(away));
	course_end(world);
}

/* The owner alone cannot be told of it by the controller; its pool tells it of the floor. */
void killer_owner_behind(struct world *world)
{
	size_t owner = course_owner(world);

	ways_cut_both(world, owner, CTL);
	course_run(world, course_between(world, 0, 2000));
	generation_apply(world, true);
	course_run(world, 6000);
	expect_another(world, owner);
	ways_open(world);
	course_end(world);
}

/* The same, and the controller dies as soon as it has committed. In `fence` nobody moves then, and the owner stops. */
void killer_owner_behind_alone(struct world *world)
{
	size_t owner = course_owner(world);

	ways_cut_both(world, owner, CTL);
	generation_apply(world, true);
	course_run(world, 1000);
	fault_kill(world, CTL, OFF_MS);
	course_run(world, 6000);
	if (!world->exclusive)
		expect_another(world, owner);
	else if (course_owner(world) != SIZE_MAX)
		world_fail(world, "S7: %s serves", world_name(course_owner(world)));
	ways_open(world);
	course_end(world);
}

/* Its agent restarts in between, while its lease runs: no commit is on its way to it any more. */
void killer_owner_behind_restarts(struct world *world)
{
	size_t owner = course_owner(world);

	ways_cut_both(world, owner, CTL);
	generation_apply(world, true);
	course_run(world, course_between(world, 300, 1500));
	fault_kill(world, owner, course_between(world, 50, 300));
	course_run(world, 6000);
	expect_another(world, owner);
	ways_open(world);
	course_end(world);
}

/* The agents of the owner and one other are away for a moment, and in that the controller commits and dies: neither can tell
 * the other that nothing has happened. */
void killer_all_were_away(struct world *world)
{
	size_t owner = course_owner(world);
	int64_t back_ms = course_between(world, 150, 400);
	bool first = true;

	for (size_t i = 0; i < world->gateways; i++) {
		if (i == owner || first)
			fault_kill(world, i, back_ms);
		else
			fault_power(world, i, OFF_MS);
		first = first && i == owner;
	}
	generation_apply(world, true);
	course_run(world, 100);
	fault_kill(world, CTL, OFF_MS);
	course_run(world, 3000);
	fault_power(world, owner, OFF_MS);
	course_run(world, 5000);
	if (course_owner(world) != SIZE_MAX)
		world_fail(world, "S7: %s lets the removed peer in", world_name(course_owner(world)));
	course_end(world);
}

/* A standby has said that it is fit just before it was cut off, and then the owner dies: nobody may order it. */
void killer_owner_dies_at_the_commit(struct world *world)
{
	size_t owner = course_owner(world), standby = owner == 0 ? 1 : 0;

	ways_cut(world, CTL, standby);
	generation_apply(world, true);
	course_run(world, course_between(world, 60, 400));
	fault_power(world, owner, OFF_MS);
	course_run(world, 4000);
	ways_open(world);
	course_end(world);
}

/* A database from before the revocation is put back: gateways know better. */
void killer_revoked_and_restored(struct world *world)
{
	size_t owner = course_owner(world);
	uint64_t floor;

	generation_apply(world, true);
	course_run(world, 3000);
	floor = world->hosts[CTL].floor.known;
	fault_kill(world, CTL, course_between(world, 20, 2000));
	fault_restore(world);
	course_run(world, 4000);
	if (world->hosts[CTL].floor.known != floor)
		world_fail(world, "S7: the controller has forgotten the floor");
	expect_no_move(world, owner);
	fault_power(world, owner, OFF_MS);
	course_run(world, 3000);
	expect_one_move(world, owner);
	course_end(world);
}

void killer_stored_and_not_committed(struct world *world)
{
	size_t owner = course_owner(world);

	generation_apply(world, true);
	while (world->hosts[CTL].stored_ms != INT64_MAX)
		course_run(world, 1);
	fault_kill(world, CTL, course_between(world, 20, 3000));
	course_run(world, 5000);
	expect_no_move(world, owner);
	if (world->hosts[owner].terms.generation != 2 || world->hosts[owner].floor.known != 2)
		world_fail(world, "L5: what was stored did not come about");
	course_end(world);
}
