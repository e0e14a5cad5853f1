/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/base/duration.h"
#include "common/base/mem.h"
#include "controller/core/fleet/difference_part.h"

static void render_isolation(const void *thing, struct text *text)
{
	text_add(text, "%s",
		((const struct desired_endpoint *)thing)->isolation == ISOLATION_FENCE ? "fence" : "hold");
}

static void render_lease(const void *thing, struct text *text)
{
	char buffer[32];

	text_add(text, "%s",
		duration_format(((const struct desired_endpoint *)thing)->lease_ms, buffer, sizeof(buffer)));
}

static void list_pool(const void *thing, struct list *list)
{
	const struct desired_endpoint *endpoint = thing;

	for (size_t i = 0; i < endpoint->pool_count; i++)
		list_item(list, endpoint->pool[i]);
}

static void list_tunnels(const void *thing, struct list *list)
{
	const struct desired_endpoint *endpoint = thing;

	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		list_item(list, endpoint->tunnels[i]);
}

static void list_witness(const void *thing, struct list *list)
{
	const struct desired_endpoint *endpoint = thing;

	list_addrs(list, endpoint->witness, endpoint->witness_count);
}

static void render_dial_interface(const void *thing, struct text *text)
{
	text_add(text, "%s", ((const struct desired_endpoint *)thing)->dial_interface);
}

static void list_dial(const void *thing, struct list *list)
{
	const struct desired_endpoint *endpoint = thing;

	list_addrs(list, endpoint->dial, endpoint->dial_count);
}

static void list_inside(const void *thing, struct list *list)
{
	const struct desired_endpoint *endpoint = thing;

	for (size_t i = 0; i < endpoint->inside_count; i++) {
		char address[PREFIX_TEXT_MAX], item[PREFIX_TEXT_MAX + PROTO_INTERFACE_MAX + 8];

		(void)snprintf(item, sizeof(item), "%s on %s",
			prefix_format(&endpoint->inside[i].address, address, sizeof(address)),
			endpoint->inside[i].interface);
		list_item(list, item);
	}
}

/* As the fleet file says it, in one line. */
static void list_checks(const void *thing, struct list *list)
{
	static const char *const kinds[] = {[CHECK_PING] = "ping",
		[CHECK_TCP] = "tcp",
		[CHECK_HTTP] = "http",
		[CHECK_PROGRAM] = "program"};
	const struct desired_endpoint *endpoint = thing;

	for (size_t i = 0; i < endpoint->check_count; i++) {
		const struct desired_check *check = &endpoint->checks[i];
		char target[ENDPOINT_TEXT_MAX] = "",
		     item[ENDPOINT_TEXT_MAX + PROTO_PATH_MAX + PROTO_INTERFACE_MAX + 96];

		if (check->kind == CHECK_PING)
			addr_format(&check->target.addr, target, sizeof(target));
		else if (check->kind != CHECK_PROGRAM)
			endpoint_format(&check->target, target, sizeof(target));
		(void)snprintf(item, sizeof(item), "%s %s%s%s%s every %u ms for %u ms fall %u rise %u",
			kinds[check->kind], target, check->path, check->interface[0] ? " on " : "",
			check->interface, check->every_ms, check->timeout_ms, check->fall, check->rise);
		list_item(list, item);
	}
}

static void list_notify(const void *thing, struct list *list)
{
	const struct desired_endpoint *endpoint = thing;

	for (size_t i = 0; i < endpoint->notify_count; i++) {
		const struct desired_notify *notify = &endpoint->notify[i];
		struct text item = {0};

		text_add(&item, "%s when", notify->program);
		for (unsigned state = 0; state < STATES; state++)
			if (notify->when & 1u << state)
				text_add(&item, " %s", desired_state_names[state]);
		list_item(list, item.data);
		text_clear(&item);
	}
}

static const struct field fields[] = {
	{"isolation", .render = render_isolation},
	{"lease", .render = render_lease},
	{"gateways", .list = list_pool},
	{"tunnels", .list = list_tunnels},
	{"witness", .list = list_witness},
	{"dial interface", .render = render_dial_interface},
	{"dial addresses", .list = list_dial},
	{"inside", .list = list_inside},
	{"checks", .list = list_checks},
	{"notify", .list = list_notify},
};

static bool same_route(const struct desired_route *a, const struct desired_route *b)
{
	return prefix_equal(&a->to, &b->to) && addr_equal(&a->via, &b->via) && addr_equal(&a->src, &b->src) &&
	       !strcmp(a->interface, b->interface) && a->table == b->table && a->metric == b->metric;
}

static bool has_route(const struct desired_endpoint *endpoint, const struct desired_route *route)
{
	for (size_t i = 0; i < endpoint->route_count; i++) {
		if (same_route(&endpoint->routes[i], route))
			return true;
	}
	return false;
}

/* As ip(8) would say it. */
static void say_route(char sign, const struct desired_route *route, const char *endpoint, struct text *lines)
{
	char to[PREFIX_TEXT_MAX], addr[ADDR_TEXT_MAX];

	text_add(lines, "%c route %s", sign, prefix_format(&route->to, to, sizeof(to)));
	if (addr_is_set(&route->via))
		text_add(lines, " via %s", addr_format(&route->via, addr, sizeof(addr)));
	text_add(lines, " dev %s", route->interface);
	if (route->table)
		text_add(lines, " table %u", route->table);
	if (route->metric)
		text_add(lines, " metric %u", route->metric);
	if (addr_is_set(&route->src))
		text_add(lines, " src %s", addr_format(&route->src, addr, sizeof(addr)));
	text_add(lines, " of virtual endpoint %s\n", endpoint);
}

static size_t difference_routes(
	const struct desired_endpoint *from, const struct desired_endpoint *to, struct text *lines)
{
	size_t count = 0;

	for (size_t i = 0; i < from->route_count; i++) {
		if (has_route(to, &from->routes[i]))
			continue;
		say_route('-', &from->routes[i], from->name, lines);
		count++;
	}
	for (size_t i = 0; i < to->route_count; i++) {
		if (has_route(from, &to->routes[i]))
			continue;
		say_route('+', &to->routes[i], to->name, lines);
		count++;
	}
	return count;
}

static const struct desired_endpoint *find(const struct desired *desired, const char *name)
{
	for (size_t i = 0; i < desired->endpoint_count; i++) {
		if (!strcmp(desired->endpoints[i].name, name))
			return &desired->endpoints[i];
	}
	return NULL;
}

static size_t difference_endpoint(
	const struct desired_endpoint *from, const struct desired_endpoint *to, struct text *lines)
{
	char what[PROTO_NAME_MAX + 24];

	(void)snprintf(what, sizeof(what), "virtual endpoint %s", to->name);
	if (!from) {
		text_add(lines, "+ %s\n", what);
		return 1;
	}
	return difference_fields(what, fields, ARRAY_COUNT(fields), from, to, lines) +
	       difference_routes(from, to, lines);
}

size_t difference_endpoints(const struct desired *from, const struct desired *to, struct text *lines)
{
	size_t count = 0;

	for (size_t i = 0; i < from->endpoint_count; i++) {
		if (find(to, from->endpoints[i].name))
			continue;
		text_add(lines, "- virtual endpoint %s\n", from->endpoints[i].name);
		count++;
	}
	for (size_t i = 0; i < to->endpoint_count; i++)
		count += difference_endpoint(find(from, to->endpoints[i].name), &to->endpoints[i], lines);
	return count;
}
