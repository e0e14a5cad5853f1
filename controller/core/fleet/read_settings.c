/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/reader.h"

enum { MTU_MIN = 576, LIVENESS_PORT = 7443 };

static bool is_new_address(
	const struct fleet_settings *settings, const struct prefix *address, const struct addr *peer)
{
	for (size_t i = 0; i < settings->address_count; i++) {
		if (prefix_equal(&settings->addresses[i], address) &&
			addr_equal(&settings->address_peers[i], peer))
			return false;
	}
	return true;
}

/* {local: ADDRESS, peer: PREFIX}: the length belongs to the far end, as it does for ip-address(8). */
static bool read_peered(
	struct reader *reader, const struct conf_node *map, struct prefix *ret_address, struct addr *ret_peer)
{
	const struct conf_node *node = conf_find(map, "peer");
	struct prefix peer;
	struct addr local;

	if (!reader_keys(reader, map, KEYS_ADDRESS) || !reader_require(reader, map, "local") ||
		!reader_require(reader, map, "peer") ||
		!reader_addr(reader, "local", conf_find(map, "local"), &local) ||
		!reader_prefix(reader, "peer", node, &peer))
		return false;
	if (local.family != peer.addr.family || addr_equal(&local, &peer.addr)) {
		reader_fail(reader, node, "peer: %s %s", node->text,
			local.family != peer.addr.family ? "and local are of different families"
							 : "is local itself");
		return false;
	}
	*ret_address = (struct prefix){.addr = local, .length = peer.length};
	*ret_peer = peer.addr;
	return true;
}

static bool read_address(struct reader *reader, const struct conf_node *item, struct prefix *ret_address,
	struct addr *ret_peer)
{
	*ret_peer = (struct addr){0};
	if (conf_find(item, "local") || conf_find(item, "peer"))
		return read_peered(reader, item, ret_address, ret_peer);
	return reader_prefix(reader, "address", item, ret_address);
}

static void read_addresses(
	struct reader *reader, const struct conf_node *map, struct fleet_settings *settings)
{
	const struct conf_node *list = reader_list(reader, map, "address", PROTO_ADDRESSES_MAX);

	if (list)
		settings->address_count = 0;
	for (size_t i = 0; i < conf_list_count(list); i++) {
		const struct conf_node *item = conf_list_item(list, i);
		char text[PREFIX_TEXT_MAX];
		struct prefix address;
		struct addr peer;

		if (!read_address(reader, item, &address, &peer))
			continue;
		if (!is_new_address(settings, &address, &peer)) {
			reader_fail(reader, item, "address: %s is there twice",
				item->text ? item->text : prefix_format(&address, text, sizeof(text)));
			continue;
		}
		settings->address_places[settings->address_count] = reader_place(reader, item);
		settings->address_peers[settings->address_count] = peer;
		settings->addresses[settings->address_count++] = address;
	}
}

static void read_listen_port(
	struct reader *reader, const struct conf_node *map, struct fleet_settings *settings)
{
	const struct conf_node *node = conf_find(map, "listen_port");
	uint64_t port;

	if (!node ||
		!reader_ok_in(reader, "listen_port", conf_as_u64(node, 1, UINT16_MAX, &port, &reader->err)))
		return;
	if (port == LIVENESS_PORT)
		reader_fail(reader, node, "listen_port: %d/udp is where gateways watch each other",
			LIVENESS_PORT);
	settings->listen_port = (uint16_t)port;
	settings->listen_port_place = reader_place(reader, node);
}

static void read_fwmark(struct reader *reader, const struct conf_node *map, struct fleet_settings *settings)
{
	const struct conf_node *node = conf_find(map, "fwmark");
	uint64_t fwmark;

	if (!node ||
		!reader_ok_in(reader, "fwmark", conf_as_hex_u64(node, 1, UINT32_MAX, &fwmark, &reader->err)))
		return;
	settings->fwmark = (uint32_t)fwmark;
	settings->fwmark_place = reader_place(reader, node);
}

/* auto, off (which YAML readers may also know as false), or a number. */
static void read_table(struct reader *reader, const struct conf_node *map, struct fleet_settings *settings)
{
	const struct conf_node *node = conf_find(map, "table");
	uint64_t number;
	bool on = true;

	if (!node)
		return;
	if (node->kind == CONF_SCALAR && !strcmp(node->text, "auto")) {
		settings->table = TABLE_AUTO;
	} else if (!conf_as_bool(node, &on, NULL) && !on) {
		settings->table = TABLE_OFF;
	} else if (!conf_as_u64(node, 1, UINT32_MAX, &number, NULL)) {
		settings->table = TABLE_NUMBER;
		settings->table_number = (uint32_t)number;
	} else {
		reader_fail(reader, node, "table: expected auto, off or a number from 1 to 4294967295");
	}
}

void read_settings(struct reader *reader, const struct conf_node *map, struct fleet_settings *settings)
{
	uint64_t mtu = settings->mtu;
	const char *path = NULL;

	if (reader_ok(reader, conf_get_text(map, "private_key_file", PROTO_PATH_MAX, &path, &reader->err)) &&
		path)
		(void)text_copy(settings->private_key_file, sizeof(settings->private_key_file), path);
	if (reader_ok(reader, conf_get_u64(map, "mtu", MTU_MIN, UINT16_MAX, &mtu, &reader->err)))
		settings->mtu = (uint32_t)mtu;
	(void)reader_ok(reader, conf_get_bool(map, "multicast", &settings->multicast, &reader->err));
	(void)reader_ok(reader, conf_get_bool(map, "link_local", &settings->link_local, &reader->err));
	read_addresses(reader, map, settings);
	read_listen_port(reader, map, settings);
	read_fwmark(reader, map, settings);
	read_table(reader, map, settings);
	read_forward(reader, map, &settings->forward);
	read_dns(reader, map, &settings->dns);
	read_hooks(reader, map, settings->hooks);
	read_save_config(reader, map);
}
