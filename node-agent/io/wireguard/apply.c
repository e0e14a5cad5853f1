/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/io/wireguard/internal.h"

/* What a device holds after a change, without reading all of it again. */

struct claim {
	struct prefix prefix;
	size_t change; /* of the peer that is given it */
};

struct claims {
	struct claim *items; /* owned; sorted by prefix; each once, the last that claims it */
	size_t count;
};

static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = prefix_compare(&a->prefix, &b->prefix);

	return order ? order : (a->change > b->change) - (a->change < b->change);
}

static int by_prefix(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;

	return prefix_compare(&a->prefix, &b->prefix);
}

static struct claims collect(const struct wg_change *change)
{
	struct claims claims = {0};
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < change->peer_count; i++)
		count += change->peers[i].allowed_ip_count;
	claims.items = mem_new(count + 1, sizeof(*claims.items));
	for (size_t i = 0; i < change->peer_count; i++)
		for (size_t j = 0; j < change->peers[i].allowed_ip_count; j++)
			claims.items[claims.count++] =
				(struct claim){prefix_mask(&change->peers[i].allowed_ips[j]), i};
	qsort(claims.items, claims.count, sizeof(*claims.items), compare_claims);
	for (size_t i = 0; i < claims.count; i++)
		if (i + 1 == claims.count || by_prefix(&claims.items[i], &claims.items[i + 1]) != 0)
			claims.items[kept++] = claims.items[i];
	claims.count = kept;
	return claims;
}

static bool is_claimed(const struct claims *claims, const struct prefix *prefix)
{
	struct claim key = {.prefix = *prefix};

	return claims->count &&
	       bsearch(&key, claims->items, claims->count, sizeof(*claims->items), by_prefix);
}

/* From all peers: whoever gets them is given them afterwards. */
static void take_away(struct wg_device *device, const struct claims *claims)
{
	for (size_t i = 0; i < device->peer_count; i++) {
		struct wg_peer *peer = &device->peers[i];
		size_t kept = 0;

		for (size_t j = 0; j < peer->allowed_ip_count; j++)
			if (!is_claimed(claims, &peer->allowed_ips[j]))
				peer->allowed_ips[kept++] = peer->allowed_ips[j];
		peer->allowed_ip_count = kept;
	}
}

static void give(struct wg_device *device, const struct wg_change *change, const struct claims *claims)
{
	for (size_t i = 0; i < claims->count; i++) {
		struct wg_peer *peer =
			wg_device_find(device, &change->peers[claims->items[i].change].public_key);

		if (peer)
			wg_peer_add_allowed_ip(peer, &claims->items[i].prefix);
	}
}

static void change_peer(struct wg_device *device, const struct wg_peer_change *change)
{
	struct wg_peer *peer = wg_device_find(device, &change->public_key);

	if (change->flags & WG_PEER_REMOVE) {
		if (peer)
			wg_device_remove(device, peer);
		return;
	}
	if (!peer && change->flags & WG_PEER_UPDATE_ONLY)
		return;
	if (!peer)
		peer = wg_device_insert(device, &change->public_key);
	if (change->flags & WG_PEER_REPLACE_ALLOWED_IPS)
		peer->allowed_ip_count = 0;
	if (change->flags & WG_PEER_SET_PRESHARED_KEY)
		peer->preshared_key = change->preshared_key;
	if (change->flags & WG_PEER_SET_ENDPOINT)
		peer->endpoint = change->endpoint;
	if (change->flags & WG_PEER_SET_KEEPALIVE)
		peer->keepalive_s = change->keepalive_s;
}

bool wg_device_apply(struct wg_device *device, const struct wg_change *change)
{
	struct claims claims;

	if (change->flags & (WG_SET_PRIVATE_KEY | WG_SET_LISTEN_PORT | WG_REPLACE_PEERS) ||
		change->peer_count > WG_APPLY_PEERS_MAX)
		return false;
	if (change->flags & WG_SET_FWMARK)
		device->fwmark = change->fwmark;
	claims = collect(change);
	take_away(device, &claims);
	for (size_t i = 0; i < change->peer_count; i++)
		change_peer(device, &change->peers[i]);
	give(device, change, &claims);
	free(claims.items);
	return true;
}
