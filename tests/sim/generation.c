/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

/*
 * The way of a generation, as the daemons go it: the controller asks those it reaches to prepare it, stores it together with
 * the revocation floor, and only then commits. It may die between any two of these. What gateways lack they get when they
 * report.
 */
enum { PREPARE_MAX_MS = 20, STORE_MAX_MS = 30, APPLY_MAX_MS = 60, APPLY_LONG_MS = 700 };

void generation_init(struct world *world)
{
	for (size_t i = 0; i < HOSTS; i++) {
		struct host *h = &world->hosts[i];

		h->stored = h->terms;
		h->stored_ms = h->commits_ms = INT64_MAX;
		h->holds_ms = INT64_MAX;
	}
}

/* ---- the controller ---- */

void generation_start(struct world *world, size_t controller)
{
	struct host *h = &world->hosts[controller];

	h->terms = h->stored;
	h->floor.known = h->stored_floor;
	h->newest_held = 0;
	h->stored_ms = h->commits_ms = INT64_MAX;
}

bool generation_has_old_store(const struct world *world, size_t controller)
{
	return world->hosts[controller].newest_held > world->hosts[controller].terms.generation;
}

/* Nobody can tell whom a generation let in that the store does not know. */
static bool raises_floor(const struct world *world, bool revokes)
{
	return revokes || generation_has_old_store(world, CTL);
}

int generation_apply(struct world *world, bool revokes)
{
	struct host *h = &world->hosts[CTL];
	uint64_t newest = h->terms.generation > h->newest_held ? h->terms.generation : h->newest_held;

	if (!host_works(world, CTL) || h->stored_ms != INT64_MAX || h->commits_ms != INT64_MAX)
		return -1;
	h->next = h->terms;
	h->next.generation = newest + 1;
	h->next_raises = raises_floor(world, revokes);
	h->stored_ms = world->now + 1 + (int64_t)world_random(world, PREPARE_MAX_MS);
	world_say(world, "generation %llu is prepared%s", (unsigned long long)h->next.generation,
		h->next_raises ? ", and takes something from a peer" : "");
	return 0;
}

static void store(struct world *world)
{
	struct host *h = &world->hosts[CTL];

	h->stored = h->next;
	if (h->next_raises)
		h->stored_floor = h->next.generation;
	h->stored_ms = INT64_MAX;
	h->commits_ms = world->now + 1 + (int64_t)world_random(world, STORE_MAX_MS);
	world_say(world, "generation %llu is stored", (unsigned long long)h->next.generation);
}

static void commit(struct world *world)
{
	struct host *h = &world->hosts[CTL];

	h->commits_ms = INT64_MAX;
	h->terms = h->stored;
	world_say(world, "generation %llu is committed", (unsigned long long)h->terms.generation);
	for (size_t i = 0; i < world->gateways; i++)
		terms_send(world, CTL, i);
	if (h->stored_floor > h->floor.known)
		floor_rise(world, CTL, h->stored_floor);
}

void generation_tick(struct world *world)
{
	struct host *h = &world->hosts[CTL];

	if (h->stored_ms <= world->now)
		store(world);
	else if (h->commits_ms <= world->now)
		commit(world);
}

int64_t generation_deadline(const struct world *world)
{
	const struct host *h = &world->hosts[CTL];

	return h->stored_ms < h->commits_ms ? h->stored_ms : h->commits_ms;
}

/* ---- a gateway ---- */

/* It takes a moment, or longer: what is heard meanwhile is heard by one that does not hold it yet. */
void generation_take(struct world *world, size_t gateway, const struct terms *terms)
{
	struct host *h = &world->hosts[gateway];
	bool slowly = world_chance(world, 0.1);

	if (terms->generation <= h->terms.generation ||
		(h->holds_ms != INT64_MAX && terms->generation <= h->taken.generation))
		return;
	h->taken = *terms;
	h->holds_ms = world->now + (int64_t)world_random(world, slowly ? APPLY_LONG_MS : APPLY_MAX_MS);
}

void generation_hold(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	if (h->holds_ms > world->now)
		return;
	h->holds_ms = INT64_MAX;
	terms_hold(world, gateway, &h->taken);
	floor_tell(world, gateway);
}
