/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/killers/killers.h"

void killer_liveness_port_blocked(struct world *world)
{
	size_t owner = course_owner(world), gateway = (size_t)world_random(world, world->gateways);

	world_say(world, "FAULT the liveness port of %s is blocked", world_name(gateway));
	world->hosts[gateway].deaf = true;
	course_run(world, course_between(world, 2000, 8000));
	world->hosts[gateway].deaf = false;
	course_run(world, 5000);
	if (world->exclusive && gateway == owner) /* no leave reaches it: it fences itself, and says so */
		expect_one_move(world, owner);
	else if (world->loss <=
		 0.05) /* above, both observers lose all three probes of its kernel one time in 500 */
		expect_no_move(world, owner);
}

/* Somebody's packet filter shuts out all but ARP on the owner, and no controller lives: it looks dead, and serves. */
void killer_owner_filtered(struct world *world)
{
	size_t owner = course_owner(world);

	if (!world->witness || world->exclusive)
		return; /* the owner itself could not tell that from a cut cable, or nobody lets it go on */
	fault_kill(world, CTL, 15000);
	course_run(world, course_between(world, 500, 1500));
	world_say(world, "FAULT %s is filtered", world_name(owner));
	world->hosts[owner].filtered = true;
	course_run(world, course_between(world, 1000, 4000));
	world->hosts[owner].filtered = false;
	course_run(world, 2000);
	expect_no_move(world, owner);
}

/* Somebody runs `nft flush ruleset`, or starts Debian's nftables.service, on the owner: its fence is open. That alone moves
 * nothing; and if its agent hangs, or its cable goes, in the same moment, the address is the fence that is left. */
void killer_ruleset_flushed(struct world *world)
{
	size_t owner = course_owner(world);
	bool alone = world_chance(world, 0.3);

	fault_flush(world, owner);
	if (alone) {
		course_run(world, 5000);
		expect_no_move(world, owner);
		return;
	}
	course_run(world, course_between(world, 0, FLUSHED_MAX_MS));
	switch (world_random(world, 4)) {
	case 0:
		fault_hang(world, owner, course_between(world, 20, 5000));
		break;
	case 1:
		fault_kill(world, owner, course_between(world, 20, 3000));
		break;
	case 2:
		ways_split(world, owner, false);
		break;
	case 3:
		fault_cable(world, owner, world_chance(world, 0.5));
		break;
	}
	course_run(world, course_between(world, 0, 5000));
	course_end(world);
}

/* The fence of one that has stepped down is opened, and of a standby: they have no address that anybody would reach. */
void killer_standby_flushed(struct world *world)
{
	size_t owner = course_owner(world);

	ways_split(world, owner, false);
	course_run(world, course_between(world, 0, 4000));
	for (size_t i = 0; i < world->gateways; i++)
		fault_flush(world, i);
	course_run(world, course_between(world, 0, 2000));
	ways_open(world);
	course_run(world, course_between(world, 0, 300));
	fault_flush(world, owner);
	course_end(world);
}
