/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "tests/sim/world.h"

/*
 * FAILOVER section 6, "known killers".
 */

#define TWO_CONTROLLERS "two-controllers"

/* ---- what is cut ---- */

static void cut(struct world *world, size_t from, size_t to)
{
	world_say(world, "FAULT no way from %s to %s", world_name(from), world_name(to));
	world->cut[from][to] = true;
}

static void cut_both(struct world *world, size_t a, size_t b)
{
	cut(world, a, b);
	cut(world, b, a);
}

static void heal(struct world *world)
{
	world_say(world, "all ways are open");
	memset(world->cut, 0, sizeof(world->cut));
}

/* No way between the gateway, with the controller if it is on its side, and everybody else. */
static void split(struct world *world, size_t gateway, bool with_controller)
{
	for (size_t i = 0; i < world->gateways; i++) {
		if (i == gateway)
			continue;
		cut_both(world, gateway, i);
		if (with_controller)
			cut_both(world, CTL, i);
	}
	if (!with_controller)
		cut_both(world, gateway, CTL);
}

/* The owner and the first controller on one side, everybody else, with the other, on the other. */
static void split_between_two(struct world *world)
{
	size_t owner = course_owner(world);

	if (owner == SIZE_MAX)
		return;
	split(world, owner, true);
	cut_both(world, owner, RIVAL);
}

/* ---- what is expected ---- */

static void expect_no_move(struct world *world, size_t before)
{
	if (world->moves > 0 || course_owner(world) != before || world->longest_ms > 0)
		world_fail(world, "L3: %u moves (%s), nobody served for %u ms: for nothing", world->moves,
			world->cause, world->longest_ms);
}

static void expect_one_move(struct world *world, size_t from)
{
	if (world->moves != 1 || kernel_serves(world, from))
		world_fail(world, "L1: %u moves away from %s", world->moves, world_name(from));
}

/* When datagrams are lost two may succeed, one after the other: what either waits for may take it longer than its turn. */
static void expect_succession(struct world *world)
{
	unsigned most = world->loss > 0 ? (unsigned)world->gateways - 1 : 1;

	if (world->successions == 0 || world->successions > most || world->moves != world->successions ||
		course_owner(world) == SIZE_MAX)
		world_fail(world, "L1: %u successions, %u moves", world->successions, world->moves);
}

static void run_powered(struct world *world, int64_t ms)
{
	for (int64_t end = world->now + ms; world->now < end && world->failure[0] == '\0';) {
		course_run(world, 10);
		course_power_on(world);
	}
}

/* ---- the killers ---- */

static void owner_cut_one_way(struct world *world)
{
	size_t owner = course_owner(world);

	if (world_chance(world, 0.5))
		cut(world, owner, CTL);
	else
		cut(world, CTL, owner);
	course_run(world, course_between(world, 2000, 8000));
	heal(world);
	course_run(world, 5000);
	expect_no_move(world, owner);
}

/* The others have somebody to go by, or know of nobody who could tell them that it is not their own cable. */
static bool has_witness(const struct world *world)
{
	return world->witness || world->gateways > 2;
}

/* {ctl, A} | {B, C}: the controller sees the owner, and nobody else. Beyond the cut they have no controller and hear no
 * owner: in `hold` one of them succeeds, and when the cut is over there is one owner again. */
static void split_with_the_owner(struct world *world)
{
	size_t owner = course_owner(world);

	split(world, owner, true);
	course_run(world, course_between(world, 500, 6000));
	heal(world);
	course_run(world, 5000);
	if (world->successions == 0)
		expect_no_move(world, owner);
	else if (!has_witness(world) || world->moves != world->successions || kernel_serves(world, owner))
		world_fail(world, "L3: %u moves after %u successions", world->moves, world->successions);
	invariant_settled(world);
}

