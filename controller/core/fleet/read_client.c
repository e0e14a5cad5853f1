/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/host.h"
#include "common/base/mem.h"
#include "controller/core/fleet/reader.h"

enum { CLIENT_MTU_MIN = 576 };

/* A server's address, or a search domain: wg-quick tells them apart likewise. */
static void read_dns_item(struct reader *reader, const struct conf_node *item, struct fleet_client *client)
{
	const char *text;
	struct addr addr;

	if (!reader_ok_in(reader, "dns", conf_as_text(item, HOST_MAX, &text, &reader->err)))
		return;
	if (addr_parse(text, &addr, NULL) && !host_is_name(text)) {
		reader_fail(reader, item, "dns: \"%s\" is neither an address nor a domain", text);
		return;
	}
	client->dns[client->dns_count++] = mem_text(text);
}

static void read_dns(struct reader *reader, const struct conf_node *map, struct fleet_client *client)
{
	const struct conf_node *list = reader_list(reader, map, "dns", FLEET_DNS_MAX);

	client->has_dns = conf_find(map, "dns") != NULL;
	if (!conf_list_count(list))
		return;
	client->dns = mem_new(conf_list_count(list), sizeof(*client->dns));
	for (size_t i = 0; i < conf_list_count(list); i++)
		read_dns_item(reader, conf_list_item(list, i), client);
}

void read_client(struct reader *reader, const struct conf_node *map, struct fleet_client *client)
{
	const struct conf_node *node = conf_find(map, "client");
	uint64_t mtu = 0;

	if (!node || !reader_keys(reader, node, KEYS_CLIENT))
		return;
	read_dns(reader, node, client);
	client->has_mtu = conf_find(node, "mtu") != NULL;
	if (reader_ok(reader, conf_get_u64(node, "mtu", CLIENT_MTU_MIN, UINT16_MAX, &mtu, &reader->err)))
		client->mtu = (uint32_t)mtu;
	client->has_routes = conf_find(node, "routes") != NULL;
	client->route_count = reader_reach(reader, node, "routes", FLEET_CLIENT_ROUTES_MAX, &client->routes);
	client->has_keepalive = reader_keepalive(reader, node, &client->keepalive_s);
}
