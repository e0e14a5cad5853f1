/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/check.h"

/* Legal but doubtful: a slip in a peer's address leaves it outside of every network of its tunnels. */

static bool overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}

static bool is_inside(const struct fleet_settings *settings, const struct fleet_peer *peer)
{
	for (size_t i = 0; i < settings->address_count; i++) {
		struct prefix network = settings->addresses[i];

		if (addr_is_set(&settings->address_peers[i]))
			network.addr = settings->address_peers[i];
		network = prefix_mask(&network);
		for (size_t j = 0; j < peer->allowed_ip_count; j++)
			if (overlaps(&network, &peer->allowed_ips[j].prefix))
				return true;
	}
	return false;
}

/* A tunnel without addresses has no network to be outside of. */
static bool has_place(const struct fleet_tunnel *tunnel, const struct fleet_peer *peer)
{
	if (!tunnel->settings.address_count || is_inside(&tunnel->settings, peer))
		return true;
	for (size_t i = 0; i < tunnel->override_count; i++)
		if (is_inside(&tunnel->overrides[i].settings, peer))
			return true;
	return false;
}

static bool is_outside(const struct fleet *fleet, const struct fleet_peer *peer)
{
	if (!peer->on || !peer->allowed_ip_count)
		return false;
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		if ((peer->on >> i & 1) && has_place(&fleet->tunnels[i], peer))
			return false;
	return true;
}

void check_networks(struct checker *checker)
{
	const struct fleet *fleet = checker->fleet;

	for (size_t i = 0; i < fleet->peer_count; i++) {
		const struct fleet_peer *peer = &fleet->peers[i];

		if (is_outside(fleet, peer))
			check_warn(checker, WARNING_OUTSIDE, &peer->place,
				"peer %s: none of its allowed_ips is in a network of its tunnel: is that "
				"meant?",
				peer->name);
	}
}
