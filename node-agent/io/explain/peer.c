/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/explain/gather_int.h"
#include "node-agent/io/wireguard/wireguard.h"

static void find_holder(
	const struct wg_device *device, const struct addr *to, struct explain_holder *ret_holder)
{
	struct explain_holder holder = {0};

	for (size_t i = 0; i < device->peer_count; i++) {
		const struct wg_peer *peer = &device->peers[i];

		for (size_t j = 0; j < peer->allowed_ip_count; j++) {
			const struct prefix *prefix = &peer->allowed_ips[j];

			if (!prefix_contains(prefix, to) ||
				(holder.found && prefix->length <= holder.prefix.length))
				continue;
			holder = (struct explain_holder){true, peer->public_key, *prefix};
		}
	}
	*ret_holder = holder;
}

static void take_device(
	const struct wg_device *device, const struct wg_peer *peer, struct explain_facts *facts)
{
	facts->found = true;
	facts->tunnel = (struct explain_tunnel){.ifindex = device->ifindex,
		.public_key = device->public_key,
		.has_private_key = !key_is_zero(&device->public_key),
		.fwmark = device->fwmark,
		.listen_port = device->listen_port};
	text_copy(facts->tunnel.name, sizeof(facts->tunnel.name), device->name);
	facts->peer = (struct explain_peer){.public_key = peer->public_key,
		.endpoint = peer->endpoint,
		.keepalive_s = peer->keepalive_s,
		.handshake_s = peer->handshake_s,
		.rx_bytes = peer->rx_bytes,
		.tx_bytes = peer->tx_bytes};
	find_holder(device, &facts->question.to, &facts->holder);
}

/* A key may be a peer of several tunnels: the one that gives it the address is meant, else the first. */
static bool is_better(
	const struct wanted *wanted, const struct wg_device *device, const struct explain_facts *facts)
{
	struct explain_holder holder;

	if (!facts->found || !strcmp(device->name, wanted->tunnel))
		return true;
	if (!strcmp(facts->tunnel.name, wanted->tunnel) ||
		(facts->holder.found && key_equal(&facts->holder.peer, &wanted->public_key)))
		return false;
	find_holder(device, &facts->question.to, &holder);
	return holder.found && key_equal(&holder.peer, &wanted->public_key);
}

/* A device that went meanwhile, or does not answer, is not the one. */
static void look_at_device(const char *name, const struct wanted *wanted, struct explain_facts *facts)
{
	CLEANUP_WG_DEVICE struct wg_device device = {0};
	const struct wg_peer *peer = NULL;
	struct wg *wg;

	if (wg_open(name, WG_TIMEOUT_MS, &wg, NULL) < 0)
		return;
	if (wg_get(wg, &device, NULL) >= 0)
		peer = wg_device_peer(&device, &wanted->public_key);
	wg_close(wg);
	if (peer && is_better(wanted, &device, facts))
		take_device(&device, peer, facts);
}

int explain_find_peer(const struct wanted *wanted, struct explain_facts *facts, struct err *err)
{
	CLEANUP_FREE char(*names)[IFNAMSIZ] = NULL;
	size_t count = 0;
	int r;

	if (!wanted->has_key)
		return 0;
	r = wg_list(&names, &count, err);
	for (size_t i = 0; r >= 0 && i < count; i++)
		look_at_device(names[i], wanted, facts);
	return r;
}
