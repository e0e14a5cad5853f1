/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/reader.h"

static bool read_inside(struct reader *reader, const struct conf_node *map, struct fleet_inside *inside)
{
	const struct conf_node *address;

	if (!reader_keys(reader, map, KEYS_INSIDE) ||
		!reader_reference(reader, map, "interface", &inside->role) ||
		!reader_require(reader, map, "address"))
		return false;
	address = conf_find(map, "address");
	if (!reader_prefix(reader, "address", address, &inside->address))
		return false;
	inside->place = reader_place(reader, address);
	if (!strchr(address->text, '/')) {
		reader_fail(reader, address, "address: %s needs the length of its network, such as %s/%d",
			address->text, address->text, inside->address.addr.family == AF_INET ? 24 : 64);
		return false;
	}
	return true;
}

void read_insides(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint)
{
	const struct conf_node *list = reader_list(reader, map, "inside", PROTO_ADDRESSES_MAX);

	for (size_t i = 0; i < conf_list_count(list); i++) {
		if (read_inside(reader, conf_list_item(list, i), &endpoint->inside[endpoint->inside_count]))
			endpoint->inside_count++;
	}
}
