/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/flow/sample.h"

#include <check.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/flow/status.h"

struct addr sample_addr(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr, NULL), 0);
	return addr;
}

struct flow sample_flow(uint16_t port)
{
	return (struct flow){.protocol = FLOW_TCP,
		.tcp_state = 3,
		.status = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED | FLOW_STATUS_SRC_NAT,
		.timeout_s = 1000,
		.original = {.source = sample_addr("10.50.0.2"),
			.source_port = port,
			.destination = sample_addr("192.168.1.10"),
			.destination_port = 443},
		.reply = {.source = sample_addr("192.168.1.10"),
			.source_port = 443,
			.destination = sample_addr("192.168.1.1"),
			.destination_port = port}};
}

struct flow sample_fleeting(uint16_t port)
{
	struct flow flow = sample_flow(port);

	flow.status &= ~(uint32_t)FLOW_STATUS_ASSURED;
	return flow;
}

static struct prefix prefix(const char *text)
{
	struct prefix value;

	ck_assert_int_eq(prefix_parse(text, &value, NULL), 0);
	return value;
}

static void fill_tunnels(struct desired *desired)
{
	desired->tunnel_count = 2;
	desired->tunnels = mem_new(2, sizeof(*desired->tunnels));
	text_copy(desired->tunnels[0].name, sizeof(desired->tunnels[0].name), "wg0");
	desired->tunnels[0].address_count = 2;
	desired->tunnels[0].addresses[0] = prefix("10.50.0.1/24");
	desired->tunnels[0].addresses[1] = prefix("fd50::1/64");
	text_copy(desired->tunnels[1].name, sizeof(desired->tunnels[1].name), "wg1");
	desired->tunnels[1].address_count = 1;
	desired->tunnels[1].addresses[0] = prefix("10.70.0.1/24");
}

static void fill_peer(struct desired *desired)
{
	struct desired_peer *peer = desired->peers = mem_new(1, sizeof(*desired->peers));

	desired->peer_count = 1;
	text_copy(peer->tunnel, sizeof(peer->tunnel), "wg0");
	peer->allowed_ip_count = 2;
	peer->allowed_ips = mem_new(2, sizeof(*peer->allowed_ips));
	peer->allowed_ips[0] = prefix("0.0.0.0/0");
	peer->allowed_ips[1] = prefix("10.60.0.0/24");
}

struct flow_scope *sample_scope(void)
{
	const struct addr own[] = {sample_addr("192.168.1.2"), sample_addr("10.50.0.1"),
		sample_addr("192.168.1.1"), sample_addr("10.60.0.7")};
	struct desired_endpoint *endpoint = mem_new(1, sizeof(*endpoint));
	struct desired *desired = desired_new();
	struct flow_scope *scope;

	fill_tunnels(desired);
	fill_peer(desired);
	endpoint->tunnel_count = 1;
	text_copy(endpoint->tunnels[0], sizeof(endpoint->tunnels[0]), "wg0");
	endpoint->inside_count = 1;
	endpoint->inside[0].address = prefix("192.168.1.1/24");
	scope = flow_scope_new(desired, endpoint, own, ARRAY_COUNT(own));
	desired_free(desired);
	free(endpoint);
	return scope;
}
