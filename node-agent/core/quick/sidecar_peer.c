/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/sidecar_int.h"

/* A number without a route to put it on is a slip. */
static int read_route_number(
	const struct conf_node *map, const char *key, bool unrouted, uint32_t *ret_number, struct err *err)
{
	uint64_t number = 0;
	int r = conf_get_u64(map, key, 1, UINT32_MAX, &number, err);

	if (r >= 0 && number && unrouted)
		return conf_fail(
			conf_find(map, key), err, -EINVAL, "%s: with route: false there is no route", key);
	if (r >= 0)
		*ret_number = (uint32_t)number;
	return r;
}

static int read_routing(const struct conf_node *map, struct quick_sidecar_peer *peer, struct err *err)
{
	bool routed = true;
	int r = conf_get_bool(map, "route", &routed, err);

	peer->unrouted = !routed;
	if (r >= 0)
		r = read_route_number(map, "route_metric", peer->unrouted, &peer->route_metric, err);
	if (r >= 0)
		r = read_route_number(map, "route_table", peer->unrouted, &peer->route_table, err);
	return r;
}

static int read_peer(const struct conf_pair *pair, struct quick_sidecar_peer *peer, struct err *err)
{
	static const char *const known[] = {
		"preshared_key_file", "disabled", "route", "route_metric", "route_table"};
	int r = conf_as_key(pair->key, &peer->public_key, err);

	if (r < 0)
		return err_prefix(err, r, "peers");
	peer->place = quick_sidecar_place(pair->key);
	r = conf_check_keys(pair->value, known, ARRAY_COUNT(known), err);
	if (r >= 0)
		r = quick_sidecar_path(pair->value, "preshared_key_file", &peer->preshared_key_file, err);
	if (r >= 0)
		r = conf_get_bool(pair->value, "disabled", &peer->disabled, err);
	return r < 0 ? r : read_routing(pair->value, peer, err);
}

static int by_key(const void *left, const void *right)
{
	const struct quick_sidecar_peer *a = left, *b = right;

	return memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

int quick_sidecar_read_peers(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	const struct conf_node *peers = conf_find(root, "peers");
	int r = peers ? conf_expect_mapping(peers, err) : 0;

	if (r < 0)
		return err_prefix(err, r, "peers");
	if (!peers || !peers->count)
		return 0;
	if (peers->count > QUICK_SIDECAR_PEERS_MAX)
		return conf_fail(peers, err, -E2BIG, "peers: %zu are too many: at most %d", peers->count,
			(int)QUICK_SIDECAR_PEERS_MAX);
	sidecar->peers = mem_new(peers->count, sizeof(*sidecar->peers));
	for (size_t i = 0; i < peers->count && r >= 0; i++)
		r = read_peer(&peers->pairs[i], &sidecar->peers[sidecar->peer_count++], err);
	qsort(sidecar->peers, sidecar->peer_count, sizeof(*sidecar->peers), by_key);
	return r;
}