/* In `hold` both serve while the split lasts, if a witness is on the owner's side; not much longer. */
static void split_from_the_owner(struct world *world)
{
	size_t owner = course_owner(world);

	split(world, owner, false);
	course_run(world, course_between(world, LEASE_MS * 2, 6000));
	heal(world);
	course_run(world, 5000);
	expect_one_move(world, owner);
}

static void standby_cable_out(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);

	fault_cable(world, standby, world_chance(world, 0.5));
	course_run(world, 4000);
	fault_plug(world, standby);
	course_run(world, 5000);
	expect_no_move(world, owner);
}

static void liveness_port_blocked(struct world *world)
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

static void controller_restored(struct world *world)
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
static void one_after_the_other(struct world *world)
{
	size_t owner = course_owner(world);

	fault_kill(world, CTL, course_between(world, 1000, 3000));
	run_powered(world, course_between(world, 0, 500));
	fault_power(world, owner, course_between(world, 500, 4000));
	run_powered(world, course_between(world, 500, 5000));
	if (course_owner(world) != SIZE_MAX)
		fault_power(world, course_owner(world), course_between(world, 500, 3000));
	run_powered(world, 4000);
	course_end(world);
}

/* A standby that has lost its control link alone, and a dead owner: a pool of three asks the one that has not. */
static void standby_without_controller(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);

	cut_both(world, standby, CTL);
	run_powered(world, course_between(world, 1500, 4000));
	fault_power(world, owner, 1000000);
	run_powered(world, 3000);
	if (world->gateways > 2 && world->successions > 0)
		world_fail(world, "L3: a succession, although there is a controller");
	if (has_witness(world) && !world->exclusive)
		expect_one_move(world, owner);
	heal(world);
	course_end(world);
}

/* Two that cannot hear each other succeed at the same time: never under one epoch. */
static void two_successors(struct world *world)
{
	size_t owner = course_owner(world);

	fault_kill(world, CTL, 6000);
	for (size_t i = 0; i < world->gateways; i++)
		for (size_t j = 0; j < i; j++)
			if (i != owner && j != owner)
				cut_both(world, i, j);
	course_run(world, course_between(world, 0, 2000));
	fault_power(world, owner, 1000000);
	course_run(world, 3000);
	if (world->witness && !world->exclusive && world->successions != world->gateways - 1)
		world_fail(world, "L1: %u of %zu successions", world->successions, world->gateways - 1);
	heal(world);
	course_run(world, 5000);
	course_end(world);
}

/* Somebody's packet filter shuts out all but ARP on the owner, and no controller lives: it looks dead, and serves. */
static void owner_filtered(struct world *world)
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

static void guest_paused(struct world *world)
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
static void order_read_late(struct world *world)
{
	size_t owner = course_owner(world), successor = course_other(world, owner);

	fault_power(world, owner, course_between(world, 1000, 9000));
	cut(world, CTL, successor);
	run_powered(world, 5000);
	heal(world);
	run_powered(world, 5000);
	course_end(world);
}

/* Nobody reaches the owner any more, but somebody gives it again and again what it was granted before. (In `hold` what
 * is sent again is a third way.) */
static void grant_read_late(struct world *world)
{
	size_t owner = course_owner(world);

	world->hoarder = true;
	course_run(world, 300);
	split(world, owner, false);
	course_run(world, 5000);
	world->hoarder = false;
	heal(world);
	course_run(world, 5000);
	if (world->exclusive)
		expect_one_move(world, owner);
}

static void owner_cut_from_controller(struct world *world)
{
	size_t owner = course_owner(world);

	cut_both(world, owner, CTL);
	course_run(world, course_between(world, 3000, 8000));
	expect_no_move(world, owner);
	heal(world);
	course_run(world, 3000);
	expect_no_move(world, owner);
}

/* Then a member of the pool restarts, which binds it again. */
static void controller_gone(struct world *world)
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
static void controller_and_standby_gone(struct world *world)
{
	size_t owner = course_owner(world), standby = course_other(world, owner);

	fault_kill(world, CTL, course_between(world, 3000, 6000));
	fault_power(world, standby, course_between(world, 500, 9000));
	run_powered(world, course_between(world, 0, 2000));
	if (world_chance(world, 0.5))
		fault_hang(world, owner, course_between(world, 20, 3000));
	run_powered(world, 9000);
	course_end(world);
}

