/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/check.h"

/* Up to 200,000 peers with any number of prefixes: everything that must be unique is sorted, and neighbours compared. */
struct claim {
	const struct fleet_peer *peer;
	const struct fleet_allowed_ip *allowed_ip; /* NULL: the claim is to a name or key */
	size_t tunnel;
};

struct claims {
	size_t count, capacity;
	struct claim *items;
};

static void add(struct claims *claims, const struct fleet_peer *peer, size_t tunnel,
	const struct fleet_allowed_ip *allowed_ip)
{
	claims->items = mem_grow(claims->items, &claims->capacity, claims->count + 1, sizeof(*claims->items));
	claims->items[claims->count++] =
		(struct claim){.peer = peer, .tunnel = tunnel, .allowed_ip = allowed_ip};
}

/* Peers lie in one array, in the order of the files. */
static int compare_order(const struct claim *a, const struct claim *b)
{
	return (a->peer > b->peer) - (a->peer < b->peer);
}

static int compare_names(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = strcmp(a->peer->name, b->peer->name);

	return order ? order : compare_order(a, b);
}

static int compare_tunnels(const struct claim *a, const struct claim *b)
{
	return (a->tunnel > b->tunnel) - (a->tunnel < b->tunnel);
}

static int compare_keys(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_tunnels(a, b);

	if (!order)
		order = memcmp(a->peer->public_key.bytes, b->peer->public_key.bytes, KEY_BYTES);
	return order ? order : compare_order(a, b);
}

static int compare_prefixes(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_tunnels(a, b);

	if (!order)
		order = prefix_compare(&a->allowed_ip->prefix, &b->allowed_ip->prefix);
	if (!order)
		order = (a->allowed_ip->priority < b->allowed_ip->priority) -
			(a->allowed_ip->priority > b->allowed_ip->priority);
	if (!order)
		order = compare_order(a, b);
	/* Those of one peer lie in one array, sorted. */
	return order ? order : (a->allowed_ip > b->allowed_ip) - (a->allowed_ip < b->allowed_ip);
}

static void sort(struct claims *claims, int (*compare)(const void *left, const void *right))
{
	if (claims->count)
		qsort(claims->items, claims->count, sizeof(*claims->items), compare);
}

static void check_names(const struct checker *checker)
{
	struct claims claims = {0};
	char place[PLACE_TEXT_MAX];

	for (size_t i = 0; i < checker->fleet->peer_count; i++)
		add(&claims, &checker->fleet->peers[i], 0, NULL);
	sort(&claims, compare_names);
	for (size_t i = 1; i < claims.count; i++) {
		const struct fleet_peer *first = claims.items[i - 1].peer, *second = claims.items[i].peer;

		if (!strcmp(first->name, second->name))
			check_fail(checker, &second->place, "peer %s is there already, at %s", second->name,
				check_place(checker, &first->place, place));
	}
	free(claims.items);
}

static bool is_on(const struct fleet_peer *peer, size_t tunnel)
{
	return peer->on >> tunnel & 1;
}

static void check_same_key(
	const struct checker *checker, const struct fleet_peer *first, const struct fleet_peer *second)
{
	char place[PLACE_TEXT_MAX];

	if (key_is_zero(&second->public_key) || !key_equal(&first->public_key, &second->public_key))
		return;
	check_fail(checker, &second->key_place,
		"public_key: peers %s and %s have the same one (%s); in one tunnel a key is one peer",
		first->name, second->name, check_place(checker, &first->key_place, place));
}

static void check_keys(const struct checker *checker, size_t tunnel)
{
	const struct fleet_tunnel *own = &checker->fleet->tunnels[tunnel];
	struct claims claims = {0};

	for (size_t i = 0; i < checker->fleet->peer_count; i++) {
		const struct fleet_peer *peer = &checker->fleet->peers[i];

		if (!is_on(peer, tunnel))
			continue;
		add(&claims, peer, tunnel, NULL);
		if (!key_is_zero(&own->public_key) && key_equal(&peer->public_key, &own->public_key))
			check_refuse(checker, &peer->key_place,
				"public_key: peer %s has the key of tunnel %s itself", peer->name, own->name);
	}
	sort(&claims, compare_keys);
	for (size_t i = 1; i < claims.count; i++)
		check_same_key(checker, claims.items[i - 1].peer, claims.items[i].peer);
	free(claims.items);
}

