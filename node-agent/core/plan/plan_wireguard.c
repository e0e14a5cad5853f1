/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/plan/plan_int.h"

/* splitmix64's finaliser. */
static uint64_t mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static uint64_t prefix_hash(const struct prefix *prefix)
{
	uint64_t high, low;

	memcpy(&high, prefix->addr.bytes, sizeof(high));
	memcpy(&low, prefix->addr.bytes + sizeof(high), sizeof(low));
	return mix(mix(mix(high) + low) + prefix->addr.family * 256u + prefix->length);
}

/* The kernel tells allowed IPs in no particular order, so a peer's are compared by the sum of their hashes,
 * without sorting 100,000 peers' lists at each look. */
static uint64_t allowed_hash(const struct plan_peer *peer)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		sum += prefix_hash(&peer->allowed_ips[i]);
	return sum;
}

static bool allows_alike(const struct plan_peer *a, const struct plan_peer *b)
{
	return a->allowed_ip_count == b->allowed_ip_count && allowed_hash(a) == allowed_hash(b);
}

static bool wants_endpoint(const struct plan_peer *wanted, const struct plan_peer *now)
{
	if (!addr_is_set(&wanted->endpoint.addr))
		return false;
	if (wanted->endpoint_if_none && addr_is_set(&now->endpoint.addr))
		return false;
	return !endpoint_matches(&wanted->endpoint, &now->endpoint);
}

static unsigned peer_difference(const struct plan_peer *wanted, const struct plan_peer *now)
{
	unsigned flags = 0;

	if (!key_equal(&wanted->preshared_key, &now->preshared_key))
		flags |= PLAN_PEER_PRESHARED_KEY;
	if (wants_endpoint(wanted, now))
		flags |= PLAN_PEER_ENDPOINT;
	if (!wanted->keepalive_any && wanted->keepalive_s != now->keepalive_s)
		flags |= PLAN_PEER_KEEPALIVE;
	if (!allows_alike(wanted, now))
		flags |= PLAN_PEER_ALLOWED_IPS;
	return flags;
}

static unsigned peer_whole(const struct plan_peer *wanted)
{
	static const struct plan_peer nothing;

	return PLAN_PEER_ADD | peer_difference(wanted, &nothing);
}

static void change_peer(struct plan_wireguard *wireguard, const struct plan_peer *peer, unsigned flags)
{
	struct plan_peer_change *changes;

	if (!flags)
		return;
	if (wireguard->change_count == wireguard->change_capacity) {
		size_t capacity = wireguard->change_capacity ? wireguard->change_capacity * 2 : 4;

		changes = mem_new(capacity, sizeof(*changes)); /* not realloc(): it holds keys */
		if (wireguard->change_count)
			memcpy(changes, wireguard->changes, wireguard->change_count * sizeof(*changes));
		mem_wipe(wireguard->changes, wireguard->change_count * sizeof(*changes));
		mem_free_pointer(&wireguard->changes);
		wireguard->changes = changes;
		wireguard->change_capacity = capacity;
	}
	wireguard->changes[wireguard->change_count++] =
		(struct plan_peer_change){.flags = flags, .peer = *peer};
}

static int compare_keys(const struct plan_peer *a, const struct plan_peer *b)
{
	return memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

static void remove_peers(
	struct plan_wireguard *op, const struct plan_device *wanted, const struct plan_device *now)
{
	for (size_t i = 0, j = 0; i < now->peer_count; i++) {
		while (j < wanted->peer_count && compare_keys(&wanted->peers[j], &now->peers[i]) < 0)
			j++;
		if (j == wanted->peer_count || compare_keys(&wanted->peers[j], &now->peers[i]))
			change_peer(op, &(struct plan_peer){.public_key = now->peers[i].public_key},
				PLAN_PEER_REMOVE);
	}
}

static void set_peers(
	struct plan_wireguard *op, const struct plan_device *wanted, const struct plan_device *now)
{
	for (size_t i = 0, j = 0; i < wanted->peer_count; i++) {
		const struct plan_peer *peer = &wanted->peers[i];

		while (j < now->peer_count && compare_keys(&now->peers[j], peer) < 0)
			j++;
		if (j < now->peer_count && !compare_keys(&now->peers[j], peer))
			change_peer(op, peer, peer_difference(peer, &now->peers[j]));
		else
			change_peer(op, peer, peer_whole(peer));
	}
}

static void plan_device(struct plan *plan, const struct plan_device *wanted, const struct plan_device *now)
{
	struct plan_wireguard op = {.listen_port = wanted->listen_port, .fwmark = wanted->fwmark};

	text_copy(op.name, sizeof(op.name), wanted->name);
	op.set_private_key = !key_equal(&wanted->public_key, &now->public_key);
	op.set_listen_port = wanted->listen_port != now->listen_port;
	op.set_fwmark = wanted->fwmark != now->fwmark;
	remove_peers(&op, wanted, now);
	set_peers(&op, wanted, now);
	if (op.set_private_key || op.set_listen_port || op.set_fwmark || op.change_count)
		plan_add(plan, PLAN_WIREGUARD_SET)->wireguard = op;
}

void plan_devices(struct plan *plan, const struct plan_target *target, const struct plan_world *observed)
{
	static const struct plan_device nothing;

	for (size_t i = 0; i < target->world.device_count; i++) {
		const struct plan_device *wanted = &target->world.devices[i];
		const struct plan_device *now = plan_world_find_device(observed, wanted->name);

		if (!plan_world_find_link(observed, wanted->name))
			now = NULL;
		plan_device(plan, wanted, now ? now : &nothing);
	}
}
