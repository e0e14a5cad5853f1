/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

/*
 * What happens in one run, all of it from the seed. Five sorts:
 * - one fault of the owner, and how long nobody serves (L1);
 * - faults that touch a standby, the controller or one control link only, and nothing may move (L3);
 * - the controller dies and then the owner, and how long nobody serves (L1); perhaps the successor, too;
 * - a planned move, or the owner's orderly reboot, alone or with a fault of one of the three while it is under way (L4);
 * - up to five faults of any sort, also at once, and everything must hold and come to rest.
 */

enum {
	LEAVE_MS = 100,      /* until an order is granted, when datagrams are lost */
	DEAD_MS = 230,       /* of the promised 350: the rest is for announcing and handshakes */
	DEAD_LOSSY_MS = 330, /* at 20 % loss all words of the others may be lost, one time in ten thousand */
	AGENT_DOWN_MS = LEASE_MS + 300,
	SUCCESSION_MS = 680, /* of 800, likewise */
	SUCCESSION_LOSSY_MS = 780,
	ADOPTED_MS = OWNERSHIP_LISTEN_MS + 500,
	CARRIER_MS = 50,
	WITNESS_MS = 500,
	MOVE_GAP_MS = 40, /* from the word that releases it to the word that serves it */
};

static void expect_in_time(
	struct world *world, size_t moves_max, int64_t fault_ms, int64_t most_ms, const char *what)
{
	if (world->moves < 1 || world->moves > moves_max)
		world_fail(world, "L1: %s: %u moves", what, world->moves);
	else if (world->served_ms - fault_ms > most_ms)
		world_fail(world, "L1: %s: an owner after %lld ms, more than %lld", what,
			(long long)(world->served_ms - fault_ms), (long long)most_ms);
}

static void expect_owner(struct world *world, int64_t fault_ms, int64_t most_ms, const char *what)
{
	expect_in_time(world, 1, fault_ms, most_ms, what);
}

/* Where a fifth of all words is lost, the second heir may not hear in time that the first has succeeded: the higher epoch has it then. */
static void expect_heir(struct world *world, int64_t fault_ms, int64_t most_ms)
{
	size_t heirs = world->gateways - 1;

	expect_in_time(world, world->loss > 0.05 ? heirs : 1, fault_ms, most_ms, "no controller");
}

/* A link that has lost in bursts before is waited for. */
static int64_t widened_ms(const struct world *world, size_t gateway)
{
	int64_t widest_ms = world->timing.window_ms;

	for (size_t i = 0; i < HOSTS; i++) {
		const struct watched *other = &world->hosts[i].others[gateway];
		int64_t window_ms = other->watch ? verdict_window_ms(&other->verdict, world->now) : 0;
		widest_ms = window_ms > widest_ms ? window_ms : widest_ms;
	}
	return widest_ms - world->timing.window_ms;
}

static int64_t dead_ms(const struct world *world, size_t gateway)
{
	return (world->loss > 0.05 ? DEAD_LOSSY_MS : DEAD_MS) + widened_ms(world, gateway);
}

static int64_t succession_ms(const struct world *world, size_t owner)
{
	return (world->loss > 0.05 ? SUCCESSION_LOSSY_MS : SUCCESSION_MS) + widened_ms(world, owner);
}

/* In `fence` nothing tells a death from a cut, and a lease has to run out. */
static int64_t silent_ms(const struct world *world, int64_t hold_ms)
{
	return world->exclusive ? FENCE_MS : hold_ms;
}

/* Who fences itself says so, and the next asks for leave; at worst it has just promised not to, for all was lost. */
static int64_t told_ms(const struct world *world, int64_t hold_ms)
{
	if (world->exclusive && world->loss > 0.05)
		return FENCE_MS;
	return hold_ms + (world->exclusive ? LEAVE_MS : 0);
}

