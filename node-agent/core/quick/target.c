/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* ---- memory ---- */

static int by_key(const void *left, const void *right)
{
	const struct quick_memory_peer *a = left, *b = right;

	return memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

static char *endpoint_text(const struct quick_peer *peer)
{
	struct text text = {0};

	if (!peer->host)
		return NULL;
	text_add(&text, "%s:%s", peer->host, peer->service);
	return text_take(&text);
}

void quick_memory_init(struct quick_memory *ret_memory, const struct quick_config *config,
	const struct quick_sidecar *sidecar)
{
	struct quick_memory memory = {.has_private_key = config->has_private_key,
		.has_listen_port = config->has_listen_port,
		.has_fwmark = config->has_fwmark,
		.has_multicast = sidecar->has_multicast};

	memory.peers = mem_new(config->peer_count + 1, sizeof(*memory.peers));
	for (size_t i = 0; i < config->peer_count; i++)
		memory.peers[memory.peer_count++] =
			(struct quick_memory_peer){.public_key = config->peers[i].public_key,
				.has_preshared_key = config->peers[i].has_preshared_key,
				.endpoint = endpoint_text(&config->peers[i])};
	qsort(memory.peers, memory.peer_count, sizeof(*memory.peers), by_key);
	*ret_memory = memory;
}

void quick_memory_clear(struct quick_memory *memory)
{
	if (!memory)
		return;
	for (size_t i = 0; i < memory->peer_count; i++)
		free(memory->peers[i].endpoint);
	free(memory->peers);
	*memory = (struct quick_memory){0};
}

const struct quick_memory_peer *quick_memory_find(const struct quick_memory *memory, const struct key *key)
{
	struct quick_memory_peer wanted = {.public_key = *key};

	if (!memory || !memory->peer_count)
		return NULL;
	return bsearch(&wanted, memory->peers, memory->peer_count, sizeof(wanted), by_key);
}

/* ---- the device ---- */

static const struct plan_peer *live_peer(const struct plan_device *live, const struct key *key)
{
	size_t low = 0, high = live ? live->peer_count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(key->bytes, live->peers[middle].public_key.bytes, KEY_BYTES);

		if (!order)
			return &live->peers[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool endpoint_is_new(const struct quick_memory *memory, const struct quick_peer *from)
{
	const struct quick_memory_peer *before = quick_memory_find(memory, &from->public_key);
	CLEANUP_FREE char *now = endpoint_text(from);

	return !before || !before->endpoint || strcmp(before->endpoint, now) != 0;
}

static void want_peer(struct plan_device *device, const struct quick_facts *facts, size_t index)
{
	const struct quick_peer *from = &facts->config->peers[index];
	const struct plan_peer *live = live_peer(facts->live, &from->public_key);
	const struct quick_memory_peer *before = quick_memory_find(facts->memory, &from->public_key);
	struct plan_peer *peer = plan_device_peer(device, &from->public_key);

	if (from->has_preshared_key)
		peer->preshared_key = from->preshared_key;
	else if (live && !(before && before->has_preshared_key))
		peer->preshared_key = live->preshared_key;
	if (from->host) {
		peer->endpoint = facts->endpoints[index];
		peer->endpoint_if_none = facts->memory && !endpoint_is_new(facts->memory, from);
	}
	peer->keepalive_s = from->keepalive_s;
	peer->allowed_ips = facts->allowed->prefixes + facts->allowed->first[index];
	peer->allowed_ip_count = facts->allowed->first[index + 1] - facts->allowed->first[index];
}

static int compare_peers(const void *left, const void *right)
{
	const struct plan_peer *a = left, *b = right;

	return memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

static bool is_disabled(const struct quick_config *config, const struct key *key)
{
	for (size_t i = 0; i < config->peer_count; i++)
		if (config->peers[i].disabled && key_equal(&config->peers[i].public_key, key))
			return true;
	return false;
}

/* What the file never spoke of (a hook's peer, one set by hand) stays; what it no longer speaks of goes. */
static void keep_peers(struct plan_device *device, const struct quick_facts *facts)
{
	const struct plan_device *live = facts->live;
	size_t wanted = device->peer_count;

	for (size_t i = 0; live && i < live->peer_count; i++)
		if (!(wanted && bsearch(&live->peers[i], device->peers, wanted, sizeof(*device->peers),
					compare_peers)) &&
			!quick_memory_find(facts->memory, &live->peers[i].public_key) &&
			!is_disabled(facts->config, &live->peers[i].public_key))
			*plan_device_peer(device, &live->peers[i].public_key) = live->peers[i];
	if (device->peer_count > wanted)
		qsort(device->peers, device->peer_count, sizeof(*device->peers), compare_peers);
}

/* The kernel drops a peer that has our own key; so it is not asked for. */
static void want_peers(struct plan_device *device, const struct quick_facts *facts)
{
	for (size_t i = 0; i < facts->config->peer_count; i++)
		if (!facts->allowed->superseded[i] && !facts->config->peers[i].disabled &&
			(key_is_zero(&device->public_key) ||
				!key_equal(&device->public_key, &facts->config->peers[i].public_key)))
			want_peer(device, facts, i);
	if (device->peer_count)
		qsort(device->peers, device->peer_count, sizeof(*device->peers), compare_peers);
	keep_peers(device, facts);
}

static void want_device(struct plan_world *world, const struct quick_facts *facts)
{
	struct plan_device *device = plan_world_device(world, facts->name);
	const struct quick_config *config = facts->config;
	const struct quick_memory *memory = facts->memory;

	if (config->has_private_key)
		device->public_key = *facts->public_key;
	else if (facts->live && !(memory && memory->has_private_key))
		device->public_key = facts->live->public_key;
	if (config->has_listen_port)
		device->listen_port = config->listen_port;
	else if (facts->live)
		device->listen_port = facts->live->listen_port;
	if (config->has_fwmark)
		device->fwmark = config->fwmark;
	else if (facts->live && !(memory && memory->has_fwmark))
		device->fwmark = facts->live->fwmark;
	want_peers(device, facts);
}

/* What the sidecar no longer speaks of is as the device came. */
static void want_link(struct plan_world *world, const struct quick_facts *facts)
{
	const struct quick_sidecar *sidecar = facts->sidecar;
	struct plan_link *link = plan_world_link(world, facts->name);

	link->up = true;
	link->mtu = facts->mtu;
	link->multicast = sidecar->has_multicast ? sidecar->multicast : facts->comes_with_multicast;
	link->multicast_fixed = sidecar->has_multicast || (facts->memory && facts->memory->has_multicast);
}

static void want_address(struct plan_world *world, const struct quick_facts *facts,
	const struct prefix *prefix, const struct addr *peer)
{
	if (prefix->addr.family == AF_INET ? facts->has_ip4 : facts->has_ip6)
		plan_world_address(world, facts->name, prefix)->peer = *peer;
}

static void want_addresses(struct plan_world *world, const struct quick_facts *facts)
{
	static const struct addr none = {0};
	const struct quick_sidecar *sidecar = facts->sidecar;

	for (size_t i = 0; i < facts->config->address_count; i++)
		want_address(world, facts, &facts->config->addresses[i], &none);
	for (size_t i = 0; i < sidecar->address_count; i++)
		want_address(world, facts, &sidecar->addresses[i].prefix, &sidecar->addresses[i].peer);
	if (sidecar->link_local) {
		struct prefix link_local = plan_link_local(facts->public_key);

		want_address(world, facts, &link_local, &none);
	}
}

/* Link-local addresses may be the kernel's or another's; those of keys are ours. */
static void scope_device(struct plan_scope *scope, const struct quick_facts *facts)
{
	const struct key *keys[] = {facts->public_key, facts->live ? &facts->live->public_key : NULL};

	scope->links =
		mem_grow(scope->links, &scope->link_capacity, scope->link_count + 1, sizeof(*scope->links));
	text_copy(scope->links[scope->link_count++], sizeof(*scope->links), facts->name);
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		if (keys[i] && !key_is_zero(keys[i])) {
			struct prefix link_local = plan_link_local(keys[i]);

			plan_scope_claim(scope, facts->name, &link_local.addr);
		}
}

void quick_target_device(struct plan_target *target, const struct quick_facts *facts)
{
	want_link(&target->world, facts);
	scope_device(&target->scope, facts);
	want_device(&target->world, facts);
	want_addresses(&target->world, facts);
}
