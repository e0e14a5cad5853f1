/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/killers/killers.h"

/* Nobody reaches the owner any more, but somebody gives it again and again what it was granted before. (In `hold` what
 * is sent again is a third way.) */
void killer_grant_read_late(struct world *world)
{
	size_t owner = course_owner(world);

	world->hoarder = true;
	course_run(world, 300);
	ways_split(world, owner, false);
	course_run(world, 5000);
	world->hoarder = false;
	ways_open(world);
	course_run(world, 5000);
	if (world->exclusive)
		expect_one_move(world, owner);
}

static void cut_controller(struct world *world)
{
	for (size_t i = 0; i < world->gateways; i++)
		ways_cut_both(world, i, CTL);
}

/* The others promise, then hear the controller again, and the owner is gone: they are ordered what they promised not to
 * take. One that has restarted in between does not know that it did. */
void killer_promised_and_ordered(struct world *world)
{
	size_t owner = course_owner(world);

	cut_controller(world);
	course_run(world, course_between(world, 2000, 5000));
	ways_open(world);
	ways_split(world, owner, false);
	for (size_t i = 0; i < world->gateways; i++)
		if (i != owner && world_chance(world, 0.5))
			fault_kill(world, i, 20);
	course_run(world, 5000);
	course_end(world);
}

/* No way between the two and everybody else. */
static void split_pair(struct world *world, size_t a, size_t b)
{
	for (size_t i = 0; i < HOSTS; i++)
		if (i != a && i != b)
			ways_cut_both(world, a, i), ways_cut_both(world, b, i);
}

/* Some of the pool promise; the rest hears the controller, which gives the endpoint to one of them. */
void killer_some_promise(struct world *world)
{
	size_t owner = course_owner(world), friend = course_other(world, owner);

	split_pair(world, owner, friend);
	course_run(world, course_between(world, 2000, 6000));
	ways_open(world);
	course_end(world);
}

/* What its earlier life has granted is good for a lease, and only the owner could tell. */
void killer_controller_restarts_without_the_owner(struct world *world)
{
	size_t owner = course_owner(world);

	fault_kill(world, CTL, course_between(world, 20, 300));
	ways_split(world, owner, false);
	course_run(world, course_between(world, 1000, 4000));
	ways_open(world);
	course_end(world);
}

/* The owner and some, or none, of the pool know nothing of a change that the rest take up. */
static void cut_some(struct world *world)
{
	size_t owner = course_owner(world);
	size_t friend = owner == SIZE_MAX ? 0 : course_other(world, owner);

	if (owner == SIZE_MAX)
		owner = (size_t)world_random(world, world->gateways);
	switch (world_random(world, 5)) {
	case 0:
		return;
	case 1:
		ways_split(world, owner, false);
		return;
	case 2:
		ways_cut_both(world, owner, CTL);
		return;
	case 3:
		fault_kill(world, owner, course_between(world, 20, 3000));
		return;
	case 4:
		split_pair(world, owner, friend);
		return;
	}
}

static void change_terms(struct world *world)
{
	controller_change(world, world_chance(world, 0.5) ? LEASE_MS : 3 * LEASE_MS,
		2 + (size_t)world_random(world, world->gateways - 1));
}

void killer_terms_changed(struct world *world)
{
	if (!world->exclusive)
		return;
	for (uint64_t n = 1 + world_random(world, 3); n > 0 && world->failure[0] == '\0'; n--) {
		cut_some(world);
		course_run(world, course_between(world, 0, 1500));
		change_terms(world);
		if (world_chance(world, 0.3))
			fault_kill(world, CTL, course_between(world, 20, 1500));
		course_run(world, course_between(world, 0, 5000));
		if (world_chance(world, 0.3))
			fault_kill(world, (size_t)world_random(world, world->gateways), 20);
		if (world_chance(world, 0.5))
			ways_open(world);
		course_run(world, course_between(world, 0, 5000));
	}
	course_end(world);
}

/* Whoever is new has promised nobody anything, and is the only one that the controller hears. */
void killer_joined_behind_a_cut(struct world *world)
{
	size_t joins = world->gateways - 1;

	if (!world->exclusive || world->gateways < 3)
		return;
	controller_change(world, LEASE_MS, joins);
	course_run(world, 6000);
	for (size_t i = 0; i < joins; i++)
		ways_cut_both(world, i, CTL), ways_cut_both(world, i, joins);
	course_run(world, course_between(world, 0, 3000));
	controller_change(world, LEASE_MS, world->gateways);
	if (world_chance(world, 0.5))
		fault_kill(world, CTL, course_between(world, 20, 1000));
	course_run(world, 6000);
	course_end(world);
}
