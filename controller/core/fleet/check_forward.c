/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "controller/core/fleet/check.h"

enum { WHOSE_TEXT_MAX = PROTO_NAME_MAX + 32 };

static const struct fleet_endpoint *endpoint_of(const struct fleet *fleet, const struct fleet_tunnel *tunnel)
{
	return tunnel->endpoint == FLEET_NO_ENDPOINT ? NULL : &fleet->endpoints[tunnel->endpoint];
}

/* ---- roles ---- */

static void check_roles_of(const struct checker *checker, const char *whose, size_t gateway,
	const struct fleet_snat *snat, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_role(checker, whose, gateway, &snat[i].role);
}

/* Each gateway of the tunnel must know which of its interfaces is meant. */
static void check_roles(const struct checker *checker, const struct fleet_tunnel *tunnel)
{
	const struct fleet_endpoint *endpoint = endpoint_of(checker->fleet, tunnel);
	char whose[WHOSE_TEXT_MAX];
	size_t count;
	const struct fleet_reference *gateways = fleet_tunnel_gateways(checker->fleet, tunnel, &count);

	(void)snprintf(whose, sizeof(whose), "%s %s", endpoint ? "virtual endpoint" : "tunnel",
		endpoint ? endpoint->name : tunnel->name);
	for (size_t i = 0; i < count; i++) {
		size_t gateway = gateways[i].index;
		const struct fleet_forward *forward;

		if (gateway == SIZE_MAX)
			continue;
		forward = &fleet_tunnel_settings(tunnel, gateway)->forward;
		check_roles_of(checker, whose, gateway, forward->snat, forward->snat_count);
		check_roles_of(checker, whose, gateway, forward->masquerade, forward->masquerade_count);
	}
}

/* ---- what becomes the source ---- */

static bool has_inside(const struct fleet_endpoint *endpoint, const char *role, uint8_t family)
{
	for (size_t i = 0; i < endpoint->inside_count; i++) {
		if (!strcmp(endpoint->inside[i].role.name, role) &&
			endpoint->inside[i].address.addr.family == family)
			return true;
	}
	return false;
}

static void check_inside(
	const struct checker *checker, const struct fleet_endpoint *endpoint, const struct fleet_snat *snat)
{
	uint8_t family = snat->from.addr.family;

	if (!has_inside(endpoint, snat->role.name, family))
		check_refuse(checker, &snat->role.place,
			"snat: virtual endpoint %s has no inside %s address on \"%s\" to become the source",
			endpoint->name, family == AF_INET ? "IPv4" : "IPv6", snat->role.name);
}

static void check_sources(
	const struct checker *checker, const struct fleet_tunnel *tunnel, const struct fleet_forward *forward)
{
	const struct fleet_endpoint *endpoint = endpoint_of(checker->fleet, tunnel);

	if (!endpoint) {
		if (forward->snat_count)
			check_refuse(checker, &forward->snat[0].role.place,
				"snat: tunnel %s is in no virtual endpoint, so there is no inside address to "
				"become the source; \"masquerade\" takes the gateway's own",
				tunnel->name);
		return;
	}
	for (size_t i = 0; i < forward->snat_count; i++)
		check_inside(checker, endpoint, &forward->snat[i]);
	if (forward->masquerade_count)
		check_warn(checker, WARNING_MASQUERADE, &forward->masquerade[0].role.place,
			"masquerade: tunnel %s moves with virtual endpoint %s, and the gateway's own address "
			"stays behind: connections break with each move; \"snat\" takes the inside address",
			tunnel->name, endpoint->name);
}

/* An override that says nothing of it has the tunnel's own, which is checked once. */
static bool is_same(const struct fleet_forward *a, const struct fleet_forward *b)
{
	return a->place.source == b->place.source && a->place.line == b->place.line &&
	       a->place.column == b->place.column;
}

void check_forwards(struct checker *checker)
{
	for (size_t i = 0; i < checker->fleet->tunnel_count; i++) {
		const struct fleet_tunnel *tunnel = &checker->fleet->tunnels[i];
		const struct fleet_forward *forward = &tunnel->settings.forward;

		check_roles(checker, tunnel);
		check_sources(checker, tunnel, forward);
		for (size_t j = 0; j < tunnel->override_count; j++) {
			const struct fleet_forward *other = &tunnel->overrides[j].settings.forward;

			if (!is_same(other, forward))
				check_sources(checker, tunnel, other);
		}
	}
}
