/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/plan/sample.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

struct prefix prefix(const char *text)
{
	struct prefix result = {0};

	if (prefix_parse(text, &result, NULL))
		abort();
	return result;
}

struct addr addr(const char *text)
{
	struct addr result = {0};

	if (addr_parse(text, &result, NULL))
		abort();
	return result;
}

static void fill_endpoint(struct desired_endpoint *endpoint)
{
	text_copy(endpoint->name, sizeof(endpoint->name), "vpn");
	text_copy(endpoint->dial_interface, sizeof(endpoint->dial_interface), "wan");
	endpoint->dial_count = 2;
	endpoint->dial[0] = addr("10.9.0.100");
	endpoint->dial[1] = addr("2001:db8::100");
	endpoint->inside_count = 1;
	text_copy(endpoint->inside[0].interface, sizeof(endpoint->inside[0].interface), "lan");
	endpoint->inside[0].address = prefix("192.168.1.1/24");
	endpoint->route_count = 1;
	endpoint->routes[0].to = prefix("172.30.0.0/16");
	endpoint->routes[0].via = addr("192.168.1.254");
	text_copy(endpoint->routes[0].interface, sizeof(endpoint->routes[0].interface), "lan");
	endpoint->tunnel_count = 1;
	text_copy(endpoint->tunnels[0], sizeof(endpoint->tunnels[0]), "wg0");
}

static void fill_peers(struct sample *sample)
{
	sample->allowed[0] = prefix("10.50.0.2/32");
	sample->allowed[1] = prefix("10.50.0.3/32");
	sample->allowed[2] = prefix("192.168.77.0/24");
	for (size_t i = 0; i < 2; i++) {
		text_copy(sample->peers[i].tunnel, sizeof(sample->peers[i].tunnel), "wg0");
		memset(sample->peers[i].public_key.bytes, (int)i + 1, KEY_BYTES);
		sample->peers[i].allowed_ips = &sample->allowed[i];
		sample->peers[i].allowed_ip_count = i + 1;
	}
	sample->peers[1].keepalive_s = 25;
}

void sample_init(struct sample *sample)
{
	*sample = (struct sample){0};
	text_copy(sample->tunnel.name, sizeof(sample->tunnel.name), "wg0");
	memset(sample->tunnel.public_key.bytes, 9, KEY_BYTES);
	sample->tunnel.address_count = 1;
	sample->tunnel.addresses[0] = prefix("10.50.0.1/24");
	sample->tunnel.listen_port = 51820;
	sample->tunnel.fwmark = 0x51820;
	fill_endpoint(&sample->endpoint);
	fill_peers(sample);
	sample->desired.tunnel_count = 1;
	sample->desired.tunnels = &sample->tunnel;
	sample->desired.endpoint_count = 1;
	sample->desired.endpoints = &sample->endpoint;
	sample->desired.peer_count = 2;
	sample->desired.peers = sample->peers;
	sample->facts.desired = &sample->desired;
	sample->facts.observed = &sample->observed;
}

void sample_clear(struct sample *sample)
{
	plan_clear(&sample->plan);
	plan_target_clear(&sample->target);
	plan_world_clear(&sample->observed);
}

void sample_plan(struct sample *sample)
{
	plan_clear(&sample->plan);
	plan_target_clear(&sample->target);
	plan_target_init(&sample->target, &sample->facts);
	plan_init(&sample->plan, &sample->target, &sample->observed);
}

const char *sample_line(struct sample *sample, size_t index)
{
	if (index >= sample->plan.count)
		return "";
	return plan_op_format(&sample->plan.ops[index], sample->text);
}

static void obey_device(struct plan_world *world, const struct plan_device *wanted)
{
	struct plan_device *device = plan_world_device(world, wanted->name);

	device->public_key = wanted->public_key;
	device->listen_port = wanted->listen_port;
	device->fwmark = wanted->fwmark;
	for (size_t i = 0; i < wanted->peer_count; i++)
		*plan_device_peer(device, &wanted->peers[i].public_key) = wanted->peers[i];
}

void sample_obey(struct sample *sample)
{
	const struct plan_world *wanted = &sample->target.world;
	struct plan_world world = {0};

	for (size_t i = 0; i < wanted->link_count; i++)
		*plan_world_link(&world, wanted->links[i].name) = wanted->links[i];
	for (size_t i = 0; i < wanted->address_count; i++)
		*plan_world_address(&world, "", &wanted->addresses[i].prefix) = wanted->addresses[i];
	for (size_t i = 0; i < wanted->route_count; i++)
		*plan_world_route(&world) = wanted->routes[i];
	for (size_t i = 0; i < wanted->rule_count; i++)
		*plan_world_rule(&world) = wanted->rules[i];
	for (size_t i = 0; i < wanted->device_count; i++)
		obey_device(&world, &wanted->devices[i]);
	for (size_t i = 0; i < wanted->sysctl_count; i++)
		plan_world_sysctl(&world, wanted->sysctls[i].key, wanted->sysctls[i].value);
	for (size_t i = 0; i < wanted->offload_count; i++)
		plan_world_offload(&world, wanted->offloads[i].device, wanted->offloads[i].joins_udp);
	plan_clear(&sample->plan);
	plan_world_clear(&sample->observed);
	sample->observed = world;
}
