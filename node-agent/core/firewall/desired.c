/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/firewall/firewall.h"

/* The fleet's words in the firewall's: names and addresses are borrowed from the desired state, arrays are made here. */
struct made {
	struct firewall firewall;
	struct firewall_tunnel *tunnels;
	struct firewall_endpoint *endpoints;
	struct firewall_snat *snat; /* of each tunnel PROTO_ADDRESSES_MAX, then as many to masquerade */
	struct firewall_inside *inside;
	const char **names;
};

static enum firewall_forward forward_of(enum desired_forward_policy policy)
{
	switch (policy) {
	case FORWARD_UNMANAGED:
		return FIREWALL_FORWARD_UNMANAGED;
	case FORWARD_ACCEPT:
		return FIREWALL_FORWARD_ACCEPT;
	case FORWARD_DROP:
		return FIREWALL_FORWARD_DROP;
	}
	abort();
}

static bool claims_default(const struct desired *desired, const char *tunnel, uint8_t family)
{
	for (size_t p = 0; p < desired->peer_count; p++) {
		const struct desired_peer *peer = &desired->peers[p];
		if (strcmp(peer->tunnel, tunnel) != 0 || peer->unrouted || peer->route_table)
			continue;
		for (size_t i = 0; i < peer->allowed_ip_count; i++)
			if (peer->allowed_ips[i].addr.family == family && peer->allowed_ips[i].length == 0)
				return true;
	}
	return false;
}

static void make_snat(const struct desired_snat *from, size_t count, struct firewall_snat *to)
{
	for (size_t i = 0; i < count; i++)
		to[i] = (struct firewall_snat){.from = from[i].from, .interface = from[i].interface};
}

static void make_tunnel(const struct desired *desired, size_t t, struct made *made)
{
	const struct desired_tunnel *from = &desired->tunnels[t];
	const struct desired_forward *forward = &from->forward;
	struct firewall_snat *snat = made->snat + 2 * t * PROTO_ADDRESSES_MAX;
	struct firewall_snat *masquerade = snat + PROTO_ADDRESSES_MAX;
	bool automatic = from->table == TABLE_AUTO;
	make_snat(forward->snat, forward->snat_count, snat);
	make_snat(forward->masquerade, forward->masquerade_count, masquerade);
	made->tunnels[t] = (struct firewall_tunnel){
		.interface = from->name,
		.fwmark = from->fwmark,
		.listen_port = from->listen_port,
		.addresses = from->addresses,
		.address_count = from->address_count,
		.default_ip4 = automatic && claims_default(desired, from->name, AF_INET),
		.default_ip6 = automatic && claims_default(desired, from->name, AF_INET6),
		.no_multicast = from->multicast == MULTICAST_OFF,
		.forward = forward_of(forward->policy),
		.clamp_mss = forward->clamp_mss,
		.snat = snat,
		.snat_count = forward->snat_count,
		.masquerade = masquerade,
		.masquerade_count = forward->masquerade_count,
	};
}

static void make_endpoint(const struct desired *desired, size_t e, struct made *made)
{
	const struct desired_endpoint *from = &desired->endpoints[e];
	struct firewall_inside *inside = made->inside + e * PROTO_ADDRESSES_MAX;
	const char **names = made->names + e * PROTO_TUNNELS_MAX;
	for (size_t i = 0; i < from->inside_count; i++) {
		inside[i].interface = from->inside[i].interface;
		inside[i].address = from->inside[i].address.addr;
	}
	for (size_t i = 0; i < from->tunnel_count; i++)
		names[i] = from->tunnels[i];
	made->endpoints[e] = (struct firewall_endpoint){
		.name = from->name,
		.dial = from->dial,
		.dial_count = from->dial_count,
		.inside = inside,
		.inside_count = from->inside_count,
		.tunnels = names,
		.tunnel_count = from->tunnel_count,
	};
}

static void make(const struct desired *desired, struct made *made)
{
	made->tunnels = mem_new(desired->tunnel_count, sizeof *made->tunnels);
	made->endpoints = mem_new(desired->endpoint_count, sizeof *made->endpoints);
	made->snat = mem_new(2 * desired->tunnel_count * PROTO_ADDRESSES_MAX, sizeof *made->snat);
	made->inside = mem_new(desired->endpoint_count * PROTO_ADDRESSES_MAX, sizeof *made->inside);
	made->names = mem_new(desired->endpoint_count * PROTO_TUNNELS_MAX, sizeof *made->names);
	for (size_t t = 0; t < desired->tunnel_count; t++)
		make_tunnel(desired, t, made);
	for (size_t e = 0; e < desired->endpoint_count; e++)
		make_endpoint(desired, e, made);
	made->firewall = (struct firewall){.scope = "agent",
		.tunnels = made->tunnels,
		.tunnel_count = desired->tunnel_count,
		.endpoints = made->endpoints,
		.endpoint_count = desired->endpoint_count};
}

static void clear(struct made *made)
{
	free(made->tunnels);
	free(made->endpoints);
	free(made->snat);
	free(made->inside);
	free(made->names);
}

int firewall_from_desired(const struct desired *desired, struct fw_ruleset **ret_ruleset, struct err *err)
{
	struct made made;
	make(desired, &made);
	int error = firewall_build(&made.firewall, ret_ruleset, err);
	clear(&made);
	return error;
}
