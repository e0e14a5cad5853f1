/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wg_sample.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct key sample_key(unsigned number)
{
	struct key key = {{0}};
	unsigned scattered = number * 2654435761u;

	memcpy(key.bytes, &scattered, sizeof scattered);
	memcpy(key.bytes + 8, &number, sizeof number);
	key.bytes[31] = 1;
	return key;
}

struct prefix sample_prefix(const char *text)
{
	struct prefix prefix = {0};

	ck_assert_int_eq(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

struct endpoint sample_endpoint(const char *text)
{
	struct endpoint endpoint = {0};

	ck_assert_int_eq(endpoint_parse(text, &endpoint, NULL), 0);
	return endpoint;
}

static void number_bytes(uint8_t *bytes, size_t number)
{
	bytes[0] = (uint8_t)(number >> 16);
	bytes[1] = (uint8_t)(number >> 8);
	bytes[2] = (uint8_t)number;
}

static struct prefix *two_prefixes(size_t number)
{
	struct prefix *prefixes = mem_new(2, sizeof *prefixes);

	prefixes[0] = sample_prefix("10.0.0.0/32");
	prefixes[1] = sample_prefix("fd50::/128");
	number_bytes(prefixes[0].addr.bytes + 1, number);
	number_bytes(prefixes[1].addr.bytes + 13, number);
	return prefixes;
}

struct wg_peer_change *sample_peers_new(size_t count)
{
	struct wg_peer_change *peers = mem_new(count, sizeof *peers);
	size_t i;

	for (i = 0; i < count; i++) {
		peers[i].public_key = sample_key((unsigned)i + 1);
		peers[i].flags = WG_PEER_REPLACE_ALLOWED_IPS | WG_PEER_SET_PRESHARED_KEY |
				 WG_PEER_SET_ENDPOINT | WG_PEER_SET_KEEPALIVE;
		peers[i].preshared_key = sample_key((unsigned)i + 1000000);
		peers[i].endpoint = sample_endpoint(i % 2 ? "[2001:db8::1]:51820" : "192.0.2.1:51820");
		peers[i].endpoint.port = (uint16_t)(1000 + i);
		peers[i].keepalive_s = 25;
		peers[i].allowed_ips = two_prefixes(i);
		peers[i].allowed_ip_count = 2;
	}
	return peers;
}

void sample_free(const void *borrowed)
{
	void *owned;

	memcpy(&owned, &borrowed, sizeof owned);
	free(owned);
}

void sample_peers_free(struct wg_peer_change *peers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		sample_free(peers[i].allowed_ips);
	free(peers);
}

struct prefix *sample_prefixes_new(size_t count)
{
	struct prefix *prefixes = mem_new(count, sizeof *prefixes);
	size_t i;

	for (i = 0; i < count; i++) {
		prefixes[i] = sample_prefix("10.0.0.0/32");
		number_bytes(prefixes[i].addr.bytes + 1, i);
	}
	return prefixes;
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static void assert_allowed_ips(const struct wg_peer *peer, const struct wg_peer_change *change)
{
	size_t bytes = change->allowed_ip_count * sizeof(struct prefix), i;
	struct prefix *wanted, *found;

	ck_assert_uint_eq(peer->allowed_ip_count, change->allowed_ip_count);
	if (bytes == 0)
		return;
	wanted = mem_copy(change->allowed_ips, bytes);
	found = mem_copy(peer->allowed_ips, bytes);
	qsort(wanted, change->allowed_ip_count, sizeof *wanted, compare_prefixes);
	qsort(found, peer->allowed_ip_count, sizeof *found, compare_prefixes);
	for (i = 0; i < change->allowed_ip_count; i++)
		ck_assert(prefix_equal(&wanted[i], &found[i]));
	free(wanted);
	free(found);
}

void sample_assert_peers(const struct wg_device *device, const struct wg_peer_change *peers, size_t count)
{
	const struct wg_peer *peer;
	size_t i;

	ck_assert_uint_eq(device->peer_count, count);
	for (i = 0; i < count; i++) {
		peer = wg_device_peer(device, &peers[i].public_key);
		ck_assert_ptr_nonnull(peer);
		if (peers[i].flags & WG_PEER_SET_PRESHARED_KEY)
			ck_assert(key_equal(&peer->preshared_key, &peers[i].preshared_key));
		if (peers[i].flags & WG_PEER_SET_ENDPOINT)
			ck_assert(endpoint_equal(&peer->endpoint, &peers[i].endpoint));
		if (peers[i].flags & WG_PEER_SET_KEEPALIVE)
			ck_assert_uint_eq(peer->keepalive_s, peers[i].keepalive_s);
		assert_allowed_ips(peer, &peers[i]);
	}
}
