/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

/* S7 and L5: generations, and the revocation floor. */
enum { HELD_MS = 2000 }; /* L5: a reachable gateway holds the committed generation within that */

static bool is_below(const struct host *h)
{
	return h->terms.generation < h->floor.known;
}

/* Nobody begins to serve below the floor that it knows, nor before one word has confirmed it. */
void revoked_takes(struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];

	if (is_below(h))
		world_fail(world, "S7: %s takes with generation %llu, below the floor %llu",
			world_name(gateway), (unsigned long long)h->terms.generation,
			(unsigned long long)h->floor.known);
	if (!h->floor.confirmed)
		world_fail(world, "S7: %s takes, and nobody has confirmed the floor", world_name(gateway));
}

/* What the disk told it is no commit that may be on its way. A permit that only lets what is left over on to the next owner serves nobody. */
void revoked_adopts(struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];

	if (is_below(h) && kernel_permit_left_ms(world, gateway) > 0)
		world_fail(world, "S7: %s goes on below the floor %llu that is on its disk",
			world_name(gateway), (unsigned long long)h->floor.known);
}

/* One that serves has as long as a commit may take. An agent that does not work has its lease. */
static void check_below(struct world *world, size_t gateway, int64_t ms)
{
	const struct host *h = &world->hosts[gateway];
	bool below = host_works(world, gateway) && kernel_permits(world, gateway) && is_below(h);

	world->below_ms[gateway] = below ? world->below_ms[gateway] + ms : 0;
	if (world->below_ms[gateway] > SEAT_FLOOR_MS)
		world_fail(world, "S7: %s serves below the floor for %lld ms", world_name(gateway),
			(long long)world->below_ms[gateway]);
}

static bool is_reached(const struct world *world, size_t gateway)
{
	return host_works(world, CTL) && host_works(world, gateway) && network_is_open(world, CTL, gateway) &&
	       network_is_open(world, gateway, CTL);
}

static void check_held(struct world *world, size_t gateway, int64_t ms)
{
	const struct host *ctl = &world->hosts[CTL];
	bool old = ctl->terms.generation < ctl->floor.known; /* it hands out nothing */
	bool behind = is_reached(world, gateway) && !old &&
		      world->hosts[gateway].terms.generation < ctl->terms.generation;

	world->behind_ms[gateway] = behind ? world->behind_ms[gateway] + ms : 0;
	if (world->behind_ms[gateway] > HELD_MS)
		world_fail(world, "L5: %s holds generation %llu, and %llu is committed", world_name(gateway),
			(unsigned long long)world->hosts[gateway].terms.generation,
			(unsigned long long)ctl->terms.generation);
}

/* Of a gateway nothing falls, ever; of the controller, but by a database that is put back. */
static void check_falls(struct world *world, size_t host)
{
	const struct host *h = &world->hosts[host];

	if (h->terms.generation < world->held_before[host] || h->stored_floor < world->floor_before[host])
		world_fail(world, "S7: %s goes back to generation %llu, floor %llu", world_name(host),
			(unsigned long long)h->terms.generation, (unsigned long long)h->stored_floor);
	world->held_before[host] = h->terms.generation;
	world->floor_before[host] = h->stored_floor;
}

void revoked_restored(struct world *world)
{
	world->held_before[CTL] = world->floor_before[CTL] = 0;
}

void revoked_check(struct world *world, int64_t ms)
{
	check_falls(world, CTL);
	for (size_t i = 0; i < world->gateways; i++) {
		check_falls(world, i);
		check_below(world, i, ms);
		check_held(world, i, ms);
	}
}

/* All have what the controller has, and nobody is below. */
void revoked_settled(struct world *world)
{
	const struct host *ctl = &world->hosts[CTL];

	for (size_t i = 0; i < world->gateways; i++) {
		const struct host *h = &world->hosts[i];

		if (h->terms.generation != ctl->terms.generation)
			world_fail(world, "L5: %s holds generation %llu at the end, the controller %llu",
				world_name(i), (unsigned long long)h->terms.generation,
				(unsigned long long)ctl->terms.generation);
		if (h->floor.known != ctl->floor.known)
			world_fail(world, "S7: %s knows of the floor %llu at the end, the controller of %llu",
				world_name(i), (unsigned long long)h->floor.known,
				(unsigned long long)ctl->floor.known);
	}
}
