/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/check.h"

#define NAMES_MAX 64
_Static_assert(
	PROTO_GATEWAYS_MAX <= NAMES_MAX && PROTO_TUNNELS_MAX <= NAMES_MAX && PROTO_GROUPS_MAX <= NAMES_MAX,
	"each kind of names has room");

/* Names to look up: short lists, so looking through them will do (peers' tunnels are among at most 64). */
struct names {
	const char *what;
	size_t count;
	const char *items[NAMES_MAX];
};

static void resolve(
	const struct checker *checker, const struct names *names, struct fleet_reference *reference)
{
	const char *nearest;

	for (size_t i = 0; i < names->count; i++) {
		if (!strcmp(names->items[i], reference->name)) {
			reference->index = i;
			return;
		}
	}
	nearest = text_nearest(reference->name, names->items, names->count);
	check_fail(checker, &reference->place, "unknown %s \"%s\"%s%s%s", names->what, reference->name,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static void resolve_all(const struct checker *checker, const struct names *names,
	struct fleet_reference *references, size_t count)
{
	for (size_t i = 0; i < count; i++)
		resolve(checker, names, &references[i]);
}

static void resolve_tunnel(
	const struct checker *checker, const struct names *gateways, struct fleet_tunnel *tunnel)
{
	resolve_all(checker, gateways, tunnel->gateways, tunnel->gateway_count);
	for (size_t i = 0; i < tunnel->override_count; i++)
		resolve(checker, gateways, &tunnel->overrides[i].gateway);
}

/* A peer that does not say belongs to the only tunnel. */
static void resolve_silent_peer(
	const struct checker *checker, const struct names *tunnels, struct fleet_peer *peer)
{
	if (tunnels->count == 1)
		peer->on = 1;
	else if (tunnels->count > 1)
		check_fail(checker, &peer->place,
			"peer %s: there are %zu tunnels; say which, such as tunnels: [%s]", peer->name,
			tunnels->count, tunnels->items[0]);
}

static void resolve_peer(const struct checker *checker, const struct names *tunnels,
	const struct names *groups, struct fleet_peer *peer)
{
	resolve_all(checker, groups, peer->groups, peer->group_count);
	if (!peer->tunnels)
		resolve_silent_peer(checker, tunnels, peer);
	resolve_all(checker, tunnels, peer->tunnels, peer->tunnel_count);
	for (size_t i = 0; i < peer->tunnel_count; i++) {
		if (peer->tunnels[i].index != SIZE_MAX)
			peer->on |= UINT64_C(1) << peer->tunnels[i].index;
	}
	if (peer->disabled)
		peer->on = 0;
}

/* 1 KiB each, and gone when all is resolved. */
static struct names *gateway_names(const struct fleet *fleet)
{
	struct names *names = mem_new(1, sizeof(*names));

	names->what = "gateway";
	for (size_t i = 0; i < fleet->gateway_count; i++)
		names->items[names->count++] = fleet->gateways[i].name;
	return names;
}

static struct names *tunnel_names(const struct fleet *fleet)
{
	struct names *names = mem_new(1, sizeof(*names));

	names->what = "tunnel";
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		names->items[names->count++] = fleet->tunnels[i].name;
	return names;
}

static struct names *group_names(const struct fleet *fleet)
{
	struct names *names = mem_new(1, sizeof(*names));

	names->what = "group";
	for (size_t i = 0; i < fleet->group_count; i++)
		names->items[names->count++] = fleet->groups[i].name;
	return names;
}

void check_references(struct checker *checker)
{
	struct fleet *fleet = checker->fleet;
	struct names *gateways = gateway_names(fleet), *tunnels = tunnel_names(fleet),
		     *groups = group_names(fleet);

	_Static_assert(PROTO_TUNNELS_MAX <= 64, "fleet_peer.on has a bit for each tunnel");
	for (size_t i = 0; i < fleet->endpoint_count; i++) {
		struct fleet_endpoint *endpoint = &fleet->endpoints[i];

		resolve_all(checker, gateways, endpoint->gateways, endpoint->gateway_count);
		resolve_all(checker, tunnels, endpoint->tunnels, endpoint->tunnel_count);
	}
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		resolve_tunnel(checker, gateways, &fleet->tunnels[i]);
	for (size_t i = 0; i < fleet->peer_count; i++)
		resolve_peer(checker, tunnels, groups, &fleet->peers[i]);
	free(gateways);
	free(tunnels);
	free(groups);
}
