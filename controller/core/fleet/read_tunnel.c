/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/reader.h"

static void read_override(struct reader *reader, const struct conf_pair *pair, struct fleet_tunnel *tunnel)
{
	struct fleet_override *override = &tunnel->overrides[tunnel->override_count];
	const char *name;

	if (!reader_ok_in(
		    reader, "overrides", conf_as_name(pair->key, PROTO_NAME_MAX, &name, &reader->err)) ||
		!reader_keys(reader, pair->value, KEYS_OVERRIDE))
		return;
	(void)text_copy(override->gateway.name, sizeof(override->gateway.name), name);
	override->gateway.place = reader_place(reader, pair->key);
	override->gateway.index = SIZE_MAX;
	fleet_settings_copy(&override->settings, &tunnel->settings);
	read_settings(reader, pair->value, &override->settings);
	tunnel->override_count++;
}

static void read_overrides(struct reader *reader, const struct conf_node *map, struct fleet_tunnel *tunnel)
{
	const struct conf_node *node = conf_find(map, "overrides");

	if (!node || !reader_ok_in(reader, "overrides", conf_expect_mapping(node, &reader->err)) ||
		!node->count)
		return;
	if (node->count > PROTO_GATEWAYS_MAX) {
		reader_fail(reader, node, "overrides: %zu are too many: at most %d", node->count,
			PROTO_GATEWAYS_MAX);
		return;
	}
	tunnel->overrides = mem_new(node->count, sizeof(*tunnel->overrides));
	for (size_t i = 0; i < node->count; i++)
		read_override(reader, &node->pairs[i], tunnel);
}

static void read_own_gateways(struct reader *reader, const struct conf_node *map, struct fleet_tunnel *tunnel)
{
	if (!conf_list_count(conf_find(map, "gateways")))
		return;
	tunnel->gateways = mem_new(PROTO_POOL_MAX, sizeof(*tunnel->gateways));
	tunnel->gateway_count = reader_references(reader, map, "gateways", PROTO_POOL_MAX, tunnel->gateways);
}

static void read_tunnel(struct reader *reader, const struct conf_node *map, struct fleet_tunnel *tunnel)
{
	static const char *const needed[] = {"private_key_file", "public_key", "listen_port"};

	if (!reader_keys(reader, map, KEYS_TUNNEL))
		return;
	for (size_t i = 0; i < ARRAY_COUNT(needed); i++)
		(void)reader_require(reader, map, needed[i]);
	(void)reader_ok(reader, conf_get_key(map, "public_key", &tunnel->public_key, &reader->err));
	read_settings(reader, map, &tunnel->settings);
	read_overrides(reader, map, tunnel);
	read_own_gateways(reader, map, tunnel);
	read_client(reader, map, &tunnel->client);
}

static bool is_new(struct reader *reader, const struct conf_node *key)
{
	const struct fleet *fleet = reader->fleet;

	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		const struct fleet_place *place = &fleet->tunnels[i].place;

		if (strcmp(fleet->tunnels[i].name, key->text) != 0)
			continue;
		reader_fail(reader, key, "tunnel %s is there already, at %s:%u:%u", key->text,
			fleet->sources[place->source], place->line, place->column);
		return false;
	}
	return true;
}

static struct fleet_tunnel *add_tunnel(struct reader *reader, const struct conf_node *key, const char *name)
{
	struct fleet *fleet = reader->fleet;
	struct fleet_tunnel *tunnel;

	if (fleet->tunnel_count == PROTO_TUNNELS_MAX) {
		reader_fail(reader, key, "more than %d tunnels", PROTO_TUNNELS_MAX);
		return NULL;
	}
	fleet->tunnels = mem_grow(
		fleet->tunnels, &reader->tunnel_capacity, fleet->tunnel_count + 1, sizeof(*fleet->tunnels));
	tunnel = &fleet->tunnels[fleet->tunnel_count++];
	(void)text_copy(tunnel->name, sizeof(tunnel->name), name);
	tunnel->place = reader_place(reader, key);
	tunnel->endpoint = FLEET_NO_ENDPOINT;
	return tunnel;
}

void read_tunnels(struct reader *reader, const struct conf_node *node)
{
	if (!reader_ok_in(reader, "tunnels", conf_expect_mapping(node, &reader->err)))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct conf_pair *pair = &node->pairs[i];
		struct fleet_tunnel *tunnel;
		const char *name;

		if (!reader_ok_in(reader, "tunnels",
			    conf_as_name(pair->key, PROTO_INTERFACE_MAX, &name, &reader->err)) ||
			!is_new(reader, pair->key))
			continue;
		tunnel = add_tunnel(reader, pair->key, name);
		if (!tunnel)
			return;
		read_tunnel(reader, pair->value, tunnel);
	}
}
