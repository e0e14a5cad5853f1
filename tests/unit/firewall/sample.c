/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/firewall/sample.h"

#include <stdio.h>
#include <stdlib.h>

/* Not with Check's own means: not only its tests make samples. */
static void must(int r, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "sample: %s\n", what);
	abort();
}

struct addr sample_addr(const char *text)
{
	struct addr addr;
	must(addr_parse(text, &addr, NULL), text);
	return addr;
}

struct prefix sample_prefix(const char *text)
{
	struct prefix prefix;
	must(prefix_parse(text, &prefix, NULL), text);
	return prefix;
}

static struct addr dial[3];
static struct firewall_inside inside[2];
static struct firewall_snat snat[3], masquerade[2];
static struct prefix home_addresses[2];
static struct firewall_tunnel tunnels[3];
static struct firewall_endpoint endpoints[1];
static const char *const behind[] = {"wg0", "wg1"};

static void fill_addresses(void)
{
	dial[0] = sample_addr("10.9.0.100");
	dial[1] = sample_addr("2001:db8::100");
	dial[2] = sample_addr("10.9.0.101");
	inside[0] = (struct firewall_inside){"lan0", sample_addr("192.168.1.1")};
	inside[1] = (struct firewall_inside){"lan0", sample_addr("fd01::1")};
	home_addresses[0] = sample_prefix("10.60.0.2/32");
	home_addresses[1] = sample_prefix("fd60::2/128");
}

static void fill_translations(void)
{
	snat[0] = (struct firewall_snat){.from = sample_prefix("10.50.0.0/24"), .interface = "lan0"};
	snat[1] = (struct firewall_snat){.from = sample_prefix("10.51.0.0/21"), .interface = "lan0"};
	snat[2] = (struct firewall_snat){.from = sample_prefix("fd50::/64"), .interface = "lan0"};
	masquerade[0] = (struct firewall_snat){.from = sample_prefix("0.0.0.0/0"), .interface = "home"};
	masquerade[1] = (struct firewall_snat){.from = sample_prefix("fd61::7/128"), .interface = "home"};
}

struct firewall sample_gateway(void)
{
	fill_addresses();
	fill_translations();
	tunnels[0] = (struct firewall_tunnel){.interface = "wg0",
		.fwmark = 0x51,
		.listen_port = 51820,
		.forward = FIREWALL_FORWARD_ACCEPT,
		.clamp_mss = true,
		.snat = snat,
		.snat_count = 3};
	tunnels[1] = (struct firewall_tunnel){
		.interface = "wg1", .fwmark = 0x52, .listen_port = 51821, .forward = FIREWALL_FORWARD_DROP};
	tunnels[2] = (struct firewall_tunnel){.interface = "home",
		.fwmark = 51820,
		.addresses = home_addresses,
		.address_count = 2,
		.default_ip4 = true,
		.default_ip6 = true,
		.masquerade = masquerade,
		.masquerade_count = 2};
	endpoints[0] = (struct firewall_endpoint){.name = "vpn",
		.dial = dial,
		.dial_count = 3,
		.inside = inside,
		.inside_count = 2,
		.tunnels = behind,
		.tunnel_count = 2};
	return (struct firewall){.scope = "agent",
		.tunnels = tunnels,
		.tunnel_count = 3,
		.endpoints = endpoints,
		.endpoint_count = 1};
}

struct fw_permit sample_permit(void)
{
	struct fw_permit permit = {.announces = true};
	fill_addresses();
	for (size_t i = 0; i < 3; i++)
		fw_permit_add_address(&permit, &dial[i]);
	for (size_t i = 0; i < 2; i++)
		fw_permit_add_address(&permit, &inside[i].address);
	fw_permit_add_mark(&permit, 0x51);
	fw_permit_add_mark(&permit, 0x52);
	return permit;
}

struct fw_ruleset *sample_build(const struct firewall *firewall)
{
	struct fw_ruleset *ruleset = NULL;
	struct err err = {0};
	must(firewall_build(firewall, &ruleset, &err), err.text);
	return ruleset;
}
