/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tests/sim/world.h"

/* Claims, grants and promises. A member of the pool that hears the controller passes on what it is not the end of; one
 * that does not hear it may promise. A grant goes back the way that its claim came. */

static size_t number_of(const char *name)
{
	size_t gateway = 0;

	while (strcmp(world_name(gateway), name) != 0)
		gateway++;
	return gateway;
}

static void post(
	struct world *world, enum message_kind kind, size_t from, size_t to, const struct claim *claim)
{
	struct message message = {.kind = kind, .from = from, .to = to, .claim = *claim};

	network_send(world, &message);
}

static void post_to_controllers(struct world *world, size_t gateway, const struct claim *claim)
{
	for (size_t i = CTL; i < HOSTS; i++)
		if (host_exists(world, i))
			post(world, MSG_CLAIM, gateway, i, claim);
}

void claim_send(struct world *world, size_t gateway, bool widely)
{
	const struct host *h = &world->hosts[gateway];
	struct claim claim;

	seat_claim_fill(&h->seat, &claim);
	claim.nonce = (struct nonce){.boot = h->boot, .time_us = (uint64_t)world->now * 1000};
	post_to_controllers(world, gateway, &claim);
	for (size_t i = 0; widely && i < h->terms.members; i++)
		if (i != gateway)
			post(world, MSG_CLAIM, gateway, i, &claim);
}

void claim_promise(struct world *world, size_t gateway)
{
	const struct message *asked = world->hosts[gateway].at;

	post(world, MSG_PROMISE, gateway, asked->from, &asked->claim);
}

void claim_grant(struct world *world, size_t controller)
{
	const struct message *asked = world->hosts[controller].at;

	post(world, MSG_GRANT, controller, asked->from, &asked->claim);
}

static void hear_claim(struct world *world, size_t gateway, const struct message *message)
{
	const struct contact *contact = &world->hosts[gateway].others[CTL].contact;
	struct seat_event event = {.kind = SEAT_EVENT_CLAIM, .claim = &message->claim, .at_ms = SEAT_NEVER};

	if (contact->proof_us != CONTACT_NEVER)
		event.at_ms = contact->proof_us / 1000;
	if (contact_is_made(contact, world->now * 1000))
		post_to_controllers(world, gateway, &message->claim);
	else
		gateway_step(world, gateway, event);
}

static void hear_answer(struct world *world, size_t gateway, const struct message *message)
{
	bool grant = message->kind == MSG_GRANT;

	if (number_of(message->claim.gateway) != gateway)
		post(world, message->kind, gateway, number_of(message->claim.gateway), &message->claim);
	else if (message->claim.nonce.boot == world->hosts[gateway].boot)
		gateway_step(world, gateway,
			(struct seat_event){.kind = grant ? SEAT_EVENT_GRANT : SEAT_EVENT_PROMISE,
				.from = world_name(message->from),
				.claim = &message->claim,
				.at_ms = (int64_t)(message->claim.nonce.time_us / 1000)});
}

void claim_receive(struct world *world, size_t host, const struct message *message)
{
	if (!host_controls(host) &&
		(!terms_has(&world->hosts[host].terms, host) ||
			!terms_has(&world->hosts[host].terms, number_of(message->claim.gateway))))
		return; /* it has no seat, or that one is none of its pool */
	world->hosts[host].at = message;
	if (host_controls(host))
		controller_claimed(world, host, number_of(message->claim.gateway), &message->claim);
	else if (message->kind == MSG_CLAIM)
		hear_claim(world, host, message);
	else
		hear_answer(world, host, message);
	world->hosts[host].at = NULL;
}
