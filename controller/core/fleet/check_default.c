/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "controller/core/fleet/check.h"

/*
 * A default route with `table: auto` is in a table of its tunnel, where a rule sends all packets that do not carry the
 * tunnel's mark. Of two such tunnels each would take the other's own packets.
 */
struct default_route {
	const struct fleet_peer *peer; /* the first that has one; NULL: the tunnel has none */
	const struct fleet_allowed_ip *to;
};

static bool is_by_rule(const struct fleet_peer *peer, const struct fleet_allowed_ip *to, int family)
{
	return !to->prefix.length && to->prefix.addr.family == family && !peer->unrouted &&
	       !peer->route_table;
}

static void note_default(const struct fleet *fleet, struct default_route *routes,
	const struct fleet_peer *peer, const struct fleet_allowed_ip *to)
{
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		if (peer->on >> i & 1 && !routes[i].peer)
			routes[i] = (struct default_route){.peer = peer, .to = to};
}

static void find_defaults(const struct fleet *fleet, struct default_route *routes, int family)
{
	for (size_t i = 0; i < fleet->peer_count; i++) {
		const struct fleet_peer *peer = &fleet->peers[i];

		for (size_t j = 0; j < peer->allowed_ip_count; j++)
			if (is_by_rule(peer, &peer->allowed_ips[j], family))
				note_default(fleet, routes, peer, &peer->allowed_ips[j]);
	}
}

static bool has_rules(const struct fleet *fleet, const struct fleet_tunnel *tunnel, size_t gateway)
{
	return fleet_tunnel_is_on(fleet, tunnel, gateway) &&
	       fleet_tunnel_settings(tunnel, gateway)->table == TABLE_AUTO;
}

/* The first gateway where both have rules; gateway_count: none. */
static size_t where_they_meet(
	const struct fleet *fleet, const struct fleet_tunnel *a, const struct fleet_tunnel *b)
{
	size_t i = 0;

	while (i < fleet->gateway_count && !(has_rules(fleet, a, i) && has_rules(fleet, b, i)))
		i++;
	return i;
}

static void check_pair(const struct checker *checker, const struct default_route *routes, size_t a, size_t b)
{
	const struct fleet *fleet = checker->fleet;
	const struct default_route *first = &routes[a], *second = &routes[b];
	char text[PREFIX_TEXT_MAX], place[PLACE_TEXT_MAX];
	size_t gateway;

	if (!first->peer || !second->peer)
		return;
	gateway = where_they_meet(fleet, &fleet->tunnels[a], &fleet->tunnels[b]);
	if (gateway == fleet->gateway_count)
		return;
	check_refuse(checker, &second->to->place,
		"allowed_ips: on gateway %s %s is the default route of %s (peer %s, %s) and of %s (peer %s), "
		"and each would take the other's own packets; \"route: false\", a \"route_table\", or a "
		"\"table\" of the tunnel leaves one of them without rules",
		fleet->gateways[gateway].name, prefix_format(&second->to->prefix, text, sizeof(text)),
		fleet->tunnels[a].name, first->peer->name, check_place(checker, &first->to->place, place),
		fleet->tunnels[b].name, second->peer->name);
}

static void check_family(const struct checker *checker, int family)
{
	const struct fleet *fleet = checker->fleet;
	struct default_route *routes = mem_new(fleet->tunnel_count, sizeof(*routes));

	find_defaults(fleet, routes, family);
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		for (size_t j = i + 1; j < fleet->tunnel_count; j++)
			check_pair(checker, routes, i, j);
	free(routes);
}

void check_default_routes(const struct checker *checker)
{
	check_family(checker, AF_INET);
	check_family(checker, AF_INET6);
}
