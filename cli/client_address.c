/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/client_address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct taken {
	struct prefix network; /* masked */
	struct prefix *items;  /* masked, inside the network; sorted by where they begin */
	size_t count, capacity;
};

static void take(struct taken *taken, const struct prefix *prefix)
{
	struct prefix masked = prefix_mask(prefix);

	if (!prefix_covers(&taken->network, &masked) || masked.length == taken->network.length)
		return;
	taken->items = mem_grow(taken->items, &taken->capacity, taken->count + 1, sizeof(*taken->items));
	taken->items[taken->count++] = masked;
}

static void take_address(struct taken *taken, const struct addr *addr)
{
	struct prefix host = addr_to_prefix(addr);

	if (addr_is_set(addr))
		take(taken, &host);
}

static void take_settings(struct taken *taken, const struct fleet_settings *settings)
{
	for (size_t i = 0; i < settings->address_count; i++) {
		take_address(taken, &settings->addresses[i].addr);
		take_address(taken, &settings->address_peers[i]);
	}
}

/* ---- the address after ---- */

static void set_host_bits(struct prefix *prefix)
{
	for (unsigned bit = prefix->length; bit < addr_bits(&prefix->addr); bit++)
		prefix->addr.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

/* False: it was the last of its family. */
static bool increment(struct addr *addr)
{
	for (size_t i = addr_bytes(addr); i-- > 0;)
		if (++addr->bytes[i])
			return true;
	return false;
}

/* The address behind the last of a prefix. */
static bool step_over(struct addr *addr, const struct prefix *prefix)
{
	struct prefix last = *prefix;

	set_host_bits(&last);
	*addr = last.addr;
	return increment(addr);
}

/* ---- what IP gives a meaning to ---- */

static void take_special(struct taken *taken)
{
	struct prefix last = taken->network;
	unsigned bits = addr_bits(&last.addr);

	if (last.length + 1u >= bits)
		return; /* point to point (RFC 3021, RFC 6164): both are hosts */
	take_address(
		taken, &taken->network.addr); /* the network; of IPv6 its routers' anycast (RFC 4291 2.6.1) */
	set_host_bits(&last);
	if (last.addr.family == AF_INET)
		take_address(taken, &last.addr);
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static void take_everybody(struct taken *taken, const struct fleet *fleet)
{
	take_special(taken);
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		const struct fleet_tunnel *tunnel = &fleet->tunnels[i];

		take_settings(taken, &tunnel->settings);
		for (size_t j = 0; j < tunnel->override_count; j++)
			take_settings(taken, &tunnel->overrides[j].settings);
	}
	for (size_t i = 0; i < fleet->peer_count; i++)
		for (size_t j = 0; j < fleet->peers[i].allowed_ip_count; j++)
			take(taken, &fleet->peers[i].allowed_ips[j].prefix);
	qsort(taken->items, taken->count, sizeof(*taken->items), compare);
}

static bool find_free(const struct fleet *fleet, const struct prefix *network, struct prefix *ret_address)
{
	struct taken taken = {.network = prefix_mask(network)};
	struct addr candidate = taken.network.addr;
	bool more = true;

	take_everybody(&taken, fleet);
	for (size_t i = 0; more && i < taken.count; i++) {
		if (prefix_contains(&taken.items[i], &candidate))
			more = step_over(&candidate, &taken.items[i]);
		else if (addr_compare(&taken.items[i].addr, &candidate) > 0)
			break; /* all that follow begin behind it */
	}
	free(taken.items);
	*ret_address = addr_to_prefix(&candidate);
	return more && prefix_contains(&taken.network, &candidate);
}

static bool is_network(const struct fleet_settings *settings, size_t index, int family)
{
	const struct prefix *address = &settings->addresses[index];

	return address->addr.family == family && address->length < addr_bits(&address->addr) &&
	       !addr_is_link_local(&address->addr);
}

/* 1: found; 0: the tunnel has no network of the family; -ENOSPC. */
static int pick_of_family(const struct fleet *fleet, const struct fleet_settings *settings, int family,
	struct prefix *ret_address, struct err *err)
{
	char text[PREFIX_TEXT_MAX];
	struct prefix network = {0};

	for (size_t i = 0; i < settings->address_count; i++) {
		if (!is_network(settings, i, family))
			continue;
		network = prefix_mask(&settings->addresses[i]);
		if (find_free(fleet, &network, ret_address))
			return 1;
	}
	if (!addr_is_set(&network.addr))
		return 0;
	return err_set(err, -ENOSPC,
		"no address is free in %s: give the tunnel another network, or --address",
		prefix_format(&network, text, sizeof(text)));
}

int client_address_pick(const struct fleet *fleet, const struct fleet_tunnel *tunnel,
	struct prefix ret_addresses[CLIENT_ADDRESSES_MAX], size_t *ret_count, struct err *err)
{
	static const int families[CLIENT_ADDRESSES_MAX] = {AF_INET, AF_INET6};
	size_t count = 0;

	for (size_t i = 0; i < CLIENT_ADDRESSES_MAX; i++) {
		int r = pick_of_family(fleet, &tunnel->settings, families[i], &ret_addresses[count], err);

		if (r < 0)
			return r;
		count += (size_t)r;
	}
	if (!count)
		return err_set(err, -ENOENT,
			"tunnel %s has no network to take an address from: give --address", tunnel->name);
	*ret_count = count;
	return 0;
}
