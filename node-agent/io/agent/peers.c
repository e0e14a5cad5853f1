/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "node-agent/io/agent/agent_int.h"

static int compare_peer(const struct desired_peer *peer, const char *tunnel, const struct key *public_key)
{
	int order = strcmp(peer->tunnel, tunnel);

	return order ? order : memcmp(peer->public_key.bytes, public_key->bytes, KEY_BYTES);
}

const struct desired_peer *agent_find_peer(
	const struct desired *desired, const char *tunnel, const struct key *public_key)
{
	size_t low = 0, high = desired->peer_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_peer(&desired->peers[middle], tunnel, public_key);

		if (!order)
			return &desired->peers[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

size_t agent_recreate_peer(const struct agent *agent, const char *tunnel, const struct key *public_key,
	const struct endpoint *endpoint, uint16_t keepalive_s, struct wg_peer_change *changes)
{
	const struct desired *desired = agent->held.desired;
	const struct desired_peer *peer = agent_find_peer(desired, tunnel, public_key);

	if (!peer || (peer->groups && agent->reach_missing))
		return 0;
	changes[0] = (struct wg_peer_change){.public_key = *public_key, .flags = WG_PEER_REMOVE};
	changes[1] = (struct wg_peer_change){.public_key = *public_key,
		.flags = WG_PEER_REPLACE_ALLOWED_IPS | WG_PEER_SET_KEEPALIVE,
		.keepalive_s = keepalive_s};
	changes[1].allowed_ips =
		holder_allowed_ips(holding_holder(agent), peer, &changes[1].allowed_ip_count);
	if (addr_is_set(&endpoint->addr)) {
		changes[1].flags |= WG_PEER_SET_ENDPOINT;
		changes[1].endpoint = *endpoint;
	}
	if (agent->held.preshared_keys) {
		changes[1].flags |= WG_PEER_SET_PRESHARED_KEY;
		changes[1].preshared_key = agent->held.preshared_keys[peer - desired->peers];
	}
	return 2;
}

int agent_set_peers(struct agent *agent, const char *tunnel, const struct wg_peer_change *changes,
	size_t count, struct err *err)
{
	struct wg_change change = {.peers = changes, .peer_count = count};

	return count ? reconcile_set(agent->reconcile, tunnel, &change, err) : 0;
}

int agent_get_device(struct agent *agent, const char *tunnel, struct wg_device *ret_device)
{
	return reconcile_get(agent->reconcile, tunnel, ret_device, NULL);
}
