/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/killers/killers.h"

/* The owner and the first controller on one side, everybody else, with the other, on the other. */
static void split_between_two(struct world *world)
{
	size_t owner = course_owner(world);

	if (owner == SIZE_MAX)
		return;
	ways_split(world, owner, true);
	ways_cut_both(world, owner, RIVAL);
}

void killer_controller_restored(struct world *world)
{
	size_t owner = course_owner(world);

	fault_kill(world, CTL, course_between(world, 20, 2000));
	fault_restore(world);
	course_run(world, 4000);
	expect_no_move(world, owner);
	fault_power(world, owner, 1000000);
	course_run(world, 3000);
	expect_one_move(world, owner);
}

/* The controller dies, the owner dies, the owner returns, its successor dies. */
void killer_one_after_the_other(struct world *world)
{
	size_t owner = course_owner(world);

	fault_kill(world, CTL, course_between(world, 1000, 3000));
	course_run_powered(world, course_between(world, 0, 500));
	fault_power(world, owner, course_between(world, 500, 4000));
	course_run_powered(world, course_between(world, 500, 5000));
	if (course_owner(world) != SIZE_MAX)
		fault_power(world, course_owner(world), course_between(world, 500, 3000));
	course_run_powered(world, 4000);
	course_end(world);
}

/* A standby that has lost its control link alone, and a dead owner: a pool of three asks the one that has not. */
void killer_standby_without_controller(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);

	ways_cut_both(world, standby, CTL);
	course_run_powered(world, course_between(world, 1500, 4000));
	fault_power(world, owner, 1000000);
	course_run_powered(world, 3000);
	if (world->gateways > 2 && world->successions > 0)
		world_fail(world, "L3: a succession, although there is a controller");
	if (has_witness(world) && !world->exclusive)
		expect_one_move(world, owner);
	ways_open(world);
	course_end(world);
}

/* The same, and the third one, which has the controller's ear, is about to go down: it gets nothing, and as long as it is there
 * nobody else takes anything either. When it is gone nobody in contact has a controller. */
void killer_standby_beside_a_leaver(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);
	size_t leaver = GATEWAYS - owner - standby;

	if (world->gateways < 3 || world->exclusive)
		return;
	ways_cut_both(world, standby, CTL);
	fault_leave(world, leaver);
	course_run(world, course_between(world, 1500, 4000));
	fault_power(world, owner, OFF_MS);
	course_run(world, course_between(world, 1500, 4000));
	if (world->successions > 0)
		world_fail(world, "L3: a succession, although another member has a controller");
	fault_power(world, leaver, OFF_MS);
	course_run(world, 3000);
	if (world->witness)
		expect_succession(world);
	ways_open(world);
	course_end(world);
}

/* People have forbidden automatic moves, and it is kept when nobody is there who could decide, and when one is back. */
void killer_frozen_without_controller(struct world *world)
{
	size_t owner = course_owner(world);

	controller_freeze(world, true);
	course_run(world, course_between(world, 1000, 3000));
	fault_kill(world, CTL, course_between(world, 3000, 6000));
	course_run(world, course_between(world, 0, 2000));
	fault_power(world, owner, OFF_MS);
	course_run(world, 8000);
	if (world->moves > 0)
		world_fail(
			world, "L3: %u moves (%s), although they are forbidden", world->moves, world->cause);
	controller_freeze(world, false);
	course_run(world, 1500);
	expect_one_move(world, owner);
	course_end(world);
}

/* Two that cannot hear each other succeed at the same time: never under one epoch. */
void killer_two_successors(struct world *world)
{
	size_t owner = course_owner(world);

	fault_kill(world, CTL, 6000);
	for (size_t i = 0; i < world->gateways; i++)
		for (size_t j = 0; j < i; j++)
			if (i != owner && j != owner)
				ways_cut_both(world, i, j);
	course_run(world, course_between(world, 0, 2000));
	fault_power(world, owner, 1000000);
	course_run(world, 3000);
	if (world->witness && !world->exclusive && world->successions != world->gateways - 1)
		world_fail(world, "L1: %u of %zu successions", world->successions, world->gateways - 1);
	ways_open(world);
	course_run(world, 5000);
	course_end(world);
}

