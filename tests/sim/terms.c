/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "tests/sim/world.h"

/* Generations: the controller's disk has the newest, a gateway what the last commit brought that reached it. */

void terms_init(struct world *world)
{
	for (size_t i = 0; i < HOSTS; i++)
		world->hosts[i].terms = (struct terms){1, LEASE_MS, world->gateways};
}

bool terms_has(const struct terms *terms, size_t gateway)
{
	return gateway < terms->members;
}

void terms_of_controller(
	const struct world *world, const struct terms *terms, struct ownership_config *ret_config)
{
	*ret_config = (struct ownership_config){.name = "vpn",
		.lease_ms = terms->lease_ms,
		.exclusive = world->exclusive,
		.preempt_ms = -1,
		.member_count = terms->members};
	for (size_t i = 0; i < terms->members; i++)
		text_copy(ret_config->members[i], sizeof(ret_config->members[i]), world_name(i));
}

void terms_of_gateway(const struct world *world, size_t gateway, struct seat_config *ret_config)
{
	const struct terms *terms = &world->hosts[gateway].terms;

	*ret_config = (struct seat_config){.endpoint = "vpn",
		.lease_ms = terms->lease_ms,
		.timing = world->timing,
		.exclusive = world->exclusive};
	text_copy(ret_config->gateway, sizeof(ret_config->gateway), world_name(gateway));
	for (size_t i = 0; i < terms->members; i++)
		if (i != gateway)
			text_copy(ret_config->others[ret_config->other_count++],
				sizeof(ret_config->others[0]), world_name(i));
}

void terms_send(struct world *world, size_t controller, size_t gateway)
{
	struct message message = {.kind = MSG_COMMIT, .from = controller, .to = gateway};

	floor_fill(world, controller, &message);
	network_send_tls(world, &message);
}

void terms_hold(struct world *world, size_t gateway, const struct terms *terms)
{
	struct host *h = &world->hosts[gateway];
	bool was = terms_has(&h->terms, gateway);
	struct seat_config config;

	if (terms->generation <= h->terms.generation)
		return;
	h->terms = *terms;
	world_say(world, "%s holds generation %llu: %zu gateways, a lease of %u ms", world_name(gateway),
		(unsigned long long)terms->generation, terms->members, terms->lease_ms);
	terms_of_gateway(world, gateway, &config);
	if (was && terms_has(terms, gateway)) {
		seat_configure(&h->seat, &config, world->now);
	} else {
		kernel_clear(world, gateway);
		gateway_begin(world, gateway);
	}
	gateway_report(world, gateway);
}
