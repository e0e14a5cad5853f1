/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/yaml/conf.h"
#include "node-agent/core/quick/sidecar.h"

/* A peer with what can be said of it is a handful of nodes. */
static const struct conf_limits limits = {
	.max_bytes = QUICK_SIDECAR_MAX_BYTES, .max_depth = 16, .max_nodes = 2000000};

static struct quick_place place_of(const struct conf_node *node)
{
	return (struct quick_place){node->line, node->column};
}

/* ---- the interface ---- */

static int read_path(const struct conf_node *map, const char *key, char **ret_path, struct err *err)
{
	const char *path = NULL;
	int r = conf_get_text(map, key, QUICK_KEY_PATH_MAX, &path, err);

	if (r >= 0 && path)
		*ret_path = mem_text(path);
	return r;
}

static int read_private_key(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	const struct conf_node *key = conf_find_key(root, "private_key_file");

	if (key)
		sidecar->private_key_place = place_of(key);
	return read_path(root, "private_key_file", &sidecar->private_key_file, err);
}

/* ---- peers ---- */

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
	peer->place = place_of(pair->key);
	r = conf_check_keys(pair->value, known, ARRAY_COUNT(known), err);
	if (r >= 0)
		r = read_path(pair->value, "preshared_key_file", &peer->preshared_key_file, err);
	if (r >= 0)
		r = conf_get_bool(pair->value, "disabled", &peer->disabled, err);
	return r < 0 ? r : read_routing(pair->value, peer, err);
}

static int by_key(const void *left, const void *right)
{
	const struct quick_sidecar_peer *a = left, *b = right;

	return memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

static int read_peers(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
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

/* ---- all of it ---- */

static int read_root(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	static const char *const known[] = {"private_key_file", "peers"};
	static int (*const parts[])(const struct conf_node *, struct quick_sidecar *, struct err *) = {
		read_private_key, read_peers};
	int r = conf_check_keys(root, known, ARRAY_COUNT(known), err);

	for (size_t i = 0; i < ARRAY_COUNT(parts) && r >= 0; i++)
		r = parts[i](root, sidecar, err);
	return r;
}

int quick_sidecar_read(
	const char *file, const char *text, size_t size, struct quick_sidecar *ret_sidecar, struct err *err)
{
	struct quick_sidecar sidecar = {0};
	struct conf_doc *doc;
	int r = conf_parse(file, text, size, &limits, &doc, err);

	if (r < 0)
		return r;
	r = read_root(conf_root(doc), &sidecar, err);
	conf_free(doc);
	if (r < 0)
		quick_sidecar_clear(&sidecar);
	else
		*ret_sidecar = sidecar;
	return r;
}
