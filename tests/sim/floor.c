/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

/* The revocation floor (FAILOVER rule 10): who tells it to whom, as the daemons do it. */

/* ---- a controller ---- */

void floor_rise(struct world *world, size_t controller, uint64_t floor)
{
	world->hosts[controller].floor.known = floor;
	controller_floor(world, controller);
}

/* A store that was restored learns that there was a later generation. */
void floor_learn(struct world *world, size_t controller, const struct message *beat)
{
	struct host *h = &world->hosts[controller];
	uint64_t held = beat->terms.generation > beat->floor ? beat->terms.generation : beat->floor;

	if (held > h->newest_held)
		h->newest_held = held;
	if (beat->floor <= h->floor.known)
		return;
	world_say(world, "%s learns of the floor %llu", world_name(controller),
		(unsigned long long)beat->floor);
	h->stored_floor = beat->floor;
	floor_rise(world, controller, beat->floor);
}

/* ---- a gateway ---- */

void floor_tell(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	if (!h->seat.started)
		return; /* it has no seat, and is told when it has one */
	gateway_step(world, gateway,
		(struct seat_event){
			.kind = SEAT_EVENT_FLOOR, .generation = h->terms.generation, .floor = &h->floor});
	successor_event(world, gateway, (struct succession_event){.kind = SUCCESSION_EVENT_TICK});
}

void floor_start(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	h->floor = (struct floor){.known = h->stored_floor};
	h->holds_ms = INT64_MAX; /* a commit that was being carried out is lost */
}

void floor_take(struct world *world, size_t gateway, uint64_t told, bool confirms)
{
	struct host *h = &world->hosts[gateway];
	uint64_t before = h->floor.known;

	if (!floor_hear(&h->floor, told, confirms))
		return;
	if (h->floor.known < before)
		world_fail(world, "S7: the floor falls on %s", world_name(gateway));
	if (h->floor.known > before)
		world_say(world, "%s learns of the floor %llu, and holds %llu", world_name(gateway),
			(unsigned long long)h->floor.known, (unsigned long long)h->terms.generation);
	h->stored_floor = h->floor.known;
	floor_tell(world, gateway);
	if (floor_is_above(&h->floor, h->terms.generation) && h->floor.known > before)
		gateway_report(world, gateway); /* it hurries to be brought the newest */
}

/* What everybody says of it. */
void floor_fill(const struct world *world, size_t host, struct message *message)
{
	const struct host *h = &world->hosts[host];

	message->terms = h->terms;
	message->floor = h->floor.known;
	message->floor_confirmed = host_controls(host) || h->floor.confirmed;
}
