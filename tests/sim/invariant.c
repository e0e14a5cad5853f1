/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

/* S2 promises 250 ms once any path exists; at 20 % random loss each beat is lost one time in five, and so is each
 * of the four that fit into that time. */
enum { BOTH_MS = 250, BOTH_LOSSY_MS = 450, GUEST_MS = 3000, MOVE_MS = 10000, SURE_MS = 1000 };

static size_t find_holder(const struct world *world, const struct epoch *epoch)
{
	for (size_t i = 0; i < world->held_count; i++)
		if (epoch_compare(&world->held[i].epoch, epoch) == 0)
			return world->held[i].gateway;
	return SIZE_MAX;
}

/* One time in 256, of two controllers that start together: then the higher name steps down. */
static bool are_terms_equal(const struct world *world)
{
	return world->rival && world->hosts[CTL].source.term == world->hosts[RIVAL].source.term;
}

void invariant_serves(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];
	size_t holder = find_holder(world, &h->served);
	char text[EPOCH_TEXT_MAX];

	epoch_format(&h->served, text);
	if (holder != SIZE_MAX && holder != gateway && !are_terms_equal(world))
		world_fail(world, "S3: epoch %s is held by %s and %s", text, world_name(holder),
			world_name(gateway));
	if (epoch_compare(&h->served, &h->burnt) <= 0)
		world_fail(world, "S4: %s serves %s after it released it", world_name(gateway), text);
	if (holder == SIZE_MAX && world->held_count < sizeof(world->held) / sizeof(world->held[0])) {
		world->held[world->held_count].epoch = h->served;
		world->held[world->held_count++].gateway = gateway;
		world->moves++;
		world->served_ms = world->now;
	}
}

static bool direct(const struct world *world, size_t from, size_t to)
{
	return network_is_open(world, from, to) && host_works(world, from) && host_works(world, to);
}

/* A controller believes nobody who does not hear it, and tells nobody whom it does not hear; nor anybody before it has
 * listened for a while. */
static bool passes_on(const struct world *world, size_t controller, size_t from, size_t to)
{
	return world->hosts[controller].ownership.phase != OWNERSHIP_RECOVERING &&
	       network_is_open(world, to, controller) && network_is_open(world, controller, from);
}

/* A message from one could reach the other, by way of a third if need be. */
static bool path(const struct world *world, size_t from, size_t to)
{
	if (direct(world, from, to))
		return true;
	for (size_t via = 0; via < HOSTS; via++)
		if (via != from && via != to && direct(world, from, via) && direct(world, via, to) &&
			(!host_controls(via) || passes_on(world, via, from, to)))
			return true;
	return false;
}

static void check_pair(struct world *world, size_t a, size_t b, int64_t ms)
{
	const struct host *high = &world->hosts[a], *low = &world->hosts[b];
	int64_t limit_ms = world->loss > 0.05 ? BOTH_LOSSY_MS : BOTH_MS;
	int order = epoch_compare(&high->served, &low->served);
	bool serve = kernel_serves(world, a) && kernel_serves(world, b);
	bool both = serve &&
		    (order > 0 || (order == 0 && a < b)); /* of one epoch the first name's is the higher */

	if (world->exclusive && serve)
		world_fail(world, "S1: %s and %s both serve", world_name(a), world_name(b));
	world->both_ms[a][b] = both && path(world, a, b) ? world->both_ms[a][b] + ms : 0;
	if (world->both_ms[a][b] > limit_ms)
		world_fail(world, "S2: %s and %s both serve for %lld ms", world_name(a), world_name(b),
			(long long)world->both_ms[a][b]);
}

/* S5: a guest, and one that relays, speaks by leave of another, and not long without. */
static void check_guest(struct world *world, size_t gateway, int64_t ms)
{
	bool others = false;

	for (size_t i = 0; i < world->gateways; i++)
		others = others || (i != gateway && kernel_permits(world, i));
	if (!kernel_permits(world, gateway) || world->hosts[gateway].announces || others)
		world->hosts[gateway].alone_ms = 0;
	else if ((world->hosts[gateway].alone_ms += ms) > GUEST_MS &&
		 world->hosts[gateway].seat.role != SEAT_RELAYING)
		world_fail(world, "S5: %s is a guest of nobody for %lld ms", world_name(gateway),
			(long long)world->hosts[gateway].alone_ms);
}