static bool are_routed_alike(const struct fleet_peer *a, const struct fleet_peer *b)
{
	return a->unrouted == b->unrouted && a->route_metric == b->route_metric &&
	       a->route_table == b->route_table;
}

/* Several peers with one prefix are redundant routers: whoever of them has it, its route stays what it is. */
static void check_same_prefix(
	const struct checker *checker, const struct claim *first, const struct claim *second)
{
	char text[PREFIX_TEXT_MAX], place[PLACE_TEXT_MAX];

	if (!prefix_equal(&first->allowed_ip->prefix, &second->allowed_ip->prefix))
		return;
	prefix_format(&second->allowed_ip->prefix, text, sizeof(text));
	check_place(checker, &first->allowed_ip->place, place);
	if (first->peer == second->peer)
		return; /* said before */
	if (first->allowed_ip->priority == second->allowed_ip->priority)
		check_refuse(checker, &second->allowed_ip->place,
			"allowed_ips: %s belongs to peer %s already (%s), with the same priority %u; of "
			"peers "
			"that share a prefix each needs its own, and the highest that lives has it",
			text, first->peer->name, place, (unsigned)first->allowed_ip->priority);
	else if (!are_routed_alike(first->peer, second->peer))
		check_refuse(checker, &second->allowed_ip->place,
			"allowed_ips: %s is shared with peer %s (%s), which has another route, route_metric "
			"or "
			"route_table: make them equal",
			text, first->peer->name, place);
}

static void check_twice(const struct checker *checker, const struct fleet_peer *peer)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 1; i < peer->allowed_ip_count; i++)
		if (prefix_equal(&peer->allowed_ips[i - 1].prefix, &peer->allowed_ips[i].prefix))
			check_fail(checker, &peer->allowed_ips[i].place, "allowed_ips: %s is there twice",
				prefix_format(&peer->allowed_ips[i].prefix, text, sizeof(text)));
}

static void check_prefixes(const struct checker *checker, size_t tunnel)
{
	struct claims claims = {0};

	for (size_t i = 0; i < checker->fleet->peer_count; i++) {
		const struct fleet_peer *peer = &checker->fleet->peers[i];

		for (size_t j = 0; is_on(peer, tunnel) && j < peer->allowed_ip_count; j++)
			add(&claims, peer, tunnel, &peer->allowed_ips[j]);
	}
	sort(&claims, compare_prefixes);
	for (size_t i = 1; i < claims.count; i++)
		check_same_prefix(checker, &claims.items[i - 1], &claims.items[i]);
	free(claims.items);
}

/* A peer in two tunnels of a gateway counts twice there. */
static void check_load(const struct checker *checker, size_t gateway)
{
	const struct fleet *fleet = checker->fleet;
	size_t count = 0;

	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		if (!fleet_tunnel_is_on(fleet, &fleet->tunnels[i], gateway))
			continue;
		for (size_t j = 0; j < fleet->peer_count; j++)
			count += is_on(&fleet->peers[j], i);
	}
	if (count > PROTO_PEERS_MAX)
		check_fail(checker, &fleet->gateways[gateway].place,
			"gateway %s would carry %zu peers, at most %d", fleet->gateways[gateway].name, count,
			PROTO_PEERS_MAX);
}

void check_peers(struct checker *checker)
{
	check_names(checker);
	for (size_t i = 0; i < checker->fleet->peer_count; i++)
		check_twice(checker, &checker->fleet->peers[i]);
	for (size_t i = 0; i < checker->fleet->tunnel_count; i++) {
		check_keys(checker, i);
		check_prefixes(checker, i);
	}
	for (size_t i = 0; i < checker->fleet->gateway_count; i++)
		check_load(checker, i);
}
