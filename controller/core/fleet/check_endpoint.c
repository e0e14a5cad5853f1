/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/check.h"
#include "proto/datagram.h"

/* "wan, lan". The caller frees. */
static char *list_roles(const struct fleet_gateway *gateway)
{
	struct text text = {0};

	for (size_t i = 0; i < gateway->interface_count; i++)
		text_add(&text, "%s%s", i ? ", " : "", gateway->interfaces[i].role);
	if (!gateway->interface_count)
		text_add(&text, "none");
	return text_take(&text);
}

/* Each gateway that may serve the endpoint must know which of its interfaces is meant. */
static void check_role(const struct checker *checker, const struct fleet_endpoint *endpoint,
	const struct fleet_reference *role)
{
	for (size_t i = 0; i < endpoint->gateway_count; i++) {
		size_t index = endpoint->gateways[i].index;
		const struct fleet_gateway *gateway;
		char *roles CLEANUP_FREE = NULL;

		if (index == SIZE_MAX)
			continue;
		gateway = &checker->fleet->gateways[index];
		if (fleet_gateway_interface(gateway, role->name))
			continue;
		roles = list_roles(gateway);
		check_fail(checker, &role->place,
			"virtual endpoint %s needs interface \"%s\" on gateway %s, which has: %s",
			endpoint->name, role->name, gateway->name, roles);
	}
}

static bool has_inside(const struct fleet_endpoint *endpoint, const char *role, uint8_t family)
{
	for (size_t i = 0; i < endpoint->inside_count; i++) {
		if (!strcmp(endpoint->inside[i].role.name, role) &&
			endpoint->inside[i].address.addr.family == family)
			return true;
	}
	return false;
}

static const char *family_name(uint8_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static void check_snat(
	const struct checker *checker, const struct fleet_endpoint *endpoint, const struct fleet_snat *snat)
{
	uint8_t family = snat->from.addr.family;

	check_role(checker, endpoint, &snat->role);
	if (!has_inside(endpoint, snat->role.name, family))
		check_fail(checker, &snat->role.place,
			"snat: virtual endpoint %s has no inside %s address on \"%s\" to become the source",
			endpoint->name, family_name(family), snat->role.name);
}

static void check_snats(const struct checker *checker, const struct fleet_endpoint *endpoint,
	const struct fleet_settings *settings)
{
	for (size_t i = 0; i < settings->snat_count; i++)
		check_snat(checker, endpoint, &settings->snat[i]);
}

static bool same_place(const struct fleet_place *a, const struct fleet_place *b)
{
	return a->source == b->source && a->line == b->line && a->column == b->column;
}

/* An override that says nothing of forward: has the tunnel's own, which are checked once. */
static bool inherits_snat(const struct fleet_settings *override, const struct fleet_settings *settings)
{
	return override->snat_count && settings->snat_count &&
	       same_place(&override->snat[0].role.place, &settings->snat[0].role.place);
}

static void check_tunnel_snats(const struct checker *checker, const struct fleet_tunnel *tunnel)
{
	const struct fleet_settings *settings = &tunnel->settings;

	if (tunnel->endpoint == FLEET_NO_ENDPOINT) {
		if (settings->snat_count)
			check_fail(checker, &settings->snat[0].role.place,
				"snat: tunnel %s is in no virtual endpoint, so there is no inside address to "
				"become the source",
				tunnel->name);
		return;
	}
	check_snats(checker, &checker->fleet->endpoints[tunnel->endpoint], settings);
	for (size_t i = 0; i < tunnel->override_count; i++) {
		const struct fleet_settings *other = &tunnel->overrides[i].settings;

		if (!inherits_snat(other, settings))
			check_snats(checker, &checker->fleet->endpoints[tunnel->endpoint], other);
	}
}

static bool same_route(const struct fleet_route *a, const struct fleet_route *b)
{
	return prefix_equal(&a->to, &b->to) && a->table == b->table && a->metric == b->metric;
}

static void check_routes(const struct checker *checker, const struct fleet_endpoint *endpoint)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < endpoint->route_count; i++) {
		const struct fleet_route *route = &endpoint->routes[i];

		check_role(checker, endpoint, &route->role);
		for (size_t j = 0; j < i; j++) {
			if (!same_route(&endpoint->routes[j], route))
				continue;
			check_fail(checker, &route->place,
				"routes: %s is there twice; another table or metric would tell them apart",
				prefix_format(&route->to, text, sizeof(text)));
			break;
		}
	}
}

static void check_endpoint(const struct checker *checker, const struct fleet_endpoint *endpoint)
{
	if (endpoint->gateway_count == 1)
		check_warn(checker, &endpoint->gateways[0].place,
			"virtual endpoint %s has one gateway: nobody can take it over", endpoint->name);
	if (endpoint->dial_role.name[0])
		check_role(checker, endpoint, &endpoint->dial_role);
	for (size_t i = 0; i < endpoint->inside_count; i++)
		check_role(checker, endpoint, &endpoint->inside[i].role);
	check_routes(checker, endpoint);
}

static bool endpoint_is_on(const struct fleet_endpoint *endpoint, size_t gateway)
{
	for (size_t i = 0; i < endpoint->gateway_count; i++) {
		if (endpoint->gateways[i].index == gateway)
			return true;
	}
	return false;
}

/* What one gateway can own, and tell of in one beat. */
static void check_load(const struct checker *checker, size_t index)
{
	const struct fleet_gateway *gateway = &checker->fleet->gateways[index];
	size_t count = 0, bytes = 0;

	for (size_t i = 0; i < checker->fleet->endpoint_count; i++) {
		const struct fleet_endpoint *endpoint = &checker->fleet->endpoints[i];

		if (!endpoint_is_on(endpoint, index))
			continue;
		count++;
		bytes += DATAGRAM_SEAT_BYTES + strlen(endpoint->name);
	}
	if (count > PROTO_ENDPOINTS_MAX)
		check_fail(checker, &gateway->place, "gateway %s is in %zu virtual endpoints, at most %d",
			gateway->name, count, PROTO_ENDPOINTS_MAX);
	else if (bytes > DATAGRAM_SEATS_BYTES_MAX)
		check_fail(checker, &gateway->place,
			"the names of gateway %s's virtual endpoints do not fit one beat: shorten them by "
			"%zu "
			"characters",
			gateway->name, bytes - DATAGRAM_SEATS_BYTES_MAX);
}

void check_endpoints(struct checker *checker)
{
	for (size_t i = 0; i < checker->fleet->endpoint_count; i++)
		check_endpoint(checker, &checker->fleet->endpoints[i]);
	for (size_t i = 0; i < checker->fleet->tunnel_count; i++)
		check_tunnel_snats(checker, &checker->fleet->tunnels[i]);
	for (size_t i = 0; i < checker->fleet->gateway_count; i++)
		check_load(checker, i);
}