/* L4 */
static void check_move(struct world *world, int64_t ms)
{
	const struct ownership *ownership = &world->hosts[CTL].ownership;

	if (host_works(world, CTL) && ownership->phase == OWNERSHIP_MOVING &&
		world->now + ms - 1 - ownership->since_ms > MOVE_MS)
		world_fail(world, "L4: a move to %s takes more than %d ms", world_name(ownership->target),
			MOVE_MS);
}

static void count(int64_t *counted_ms, bool holds, int64_t ms)
{
	*counted_ms = holds ? *counted_ms + ms : 0;
}

static void count_all(struct world *world, int64_t ms)
{
	for (size_t a = 0; a < HOSTS; a++) {
		const struct host *h = &world->hosts[a];

		count(&world->works_ms[a], host_works(world, a) && !h->deaf && !h->filtered, ms);
		for (size_t b = 0; b < HOSTS; b++)
			count(&world->open_ms[a][b], network_is_open(world, a, b), ms);
		if (a < world->gateways)
			count(&world->serves_ms[a], kernel_serves(world, a), ms);
	}
}

static bool is_sure(const struct world *world, size_t a, size_t b)
{
	return world->open_ms[a][b] >= SURE_MS && world->open_ms[b][a] >= SURE_MS;
}

static bool are_in_contact(const struct world *world, size_t a, size_t b)
{
	return world->works_ms[a] >= SURE_MS && world->works_ms[b] >= SURE_MS && is_sure(world, a, b);
}

/* Rule 8: neither this gateway nor anybody it is in contact with has a controller, and nobody answers for the
 * address. Of what has been so for a second it has to know. */
void invariant_succeeds(struct world *world, size_t gateway)
{
	if (are_in_contact(world, gateway, CTL))
		world_fail(world, "L3: %s succeeds, although it has a controller", world_name(gateway));
	for (size_t i = 0; i < world->gateways; i++) {
		if (i == gateway)
			continue;
		if (are_in_contact(world, gateway, i) && are_in_contact(world, i, CTL))
			world_fail(world, "L3: %s succeeds, although %s has a controller",
				world_name(gateway), world_name(i));
		if (world->serves_ms[i] >= SURE_MS && is_sure(world, gateway, i))
			world_fail(world, "L3: %s succeeds %s, which serves", world_name(gateway),
				world_name(i));
	}
}

void invariant_check(struct world *world, int64_t ms)
{
	bool served = false;

	count_all(world, ms);
	check_move(world, ms);
	revoked_check(world, ms);
	for (size_t a = 0; a < world->gateways; a++) {
		check_guest(world, a, ms);
		served = served || (kernel_serves(world, a) && world->hosts[a].underlay);
		for (size_t b = 0; b < world->gateways; b++)
			if (a != b)
				check_pair(world, a, b, ms);
	}
	world->unserved_ms = served ? 0 : world->unserved_ms + (unsigned)ms;
	if (world->unserved_ms > world->longest_ms)
		world->longest_ms = world->unserved_ms;
}

void invariant_settled(struct world *world)
{
	const struct ownership *ownership = &world->hosts[CTL].ownership;
	size_t serving = SIZE_MAX;

	revoked_settled(world);
	for (size_t i = 0; i < world->gateways; i++) {
		if (world->hosts[i].seat.role > SEAT_FENCED)
			world_fail(world, "L4: %s is %s at the end", world_name(i),
				seat_role_name(world->hosts[i].seat.role));
		if (!kernel_serves(world, i))
			continue;
		if (serving != SIZE_MAX)
			world_fail(world, "L1: %s and %s both serve at the end", world_name(serving),
				world_name(i));
		serving = i;
	}
	if (serving == SIZE_MAX)
		world_fail(world, "L1: nobody serves at the end, controller is %s: %s",
			ownership_phase_name(ownership->phase), ownership->why);
	else if (ownership->phase != OWNERSHIP_STABLE || ownership->owner != serving)
		world_fail(world, "L6: %s serves, but the controller is %s", world_name(serving),
			ownership_phase_name(ownership->phase));
}
