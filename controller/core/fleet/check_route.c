/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/check.h"

/*
 * The routes that peers' allowed_ips become on one gateway. In one tunnel a prefix belongs to one peer; two tunnels may
 * each have it, but the kernel keeps one route to it in a table for each metric: agents would take it from one another
 * for ever. All are sorted, and equal neighbours told.
 */
struct claim {
	const struct fleet_tunnel *tunnel;
	const struct fleet_peer *peer;
	const struct fleet_allowed_ip *to;
	uint32_t table;
};

struct claims {
	size_t count, capacity;
	struct claim *items;
};

/* The connected route of an address leads there already. */
static bool is_connected(const struct fleet_settings *settings, const struct prefix *to)
{
	for (size_t i = 0; i < settings->address_count; i++) {
		struct prefix net = settings->addresses[i];

		if (addr_is_set(&settings->address_peers[i]))
			net.addr = settings->address_peers[i];
		if (prefix_covers(&net, to))
			return true;
	}
	return false;
}

/* 0: there is no route of it, or one in a table that no other tunnel has. */
static uint32_t table_of(
	const struct fleet_settings *settings, const struct fleet_peer *peer, const struct prefix *to)
{
	if (peer->route_table)
		return peer->route_table;
	switch (settings->table) {
	case TABLE_OFF:
		return 0;
	case TABLE_NUMBER:
		return settings->table_number;
	case TABLE_AUTO:
		return !to->length || is_connected(settings, to) ? 0 : RT_TABLE_MAIN;
	}
	abort();
}

static void add_peer(struct claims *claims, const struct fleet_settings *settings,
	const struct fleet_tunnel *tunnel, const struct fleet_peer *peer)
{
	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		uint32_t table = table_of(settings, peer, &peer->allowed_ips[i].prefix);

		if (!table)
			continue;
		claims->items =
			mem_grow(claims->items, &claims->capacity, claims->count + 1, sizeof(*claims->items));
		claims->items[claims->count++] = (struct claim){tunnel, peer, &peer->allowed_ips[i], table};
	}
}

static void collect(const struct fleet *fleet, size_t gateway, struct claims *claims)
{
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		const struct fleet_tunnel *tunnel = &fleet->tunnels[i];

		if (!fleet_tunnel_is_on(fleet, tunnel, gateway))
			continue;
		for (size_t j = 0; j < fleet->peer_count; j++) {
			const struct fleet_peer *peer = &fleet->peers[j];

			if (peer->on >> i & 1 && !peer->unrouted)
				add_peer(claims, fleet_tunnel_settings(tunnel, gateway), tunnel, peer);
		}
	}
}

static int compare_routes(const struct claim *a, const struct claim *b)
{
	int order = prefix_compare(&a->to->prefix, &b->to->prefix);

	if (!order)
		order = (a->table > b->table) - (a->table < b->table);
	if (!order)
		order = (a->peer->route_metric > b->peer->route_metric) -
			(a->peer->route_metric < b->peer->route_metric);
	return order;
}

static int compare(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_routes(a, b);

	return order ? order : (a->tunnel > b->tunnel) - (a->tunnel < b->tunnel);
}

static void check_neighbours(
	const struct checker *checker, size_t gateway, const struct claim *first, const struct claim *second)
{
	char text[PREFIX_TEXT_MAX], place[PLACE_TEXT_MAX];

	if (first->tunnel == second->tunnel || compare_routes(first, second))
		return;
	check_fail(checker, &second->to->place,
		"allowed_ips: on gateway %s %s is routed into %s (peer %s, %s) and into %s, in one table "
		"with one "
		"metric; another route_metric or route_table would tell them apart",
		checker->fleet->gateways[gateway].name,
		prefix_format(&second->to->prefix, text, sizeof(text)), first->tunnel->name,
		first->peer->name, check_place(checker, &first->to->place, place), second->tunnel->name);
}

static void check_gateway(const struct checker *checker, size_t gateway)
{
	struct claims claims = {0};

	collect(checker->fleet, gateway, &claims);
	if (claims.count)
		qsort(claims.items, claims.count, sizeof(*claims.items), compare);
	for (size_t i = 1; i < claims.count; i++)
		check_neighbours(checker, gateway, &claims.items[i - 1], &claims.items[i]);
	free(claims.items);
}

static bool has_several_tunnels(const struct fleet *fleet, size_t gateway)
{
	size_t count = 0;

	for (size_t i = 0; i < fleet->tunnel_count; i++)
		count += fleet_tunnel_is_on(fleet, &fleet->tunnels[i], gateway);
	return count > 1;
}

static bool are_alike(const struct fleet *fleet, size_t a, size_t b)
{
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		const struct fleet_tunnel *tunnel = &fleet->tunnels[i];

		if (fleet_tunnel_is_on(fleet, tunnel, a) != fleet_tunnel_is_on(fleet, tunnel, b) ||
			fleet_tunnel_settings(tunnel, a) != fleet_tunnel_settings(tunnel, b))
			return false;
	}
	return true;
}

/* What holds for a gateway holds for all that carry the same: with 200,000 peers that is not asked twice. */
static bool is_checked(const struct fleet *fleet, size_t gateway)
{
	for (size_t i = 0; i < gateway; i++)
		if (are_alike(fleet, i, gateway))
			return true;
	return false;
}

void check_peer_routes(struct checker *checker)
{
	const struct fleet *fleet = checker->fleet;

	for (size_t i = 0; i < fleet->gateway_count; i++)
		if (has_several_tunnels(fleet, i) && !is_checked(fleet, i))
			check_gateway(checker, i);
}
