/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/reader.h"

static void read_interface(struct reader *reader, const struct conf_pair *pair, struct fleet_gateway *gateway)
{
	struct fleet_interface *interface = &gateway->interfaces[gateway->interface_count];
	const char *role, *name;

	if (!reader_ok_in(
		    reader, "interfaces", conf_as_name(pair->key, PROTO_NAME_MAX, &role, &reader->err)) ||
		!reader_ok_in(
			reader, role, conf_as_name(pair->value, PROTO_INTERFACE_MAX, &name, &reader->err)))
		return;
	(void)text_copy(interface->role, sizeof(interface->role), role);
	(void)text_copy(interface->name, sizeof(interface->name), name);
	gateway->interface_count++;
}

static void read_interfaces(
	struct reader *reader, const struct conf_node *node, struct fleet_gateway *gateway)
{
	if (!node || !reader_ok_in(reader, "interfaces", conf_expect_mapping(node, &reader->err)))
		return;
	if (node->count > FLEET_ROLES_MAX) {
		reader_fail(reader, node, "interfaces: %zu are too many: at most %d", node->count,
			FLEET_ROLES_MAX);
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		read_interface(reader, &node->pairs[i], gateway);
}

static void read_gateway(struct reader *reader, const struct conf_node *map, struct fleet_gateway *gateway)
{
	if (!reader_keys(reader, map, KEYS_GATEWAY) || !reader_require(reader, map, "address"))
		return;
	gateway->address_count =
		reader_addrs(reader, map, "address", gateway->addresses, gateway->address_places);
	if (!conf_list_count(conf_find(map, "address")))
		reader_fail(reader, map, "address: a gateway needs at least one address of its own");
	read_interfaces(reader, conf_find(map, "interfaces"), gateway);
}

static bool is_new(struct reader *reader, const struct conf_node *key)
{
	const struct fleet_gateway *other = fleet_find_gateway(reader->fleet, key->text);

	if (other)
		reader_fail(reader, key, "gateway %s is there already, at %s:%u:%u", key->text,
			reader->fleet->sources[other->place.source], other->place.line, other->place.column);
	return !other;
}

static struct fleet_gateway *add_gateway(struct reader *reader, const struct conf_node *key, const char *name)
{
	struct fleet *fleet = reader->fleet;
	struct fleet_gateway *gateway;

	if (fleet->gateway_count == PROTO_GATEWAYS_MAX) {
		reader_fail(reader, key, "more than %d gateways", PROTO_GATEWAYS_MAX);
		return NULL;
	}
	fleet->gateways = mem_grow(fleet->gateways, &reader->gateway_capacity, fleet->gateway_count + 1,
		sizeof(*fleet->gateways));
	gateway = &fleet->gateways[fleet->gateway_count++];
	(void)text_copy(gateway->name, sizeof(gateway->name), name);
	gateway->place = reader_place(reader, key);
	return gateway;
}

void read_gateways(struct reader *reader, const struct conf_node *node)
{
	if (!reader_ok_in(reader, "gateways", conf_expect_mapping(node, &reader->err)))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct conf_pair *pair = &node->pairs[i];
		struct fleet_gateway *gateway;
		const char *name;

		if (!reader_ok_in(reader, "gateways",
			    conf_as_name(pair->key, PROTO_NAME_MAX, &name, &reader->err)) ||
			!is_new(reader, pair->key))
			continue;
		gateway = add_gateway(reader, pair->key, name);
		if (!gateway)
			return;
		read_gateway(reader, pair->value, gateway);
	}
}
