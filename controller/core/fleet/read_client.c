/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/reader.h"

enum { CLIENT_MTU_MIN = 576 };

void read_client(struct reader *reader, const struct conf_node *map, struct fleet_client *client)
{
	const struct conf_node *node = conf_find(map, "client");
	uint64_t mtu = 0;

	if (!node || !reader_keys(reader, node, KEYS_CLIENT))
		return;
	client->has_dns = reader_dns(reader, node, FLEET_DNS_MAX, &client->dns);
	client->has_mtu = conf_find(node, "mtu") != NULL;
	if (reader_ok(reader, conf_get_u64(node, "mtu", CLIENT_MTU_MIN, UINT16_MAX, &mtu, &reader->err)))
		client->mtu = (uint32_t)mtu;
	client->has_routes = conf_find(node, "routes") != NULL;
	client->route_count = reader_reach(reader, node, "routes", FLEET_CLIENT_ROUTES_MAX, &client->routes);
	client->has_keepalive = reader_keepalive(reader, node, &client->keepalive_s);
}
