/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/wireguard/internal.h"

/* An allocation that fails ends in one place (common/base/mem.h), for the hash table's too. */
#define uthash_malloc(size) mem_new(1, (size))
#include <uthash.h>

struct wg_index_entry {
	struct key public_key;
	size_t place;
	UT_hash_handle hh;
};

static void clear_peers(struct wg_device *device)
{
	size_t i;

	for (i = 0; i < device->peer_count; i++)
		free(device->peers[i].allowed_ips);
	mem_wipe(device->peers, device->peer_capacity * sizeof device->peers[0]);
	free(device->peers);
}

void wg_device_clear(struct wg_device *device)
{
	if (!device)
		return;
	clear_peers(device);
	mem_wipe(device, sizeof *device);
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, KEY_BYTES);
}

static int compare_peers(const void *a, const void *b)
{
	const struct wg_peer *one = a, *other = b;

	return compare_keys(one->public_key.bytes, other->public_key.bytes);
}

const struct wg_peer *wg_device_peer(const struct wg_device *device, const struct key *public_key)
{
	struct wg_peer wanted = {.public_key = *public_key};

	if (device->peer_count == 0)
		return NULL;
	return bsearch(&wanted, device->peers, device->peer_count, sizeof wanted, compare_peers);
}

struct wg_peer *wg_device_find(struct wg_device *device, const struct key *public_key)
{
	const struct wg_peer *peer = wg_device_peer(device, public_key);

	return peer ? &device->peers[peer - device->peers] : NULL;
}

void wg_builder_init(struct wg_builder *builder, struct wg_device *device)
{
	memset(device, 0, sizeof *device);
	*builder = (struct wg_builder){.device = device};
}

static void clear_index(struct wg_builder *builder)
{
	struct wg_index_entry *entry = builder->index, *next;

	HASH_CLEAR(hh, builder->index);
	for (; entry; entry = next) {
		next = entry->hh.next;
		free(entry);
	}
}

/* Not mem_grow(): preshared keys must not stay behind in what was too small. */
static void grow_peers(struct wg_device *device)
{
	size_t capacity = device->peer_capacity ? device->peer_capacity * 2 : 16;
	struct wg_peer *peers = mem_new(capacity, sizeof *peers);

	if (device->peer_count) {
		memcpy(peers, device->peers, device->peer_count * sizeof *peers);
		mem_wipe(device->peers, device->peer_count * sizeof *peers);
		free(device->peers);
	}
	device->peers = peers;
	device->peer_capacity = capacity;
}

struct wg_peer *wg_device_insert(struct wg_device *device, const struct key *public_key)
{
	size_t place = 0;

	while (place < device->peer_count &&
		compare_keys(device->peers[place].public_key.bytes, public_key->bytes) < 0)
		place++;
	if (device->peer_count == device->peer_capacity)
		grow_peers(device);
	memmove(&device->peers[place + 1], &device->peers[place],
		(device->peer_count - place) * sizeof device->peers[0]);
	device->peers[place] = (struct wg_peer){.public_key = *public_key};
	device->peer_count++;
	return &device->peers[place];
}

void wg_device_remove(struct wg_device *device, struct wg_peer *peer)
{
	size_t place = (size_t)(peer - device->peers);

	free(peer->allowed_ips);
	device->peer_count--;
	memmove(peer, peer + 1, (device->peer_count - place) * sizeof *peer);
	mem_wipe(&device->peers[device->peer_count], sizeof *peer);
}

void wg_peer_add_allowed_ip(struct wg_peer *peer, const struct prefix *prefix)
{
	peer->allowed_ips = mem_grow(peer->allowed_ips, &peer->allowed_ip_capacity,
		peer->allowed_ip_count + 1, sizeof peer->allowed_ips[0]);
	peer->allowed_ips[peer->allowed_ip_count++] = prefix_mask(prefix);
}

static struct wg_peer *add_peer(struct wg_builder *builder, const struct key *public_key)
{
	struct wg_device *device = builder->device;
	struct wg_index_entry *entry = mem_new(1, sizeof *entry);

	if (device->peer_count == device->peer_capacity)
		grow_peers(device);
	entry->public_key = *public_key;
	entry->place = device->peer_count;
	HASH_ADD(hh, builder->index, public_key, sizeof entry->public_key, entry);
	device->peers[entry->place].public_key = *public_key;
	return &device->peers[device->peer_count++];
}

struct wg_peer *wg_builder_peer(struct wg_builder *builder, const struct key *public_key)
{
	struct wg_index_entry *entry = NULL;

	HASH_FIND(hh, builder->index, public_key, sizeof *public_key, entry);
	if (entry)
		return &builder->device->peers[entry->place];
	return builder->device->peer_count < WG_PEERS_MAX ? add_peer(builder, public_key) : NULL;
}

int wg_builder_allowed_ip(struct wg_builder *builder, struct wg_peer *peer, const struct prefix *prefix)
{
	if (builder->allowed_ip_count == WG_ALLOWED_IPS_MAX)
		return -E2BIG;
	wg_peer_add_allowed_ip(peer, prefix);
	builder->allowed_ip_count++;
	return 0;
}

void wg_builder_restart(struct wg_builder *builder)
{
	clear_index(builder);
	wg_device_clear(builder->device);
	builder->allowed_ip_count = 0;
}

void wg_builder_finish(struct wg_builder *builder)
{
	clear_index(builder);
	if (builder->device->peer_count)
		qsort(builder->device->peers, builder->device->peer_count, sizeof builder->device->peers[0],
			compare_peers);
}

void wg_builder_abort(struct wg_builder *builder)
{
	wg_builder_restart(builder);
}
