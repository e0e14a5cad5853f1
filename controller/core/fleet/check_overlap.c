/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/prefix_tree.h"
#include "common/base/text.h"
#include "controller/core/fleet/check.h"
#include "controller/core/fleet/overlap.h"

/*
 * Prefixes of several peers on one gateway, equal ones and nested ones. Peers compete for a prefix within their tunnel,
 * and with those of other tunnels where their routes are of one table: the kernel keeps one route to a prefix in a table
 * for each metric. All claims are sorted, so that rivals are neighbours, and a prefix tree tells what is around what.
 */
struct claim {
	size_t tunnel;
	const struct fleet_peer *peer;
	struct fleet_allowed_ip *to;
	uint32_t table; /* 0: nobody of another tunnel is a rival */
	size_t covered; /* narrower ones of other peers right below this one, the first of them, and the last */
	size_t examples[3], last;
};

struct claims {
	size_t count, capacity;
	struct claim *items;
};

struct overlap {
	const struct checker *checker;
	size_t gateway;
};

uint32_t overlap_table(
	const struct fleet_settings *settings, const struct fleet_peer *peer, const struct prefix *to)
{
	if (peer->unrouted)
		return 0;
	if (peer->route_table)
		return peer->route_table;
	switch (settings->table) {
	case TABLE_OFF:
		return 0;
	case TABLE_NUMBER:
		return settings->table_number;
	case TABLE_AUTO:
		/* There is a route of an own network, too: the kernel's. */
		return to->length ? RT_TABLE_MAIN : 0;
	}
	abort();
}

static void add_peer(struct claims *claims, const struct fleet_settings *settings, size_t tunnel,
	const struct fleet_peer *peer)
{
	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		claims->items =
			mem_grow(claims->items, &claims->capacity, claims->count + 1, sizeof(*claims->items));
		claims->items[claims->count++] = (struct claim){.tunnel = tunnel,
			.peer = peer,
			.to = &peer->allowed_ips[i],
			.table = overlap_table(settings, peer, &peer->allowed_ips[i].prefix)};
	}
}

static void collect(const struct fleet *fleet, size_t gateway, struct claims *claims)
{
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		const struct fleet_tunnel *tunnel = &fleet->tunnels[i];

		if (!fleet_tunnel_is_on(fleet, tunnel, gateway))
			continue;
		for (size_t j = 0; j < fleet->peer_count; j++)
			if (fleet->peers[j].on >> i & 1)
				add_peer(claims, fleet_tunnel_settings(tunnel, gateway), i, &fleet->peers[j]);
	}
}

