/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/world.h"

/*
 * What happens in one run, all of it from the seed. Four sorts:
 * - one fault of the owner, and how long nobody serves (L1);
 * - faults that touch a standby, the controller or one control link only, and nothing may move (L3);
 * - a planned move, alone or with a fault of one of the three while it is under way (L4);
 * - up to five faults of any sort, also at once, and everything must hold and come to rest.
 */

enum {
	DEAD_MS = 230, /* of the promised 350: the rest is for announcing and handshakes */
	AGENT_DOWN_MS = LEASE_MS + 300,
	CARRIER_MS = 50,
	WITNESS_MS = 500,
	MOVE_GAP_MS = 40, /* from the word that releases it to the word that serves it */
};

static int64_t between(struct world *world, int64_t least, int64_t most)
{
	return least + (int64_t)world_random(world, (uint64_t)(most - least + 1));
}

static size_t owner(const struct world *world)
{
	for (size_t i = 0; i < world->gateways; i++)
		if (host_serves(world, i))
			return i;
	return SIZE_MAX;
}

static size_t other_than(struct world *world, size_t gateway)
{
	return (gateway + 1 + (size_t)world_random(world, world->gateways - 1)) % world->gateways;
}

static void run_for(struct world *world, int64_t ms)
{
	world_run(world, world->now + ms);
}

/* Until the first owner has served for a while and every witness is known. */
static void begin(struct world *world)
{
	run_for(world, between(world, 5000, 5300));
	if (owner(world) == SIZE_MAX)
		world_fail(world, "L1: no first owner");
	world->longest_ms = world->unserved_ms = 0;
	world->orders = world->moves = 0;
}

static void expect_owner(struct world *world, int64_t fault_ms, int64_t most_ms, const char *what)
{
	if (world->moves != 1)
		world_fail(world, "L1: %s: %u moves", what, world->moves);
	else if (world->served_ms - fault_ms > most_ms)
		world_fail(world, "L1: %s: an owner after %lld ms, more than %lld", what,
			(long long)(world->served_ms - fault_ms), (long long)most_ms);
}

static void run_owner_fault(struct world *world)
{
	size_t gateway = owner(world);
	int64_t fault_ms = world->now;

	switch (world_random(world, 5)) {
	case 0:
		fault_power(world, gateway, 1000000);
		run_for(world, 5000);
		expect_owner(world, fault_ms, DEAD_MS, "power");
		return;
	case 1:
		fault_kill(world, gateway, 1000000);
		run_for(world, 5000);
		expect_owner(world, fault_ms, AGENT_DOWN_MS, "agent dead for good");
		return;
	case 2:
		fault_hang(world, gateway, 4000);
		run_for(world, 8000);
		expect_owner(world, fault_ms, AGENT_DOWN_MS, "agent hangs for longer than the lease");
		return;
	case 3:
		fault_cable(world, gateway, false);
		run_for(world, 3000);
		fault_plug(world, gateway);
		run_for(world, 5000);
		expect_owner(world, fault_ms, CARRIER_MS, "cable, carrier lost");
		return;
	case 4:
		fault_cable(world, gateway, true);
		run_for(world, 3000);
		fault_plug(world, gateway);
		run_for(world, 5000);
		if (world->witness)
			expect_owner(world, fault_ms, WITNESS_MS, "cable, carrier stays");
		return;
	}
}

static void cut_control(struct world *world, size_t gateway, unsigned ways, bool cut)
{
	world_say(world, "%s: control link %s%s", world_name(gateway), ways & 1 ? "out " : "",
		ways & 2 ? "in" : "");
	if (ways & 1)
		world->cut[gateway][CTL] = cut;
	if (ways & 2)
		world->cut[CTL][gateway] = cut;
}

static void one_harmless_fault(struct world *world)
{
	size_t gateway = owner(world), standby = other_than(world, gateway);
	unsigned ways = 1 + (unsigned)world_random(world, 3);
	int64_t ms = between(world, 20, 6000);

	switch (world_random(world, 9)) {
	case 0:
		fault_power(world, standby, ms);
		run_for(world, ms);
		world->hosts[standby].power = true;
		return;
	case 1:
		fault_kill(world, standby, ms);
		return;
	case 2:
		fault_hang(world, standby, ms);
		return;
	case 3:
		fault_cable(world, standby, world_chance(world, 0.5));
		run_for(world, ms);
		fault_plug(world, standby);
		return;
	case 4:
		fault_kill(world, CTL, ms);
		return;
	case 5:
		fault_hang(world, CTL, ms);
		return;
	case 6:
		cut_control(world, standby, ways, true);
		run_for(world, ms);
		cut_control(world, standby, ways, false);
		return;
	case 7:
		cut_control(world, gateway, ways, true);
		run_for(world, ms);
		cut_control(world, gateway, ways, false);
		return;
	case 8: /* a short hang or a quick restart of the owner itself */
		if (world_chance(world, 0.5))
			fault_hang(world, gateway, between(world, 10, 500));
		else
			fault_kill(world, gateway, between(world, 10, 300));
		return;
	}
}

