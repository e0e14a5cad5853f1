/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/desired_json.h"

static const char *const isolations[] = {[ISOLATION_HOLD] = "hold", [ISOLATION_FENCE] = "fence"};

static void put_route(json_t *to, const struct desired_route *route)
{
	json_t *object = jput_object(to, NULL);

	jput_prefix(object, "to", &route->to);
	jput_addr(object, "via", &route->via);
	jput_text(object, "interface", route->interface);
	jput_u64(object, "table", route->table);
	jput_u64(object, "metric", route->metric);
	jput_addr(object, "src", &route->src);
}

static void put_insides(json_t *to, const struct desired_endpoint *endpoint)
{
	json_t *array = jput_array(to, "inside");

	for (size_t i = 0; i < endpoint->inside_count; i++) {
		json_t *item = jput_object(array, NULL);

		jput_text(item, "interface", endpoint->inside[i].interface);
		jput_prefix(item, "address", &endpoint->inside[i].address);
	}
}

static void put_lists(json_t *to, const struct desired_endpoint *endpoint)
{
	json_t *array = jput_array(to, "routes");

	for (size_t i = 0; i < endpoint->route_count; i++)
		put_route(array, &endpoint->routes[i]);
	array = jput_array(to, "tunnels");
	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		jput_text(array, NULL, endpoint->tunnels[i]);
	array = jput_array(to, "pool");
	for (size_t i = 0; i < endpoint->pool_count; i++)
		jput_text(array, NULL, endpoint->pool[i]);
}

static void put_endpoint(json_t *to, const struct desired_endpoint *endpoint)
{
	json_t *object = jput_object(to, NULL);

	jput_text(object, "name", endpoint->name);
	jput_text(object, "isolation", isolations[endpoint->isolation]);
	jput_u64(object, "lease_ms", endpoint->lease_ms);
	jput_text(object, "dial_interface", endpoint->dial_interface);
	addrs_put(object, "dial", endpoint->dial, endpoint->dial_count);
	addrs_put(object, "witness", endpoint->witness, endpoint->witness_count);
	put_insides(object, endpoint);
	desired_checks_put(object, endpoint);
	desired_notify_put(object, endpoint);
	put_lists(object, endpoint);
}

void desired_endpoints_put(json_t *to, const char *name, const struct desired *desired)
{
	json_t *array = jput_array(to, name);

	for (size_t i = 0; i < desired->endpoint_count; i++)
		put_endpoint(array, &desired->endpoints[i]);
}

static int get_route(const struct jnode *from, struct desired_route *route, struct err *err)
{
	uint64_t table = 0, metric = 0;
	int r;

	if ((r = jnode_prefix(from, "to", JSON_REQUIRED, &route->to, err)) ||
		(r = jnode_addr(from, "via", JSON_OPTIONAL, &route->via, err)) ||
		(r = jnode_name(from, "interface", JSON_REQUIRED, route->interface, sizeof(route->interface),
			 err)) ||
		(r = jnode_u64(from, "table", JSON_OPTIONAL, 0, UINT32_MAX, &table, err)) ||
		(r = jnode_u64(from, "metric", JSON_OPTIONAL, 0, UINT32_MAX, &metric, err)) ||
		(r = jnode_addr(from, "src", JSON_OPTIONAL, &route->src, err)))
		return r;
	route->table = (uint32_t)table;
	route->metric = (uint32_t)metric;
	return 0;
}

static int get_routes(const struct jnode *from, struct desired_endpoint *endpoint, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "routes", JSON_REQUIRED, PROTO_ROUTES_MAX, &array, err);

	if (r)
		return r;
	endpoint->route_count = jnode_count(&array);
	for (size_t i = 0; !r && i < endpoint->route_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_route(&item, &endpoint->routes[i], err);
	}
	return r;
}

static int get_inside(const struct jnode *from, struct desired_inside *inside, struct err *err)
{
	int r = jnode_name(
		from, "interface", JSON_REQUIRED, inside->interface, sizeof(inside->interface), err);

	return r ? r : jnode_prefix(from, "address", JSON_REQUIRED, &inside->address, err);
}

