/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

/* The parts of which runs are made: how each begins, goes on and comes to rest. */

int64_t course_between(struct world *world, int64_t least, int64_t most)
{
	return least + (int64_t)world_random(world, (uint64_t)(most - least + 1));
}

size_t course_owner(const struct world *world)
{
	for (size_t i = 0; i < world->gateways; i++)
		if (kernel_serves(world, i))
			return i;
	return SIZE_MAX;
}

size_t course_other(struct world *world, size_t gateway)
{
	return (gateway + 1 + (size_t)world_random(world, world->gateways - 1)) % world->gateways;
}

void course_run(struct world *world, int64_t ms)
{
	world_run(world, world->now + ms);
}

void course_power_on(struct world *world)
{
	for (size_t i = 0; i < world->gateways; i++)
		if (!world->hosts[i].power && world->now >= world->hosts[i].starts_ms)
			world->hosts[i].power = true;
}

void course_run_powered(struct world *world, int64_t ms)
{
	for (int64_t end = world->now + ms; world->now < end && world->failure[0] == '\0';) {
		course_run(world, 10);
		course_power_on(world);
	}
}

/* Until the first owner has served for a while and every witness is known. */
void course_begin(struct world *world)
{
	course_run(world, course_between(world, 5000, 5300));
	if (course_owner(world) == SIZE_MAX)
		world_fail(world, "L1: no first owner");
	world->longest_ms = world->unserved_ms = 0;
	world->orders = world->moves = world->successions = 0;
}

static void repair(struct world *world)
{
	world_say(world, "all is repaired");
	for (size_t i = 0; i < HOSTS; i++) {
		struct host *h = &world->hosts[i];
		for (size_t j = 0; j < HOSTS; j++)
			world->cut[i][j] = false;
		if (i < world->gateways && !h->underlay)
			fault_plug(world, i);
		if (i == CTL || i < world->gateways)
			h->power = true;
		if (i == RIVAL && h->running) /* one of the two has to go */
			fault_kill(world, RIVAL, OFF_MS);
		h->deaf = h->filtered = false;
		h->leaving = false;
		if (!h->running && h->starts_ms != INT64_MAX)
			h->starts_ms = world->now;
	}
}

/* People do what the alarm says: they apply the present fleet file. */
static void put_store_right(struct world *world)
{
	if (generation_has_old_store(world, CTL))
		generation_apply(world, false);
}

void course_end(struct world *world)
{
	repair(world);
	course_run(world, SETTLE_MS / 2);
	put_store_right(world);
	course_run(world, SETTLE_MS);
	invariant_settled(world);
}