/* Then a member of the pool restarts, which binds it again. */
void killer_controller_gone(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);

	fault_kill(world, CTL, course_between(world, 5000, 12000));
	course_run(world, course_between(world, 3000, 8000));
	expect_no_move(world, owner);
	fault_kill(world, standby, course_between(world, 20, 300));
	course_run(world, 9000);
	expect_no_move(world, owner);
}

/* Nobody is there who could promise for all: in `fence` the owner stops, until the controller is back. */
void killer_controller_and_standby_gone(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);

	fault_kill(world, CTL, course_between(world, 3000, 6000));
	fault_power(world, standby, course_between(world, 500, 9000));
	course_run_powered(world, course_between(world, 0, 2000));
	if (world_chance(world, 0.5))
		fault_hang(world, owner, course_between(world, 20, 3000));
	course_run_powered(world, 9000);
	course_end(world);
}

/* A controller starts and hears one gateway through others alone. If that is the owner, it keeps what it has. If it is a
 * standby, and the owner dies, perhaps before it could speak to the new life, what is known is enough to name the next. */
void killer_controller_restarts_beside_a_cut(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);
	bool is_owner = world->gateways < 3 || world_chance(world, 0.3);

	ways_cut_both(world, is_owner ? owner : standby, CTL);
	course_run(world, course_between(world, 0, 1000));
	fault_kill(world, CTL, course_between(world, 20, 300));
	if (is_owner && world->exclusive && world->loss > 0.05) {
		course_run(world, 5000);
		expect_kept_or_followed(world, owner);
	} else if (is_owner) {
		course_run(world, 5000);
		expect_no_move(world, owner);
	} else {
		course_run(world, course_between(world, 0, 1000));
		fault_power(world, owner, OFF_MS);
		course_run(world, 3000);
		expect_one_move(world, owner);
	}
	ways_open(world);
	course_end(world);
}

/* While the controller is away the owner hangs for longer than its lease and fences itself: the controller that is back hears
 * that from the others alone. */
void killer_fenced_beside_a_cut(struct world *world)
{
	size_t owner = course_owner(world);
	int64_t away_ms = course_between(world, 2 * LEASE_MS + 300, 4 * LEASE_MS);

	ways_cut_both(world, owner, CTL);
	course_run(world, course_between(world, 0, 1000));
	fault_kill(world, CTL, away_ms);
	course_run(world, course_between(world, 0, 100));
	fault_hang(world, owner, course_between(world, LEASE_MS + 100, 2 * LEASE_MS));
	course_run(world, away_ms + OWNERSHIP_LISTEN_MS + FENCE_MS);
	expect_one_move(world, owner);
	ways_open(world);
	course_end(world);
}

/* Two boxes and no third, or three: the controller is on the owner's, and its power goes. */
void killer_box_of_both(struct world *world)
{
	size_t owner = course_owner(world);
	int64_t back_ms = course_between(world, 2000, 8000);

	fault_power(world, owner, back_ms);
	fault_kill(world, CTL, back_ms);
	course_run_powered(world, 1500);
	if (!world->exclusive && has_witness(world))
		expect_succession(world);
	course_run_powered(world, 9000);
	course_end(world);
}

/* Somebody starts a copy of the controller on a copy of its database: an old one, the present one, or both at once. The
 * gateways hear and obey both, by their epochs alone. */
void killer_two_controllers(struct world *world)
{
	struct host *rival = &world->hosts[RIVAL];
	size_t owner = course_owner(world);
	bool together = world_chance(world, 0.3), alone = world_chance(world, 0.3);

	if (world->exclusive)
		return; /* whoever grants must be the only one: `fence` promises nothing here */
	if (together)
		fault_kill(world, CTL, course_between(world, 20, 100));
	rival->stored_term = world_chance(world, 0.5) ? world->hosts[CTL].stored_term : 0;
	rival->power = true;
	rival->starts_ms = world->now + course_between(world, 0, 100);
	course_run(world, course_between(world, 0, 4000));
	if (alone) {
		expect_no_move(world, owner);
		return;
	}
	if (world_chance(world, 0.3))
		controller_move(world, course_other(world, owner));
	else if (world_chance(world, 0.5))
		fault_power(world, owner, course_between(world, 500, 4000));
	else
		split_between_two(world);
	course_run_powered(world, course_between(world, 0, 5000));
	course_end(world);
}
