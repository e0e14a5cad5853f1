/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/reader.h"

static bool read_to(struct reader *reader, const struct conf_node *map, struct fleet_route *route)
{
	const struct conf_node *to = conf_find(map, "to");
	char text[PREFIX_TEXT_MAX];
	struct prefix masked;

	if (!reader_require(reader, map, "to") || !reader_prefix(reader, "to", to, &route->to))
		return false;
	route->place = reader_place(reader, to);
	masked = prefix_mask(&route->to);
	if (prefix_equal(&route->to, &masked))
		return true;
	reader_fail(reader, to, "to: %s has bits beyond its length; the network is %s", to->text,
		prefix_format(&masked, text, sizeof(text)));
	return false;
}

/* An address of the same family as where the route leads. */
static void read_addr(struct reader *reader, const struct conf_node *map, const char *key,
	const struct fleet_route *route, struct addr *ret_addr)
{
	const struct conf_node *node = conf_find(map, key);

	if (!node || !reader_addr(reader, key, node, ret_addr))
		return;
	if (ret_addr->family != route->to.addr.family)
		reader_fail(reader, node, "%s: %s is of another family than the route", key, node->text);
}

static bool read_route(struct reader *reader, const struct conf_node *map, struct fleet_route *route)
{
	uint64_t table = 0, metric = 0;

	if (!reader_keys(reader, map, KEYS_ROUTE) || !read_to(reader, map, route) ||
		!reader_reference(reader, map, "interface", &route->role))
		return false;
	read_addr(reader, map, "via", route, &route->via);
	read_addr(reader, map, "src", route, &route->src);
	(void)reader_ok(reader, conf_get_u64(map, "table", 1, UINT32_MAX, &table, &reader->err));
	(void)reader_ok(reader, conf_get_u64(map, "metric", 0, UINT32_MAX, &metric, &reader->err));
	route->table = (uint32_t)table;
	route->metric = (uint32_t)metric;
	return true;
}

void read_routes(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint)
{
	const struct conf_node *list = reader_list(reader, map, "routes", PROTO_ROUTES_MAX);

	if (!conf_list_count(list))
		return;
	endpoint->routes = mem_new(conf_list_count(list), sizeof(*endpoint->routes));
	for (size_t i = 0; i < conf_list_count(list); i++) {
		if (read_route(reader, conf_list_item(list, i), &endpoint->routes[endpoint->route_count]))
			endpoint->route_count++;
	}
}
