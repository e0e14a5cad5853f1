/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/date.h"
#include "common/base/host.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/reader.h"

/* What says who has a prefix that several peers have. */
static void read_sharing(
	struct reader *reader, const struct conf_node *map, struct fleet_allowed_ip *allowed_ip)
{
	const struct conf_node *probe = conf_find(map, "probe");
	uint64_t priority = FLEET_PRIORITY;

	(void)reader_ok(
		reader, conf_get_u64(map, "priority", 0, PROTO_PRIORITY_MAX, &priority, &reader->err));
	allowed_ip->priority = (uint32_t)priority;
	allowed_ip->movable = probe || conf_find(map, "priority");
	if (!probe || !reader_addr(reader, "probe", probe, &allowed_ip->probe))
		return;
	allowed_ip->probe_place = reader_place(reader, probe);
}

/* PREFIX, or {prefix: PREFIX, ...}. */
static const struct conf_node *read_claim(
	struct reader *reader, const struct conf_node *node, struct fleet_allowed_ip *allowed_ip)
{
	*allowed_ip = (struct fleet_allowed_ip){.priority = FLEET_PRIORITY};
	if (node->kind != CONF_MAPPING || !conf_find(node, "prefix"))
		return node;
	(void)reader_keys(reader, node, KEYS_ALLOWED_IP);
	read_sharing(reader, node, allowed_ip);
	return conf_find(node, "prefix");
}

static void read_allowed_ip(struct reader *reader, const struct conf_node *item, struct fleet_peer *peer)
{
	struct fleet_allowed_ip *allowed_ip = &peer->allowed_ips[peer->allowed_ip_count];
	const struct conf_node *node = read_claim(reader, item, allowed_ip);
	char text[PREFIX_TEXT_MAX];
	struct prefix masked;

	if (!reader_prefix(reader, "allowed_ips", node, &allowed_ip->prefix))
		return;
	masked = prefix_mask(&allowed_ip->prefix);
	if (!prefix_equal(&masked, &allowed_ip->prefix))
		reader_warn(reader, WARNING_HOST_BITS, node, "allowed_ips: %s means all of %s", node->text,
			prefix_format(&masked, text, sizeof(text)));
	allowed_ip->prefix = masked;
	allowed_ip->place = reader_place(reader, node);
	peer->allowed_ip_count++;
}

static int compare_allowed_ips(const void *left, const void *right)
{
	const struct fleet_allowed_ip *a = left, *b = right;
	int order = prefix_compare(&a->prefix, &b->prefix);

	if (!order)
		order = (a->place.line > b->place.line) - (a->place.line < b->place.line);
	return order ? order : (a->place.column > b->place.column) - (a->place.column < b->place.column);
}

static void read_allowed_ips(struct reader *reader, const struct conf_node *map, struct fleet_peer *peer)
{
	const struct conf_node *list = reader_list(reader, map, "allowed_ips", PROTO_ALLOWED_IPS_MAX);

	if (!conf_list_count(list))
		return;
	peer->allowed_ips = mem_new(conf_list_count(list), sizeof(*peer->allowed_ips));
	for (size_t i = 0; i < conf_list_count(list); i++)
		read_allowed_ip(reader, conf_list_item(list, i), peer);
	if (peer->allowed_ip_count)
		qsort(peer->allowed_ips, peer->allowed_ip_count, sizeof(*peer->allowed_ips),
			compare_allowed_ips);
}

/* It has the one colon of NAME:PORT, and letters that no address has. */
static bool is_named(const struct conf_node *node)
{
	const char *colon = node->kind == CONF_SCALAR ? strrchr(node->text, ':') : NULL;
	size_t length = colon ? (size_t)(colon - node->text) : 0;

	return colon && strchr(node->text, ':') == colon && strspn(node->text, "0123456789.") < length;
}

static void read_named(struct reader *reader, const struct conf_node *node, struct fleet_peer *peer)
{
	char name[HOST_MAX + 1];
	struct err err = {0};

	if (host_parse(node->text, name, &peer->endpoint_port, &err) < 0)
		reader_fail(reader, node, "endpoint: %s", err.text);
	else
		peer->endpoint_host = mem_text(name);
}

static void read_dialled(struct reader *reader, const struct conf_node *map, struct fleet_peer *peer)
{
	const struct conf_node *node = conf_find(map, "endpoint");

	if (node && node->kind == CONF_SCALAR && strchr(node->text, '%'))
		reader_fail(reader, node,
			"endpoint: a zone is an interface of one gateway, and another one, or none, on the "
			"next: give the peer an address that is not link-local");
	else if (node && is_named(node))
		read_named(reader, node, peer);
	else if (node)
		(void)reader_ok_in(reader, "endpoint", conf_as_endpoint(node, &peer->endpoint, &reader->err));
}

