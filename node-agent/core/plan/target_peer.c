/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "node-agent/core/plan/target_int.h"

size_t plan_tunnel_peers(const struct desired *desired, const char *tunnel, size_t *ret_first)
{
	size_t first = 0, last;

	while (first < desired->peer_count && strcmp(desired->peers[first].tunnel, tunnel) < 0)
		first++;
	last = first;
	while (last < desired->peer_count && !strcmp(desired->peers[last].tunnel, tunnel))
		last++;
	*ret_first = first;
	return last - first;
}

static int compare_peers(const struct desired_peer *a, const struct desired_peer *b)
{
	int order = strcmp(a->tunnel, b->tunnel);

	return order ? order : memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

static const struct desired_peer *find_peer(const struct desired *desired, const struct desired_peer *like)
{
	size_t low = 0, high = desired ? desired->peer_count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_peers(like, &desired->peers[middle]);

		if (!order)
			return &desired->peers[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct endpoint plan_configured_endpoint(const struct plan_facts *facts, const struct desired_peer *peer)
{
	const struct endpoint *resolved = NULL;

	if (!peer->endpoint_host)
		return peer->endpoint;
	if (facts->resolved_endpoint)
		resolved = facts->resolved_endpoint(peer->tunnel, &peer->public_key, facts->context);
	return resolved ? *resolved : (struct endpoint){0};
}

const struct prefix *plan_peer_allowed_ips(
	const struct plan_facts *facts, const struct desired_peer *peer, size_t *ret_count)
{
	if (facts->allowed_ips)
		return facts->allowed_ips(peer, ret_count, facts->context);
	*ret_count = peer->allowed_ip_count;
	return peer->allowed_ips;
}

/* A configured endpoint is where a peer starts; it may roam from there. It counts again when it is
 * configured anew. On a standby the live session's comes first: that is what keeps it warm. */
static void want_endpoint(
	struct plan_peer *peer, const struct plan_facts *facts, const struct desired_peer *from, bool serving)
{
	const struct desired_peer *before = find_peer(facts->previous, from);
	const struct endpoint *live = NULL;

	if (!serving && facts->live_endpoint)
		live = facts->live_endpoint(from->tunnel, &from->public_key, facts->context);
	if (live) {
		peer->endpoint = *live;
		return;
	}
	peer->endpoint = plan_configured_endpoint(facts, from);
	/* Of a name's new address the one who resolves it decides. */
	peer->endpoint_if_none =
		from->endpoint_host || !before || endpoint_equal(&before->endpoint, &from->endpoint);
}

void plan_target_peers(struct plan_device *device, const struct plan_facts *facts,
	const struct desired_tunnel *tunnel, bool serving, bool waking)
{
	size_t first, count = plan_tunnel_peers(facts->desired, tunnel->name, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct desired_peer *from = &facts->desired->peers[i];
		struct plan_peer *peer;

		if (facts->groups_missing && from->groups)
			continue;
		peer = plan_device_peer(device, &from->public_key);
		if (facts->preshared_keys)
			peer->preshared_key = facts->preshared_keys[i];
		peer->allowed_ips = plan_peer_allowed_ips(facts, from, &peer->allowed_ip_count);
		/* A keepalive on a standby would make it initiate, and take the client away. */
		peer->keepalive_s = serving ? from->keepalive_s : 0;
		peer->keepalive_any = waking;
		want_endpoint(peer, facts, from, serving);
	}
}
