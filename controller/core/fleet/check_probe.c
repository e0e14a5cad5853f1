/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/prefix_tree.h"
#include "controller/core/fleet/check.h"

/*
 * A ping that is to judge a peer has to go to it while it has its prefixes. WireGuard sends it to whoever has the narrowest
 * prefix around the address: all prefixes of a tunnel are sorted, and a prefix tree tells which that is.
 */
struct claim {
	const struct fleet_peer *peer;
	const struct fleet_allowed_ip *to;
};

struct claims {
	size_t count, capacity;
	struct claim *items;
	struct prefix *prefixes; /* of the items, sorted */
	size_t *parents;         /* prefix_tree_parents() of them */
};

static bool is_probed(const struct fleet_allowed_ip *allowed_ip)
{
	return addr_is_set(&allowed_ip->probe);
}

static bool leads_to(const struct fleet_peer *peer, const struct addr *probe)
{
	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		if (prefix_contains(&peer->allowed_ips[i].prefix, probe))
			return true;
	return false;
}

static void check_own(const struct checker *checker, const struct fleet_peer *peer)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		const struct fleet_allowed_ip *allowed_ip = &peer->allowed_ips[i];

		if (is_probed(allowed_ip) && !leads_to(peer, &allowed_ip->probe))
			check_refuse(checker, &allowed_ip->probe_place,
				"probe: %s is in no allowed_ips of peer %s: a ping would not go there",
				addr_format(&allowed_ip->probe, text, sizeof(text)), peer->name);
	}
}

static bool is_on(const struct fleet_peer *peer, size_t tunnel)
{
	return peer->on >> tunnel & 1;
}

static bool has_probes(const struct fleet *fleet, size_t tunnel)
{
	for (size_t i = 0; i < fleet->peer_count; i++)
		for (size_t j = 0; is_on(&fleet->peers[i], tunnel) && j < fleet->peers[i].allowed_ip_count;
			j++)
			if (is_probed(&fleet->peers[i].allowed_ips[j]))
				return true;
	return false;
}

/* Of equal ones the first is whose peer has it first; peers lie in one array, in the order of the files. */
static int compare(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = prefix_compare(&a->to->prefix, &b->to->prefix);

	if (!order)
		order = (a->to->priority < b->to->priority) - (a->to->priority > b->to->priority);
	return order ? order : (a->peer > b->peer) - (a->peer < b->peer);
}

static void collect(const struct fleet *fleet, size_t tunnel, struct claims *claims)
{
	for (size_t i = 0; i < fleet->peer_count; i++) {
		const struct fleet_peer *peer = &fleet->peers[i];

		for (size_t j = 0; is_on(peer, tunnel) && j < peer->allowed_ip_count; j++) {
			claims->items = mem_grow(
				claims->items, &claims->capacity, claims->count + 1, sizeof(*claims->items));
			claims->items[claims->count++] = (struct claim){peer, &peer->allowed_ips[j]};
		}
	}
	qsort(claims->items, claims->count, sizeof(*claims->items), compare);
	claims->prefixes = mem_new(claims->count, sizeof(*claims->prefixes));
	claims->parents = mem_new(claims->count, sizeof(*claims->parents));
	for (size_t i = 0; i < claims->count; i++)
		claims->prefixes[i] = claims->items[i].to->prefix;
	prefix_tree_parents(claims->prefixes, claims->count, claims->parents);
}

static void clear(struct claims *claims)
{
	free(claims->items);
	free(claims->prefixes);
	free(claims->parents);
}

/* The first of those with the narrowest prefix around the address. All that are around it are the last one that is not
 * behind it, and what is around that. PREFIX_TREE_ROOT: there is none. */
static size_t narrowest_around(const struct claims *claims, const struct addr *addr)
{
	struct prefix host = addr_to_prefix(addr);
	size_t low = 0, high = claims->count, at;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&claims->prefixes[middle], &host) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	at = low ? low - 1 : PREFIX_TREE_ROOT;
	while (at != PREFIX_TREE_ROOT && !prefix_covers(&claims->prefixes[at], &host))
		at = claims->parents[at];
	while (at != PREFIX_TREE_ROOT && at && prefix_equal(&claims->prefixes[at - 1], &claims->prefixes[at]))
		at--;
	return at;
}

/* Is it one of those that have the prefix at `first`, now or in their turn? */
static bool is_among(const struct claims *claims, size_t first, const struct fleet_peer *peer)
{
	for (size_t i = first;
		i < claims->count && prefix_equal(&claims->prefixes[i], &claims->prefixes[first]); i++)
		if (claims->items[i].peer == peer)
			return true;
	return false;
}

static void check_claim(
	const struct checker *checker, size_t tunnel, const struct claims *claims, const struct claim *claim)
{
	const struct addr *probe = &claim->to->probe;
	char address[ADDR_TEXT_MAX], prefix[PREFIX_TEXT_MAX], place[PLACE_TEXT_MAX];
	const struct claim *other;
	size_t first;

	if (!is_probed(claim->to) || !leads_to(claim->peer, probe))
		return;
	first = narrowest_around(claims, probe);
	if (is_among(claims, first, claim->peer))
		return;
	other = &claims->items[first];
	check_refuse(checker, &claim->to->probe_place,
		"probe: %s of peer %s is in %s of peer %s (%s), which is narrower: in tunnel %s that one "
		"would get "
		"the pings; give an address that leads to %s",
		addr_format(probe, address, sizeof(address)), claim->peer->name,
		prefix_format(&other->to->prefix, prefix, sizeof(prefix)), other->peer->name,
		check_place(checker, &other->to->place, place), checker->fleet->tunnels[tunnel].name,
		claim->peer->name);
}

static void check_tunnel(const struct checker *checker, size_t tunnel)
{
	struct claims claims = {0};

	collect(checker->fleet, tunnel, &claims);
	for (size_t i = 0; i < claims.count; i++)
		check_claim(checker, tunnel, &claims, &claims.items[i]);
	clear(&claims);
}

void check_probes(struct checker *checker)
{
	const struct fleet *fleet = checker->fleet;

	for (size_t i = 0; i < fleet->peer_count; i++)
		check_own(checker, &fleet->peers[i]);
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		if (has_probes(fleet, i))
			check_tunnel(checker, i);
}