static void run_owner_fault(struct world *world)
{
	size_t gateway = course_owner(world);
	int64_t fault_ms = world->now;

	world->attacker = false; /* it can keep a dead one alive for a while */
	switch (world_random(world, 5)) {
	case 0:
		fault_power(world, gateway, 1000000);
		course_run(world, 5000);
		expect_owner(world, fault_ms, silent_ms(world, dead_ms(world, gateway)), "power");
		return;
	case 1:
		fault_kill(world, gateway, 1000000);
		course_run(world, 5000);
		expect_owner(world, fault_ms, silent_ms(world, AGENT_DOWN_MS), "agent dead for good");
		return;
	case 2:
		fault_hang(world, gateway, 4000);
		course_run(world, 8000);
		expect_owner(world, fault_ms, silent_ms(world, AGENT_DOWN_MS),
			"agent hangs for longer than the lease");
		return;
	case 3:
		fault_cable(world, gateway, false);
		course_run(world, 3000);
		fault_plug(world, gateway);
		course_run(world, 5000);
		expect_owner(world, fault_ms, told_ms(world, CARRIER_MS), "cable, carrier lost");
		return;
	case 4:
		fault_cable(world, gateway, true);
		course_run(world, 3000);
		fault_plug(world, gateway);
		course_run(world, 5000);
		if (world->witness)
			expect_owner(world, fault_ms, told_ms(world, WITNESS_MS), "cable, carrier stays");
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
	size_t gateway = course_owner(world), standby = course_other(world, gateway);
	unsigned ways = 1 + (unsigned)world_random(world, 3);
	int64_t ms = course_between(world, 20, 6000);

	switch (world_random(world, 10)) {
	case 0:
		fault_power(world, standby, ms);
		course_run(world, ms);
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
		course_run(world, ms);
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
		course_run(world, ms);
		cut_control(world, standby, ways, false);
		return;
	case 7:
		cut_control(world, gateway, ways, true);
		course_run(world, ms);
		cut_control(world, gateway, ways, false);
		return;
	case 8: /* a short hang or a quick restart of the owner itself */
		if (world_chance(world, 0.5))
			fault_hang(world, gateway, course_between(world, 10, 500));
		else
			fault_kill(world, gateway, course_between(world, 10, 300));
		return;
	case 9: /* no fault: everybody is there, and takes it up */
		generation_apply(world, world_chance(world, 0.8));
		return;
	}
}

static void run_harmless(struct world *world)
{
	size_t before = course_owner(world);

	for (uint64_t n = 1 + world_random(world, 3); n > 0 && world->failure[0] == '\0'; n--) {
		one_harmless_fault(world);
		course_run(world, 9000);
	}
	if (world->moves > 0 || course_owner(world) != before)
		world_fail(world, "L3: %u moves (%s) for nothing", world->moves, world->cause);
	if (world->longest_ms > 0)
		world_fail(world, "L3: nobody served for %u ms", world->longest_ms);
}

static void one_fault(struct world *world, size_t gateway)
{
	bool on = world_chance(world, 0.5);

	switch (world_random(world, 10)) {
	case 0:
		fault_power(world, gateway, course_between(world, 500, 8000));
		return;
	case 1:
		fault_kill(world, gateway, course_between(world, 20, 3000));
		return;
	case 2:
		fault_hang(world, gateway, course_between(world, 20, 4000));
		return;
	case 3:
		fault_cable(world, gateway, on);
		return;
	case 4:
		fault_kill(world, CTL, course_between(world, 20, 4000));
		if (world_chance(world, 0.2))
			fault_restore(world);
		return;
	case 5:
		cut_control(world, gateway, 1 + (unsigned)world_random(world, 3), true);
		return;
	case 6:
		controller_move(world, gateway);
		return;
	case 7:
		world_say(world, "FAULT no way from %s to another", world_name(gateway));
		world->cut[gateway][course_other(world, gateway)] = true;
		return;
	case 8:
	case 9:
		generation_apply(world, world_chance(world, 0.7));
		if (world_chance(world, 0.2)) { /* before it is stored, after that, or after the commit */
			course_run(world, course_between(world, 0, 60));
			fault_kill(world, CTL, course_between(world, 20, 4000));
		}
		return;
	}
}

static void one_fault_of(struct world *world, size_t host)
{
	switch (world_random(world, 4)) {
	case 0:
		if (host == CTL)
			fault_kill(world, CTL, course_between(world, 20, 4000));
		else
			fault_power(world, host, course_between(world, 500, 8000));
		return;
	case 1:
		fault_kill(world, host, course_between(world, 20, 3000));
		return;
	case 2:
		fault_hang(world, host, course_between(world, 20, 4000));
		return;
	case 3:
		if (host == CTL)
			fault_hang(world, CTL, course_between(world, 20, 4000));
		else
			fault_cable(world, host, world_chance(world, 0.5));
		return;
	}
}

static void expect_move(struct world *world, size_t from, size_t to)
{
	if (world->moves != 1 || !kernel_serves(world, to))
		world_fail(world, "L4: a move from %s to %s: %u moves", world_name(from), world_name(to),
			world->moves);
	if (world->loss < 0.05 && world->longest_ms > MOVE_GAP_MS)
		world_fail(world, "L4: a move: nobody serves for %u ms", world->longest_ms);
}

/* Of the owner, the other, or the controller, at any moment of what was begun. */
static void disturb(struct world *world, size_t from, size_t to)
{
	size_t hosts[] = {from, to, CTL};

	one_fault_of(world, hosts[world_random(world, 3)]);
	course_run_powered(world, course_between(world, 0, 12000));
	course_end(world);
}

static void run_move(struct world *world)
{
	size_t from = course_owner(world), to = course_other(world, from);
	bool faulty = world_chance(world, 0.8);

	for (size_t i = 0; i < world->gateways; i++)
		world->hosts[i].cannot_steer = world_chance(world, 0.1);
	if (controller_move(world, to) < 0)
		return; /* it was not fit just now */
	course_run(world, course_between(world, 0, world_chance(world, 0.5) ? 60 : 4000));
	if (faulty) {
		disturb(world, from, to);
		return;
	}
	course_run(world, 10000);
	/* Where a fifth of all words is lost, it may be suspect just when it is let go of: then the old one goes on. */
	expect_move(world, from, world->loss > 0.05 && course_owner(world) == from ? from : to);
}

/* The owner is relieved, its host goes down and comes back, and it is a standby. */
static void run_reboot(struct world *world)
{
	size_t from = course_owner(world), to = course_other(world, from);
	bool faulty = world_chance(world, 0.8);

	fault_leave(world, from);
	course_run(world, course_between(world, 0, world_chance(world, 0.5) ? 60 : 4000));
	if (faulty) {
		disturb(world, from, to);
		return;
	}
	course_run(world, 10000);
	to = course_owner(world);
	if (to == SIZE_MAX || to == from) {
		world_fail(world, "L4: %s goes down and was not relieved", world_name(from));
		return;
	}
	fault_power(world, from, 2000);
	course_run(world, 2000);
	course_power_on(world);
	course_run(world, 5000);
	expect_move(world, from, to);
}

/* L6 */
static void expect_adopted(struct world *world)
{
	const struct ownership *ownership = &world->hosts[CTL].ownership;

	if (ownership->phase != OWNERSHIP_STABLE || !kernel_serves(world, ownership->owner))
		world_fail(
			world, "L6: a controller that is back is %s", ownership_phase_name(ownership->phase));
}

static void run_succession(struct world *world)
{
	size_t owner = course_owner(world);
	bool told = !world->exclusive && (world->witness || world->gateways > 2);

	world->attacker = false; /* it can keep a dead one alive for a while */
	fault_kill(world, CTL, 1000000);
	course_run(world, course_between(world, 0, world_chance(world, 0.5) ? 100 : 3000));
	int64_t fault_ms = world->now;
	fault_power(world, owner, course_between(world, 1500, 6000));
	course_run(world, 1500);
	if (told)
		expect_heir(world, fault_ms, succession_ms(world, owner));
	course_run_powered(world, course_between(world, 0, 6000));
	if (course_owner(world) != SIZE_MAX && world_chance(world, 0.5))
		fault_power(world, course_owner(world), course_between(world, 500, 3000));
	course_run(world, course_between(world, 0, 2000));
	world->hosts[CTL].starts_ms = world->now;
	course_run(world, ADOPTED_MS);
	if (course_owner(world) != SIZE_MAX && world->serves_ms[course_owner(world)] >= ADOPTED_MS)
		expect_adopted(world);
	course_end(world);
}

static void run_any(struct world *world)
{
	uint64_t faults = 1 + world_random(world, 5);

	for (uint64_t n = 0; n < faults && world->failure[0] == '\0'; n++) {
		one_fault(world, (size_t)world_random(world, world->gateways));
		for (int64_t end = world->now + course_between(world, 0, 2500); world->now < end;) {
			course_run(world, 10);
			course_power_on(world);
			if (world->failure[0] != '\0')
				return;
		}
	}
	course_end(world);
}

/* By digits of the seed that say neither the mode nor how many gateways there are (schedule.c). */
void sort_run(struct world *world)
{
	uint64_t digit = world->seed / 16 % 16;

	if (digit < 4)
		run_owner_fault(world);
	else if (digit < 8)
		run_harmless(world);
	else if (digit < 10)
		run_succession(world);
	else if (digit == 10)
		run_reboot(world);
	else if (digit == 11)
		run_move(world);
	else
		run_any(world);
}
