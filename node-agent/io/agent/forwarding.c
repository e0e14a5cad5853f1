/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/forwarding.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/log.h"
#include "node-agent/io/nft/load.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/sysctl.h"

enum { RP_FILTER_STRICT = 1 }; /* ip-sysctl.rst: 0 off, 1 strict, 2 loose */

/* What is looked at, and what came of it so far. */
struct look {
	struct forwarding *forwarding;
	const struct desired *desired;
	struct rtnl *rtnl;
	bool off; /* a kernel parameter says no */
	char why[FORWARDING_WHY_MAX];
};

static int read_number(const char *family, const char *device, const char *name)
{
	char key[SYSCTL_KEY_MAX], value[SYSCTL_VALUE_MAX];

	sysctl_device_key(key, sizeof(key), family, device, name);
	return sysctl_read(key, value, sizeof(value), NULL) < 0 ? 0 : atoi(value);
}

/* The kernel takes the larger of the device's own and that of all. */
static bool is_strict(const char *device)
{
	int all = read_number("ipv4", "all", "rp_filter"), own = read_number("ipv4", device, "rp_filter");

	return (all > own ? all : own) == RP_FILTER_STRICT;
}

/* IPv4 goes by the interface that a packet comes in by, IPv6 by the host. */
static bool is_forwarded(const char *device, int family)
{
	return family == AF_INET ? read_number("ipv4", device, "forwarding") != 0
				 : read_number("ipv6", "all", "forwarding") != 0;
}

static bool fill_link(struct look *look, const char *device, int family, struct forwarding_link *ret_link)
{
	struct rtnl_link link;

	if (rtnl_link_get(look->rtnl, device, &link, NULL) < 0)
		return false; /* that is another complaint */
	(void)text_copy(ret_link->name, sizeof(ret_link->name), device);
	ret_link->index = link.ifindex;
	if (link.has_mac)
		memcpy(ret_link->mac, link.mac, sizeof(ret_link->mac));
	ret_link->forwarding = is_forwarded(device, family);
	look->off |= !ret_link->forwarding;
	return true;
}

/* Somebody beyond the tunnel; false: nobody of that family is. */
static bool find_client(
	const struct desired *desired, const char *tunnel, int family, struct addr *ret_client)
{
	for (size_t i = 0; i < desired->peer_count; i++) {
		const struct desired_peer *peer = &desired->peers[i];

		for (size_t j = 0; j < peer->allowed_ip_count && !strcmp(peer->tunnel, tunnel); j++) {
			if (peer->allowed_ips[j].addr.family != family || !peer->allowed_ips[j].length)
				continue;
			*ret_client = peer->allowed_ips[j].addr;
			return true;
		}
	}
	return false;
}

/* Another address on the same network. */
static struct addr neighbour_of(const struct addr *addr)
{
	struct addr other = *addr;

	other.bytes[addr_bits(addr) / 8 - 1] ^= 2;
	return other;
}

static bool works(struct look *look, const struct desired_tunnel *tunnel, const struct desired_inside *inside,
	char ret_why[FORWARDING_WHY_MAX])
{
	struct forwarding_way way = {.host = neighbour_of(&inside->address.addr)};
	int family = way.host.family;

	if (!find_client(look->desired, tunnel->name, family, &way.client) ||
		!fill_link(look, tunnel->name, family, &way.tunnel) ||
		!fill_link(look, inside->interface, family, &way.inside))
		return true;
	way.tunnel.strict = tunnel->table != TABLE_AUTO && is_strict(tunnel->name);
	return forwarding_works(&look->forwarding->ruleset, &way, ret_why) &&
	       (!forwarding_is_provable(&look->forwarding->ruleset, &way) ||
		       proving_holds(&look->forwarding->proving, &way, ret_why));
}

static bool has_tunnel(const struct desired_endpoint *endpoint, const char *tunnel)
{
	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		if (!strcmp(endpoint->tunnels[i], tunnel))
			return true;
	return false;
}

/* All ways are looked at, so that what was proven of the others is not forgotten; the first that fails is told. */
static void judge(struct look *look, const struct desired_endpoint *endpoint)
{
	look->why[0] = '\0';
	for (size_t i = 0; i < look->desired->tunnel_count; i++) {
		const struct desired_tunnel *tunnel = &look->desired->tunnels[i];

		if (tunnel->forward.policy != FORWARD_ACCEPT || !has_tunnel(endpoint, tunnel->name))
			continue;
		for (size_t j = 0; j < endpoint->inside_count; j++) {
			char why[FORWARDING_WHY_MAX];

			if (!works(look, tunnel, &endpoint->inside[j], why) && !look->why[0])
				(void)text_copy(look->why, sizeof(look->why), why);
		}
	}
}

const char *forwarding_why(const struct forwarding *forwarding, const char *endpoint)
{
	for (size_t i = 0; i < forwarding->count; i++)
		if (!strcmp(forwarding->verdicts[i].endpoint, endpoint))
			return forwarding->verdicts[i].why;
	return "";
}

bool forwarding_look(struct forwarding *forwarding, const struct desired *desired, struct rtnl *rtnl)
{
	struct look look = {.forwarding = forwarding, .desired = desired, .rtnl = rtnl};
	struct forwarding_verdict verdicts[PROTO_ENDPOINTS_MAX];
	bool changed[PROTO_ENDPOINTS_MAX];

	proving_begin(&forwarding->proving);
	for (size_t i = 0; i < desired->endpoint_count; i++) {
		const char *name = desired->endpoints[i].name, *before = forwarding_why(forwarding, name);

		judge(&look, &desired->endpoints[i]);
		changed[i] = !before[0] != !look.why[0];
		(void)text_copy(verdicts[i].endpoint, sizeof(verdicts[i].endpoint), name);
		(void)text_copy(verdicts[i].why, sizeof(verdicts[i].why), look.why);
	}
	proving_end(&forwarding->proving);
	forwarding->count = desired->endpoint_count;
	memcpy(forwarding->verdicts, verdicts, sizeof(verdicts[0]) * desired->endpoint_count);
	for (size_t i = 0; i < desired->endpoint_count; i++)
		if (changed[i])
			forwarding->changed(verdicts[i].endpoint, verdicts[i].why, forwarding->context);
	return look.off;
}

int forwarding_load(struct forwarding *forwarding, struct nft *nft)
{
	struct loaded_ruleset ruleset;
	struct err err = {0};
	int r = nft_load(nft, &ruleset, &err);

	if (r < 0) {
		log_limited(LEVEL_WARNING, "agent", "ruleset-not-seen", "", log_err(&err));
		return r;
	}
	loaded_clear(&forwarding->ruleset);
	forwarding->ruleset = ruleset;
	return 0;
}

void forwarding_clear(struct forwarding *forwarding)
{
	loaded_clear(&forwarding->ruleset);
	proving_clear(&forwarding->proving);
	forwarding->count = 0;
}
