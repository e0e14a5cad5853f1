/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/killers/killers.h"

void killer_owner_cut_one_way(struct world *world)
{
	size_t owner = course_owner(world);

	if (world_chance(world, 0.5))
		ways_cut(world, owner, CTL);
	else
		ways_cut(world, CTL, owner);
	course_run(world, course_between(world, 2000, 8000));
	ways_open(world);
	course_run(world, 5000);
	expect_no_move(world, owner);
}

/* {ctl, A} | {B, C}: the controller sees the owner, and nobody else. Beyond the cut they have no controller and hear no
 * owner: in `hold` one of them succeeds, and when the cut is over there is one owner again. */
void killer_split_with_the_owner(struct world *world)
{
	size_t owner = course_owner(world);

	ways_split(world, owner, true);
	course_run(world, course_between(world, 500, 6000));
	ways_open(world);
	course_run(world, 5000);
	if (world->successions == 0)
		expect_no_move(world, owner);
	else if (!has_witness(world) || world->moves != world->successions || kernel_serves(world, owner))
		world_fail(world, "L3: %u moves after %u successions", world->moves, world->successions);
	invariant_settled(world);
}

/* In `hold` both serve while the split lasts, if a witness is on the owner's side; not much longer. */
void killer_split_from_the_owner(struct world *world)
{
	size_t owner = course_owner(world);

	ways_split(world, owner, false);
	course_run(world, course_between(world, LEASE_MS * 2, 6000));
	ways_open(world);
	course_run(world, 5000);
	expect_one_move(world, owner);
}

void killer_standby_cable_out(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);

	fault_cable(world, standby, world_chance(world, 0.5));
	course_run(world, 4000);
	fault_plug(world, standby);
	course_run(world, 5000);
	expect_no_move(world, owner);
}

void killer_owner_cut_from_controller(struct world *world)
{
	size_t owner = course_owner(world);

	ways_cut_both(world, owner, CTL);
	course_run(world, course_between(world, 3000, 8000));
	expect_no_move(world, owner);
	ways_open(world);
	course_run(world, 3000);
	expect_no_move(world, owner);
}

void killer_cable_replugged(struct world *world)
{
	size_t owner = course_owner(world);

	fault_cable(world, owner, false);
	course_run(world, course_between(world, 300, 3000));
	fault_plug(world, owner);
	course_run(world, 5000);
	expect_one_move(world, owner);
}

/* All but one, the owner among them or not. */
void killer_half_silent(struct world *world)
{
	size_t left = (size_t)world_random(world, world->gateways);

	for (size_t i = 0; i < world->gateways; i++)
		for (size_t j = 0; j < HOSTS; j++)
			if (i != left && i != j)
				ways_cut_both(world, i, j);
	course_run(world, course_between(world, 200, 5000));
	ways_open(world);
	course_run(world, 5000);
	course_end(world);
}