/* Two boxes and no third, or three: the controller is on the owner's, and its power goes. */
static void box_of_both(struct world *world)
{
	size_t owner = course_owner(world);
	int64_t back_ms = course_between(world, 2000, 8000);

	fault_power(world, owner, back_ms);
	fault_kill(world, CTL, back_ms);
	run_powered(world, 1500);
	if (!world->exclusive && has_witness(world))
		expect_succession(world);
	run_powered(world, 9000);
	course_end(world);
}

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
static void move_interrupted(struct world *world)
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
	run_powered(world, 9000);
	course_end(world);
}

static void cut_controller(struct world *world)
{
	for (size_t i = 0; i < world->gateways; i++)
		cut_both(world, i, CTL);
}

/* The others promise, then hear the controller again, and the owner is gone: they are ordered what they promised not to
 * take. One that has restarted in between does not know that it did. */
static void promised_and_ordered(struct world *world)
{
	size_t owner = course_owner(world);

	cut_controller(world);
	course_run(world, course_between(world, 2000, 5000));
	heal(world);
	split(world, owner, false);
	for (size_t i = 0; i < world->gateways; i++)
		if (i != owner && world_chance(world, 0.5))
			fault_kill(world, i, 20);
	course_run(world, 5000);
	course_end(world);
}

/* Some of the pool promise; the rest hears the controller, which gives the endpoint to one of them. */
static void some_promise(struct world *world)
{
	size_t owner = course_owner(world), friend = course_other(world, owner);

	for (size_t i = 0; i < HOSTS; i++)
		if (i != owner && i != friend)
			cut_both(world, owner, i), cut_both(world, friend, i);
	course_run(world, course_between(world, 2000, 6000));
	heal(world);
	course_end(world);
}

/* What its earlier life has granted is good for a lease, and only the owner could tell. */
static void controller_restarts_without_the_owner(struct world *world)
{
	size_t owner = course_owner(world);

	fault_kill(world, CTL, course_between(world, 20, 300));
	split(world, owner, false);
	course_run(world, course_between(world, 1000, 4000));
	heal(world);
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
		split(world, owner, false);
		return;
	case 2:
		cut_both(world, owner, CTL);
		return;
	case 3:
		fault_kill(world, owner, course_between(world, 20, 3000));
		return;
	case 4:
		for (size_t i = 0; i < HOSTS; i++)
			if (i != owner && i != friend)
				cut_both(world, owner, i), cut_both(world, friend, i);
		return;
	}
}

static void change_terms(struct world *world)
{
	controller_change(world, world_chance(world, 0.5) ? LEASE_MS : 3 * LEASE_MS,
		2 + (size_t)world_random(world, world->gateways - 1));
}

static void terms_changed(struct world *world)
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
			heal(world);
		course_run(world, course_between(world, 0, 5000));
	}
	course_end(world);
}

/* Whoever is new has promised nobody anything, and is the only one that the controller hears. */
static void joined_behind_a_cut(struct world *world)
{
	size_t joins = world->gateways - 1;

	if (!world->exclusive || world->gateways < 3)
		return;
	controller_change(world, LEASE_MS, joins);
	course_run(world, 6000);
	for (size_t i = 0; i < joins; i++)
		cut_both(world, i, CTL), cut_both(world, i, joins);
	course_run(world, course_between(world, 0, 3000));
	controller_change(world, LEASE_MS, world->gateways);
	if (world_chance(world, 0.5))
		fault_kill(world, CTL, course_between(world, 20, 1000));
	course_run(world, 6000);
	course_end(world);
}