static void run_harmless(struct world *world)
{
	size_t before = owner(world);

	for (uint64_t n = 1 + world_random(world, 3); n > 0 && world->failure[0] == '\0'; n--) {
		one_harmless_fault(world);
		run_for(world, 9000);
	}
	if (world->moves > 0 || owner(world) != before)
		world_fail(world, "L3: %u moves (%s) for nothing", world->moves, world->cause);
	if (world->longest_ms > 0)
		world_fail(world, "L3: nobody served for %u ms", world->longest_ms);
}

static void one_fault(struct world *world, size_t gateway)
{
	bool on = world_chance(world, 0.5);

	switch (world_random(world, 8)) {
	case 0:
		fault_power(world, gateway, between(world, 500, 8000));
		return;
	case 1:
		fault_kill(world, gateway, between(world, 20, 3000));
		return;
	case 2:
		fault_hang(world, gateway, between(world, 20, 4000));
		return;
	case 3:
		fault_cable(world, gateway, on);
		return;
	case 4:
		fault_kill(world, CTL, between(world, 20, 4000));
		return;
	case 5:
		cut_control(world, gateway, 1 + (unsigned)world_random(world, 3), true);
		return;
	case 6:
		controller_move(world, gateway);
		return;
	case 7:
		world_say(world, "FAULT no way from %s to another", world_name(gateway));
		world->cut[gateway][other_than(world, gateway)] = true;
		return;
	}
}

static void one_fault_of(struct world *world, size_t host)
{
	switch (world_random(world, 4)) {
	case 0:
		if (host == CTL)
			fault_kill(world, CTL, between(world, 20, 4000));
		else
			fault_power(world, host, between(world, 500, 8000));
		return;
	case 1:
		fault_kill(world, host, between(world, 20, 3000));
		return;
	case 2:
		fault_hang(world, host, between(world, 20, 4000));
		return;
	case 3:
		if (host == CTL)
			fault_hang(world, CTL, between(world, 20, 4000));
		else
			fault_cable(world, host, world_chance(world, 0.5));
		return;
	}
}

static void expect_move(struct world *world, size_t from, size_t to)
{
	if (world->moves != 1 || !host_serves(world, to))
		world_fail(world, "L4: a move from %s to %s: %u moves", world_name(from), world_name(to),
			world->moves);
	if (world->loss < 0.05 && world->longest_ms > MOVE_GAP_MS)
		world_fail(world, "L4: a move: nobody serves for %u ms", world->longest_ms);
}

static void power_on(struct world *world)
{
	for (size_t i = 0; i < world->gateways; i++)
		if (!world->hosts[i].power && world->now >= world->hosts[i].starts_ms)
			world->hosts[i].power = true;
}

static void repair(struct world *world);

static void run_move(struct world *world)
{
	size_t from = owner(world), to = other_than(world, from), hosts[] = {from, to, CTL};
	bool faulty = world_chance(world, 0.8);

	for (size_t i = 0; i < world->gateways; i++)
		world->hosts[i].cannot_steer = world_chance(world, 0.1);
	if (controller_move(world, to) < 0)
		return; /* it was not fit just now */
	run_for(world, between(world, 0, world_chance(world, 0.5) ? 60 : 4000));
	if (!faulty) {
		run_for(world, 10000);
		expect_move(world, from, to);
		return;
	}
	one_fault_of(world, hosts[world_random(world, 3)]);
	for (int64_t end = world->now + between(world, 0, 12000);
		world->now < end && world->failure[0] == '\0';) {
		run_for(world, 10);
		power_on(world);
	}
	repair(world);
	run_for(world, SETTLE_MS);
	invariant_settled(world);
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
		if (!h->running && h->starts_ms != INT64_MAX)
			h->starts_ms = world->now;
	}
}

static void run_any(struct world *world)
{
	uint64_t faults = 1 + world_random(world, 5);

	for (uint64_t n = 0; n < faults && world->failure[0] == '\0'; n++) {
		one_fault(world, (size_t)world_random(world, world->gateways));
		for (int64_t end = world->now + between(world, 0, 2500); world->now < end;) {
			run_for(world, 10);
			power_on(world);
			if (world->failure[0] != '\0')
				return;
		}
	}
	repair(world);
	run_for(world, SETTLE_MS);
	invariant_settled(world);
}

int schedule_run(uint64_t seed, bool verbose, char *ret_failure, size_t size)
{
	static const double losses[] = {0, 0, 0.01, 0.05, 0.2};
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		abort();
	world_init(world, seed, 2 + seed % 2, losses[seed / 2 % 5]);
	world->witness = seed % 3 != 0;
	world->attacker = seed % 7 == 0 && seed % 4 != 0;
	world->verbose = verbose;
	begin(world);
	if (world->failure[0] == '\0') {
		if (seed % 4 == 0)
			run_owner_fault(world);
		else if (seed % 4 == 1)
			run_harmless(world);
		else if (seed % 4 == 3 && seed / 4 % 2 == 0)
			run_move(world);
		else
			run_any(world);
	}
	int failed = world->failure[0] != '\0';
	if (failed)
		snprintf(ret_failure, size, "%s", world->failure);
	world_clear(world);
	free(world);
	return failed;
}
