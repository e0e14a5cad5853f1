/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/keys.h"

/* What an override may say. */
#define SETTINGS                                                                                        \
	"private_key_file", "address", "dns", "link_local", "multicast", "listen_port", "mtu", "table", \
		"fwmark", "forward", "pre_up", "post_up", "pre_down", "post_down", "save_config"

const struct fleet_keys fleet_keys[FLEET_MAPPINGS] = {
	[KEYS_ROOT] = {"",
		{"fleet", "defaults", "gateways", "virtual_endpoints", "tunnels", "groups", "peers",
			"include"},
		{NULL}},
	[KEYS_DEFAULTS] = {"defaults", {"liveness", "lease", "isolation"}, {NULL}},
	[KEYS_GATEWAY] = {"gateways.*", {"address", "interfaces"}, {NULL}},
	[KEYS_ENDPOINT] = {"virtual_endpoints.*",
		{"kind", "gateways", "preempt", "isolation", "lease", "witness", "tunnels", "dial", "inside",
			"routes", "checks", "notify"},
		{NULL}},
	[KEYS_DIAL] = {"virtual_endpoints.*.dial", {"name", "interface", "addresses"}, {NULL}},
	[KEYS_INSIDE] = {"virtual_endpoints.*.inside.*", {"interface", "address"}, {NULL}},
	[KEYS_ROUTE] = {"virtual_endpoints.*.routes.*", {"to", "via", "interface", "table", "metric", "src"},
		{NULL}},
	[KEYS_CHECK] = {"virtual_endpoints.*.checks.*",
		{"ping", "tcp", "http", "interface", "every", "timeout", "fall", "rise", "program"}, {NULL}},
	[KEYS_NOTIFY] = {"virtual_endpoints.*.notify.*", {"program", "when"}, {NULL}},
	[KEYS_TUNNEL] = {"tunnels.*", {SETTINGS, "public_key", "overrides", "gateways", "client"}, {NULL}},
	[KEYS_OVERRIDE] = {"tunnels.*.overrides.*", {SETTINGS}, {NULL}},
	[KEYS_ADDRESS] = {"tunnels.*.address.*", {"local", "peer"}, {NULL}},
	[KEYS_FORWARD] = {"tunnels.*.forward", {"default", "snat", "masquerade", "clamp_mss"}, {NULL}},
	[KEYS_TRANSLATION] = {"tunnels.*.forward.snat.*", {"from", "interface"}, {NULL}},
	[KEYS_CLIENT] = {"tunnels.*.client", {"dns", "mtu", "routes", "persistent_keepalive"}, {NULL}},
	[KEYS_GROUP] = {"groups.*", {"may_reach", "client"}, {NULL}},
	[KEYS_PEER] = {"peers.*",
		{"public_key", "allowed_ips", "preshared_key_file", "endpoint", "persistent_keepalive",
			"tunnels", "route", "route_metric", "route_table", "disabled", "groups", "expires"},
		{NULL}},
	[KEYS_ALLOWED_IP] = {"peers.*.allowed_ips.*", {"prefix", "priority", "probe"}, {NULL}},
};

size_t fleet_keys_count(const char *const keys[])
{
	size_t count = 0;

	while (keys[count])
		count++;
	return count;
}
