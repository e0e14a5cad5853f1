/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/killers/killers.h"

void killer_guest_paused(struct world *world)
{
	size_t owner = course_owner(world), guest = course_other(world, owner);
	enum seat_role *role = &world->hosts[guest].seat.role;

	if (controller_move(world, guest) < 0)
		return; /* it was not fit just now */
	for (int64_t end = world->now + 200; *role != SEAT_GUEST && world->now < end;)
		course_run(world, 1);
	course_run(world, course_between(world, 0, 20));
	fault_hang(world, guest, course_between(world, 20, 5000));
	course_run(world, 6000);
	course_end(world);
}

/* The order that names the successor lies in its socket for 5 s; meanwhile others are named, or the owner is back. */
void killer_order_read_late(struct world *world)
{
	size_t owner = course_owner(world), successor = course_other(world, owner);

	fault_power(world, owner, course_between(world, 1000, 9000));
	ways_cut(world, CTL, successor);
	course_run_powered(world, 5000);
	ways_open(world);
	course_run_powered(world, 5000);
	course_end(world);
}

enum { HEIR_MAX_MS = 1500 };

/* What a planned move has come to: its first step, and so on; STEPS: it is over, and settles. */
enum { STEPS = 4 };

static bool has_come_to(const struct world *world, size_t to, uint64_t step)
{
	const struct ownership *ownership = &world->hosts[CTL].ownership;
	bool moving = ownership->phase == OWNERSHIP_MOVING;

	switch (step) {
	case 0:
		return moving && ownership->step == OWNERSHIP_STEP_HOST;
	case 1:
		return moving && ownership->step == OWNERSHIP_STEP_PULL;
	case 2:
		return moving && ownership->step == OWNERSHIP_STEP_RELEASE;
	case 3:
		return ownership->phase == OWNERSHIP_TAKING && ownership->target == to;
	default:
		return ownership->phase == OWNERSHIP_STABLE && ownership->owner == to;
	}
}

/* One of the three hangs, dies or loses its power at each step of a planned move. */
void killer_move_interrupted(struct world *world)
{
	size_t from = course_owner(world), to = course_other(world, from);
	size_t hosts[] = {from, to, CTL}, hit = hosts[world_random(world, 3)];
	uint64_t step = world_random(world, STEPS + 1);

	if (controller_move(world, to) < 0)
		return; /* it was not fit just now */
	for (int64_t end = world->now + 5000; !has_come_to(world, to, step) && world->now < end;)
		course_run(world, 1);
	course_run(world, course_between(world, 0, 5));
	if (hit != CTL && world_chance(world, 0.3))
		fault_power(world, hit, course_between(world, 500, 5000));
	else if (world_chance(world, 0.5))
		fault_kill(world, hit, course_between(world, 20, 3000));
	else
		fault_hang(world, hit, course_between(world, 20, 4000));
	course_run_powered(world, 9000);
	course_end(world);
}

/* The owner has released, and the controller dies before it can order the guest: the guest serves by itself, and for as long as the
 * owner relays nothing is lost. In `fence` it waits for the controller. */
void killer_controller_gone_after_the_release(struct world *world)
{
	size_t from = course_owner(world), to = course_other(world, from);

	if (controller_move(world, to) < 0)
		return; /* it was not fit just now */
	for (int64_t end = world->now + 5000;
		world->hosts[from].seat.role != SEAT_RELAYING && world->now < end;)
		course_run(world, 1);
	if (world->hosts[from].seat.role != SEAT_RELAYING || kernel_serves(world, to))
		return; /* it could not steer, or the order was as fast */
	fault_kill(world, CTL, course_between(world, 5000, 9000));
	course_run(world, HEIR_MAX_MS);
	if (!world->exclusive && !kernel_serves(world, to))
		world_fail(world, "L1: %s does not serve %d ms after %s released it to it", world_name(to),
			HEIR_MAX_MS, world_name(from));
	course_run(world, 9000);
	course_end(world);
}