static void cable_replugged(struct world *world)
{
	size_t owner = course_owner(world);

	fault_cable(world, owner, false);
	course_run(world, course_between(world, 300, 3000));
	fault_plug(world, owner);
	course_run(world, 5000);
	expect_one_move(world, owner);
}

/* All but one, the owner among them or not. */
static void half_silent(struct world *world)
{
	size_t left = (size_t)world_random(world, world->gateways);

	for (size_t i = 0; i < world->gateways; i++)
		for (size_t j = 0; j < HOSTS; j++)
			if (i != left && i != j)
				cut_both(world, i, j);
	course_run(world, course_between(world, 200, 5000));
	heal(world);
	course_run(world, 5000);
	course_end(world);
}

/* Somebody runs `nft flush ruleset`, or starts Debian's nftables.service, on the owner: its fence is open. That alone moves
 * nothing; and if its agent hangs, or its cable goes, in the same moment, the address is the fence that is left. */
static void ruleset_flushed(struct world *world)
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
		split(world, owner, false);
		break;
	case 3:
		fault_cable(world, owner, world_chance(world, 0.5));
		break;
	}
	course_run(world, course_between(world, 0, 5000));
	course_end(world);
}

/* The fence of one that has stepped down is opened, and of a standby: they have no address that anybody would reach. */
static void standby_flushed(struct world *world)
{
	size_t owner = course_owner(world);

	split(world, owner, false);
	course_run(world, course_between(world, 0, 4000));
	for (size_t i = 0; i < world->gateways; i++)
		fault_flush(world, i);
	course_run(world, course_between(world, 0, 2000));
	heal(world);
	course_run(world, course_between(world, 0, 300));
	fault_flush(world, owner);
	course_end(world);
}

/* Somebody starts a copy of the controller on a copy of its database: an old one, the present one, or both at once. The
 * gateways hear and obey both, by their epochs alone. */
static void two_controllers(struct world *world)
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
	run_powered(world, course_between(world, 0, 5000));
	course_end(world);
}

static const struct killer {
	const char *name;
	void (*run)(struct world *world);
} killers[] = {
	{"owner-cut-one-way", owner_cut_one_way},
	{"split-with-the-owner", split_with_the_owner},
	{"split-from-the-owner", split_from_the_owner},
	{"standby-cable-out", standby_cable_out},
	{"liveness-port-blocked", liveness_port_blocked},
	{"controller-restored", controller_restored},
	{TWO_CONTROLLERS, two_controllers},
	{"one-after-the-other", one_after_the_other},
	{"standby-without-controller", standby_without_controller},
	{"two-successors", two_successors},
	{"owner-filtered", owner_filtered},
	{"guest-paused", guest_paused},
	{"order-read-late", order_read_late},
	{"cable-replugged", cable_replugged},
	{"half-silent", half_silent},
	{"ruleset-flushed", ruleset_flushed},
	{"standby-flushed", standby_flushed},
	{"grant-read-late", grant_read_late},
	{"owner-cut-from-controller", owner_cut_from_controller},
	{"controller-gone", controller_gone},
	{"box-of-both", box_of_both},
	{"move-interrupted", move_interrupted},
	{"controller-and-standby-gone", controller_and_standby_gone},
	{"promised-and-ordered", promised_and_ordered},
	{"some-promise", some_promise},
	{"controller-restarts-without-the-owner", controller_restarts_without_the_owner},
	{"terms-changed", terms_changed},
	{"joined-behind-a-cut", joined_behind_a_cut},
};

size_t killer_count(void)
{
	return ARRAY_COUNT(killers);
}

const char *killer_name(size_t index)
{
	return killers[index].name;
}

static const struct killer *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(killers); i++)
		if (strcmp(killers[i].name, name) == 0)
			return &killers[i];
	return NULL;
}

bool killer_exists(const char *name)
{
	return find(name) != NULL;
}

bool killer_wants_rival(const char *name)
{
	return strcmp(name, TWO_CONTROLLERS) == 0;
}

void killer_run(struct world *world, const char *name)
{
	find(name)->run(world);
}
