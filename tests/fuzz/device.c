/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/device.h"

#include <string.h>

#include "common/base/mem.h"
#include "tests/fuzz/fuzz_target.h"

static void check_peer(const struct wg_peer *peer)
{
	FUZZ_CHECK(peer->handshake_s >= 0 && peer->handshake_ns < 1000000000);
	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		struct prefix masked = prefix_mask(&peer->allowed_ips[i]);

		FUZZ_CHECK(peer->allowed_ips[i].length <= addr_bits(&masked.addr));
		FUZZ_CHECK(prefix_equal(&masked, &peer->allowed_ips[i]));
	}
}

void device_check(const struct wg_device *device)
{
	FUZZ_CHECK(memchr(device->name, '\0', sizeof(device->name)));
	for (size_t i = 0; i < device->peer_count; i++) {
		const struct wg_peer *peer = &device->peers[i];

		check_peer(peer);
		FUZZ_CHECK(wg_device_peer(device, &peer->public_key) == peer);
		FUZZ_CHECK(!i || memcmp(peer[-1].public_key.bytes, peer->public_key.bytes, KEY_BYTES) < 0);
	}
}

static struct wg_peer_change peer_change(const struct wg_peer *peer)
{
	return (struct wg_peer_change){.public_key = peer->public_key,
		.flags = WG_PEER_REPLACE_ALLOWED_IPS | WG_PEER_SET_PRESHARED_KEY | WG_PEER_SET_ENDPOINT |
			 WG_PEER_SET_KEEPALIVE,
		.preshared_key = peer->preshared_key,
		.endpoint = peer->endpoint,
		.keepalive_s = peer->keepalive_s,
		.allowed_ips = peer->allowed_ips,
		.allowed_ip_count = peer->allowed_ip_count};
}

struct wg_change device_change(const struct wg_device *device)
{
	struct wg_peer_change *peers = mem_new(device->peer_count + 1, sizeof(*peers));

	for (size_t i = 0; i < device->peer_count; i++)
		peers[i] = peer_change(&device->peers[i]);
	return (struct wg_change){
		.flags = WG_SET_PRIVATE_KEY | WG_SET_LISTEN_PORT | WG_SET_FWMARK | WG_REPLACE_PEERS,
		.private_key = device->private_key,
		.listen_port = device->listen_port,
		.fwmark = device->fwmark,
		.peers = peers,
		.peer_count = device->peer_count};
}

void device_change_clear(struct wg_change *change)
{
	void *peers;

	memcpy(&peers, &change->peers, sizeof(peers)); /* what a change borrows is const */
	free(peers);
	*change = (struct wg_change){0};
}

static void check_same_peer(const struct wg_peer *a, const struct wg_peer *b)
{
	FUZZ_CHECK(key_equal(&a->public_key, &b->public_key));
	FUZZ_CHECK(key_equal(&a->preshared_key, &b->preshared_key));
	FUZZ_CHECK(endpoint_equal(&a->endpoint, &b->endpoint));
	FUZZ_CHECK(a->keepalive_s == b->keepalive_s);
	FUZZ_CHECK(a->allowed_ip_count == b->allowed_ip_count);
	for (size_t i = 0; i < a->allowed_ip_count; i++)
		FUZZ_CHECK(prefix_equal(&a->allowed_ips[i], &b->allowed_ips[i]));
}

void device_check_same(const struct wg_device *a, const struct wg_device *b)
{
	FUZZ_CHECK(key_equal(&a->private_key, &b->private_key));
	FUZZ_CHECK(a->listen_port == b->listen_port && a->fwmark == b->fwmark);
	FUZZ_CHECK(a->peer_count == b->peer_count);
	for (size_t i = 0; i < a->peer_count; i++)
		check_same_peer(&a->peers[i], &b->peers[i]);
}