static int compare_numbers(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* Where a claim has its rivals: a table, or its tunnel. */
static int compare_rooms(const struct claim *a, const struct claim *b)
{
	int order = compare_numbers(a->table, b->table);

	return order || a->table ? order : compare_numbers(a->tunnel, b->tunnel);
}

/* Equal ones are rivals for the same: one of them has it at a time. */
static int compare_rivals(const struct claim *a, const struct claim *b)
{
	int order = compare_rooms(a, b);

	if (!order)
		order = prefix_compare(&a->to->prefix, &b->to->prefix);
	return order ? order : compare_numbers(a->peer->route_metric, b->peer->route_metric);
}

/* Peers lie in one array, in the order of the files. */
static int compare(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_rivals(a, b);

	if (!order)
		order = compare_numbers(b->to->priority, a->to->priority);
	if (!order)
		order = compare_numbers(a->tunnel, b->tunnel);
	return order ? order : (a->peer > b->peer) - (a->peer < b->peer);
}

/* One peer in two tunnels has one priority. */
static void refuse_twice(const struct overlap *overlap, const struct claim *first, const struct claim *second)
{
	const struct fleet *fleet = overlap->checker->fleet;
	char text[PREFIX_TEXT_MAX];

	check_refuse(overlap->checker, &second->to->place,
		"allowed_ips: on gateway %s %s of peer %s is routed into %s and into %s, in one table; a "
		"peer in "
		"each tunnel, with the same key, can have a priority each, or addresses of its own",
		fleet->gateways[overlap->gateway].name,
		prefix_format(&second->to->prefix, text, sizeof(text)), second->peer->name,
		fleet->tunnels[first->tunnel].name, fleet->tunnels[second->tunnel].name);
}

static void refuse_two(const struct overlap *overlap, const struct claim *first, const struct claim *second)
{
	const struct fleet *fleet = overlap->checker->fleet;
	char text[PREFIX_TEXT_MAX], place[PLACE_TEXT_MAX];

	check_refuse(overlap->checker, &second->to->place,
		"allowed_ips: on gateway %s %s is routed into %s (peer %s, %s) and into %s (peer %s), in one "
		"table with one metric and with one priority; another priority would make them redundant, "
		"another route_metric or route_table would tell them apart",
		fleet->gateways[overlap->gateway].name,
		prefix_format(&second->to->prefix, text, sizeof(text)), fleet->tunnels[first->tunnel].name,
		first->peer->name, check_place(overlap->checker, &first->to->place, place),
		fleet->tunnels[second->tunnel].name, second->peer->name);
}

/* Within a tunnel equal priorities are told by check_peers(). */
static void check_neighbours(
	const struct overlap *overlap, const struct claim *first, const struct claim *second)
{
	first->to->shared = second->to->shared = true;
	if (first->tunnel == second->tunnel || first->to->priority != second->to->priority)
		return;
	if (first->peer == second->peer)
		refuse_twice(overlap, first, second);
	else
		refuse_two(overlap, first, second);
}

static void check_rivals(const struct overlap *overlap, const struct claim *claims, size_t count)
{
	char text[PREFIX_TEXT_MAX];
	size_t rivals = 1;

	for (size_t i = 1; i < count; i++) {
		rivals = compare_rivals(&claims[i - 1], &claims[i]) ? 1 : rivals + 1;
		if (rivals == 1)
			continue;
		check_neighbours(overlap, &claims[i - 1], &claims[i]);
		if (rivals == PROTO_SHARERS_MAX + 1)
			check_fail(overlap->checker, &claims[i].to->place,
				"allowed_ips: more than %d peers share %s", PROTO_SHARERS_MAX,
				prefix_format(&claims[i].to->prefix, text, sizeof(text)));
	}
}

/* A single address is its peer's own, and nobody else leads there, unless the file says so. */
static bool is_movable(const struct fleet_allowed_ip *allowed_ip)
{
	return allowed_ip->shared || allowed_ip->movable ||
	       allowed_ip->prefix.length < addr_bits(&allowed_ip->prefix.addr);
}

/* What other peers have around it is what traffic takes when its own peers are dead. */
static void share_around(struct claim *claims, const struct prefix *prefixes, const size_t *parents,
	size_t count, size_t index)
{
	for (size_t around = parents[index]; around != PREFIX_TREE_ROOT; around = parents[around]) {
		for (size_t i = around; i < count && i < around + PROTO_SHARERS_MAX &&
					prefix_equal(&prefixes[i], &prefixes[around]);
			i++) {
			if (claims[i].peer == claims[index].peer)
				continue;
			claims[i].to->shared = claims[index].to->shared = true;
		}
	}
}

/* A peer that is in two tunnels claims what it has twice, one after the other. */
static bool is_counted(const struct claim *claims, const struct claim *around, const struct claim *inner)
{
	return around->covered && claims[around->last].peer == inner->peer &&
	       claims[around->last].to == inner->to;
}

static void count_covered(struct claim *claims, const size_t *parents, size_t index)
{
	struct claim *around = parents[index] == PREFIX_TREE_ROOT ? NULL : &claims[parents[index]];

	if (!around || around->peer == claims[index].peer || is_counted(claims, around, &claims[index]))
		return;
	around->last = index;
	if (around->covered < ARRAY_COUNT(around->examples))
		around->examples[around->covered] = index;
	around->covered++;
}

/* Said once, on the first gateway that carries its tunnel. */
static bool is_told_here(const struct overlap *overlap, const struct claim *claim)
{
	const struct fleet *fleet = overlap->checker->fleet;

	for (size_t i = 0; i < overlap->gateway; i++)
		if (fleet_tunnel_is_on(fleet, &fleet->tunnels[claim->tunnel], i))
			return false;
	return true;
}

static void note_covered(struct overlap *overlap, const struct claim *claims, const struct claim *around)
{
	char buffer[PREFIX_TEXT_MAX], *list CLEANUP_FREE = NULL;
	struct text text = {0};

	/* Of a default route everybody knows. */
	if (!around->covered || !around->to->prefix.length || !is_told_here(overlap, around))
		return;
	for (size_t i = 0; i < around->covered && i < ARRAY_COUNT(around->examples); i++) {
		const struct claim *inner = &claims[around->examples[i]];

		text_add(&text, "%s%s (peer %s)", i ? ", " : "",
			prefix_format(&inner->to->prefix, buffer, sizeof(buffer)), inner->peer->name);
	}
	if (around->covered > ARRAY_COUNT(around->examples))
		text_add(&text, " and %zu more", around->covered - ARRAY_COUNT(around->examples));
	list = text_take(&text);
	check_warn(overlap->checker, WARNING_NESTED, &around->to->place,
		"allowed_ips: within %s of peer %s the narrower wins: %s",
		prefix_format(&around->to->prefix, buffer, sizeof(buffer)), around->peer->name, list);
}

static void check_nested(struct overlap *overlap, struct claim *claims, size_t count)
{
	struct prefix *prefixes = mem_new(count, sizeof(*prefixes));
	size_t *parents = mem_new(count, sizeof(*parents));

	for (size_t i = 0; i < count; i++)
		prefixes[i] = claims[i].to->prefix;
	prefix_tree_parents(prefixes, count, parents);
	for (size_t i = 0; i < count; i++) {
		if (is_movable(claims[i].to))
			share_around(claims, prefixes, parents, count, i);
		count_covered(claims, parents, i);
	}
	for (size_t i = 0; i < count; i++)
		note_covered(overlap, claims, &claims[i]);
	free(prefixes);
	free(parents);
}

static void check_gateway(struct overlap *overlap)
{
	struct claims claims = {0};
	size_t next;

	collect(overlap->checker->fleet, overlap->gateway, &claims);
	if (claims.count)
		qsort(claims.items, claims.count, sizeof(*claims.items), compare);
	check_rivals(overlap, claims.items, claims.count);
	for (size_t first = 0; first < claims.count; first = next) {
		next = first + 1;
		while (next < claims.count && !compare_rooms(&claims.items[first], &claims.items[next]))
			next++;
		check_nested(overlap, &claims.items[first], next - first);
	}
	free(claims.items);
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

void check_overlaps(struct checker *checker)
{
	const struct fleet *fleet = checker->fleet;
	struct overlap overlap = {.checker = checker};

	for (size_t i = 0; i < fleet->gateway_count; i++) {
		overlap.gateway = i;
		if (!is_checked(fleet, i))
			check_gateway(&overlap);
	}
}
