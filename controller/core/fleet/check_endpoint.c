/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "controller/core/fleet/check.h"
#include "proto/datagram.h"

enum { WHOSE_TEXT_MAX = PROTO_NAME_MAX + 32 };

/* Each gateway that may serve the endpoint must know which of its interfaces is meant. */
static void check_roles(const struct checker *checker, const struct fleet_endpoint *endpoint,
	const struct fleet_reference *role)
{
	char whose[WHOSE_TEXT_MAX];

	(void)snprintf(whose, sizeof(whose), "virtual endpoint %s", endpoint->name);
	for (size_t i = 0; i < endpoint->gateway_count; i++)
		check_role(checker, whose, endpoint->gateways[i].index, role);
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

		check_roles(checker, endpoint, &route->role);
		for (size_t j = 0; j < i; j++) {
			if (!same_route(&endpoint->routes[j], route))
				continue;
			check_refuse(checker, &route->place,
				"routes: %s is there twice; another table or metric would tell them apart",
				prefix_format(&route->to, text, sizeof(text)));
			break;
		}
	}
}

/* An address on that network which is the gateway's whether it owns the endpoint or not. */
static bool has_own_address(const struct fleet_gateway *gateway, const struct prefix *network)
{
	for (size_t i = 0; i < gateway->address_count; i++)
		if (prefix_contains(network, &gateway->addresses[i]))
			return true;
	return false;
}

/* What is asked on an inside network is asked by standbys too, which do not have the inside address. */
static void check_own_address(const struct checker *checker, const struct fleet_endpoint *endpoint,
	const struct fleet_check *check, const struct fleet_inside *inside)
{
	char text[PREFIX_TEXT_MAX];

	if (!prefix_contains(&inside->address, &check->check.target.addr))
		return;
	for (size_t i = 0; i < endpoint->gateway_count; i++) {
		size_t gateway = endpoint->gateways[i].index;

		if (gateway == SIZE_MAX ||
			has_own_address(&checker->fleet->gateways[gateway], &inside->address))
			continue;
		check_warn(checker, WARNING_CHECK_ADDRESS, &check->place,
			"each gateway of %s needs an address of its own on \"%s\" to ask from while it is a "
			"standby: %s is the owner's",
			endpoint->name, inside->role.name,
			prefix_format(&inside->address, text, sizeof(text)));
		return;
	}
}

static void check_checks(const struct checker *checker, const struct fleet_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->check_count; i++) {
		if (endpoint->checks[i].role.name[0])
			check_roles(checker, endpoint, &endpoint->checks[i].role);
		for (size_t j = 0; j < endpoint->inside_count; j++)
			check_own_address(checker, endpoint, &endpoint->checks[i], &endpoint->inside[j]);
	}
}

static void check_endpoint(const struct checker *checker, const struct fleet_endpoint *endpoint)
{
	if (endpoint->gateway_count == 1)
		check_warn(checker, WARNING_ALONE, &endpoint->gateways[0].place,
			"virtual endpoint %s has one gateway: nobody can take it over", endpoint->name);
	if (endpoint->dial_role.name[0])
		check_roles(checker, endpoint, &endpoint->dial_role);
	for (size_t i = 0; i < endpoint->inside_count; i++)
		check_roles(checker, endpoint, &endpoint->inside[i].role);
	check_routes(checker, endpoint);
	check_checks(checker, endpoint);
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
	for (size_t i = 0; i < checker->fleet->gateway_count; i++)
		check_load(checker, i);
}