static int get_insides(const struct jnode *from, struct desired_endpoint *endpoint, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "inside", JSON_REQUIRED, PROTO_ADDRESSES_MAX, &array, err);

	if (r)
		return r;
	endpoint->inside_count = jnode_count(&array);
	for (size_t i = 0; !r && i < endpoint->inside_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_inside(&item, &endpoint->inside[i], err);
	}
	return r;
}

/* A list of distinct names into an array of texts of `width` bytes each. */
static int get_names(const struct jnode *from, const char *name, size_t max, char *names, size_t width,
	size_t *ret_count, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, JSON_REQUIRED, max, &array, err);

	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = jnode_name(&item, NULL, JSON_REQUIRED, names + i * width, width, err);
		for (size_t j = 0; !r && j < i; j++) {
			if (!strcmp(names + i * width, names + j * width))
				r = jnode_fail(&item, err, -EINVAL, "is there twice");
		}
	}
	if (!r)
		*ret_count = jnode_count(&array);
	return r;
}

static int get_own_tunnels(const struct jnode *from, const struct desired *desired,
	struct desired_endpoint *endpoint, struct err *err)
{
	int r = get_names(from, "tunnels", PROTO_TUNNELS_MAX, endpoint->tunnels[0],
		sizeof(endpoint->tunnels[0]), &endpoint->tunnel_count, err);

	for (size_t i = 0; !r && i < endpoint->tunnel_count; i++) {
		if (!desired_has_tunnel(desired, endpoint->tunnels[i]))
			r = jnode_fail(from, err, -EINVAL, "there is no tunnel %s", endpoint->tunnels[i]);
	}
	return r;
}

static int get_basics(const struct jnode *from, struct desired_endpoint *endpoint, struct err *err)
{
	uint64_t lease_ms;
	unsigned isolation;
	int r;

	if ((r = jnode_name(from, "name", JSON_REQUIRED, endpoint->name, sizeof(endpoint->name), err)) ||
		(r = jnode_word(from, "isolation", JSON_REQUIRED, isolations, ARRAY_COUNT(isolations),
			 &isolation, err)) ||
		(r = jnode_u64(from, "lease_ms", JSON_REQUIRED, 1, UINT32_MAX, &lease_ms, err)) ||
		(r = jnode_name(from, "dial_interface", JSON_REQUIRED, endpoint->dial_interface,
			 sizeof(endpoint->dial_interface), err)))
		return r;
	endpoint->isolation = (enum desired_isolation)isolation;
	endpoint->lease_ms = (uint32_t)lease_ms;
	return 0;
}

static int get_endpoint(const struct jnode *from, const struct desired *desired,
	struct desired_endpoint *endpoint, struct err *err)
{
	int r;

	if ((r = get_basics(from, endpoint, err)) ||
		(r = addrs_get(from, "dial", endpoint->dial, &endpoint->dial_count, err)) ||
		(r = addrs_get(from, "witness", endpoint->witness, &endpoint->witness_count, err)) ||
		(r = get_insides(from, endpoint, err)) || (r = desired_checks_get(from, endpoint, err)) ||
		(r = desired_notify_get(from, endpoint, err)) ||
		(r = get_routes(from, endpoint, err)) ||
		(r = get_own_tunnels(from, desired, endpoint, err)) ||
		(r = get_names(from, "pool", PROTO_POOL_MAX, endpoint->pool[0], sizeof(endpoint->pool[0]),
			 &endpoint->pool_count, err)))
		return r;
	for (size_t i = 0; i < desired->endpoint_count; i++) {
		if (!strcmp(desired->endpoints[i].name, endpoint->name))
			return jnode_fail(from, err, -EINVAL, "endpoint %s is there twice", endpoint->name);
	}
	return 0;
}

int desired_endpoints_get(
	const struct jnode *from, const char *name, struct desired *desired, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, JSON_REQUIRED, PROTO_ENDPOINTS_MAX, &array, err);

	if (!r && jnode_count(&array))
		desired->endpoints = mem_new(jnode_count(&array), sizeof(*desired->endpoints));
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_endpoint(&item, desired, &desired->endpoints[i], err);
		if (!r)
			desired->endpoint_count++;
	}
	return r;
}