/* A number without a route to put it on is a slip. */
static void read_route_number(struct reader *reader, const struct conf_node *map, const char *key,
	bool routed, uint32_t *ret_number)
{
	const struct conf_node *node = conf_find(map, key);
	uint64_t number;

	if (!node || !reader_ok_in(reader, key, conf_as_u64(node, 1, UINT32_MAX, &number, &reader->err)))
		return;
	if (!routed)
		reader_fail(reader, node, "%s: with route: false there is no route", key);
	*ret_number = (uint32_t)number;
}

static void read_routing(struct reader *reader, const struct conf_node *map, struct fleet_peer *peer)
{
	bool routed = true;

	(void)reader_ok(reader, conf_get_bool(map, "route", &routed, &reader->err));
	peer->unrouted = !routed;
	read_route_number(reader, map, "route_metric", routed, &peer->route_metric);
	read_route_number(reader, map, "route_table", routed, &peer->route_table);
}

static void read_peer_tunnels(struct reader *reader, const struct conf_node *map, struct fleet_peer *peer)
{
	const struct conf_node *list = reader_list(reader, map, "tunnels", PROTO_TUNNELS_MAX);

	if (!conf_list_count(list))
		return;
	peer->tunnels = mem_new(conf_list_count(list), sizeof(*peer->tunnels));
	peer->tunnel_count = reader_references(reader, map, "tunnels", PROTO_TUNNELS_MAX, peer->tunnels);
}

static void read_peer_groups(struct reader *reader, const struct conf_node *map, struct fleet_peer *peer)
{
	const struct conf_node *list = reader_list(reader, map, "groups", PROTO_GROUPS_MAX);

	if (!conf_list_count(list))
		return;
	peer->groups = mem_new(conf_list_count(list), sizeof(*peer->groups));
	peer->group_count = reader_references(reader, map, "groups", PROTO_GROUPS_MAX, peer->groups);
}

static void read_expiry(struct reader *reader, const struct conf_node *map, struct fleet_peer *peer)
{
	const struct conf_node *node = conf_find(map, "expires");
	const char *text;
	struct err err;

	if (!node ||
		!reader_ok_in(reader, "expires", conf_as_text(node, PROTO_NAME_MAX, &text, &reader->err)))
		return;
	peer->expires_place = reader_place(reader, node);
	if (date_parse_until(text, &peer->expires_s, &err) < 0)
		reader_fail(reader, node, "expires: %s", err.text);
}

static void read_peer(struct reader *reader, const struct conf_node *map, struct fleet_peer *peer)
{
	const char *path = NULL;

	if (!reader_keys(reader, map, KEYS_PEER))
		return;
	if (reader_require(reader, map, "public_key")) {
		peer->key_place = reader_place(reader, conf_find(map, "public_key"));
		(void)reader_ok(reader, conf_get_key(map, "public_key", &peer->public_key, &reader->err));
	}
	if (reader_ok(reader, conf_get_text(map, "preshared_key_file", PROTO_PATH_MAX, &path, &reader->err)))
		peer->preshared_key_file = mem_text(path);
	read_allowed_ips(reader, map, peer);
	read_dialled(reader, map, peer);
	(void)reader_keepalive(reader, map, &peer->keepalive_s);
	read_routing(reader, map, peer);
	(void)reader_ok(reader, conf_get_bool(map, "disabled", &peer->disabled, &reader->err));
	read_peer_tunnels(reader, map, peer);
	read_peer_groups(reader, map, peer);
	read_expiry(reader, map, peer);
}

static struct fleet_peer *add_peer(struct reader *reader, const struct conf_node *key, const char *name)
{
	struct fleet *fleet = reader->fleet;
	struct fleet_peer *peer;

	if (fleet->peer_count == PROTO_PEERS_MAX) {
		reader_fail(reader, key, "more than %d peers", PROTO_PEERS_MAX);
		return NULL;
	}
	fleet->peers =
		mem_grow(fleet->peers, &reader->peer_capacity, fleet->peer_count + 1, sizeof(*fleet->peers));
	peer = &fleet->peers[fleet->peer_count++];
	(void)text_copy(peer->name, sizeof(peer->name), name);
	peer->place = reader_place(reader, key);
	return peer;
}

void read_peers(struct reader *reader, const struct conf_node *node)
{
	if (!reader_ok_in(reader, "peers", conf_expect_mapping(node, &reader->err)))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct conf_pair *pair = &node->pairs[i];
		struct fleet_peer *peer;
		const char *name;

		if (!reader_ok_in(
			    reader, "peers", conf_as_name(pair->key, PROTO_NAME_MAX, &name, &reader->err)))
			continue;
		peer = add_peer(reader, pair->key, name);
		if (!peer)
			return;
		read_peer(reader, pair->value, peer);
	}
}
