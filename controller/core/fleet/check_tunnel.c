/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "controller/core/fleet/check.h"

static void claim_tunnel(const struct checker *checker, size_t index, const struct fleet_reference *reference)
{
	const struct fleet *fleet = checker->fleet;
	struct fleet_tunnel *tunnel;

	if (reference->index == SIZE_MAX)
		return;
	tunnel = &fleet->tunnels[reference->index];
	if (tunnel->endpoint != FLEET_NO_ENDPOINT)
		check_fail(checker, &reference->place,
			"tunnel %s is in virtual endpoint %s already; a tunnel is in at most one",
			tunnel->name, fleet->endpoints[tunnel->endpoint].name);
	else
		tunnel->endpoint = (int)index;
}

static void claim_tunnels(const struct checker *checker)
{
	for (size_t i = 0; i < checker->fleet->endpoint_count; i++) {
		const struct fleet_endpoint *endpoint = &checker->fleet->endpoints[i];

		for (size_t j = 0; j < endpoint->tunnel_count; j++)
			claim_tunnel(checker, i, &endpoint->tunnels[j]);
	}
}

static void check_carriers(const struct checker *checker, const struct fleet_tunnel *tunnel)
{
	if (tunnel->endpoint != FLEET_NO_ENDPOINT && tunnel->gateway_count)
		check_refuse(checker, &tunnel->gateways[0].place,
			"gateways: tunnel %s goes where virtual endpoint %s goes; only a tunnel in none has "
			"its own",
			tunnel->name, checker->fleet->endpoints[tunnel->endpoint].name);
	if (tunnel->endpoint == FLEET_NO_ENDPOINT && !tunnel->gateways)
		check_refuse(checker, &tunnel->place,
			"tunnel %s is in no virtual endpoint and has no \"gateways\": nothing would carry it",
			tunnel->name);
}

static void check_overrides(const struct checker *checker, const struct fleet_tunnel *tunnel)
{
	for (size_t i = 0; i < tunnel->override_count; i++) {
		const struct fleet_reference *gateway = &tunnel->overrides[i].gateway;

		if (gateway->index != SIZE_MAX && !fleet_tunnel_is_on(checker->fleet, tunnel, gateway->index))
			check_refuse(checker, &gateway->place, "overrides: %s does not carry tunnel %s",
				gateway->name, tunnel->name);
	}
}

static bool fwmark_is_taken(const struct fleet *fleet, uint32_t fwmark)
{
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		if (fleet->tunnels[i].settings.fwmark == fwmark)
			return true;
		for (size_t j = 0; j < fleet->tunnels[i].override_count; j++) {
			if (fleet->tunnels[i].overrides[j].settings.fwmark == fwmark)
				return true;
		}
	}
	return false;
}

/* By name, so that adding a tunnel does not change the marks of others (FNV-1a, folded to 16 bits; the next free one if
 * two names meet). */
static uint32_t choose_fwmark(const struct fleet *fleet, const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	hash = (hash >> 16 ^ hash) & 0xffff;
	while (fwmark_is_taken(fleet, FLEET_FWMARK_BASE + hash))
		hash = (hash + 1) & 0xffff;
	return FLEET_FWMARK_BASE + hash;
}

static void give_fwmark(const struct fleet *fleet, struct fleet_tunnel *tunnel)
{
	uint32_t fwmark;

	if (tunnel->settings.fwmark)
		return;
	fwmark = choose_fwmark(fleet, tunnel->name);
	tunnel->settings.fwmark = fwmark;
	for (size_t i = 0; i < tunnel->override_count; i++) {
		if (!tunnel->overrides[i].settings.fwmark)
			tunnel->overrides[i].settings.fwmark = fwmark;
	}
}

static void check_ports(const struct checker *checker, const char *gateway, const struct fleet_tunnel *a,
	const struct fleet_settings *of_a, const struct fleet_tunnel *b, const struct fleet_settings *of_b)
{
	if (of_a->listen_port && of_a->listen_port == of_b->listen_port)
		check_refuse(checker, &of_b->listen_port_place,
			"listen_port: tunnels %s and %s both take %u/udp on %s", a->name, b->name,
			of_b->listen_port, gateway);
}

static void check_fwmarks(const struct checker *checker, const char *gateway, const struct fleet_tunnel *a,
	const struct fleet_settings *of_a, const struct fleet_tunnel *b, const struct fleet_settings *of_b)
{
	/* A chosen mark is never one that is written: two that are equal both are. */
	if (of_a->fwmark == of_b->fwmark)
		check_refuse(checker, &of_b->fwmark_place,
			"fwmark: tunnels %s and %s both use 0x%x on %s, and are told apart by it", a->name,
			b->name, of_b->fwmark, gateway);
}

/* Two tunnels on one gateway. */
static void check_pair(const struct checker *checker, size_t gateway, const struct fleet_tunnel *a,
	const struct fleet_tunnel *b)
{
	const struct fleet *fleet = checker->fleet;
	const char *name = fleet->gateways[gateway].name;
	const struct fleet_settings *of_a = fleet_tunnel_settings(a, gateway);
	const struct fleet_settings *of_b = fleet_tunnel_settings(b, gateway);

	if (!fleet_tunnel_is_on(fleet, a, gateway) || !fleet_tunnel_is_on(fleet, b, gateway))
		return;
	check_ports(checker, name, a, of_a, b, of_b);
	check_fwmarks(checker, name, a, of_a, b, of_b);
}

static void check_pairs(const struct checker *checker, size_t a, size_t b)
{
	const struct fleet *fleet = checker->fleet;
	const struct diagnostics *told = checker->diagnostics;
	size_t before = told->errors + told->warnings;

	/* Said of one gateway, it need not be said of the others. */
	for (size_t i = 0; i < fleet->gateway_count && told->errors + told->warnings == before; i++)
		check_pair(checker, i, &fleet->tunnels[a], &fleet->tunnels[b]);
}

void check_tunnels(struct checker *checker)
{
	struct fleet *fleet = checker->fleet;

	claim_tunnels(checker);
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		check_carriers(checker, &fleet->tunnels[i]);
		check_overrides(checker, &fleet->tunnels[i]);
		give_fwmark(fleet, &fleet->tunnels[i]);
	}
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		for (size_t j = i + 1; j < fleet->tunnel_count; j++)
			check_pairs(checker, i, j);
	}
}
