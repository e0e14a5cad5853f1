/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/plan/world.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

static void clear_device(struct plan_device *device)
{
	mem_wipe(device->peers, device->peer_count * sizeof(*device->peers));
	free(device->peers);
}

void plan_world_clear(struct plan_world *world)
{
	if (!world)
		return;
	for (size_t i = 0; i < world->device_count; i++)
		clear_device(&world->devices[i]);
	free(world->links);
	free(world->addresses);
	free(world->routes);
	free(world->connected);
	free(world->rules);
	free(world->devices);
	free(world->sysctls);
	free(world->offloads);
	*world = (struct plan_world){0};
}

static void overlook_devices(struct plan_world *world, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < world->device_count; i++) {
		struct plan_device *device = &world->devices[i];

		if (strcmp(device->name, name) != 0)
			world->devices[kept++] = *device;
		else
			clear_device(device);
	}
	world->device_count = kept;
}

void plan_world_overlook(struct plan_world *world, const char *name)
{
	size_t links = 0, addresses = 0, routes = 0;

	for (size_t i = 0; i < world->link_count; i++)
		if (strcmp(world->links[i].name, name) != 0)
			world->links[links++] = world->links[i];
	for (size_t i = 0; i < world->address_count; i++)
		if (strcmp(world->addresses[i].device, name) != 0)
			world->addresses[addresses++] = world->addresses[i];
	for (size_t i = 0; i < world->route_count; i++)
		if (strcmp(world->routes[i].device, name) != 0)
			world->routes[routes++] = world->routes[i];
	world->link_count = links;
	world->address_count = addresses;
	world->route_count = routes;
	overlook_devices(world, name);
}

struct plan_link *plan_world_link(struct plan_world *world, const char *name)
{
	struct plan_link *link;

	world->links = mem_grow(world->links, &world->link_capacity, world->link_count + 1, sizeof(*link));
	link = &world->links[world->link_count++];
	text_copy(link->name, sizeof(link->name), name);
	return link;
}

struct plan_address *plan_world_address(
	struct plan_world *world, const char *device, const struct prefix *prefix)
{
	struct plan_address *address;

	world->addresses = mem_grow(
		world->addresses, &world->address_capacity, world->address_count + 1, sizeof(*address));
	address = &world->addresses[world->address_count++];
	text_copy(address->device, sizeof(address->device), device);
	address->prefix = *prefix;
	return address;
}

struct plan_route *plan_world_route(struct plan_world *world)
{
	world->routes = mem_grow(
		world->routes, &world->route_capacity, world->route_count + 1, sizeof(*world->routes));
	return &world->routes[world->route_count++];
}

void plan_world_connected(struct plan_world *world, const struct prefix *to)
{
	world->connected = mem_grow(world->connected, &world->connected_capacity, world->connected_count + 1,
		sizeof(*world->connected));
	world->connected[world->connected_count++] = *to;
}

struct plan_rule *plan_world_rule(struct plan_world *world)
{
	world->rules =
		mem_grow(world->rules, &world->rule_capacity, world->rule_count + 1, sizeof(*world->rules));
	return &world->rules[world->rule_count++];
}

struct plan_device *plan_world_device(struct plan_world *world, const char *name)
{
	struct plan_device *device;

	world->devices =
		mem_grow(world->devices, &world->device_capacity, world->device_count + 1, sizeof(*device));
	device = &world->devices[world->device_count++];
	text_copy(device->name, sizeof(device->name), name);
	return device;
}

/* Grown by hand: the old array holds keys, which realloc() would leave behind. */
static void device_make_room(struct plan_device *device)
{
	size_t capacity = device->peer_capacity ? device->peer_capacity * 2 : 16;
	struct plan_peer *peers;

	if (device->peer_count < device->peer_capacity)
		return;
	peers = mem_new(capacity, sizeof(*peers));
	if (device->peer_count)
		memcpy(peers, device->peers, device->peer_count * sizeof(*peers));
	mem_wipe(device->peers, device->peer_count * sizeof(*peers));
	free(device->peers);
	device->peers = peers;
	device->peer_capacity = capacity;
}

struct plan_peer *plan_device_peer(struct plan_device *device, const struct key *public_key)
{
	struct plan_peer *peer;

	device_make_room(device);
	peer = &device->peers[device->peer_count++];
	peer->public_key = *public_key;
	return peer;
}

void plan_world_sysctl(struct plan_world *world, const char *key, const char *value)
{
	struct plan_sysctl *sysctl = NULL;

	for (size_t i = 0; i < world->sysctl_count && !sysctl; i++)
		if (!strcmp(world->sysctls[i].key, key))
			sysctl = &world->sysctls[i];
	if (!sysctl) {
		world->sysctls = mem_grow(
			world->sysctls, &world->sysctl_capacity, world->sysctl_count + 1, sizeof(*sysctl));
		sysctl = &world->sysctls[world->sysctl_count++];
	}
	text_copy(sysctl->key, sizeof(sysctl->key), key);
	text_copy(sysctl->value, sizeof(sysctl->value), value);
}

void plan_world_offload(struct plan_world *world, const char *device, bool joins_udp)
{
	struct plan_offload *offload = NULL;

	for (size_t i = 0; i < world->offload_count && !offload; i++)
		if (!strcmp(world->offloads[i].device, device))
			offload = &world->offloads[i];
	if (!offload) {
		world->offloads = mem_grow(world->offloads, &world->offload_capacity,
			world->offload_count + 1, sizeof(*offload));
		offload = &world->offloads[world->offload_count++];
	}
	text_copy(offload->device, sizeof(offload->device), device);
	offload->joins_udp = joins_udp;
}

bool plan_address_equal(const struct plan_address *a, const struct plan_address *b)
{
	return !strcmp(a->device, b->device) && prefix_equal(&a->prefix, &b->prefix) &&
	       addr_equal(&a->peer, &b->peer) && a->host_scope == b->host_scope &&
	       a->unpreferred == b->unpreferred;
}

bool plan_rule_equal(const struct plan_rule *a, const struct plan_rule *b)
{
	return a->family == b->family && a->priority == b->priority && a->invert == b->invert &&
	       a->has_fwmark == b->has_fwmark && a->fwmark == b->fwmark &&
	       a->has_suppress == b->has_suppress && a->suppress_prefixlength == b->suppress_prefixlength &&
	       a->table == b->table;
}

const struct plan_link *plan_world_find_link(const struct plan_world *world, const char *name)
{
	for (size_t i = 0; i < world->link_count; i++)
		if (!strcmp(world->links[i].name, name))
			return &world->links[i];
	return NULL;
}

const struct plan_device *plan_world_find_device(const struct plan_world *world, const char *name)
{
	for (size_t i = 0; i < world->device_count; i++)
		if (!strcmp(world->devices[i].name, name))
			return &world->devices[i];
	return NULL;
}

const struct plan_sysctl *plan_world_find_sysctl(const struct plan_world *world, const char *key)
{
	for (size_t i = 0; i < world->sysctl_count; i++)
		if (!strcmp(world->sysctls[i].key, key))
			return &world->sysctls[i];
	return NULL;
}

const struct plan_offload *plan_world_find_offload(const struct plan_world *world, const char *device)
{
	for (size_t i = 0; i < world->offload_count; i++)
		if (!strcmp(world->offloads[i].device, device))
			return &world->offloads[i];
	return NULL;
}
