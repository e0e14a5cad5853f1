/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/sidecar_int.h"

/* {local: ADDRESS, peer: PREFIX}: the length belongs to the far end, as it does for ip-address(8). */
static int read_peered(const struct conf_node *map, struct quick_sidecar_address *address, struct err *err)
{
	static const char *const known[] = {"local", "peer"};
	const struct conf_node *node;
	struct prefix peer;
	struct addr local;
	int r = conf_check_keys(map, known, ARRAY_COUNT(known), err);

	if (r >= 0)
		r = conf_require(map, "local", NULL, err);
	if (r >= 0)
		r = conf_require(map, "peer", &node, err);
	if (r >= 0)
		r = conf_get_addr(map, "local", &local, err);
	if (r >= 0)
		r = conf_get_prefix(map, "peer", &peer, err);
	if (r < 0)
		return r;
	if (local.family != peer.addr.family)
		return conf_fail(
			node, err, -EINVAL, "peer: %s and local are of different families", node->text);
	if (addr_equal(&local, &peer.addr))
		return conf_fail(node, err, -EINVAL, "peer: %s is local itself", node->text);
	address->prefix = (struct prefix){.addr = local, .length = peer.length};
	address->peer = peer.addr;
	return 0;
}

static int read_address(const struct conf_node *item, struct quick_sidecar_address *address, struct err *err)
{
	int r;

	address->place = quick_sidecar_place(item);
	if (conf_find(item, "local") || conf_find(item, "peer"))
		return read_peered(item, address, err);
	r = conf_as_prefix(item, &address->prefix, err);
	return r < 0 ? err_prefix(err, r, "address") : 0;
}

static bool is_there(const struct quick_sidecar *sidecar, const struct quick_sidecar_address *address)
{
	for (size_t i = 0; i < sidecar->address_count; i++)
		if (prefix_equal(&sidecar->addresses[i].prefix, &address->prefix) &&
			addr_equal(&sidecar->addresses[i].peer, &address->peer))
			return true;
	return false;
}

int quick_sidecar_read_addresses(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	const struct conf_node *list = conf_find(root, "address");
	size_t count = conf_list_count(list);

	if (count > QUICK_SIDECAR_ADDRESSES_MAX)
		return conf_fail(list, err, -E2BIG, "address: %zu are too many: at most %d", count,
			(int)QUICK_SIDECAR_ADDRESSES_MAX);
	for (size_t i = 0; i < count; i++) {
		struct quick_sidecar_address address = {0};
		int r = read_address(conf_list_item(list, i), &address, err);

		if (r < 0)
			return r;
		if (is_there(sidecar, &address))
			return conf_fail(conf_list_item(list, i), err, -EINVAL, "address: it is there twice");
		sidecar->addresses[sidecar->address_count++] = address;
	}
	return 0;
}
