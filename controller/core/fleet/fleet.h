/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_H
#define HOLDFAST_CONTROLLER_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/key.h"
#include "proto/desired.h"
#include "proto/limits.h"

/*
 * The fleet file as a model: what docs/fleet.md describes, with references resolved to indices and defaults filled in.
 * Made by fleet_read(), which also says what is wrong; never changed afterwards.
 */
enum {
	FLEET_ENDPOINTS_MAX = 256, /* of all gateways together; one can own PROTO_ENDPOINTS_MAX */
	FLEET_ROLES_MAX = 16,      /* interfaces of one gateway */
	FLEET_DIAL_NAME_MAX = 253, /* a DNS name */
	FLEET_DNS_MAX = 16,        /* servers and search domains of a client */
	FLEET_CLIENT_ROUTES_MAX = 256,
	FLEET_FWMARK_BASE =
		0x48460000, /* "HF": a tunnel that names no fwmark gets one of the 65,536 from here */
};

enum { FLEET_PREEMPT_NEVER = -1 };

/* Where something is written, to point at it later. */
struct fleet_place {
	uint32_t source, line, column; /* source: index into fleet.sources */
};

/* A name that stands for something elsewhere in the file. */
struct fleet_reference {
	char name[PROTO_NAME_MAX + 1];
	struct fleet_place place;
	size_t index; /* of what it stands for, once all is read */
};

struct fleet_interface {
	char role[PROTO_NAME_MAX + 1];
	char name[PROTO_INTERFACE_MAX + 1];
};

struct fleet_gateway {
	char name[PROTO_NAME_MAX + 1];
	struct fleet_place place;
	size_t address_count;
	struct addr addresses[PROTO_ADDRESSES_MAX]; /* on the underlay */
	struct fleet_place address_places[PROTO_ADDRESSES_MAX];
	size_t interface_count;
	struct fleet_interface interfaces[FLEET_ROLES_MAX];
};

struct fleet_snat {
	struct prefix from;
	struct fleet_reference role;
};

struct fleet_forward {
	struct fleet_place place;
	enum desired_forward_policy policy;
	bool clamp_mss;
	size_t snat_count, masquerade_count;
	struct fleet_snat snat[PROTO_ADDRESSES_MAX];
	struct fleet_snat masquerade[PROTO_ADDRESSES_MAX];
};

/* What a tunnel is, on one gateway or on all that have no override. */
struct fleet_settings {
	char private_key_file[PROTO_PATH_MAX + 1];
	size_t address_count;
	struct prefix addresses[PROTO_ADDRESSES_MAX];   /* with a peer, the length is the peer's */
	struct addr address_peers[PROTO_ADDRESSES_MAX]; /* family 0: none */
	struct fleet_place address_places[PROTO_ADDRESSES_MAX];
	bool link_local, multicast;
	uint16_t listen_port;
	struct fleet_place listen_port_place;
	uint32_t fwmark; /* chosen when none is written; see docs/fleet.md */
	struct fleet_place fwmark_place;
	uint32_t mtu; /* 0: automatic */
	enum desired_table table;
	uint32_t table_number;
	struct fleet_forward forward;
	struct texts hooks[HOOKS], dns; /* owned */
};

/* What a client's own file says, for `peer new`: of a tunnel, and what a group says otherwise. */
struct fleet_client {
	bool has_dns, has_mtu, has_routes, has_keepalive; /* written, also if empty or 0 */
	struct texts
		dns; /* addresses and search domains, as wg-quick's DNS takes them; owned, as are routes */
	size_t route_count;
	uint32_t mtu;
	struct prefix *routes; /* masked */
	uint16_t keepalive_s;  /* 0: off */
};

struct fleet_override {
	struct fleet_reference gateway;
	struct fleet_settings settings; /* all of them, the overridden ones changed */
};

enum { FLEET_NO_ENDPOINT = -1 };

struct fleet_tunnel {
	char name[PROTO_INTERFACE_MAX + 1];
	struct fleet_place place;
	struct key public_key;
	struct fleet_settings settings;
	size_t override_count;
	struct fleet_override *overrides; /* owned */
	size_t gateway_count;
	struct fleet_reference *gateways; /* owned; as written, so only for tunnels in no endpoint */
	int endpoint;                     /* its index, or FLEET_NO_ENDPOINT */
	struct fleet_client client;
};

struct fleet_group {
	char name[PROTO_NAME_MAX + 1];
	struct fleet_place place;
	size_t may_reach_count;
	struct prefix *may_reach; /* owned; masked, sorted */
	struct fleet_client client;
};

struct fleet_inside {
	struct fleet_reference role;
	struct prefix address; /* with the length of its network */
	struct fleet_place place;
};

struct fleet_route {
	struct fleet_reference role;
	struct prefix to;
	struct addr via, src; /* family 0: none */
	uint32_t table, metric;
	struct fleet_place place;
};

struct fleet_check {
	struct desired_check check;  /* the interface is filled in per gateway */
	struct fleet_reference role; /* name "": none */
	struct fleet_place place;
};

struct fleet_endpoint {
	char name[PROTO_NAME_MAX + 1];
	struct fleet_place place;
	enum desired_isolation isolation;
	uint32_t lease_ms;
	int64_t preempt_ms; /* or FLEET_PREEMPT_NEVER */
	size_t gateway_count;
	struct fleet_reference gateways[PROTO_POOL_MAX]; /* in order of preference */
	size_t tunnel_count;
	struct fleet_reference tunnels[PROTO_TUNNELS_MAX];
	size_t witness_count;
	struct addr witness[PROTO_ADDRESSES_MAX];
	char dial_name[FLEET_DIAL_NAME_MAX + 1]; /* "": none */
	struct fleet_reference dial_role;
	size_t dial_count;
	struct addr dial[PROTO_ADDRESSES_MAX];
	struct fleet_place dial_places[PROTO_ADDRESSES_MAX];
	size_t inside_count;
	struct fleet_inside inside[PROTO_ADDRESSES_MAX];
	size_t check_count;
	struct fleet_check checks[PROTO_CHECKS_MAX];
	size_t notify_count;
	struct desired_notify notify[PROTO_NOTIFIES_MAX];
	size_t route_count;
	struct fleet_route *routes; /* owned; at most PROTO_ROUTES_MAX */
};

enum { FLEET_PRIORITY = 100 }; /* of an allowed IP that says none */

struct fleet_allowed_ip {
	struct prefix prefix; /* masked */
	struct fleet_place place;
	uint32_t
		priority; /* among those of other peers with the same prefix: the highest that lives has it */
	struct addr probe; /* answers pings through the peer while it lives; family 0: none */
	struct fleet_place probe_place;
	bool movable; /* says priority or probe: also a single address is nobody's for good */
	bool shared;  /* somewhere another peer may have it in place of this one, or the other way round */
};

struct fleet_peer {
	char name[PROTO_NAME_MAX + 1];
	struct fleet_place place, key_place;
	struct key public_key;
	char *preshared_key_file; /* owned; NULL: none */
	struct endpoint endpoint; /* family 0: it dials us */
	char *endpoint_host;      /* or a name, with the port; owned; NULL: none */
	uint16_t endpoint_port;
	uint16_t keepalive_s;
	bool unrouted;
	uint32_t route_metric, route_table; /* 0: as the kernel, the tunnel says */
	bool disabled;                      /* read and checked like any other, but a peer of no tunnel */
	size_t allowed_ip_count;
	struct fleet_allowed_ip *allowed_ips; /* owned; sorted by prefix */
	size_t tunnel_count;
	struct fleet_reference *tunnels; /* owned; as written: none when the fleet has one tunnel */
	uint64_t on;                     /* bit i: it is a peer of tunnel i */
	size_t group_count;
	struct fleet_reference *groups; /* owned; in the order of the file */
	int64_t expires_s;              /* since 1970; 0: never */
	struct fleet_place expires_place;
};

struct fleet {
	char name[PROTO_NAME_MAX + 1];
	uint32_t liveness_ms, lease_ms;
	enum desired_isolation isolation;
	size_t gateway_count, endpoint_count, tunnel_count, group_count, peer_count;
	struct fleet_gateway *gateways; /* owned, as all below; in the order of the file */
	struct fleet_endpoint *endpoints;
	struct fleet_tunnel *tunnels;
	struct fleet_group *groups;
	struct fleet_peer *peers;
	size_t source_count;
	char **sources; /* names of the files */
};

void fleet_free(struct fleet *fleet); /* NULL-safe */

/* By name; NULL if there is none. Linear: for people's questions, not for 100,000 peers. */
const struct fleet_gateway *fleet_find_gateway(const struct fleet *fleet, const char *name);
const struct fleet_endpoint *fleet_find_endpoint(const struct fleet *fleet, const char *name);

/* The gateways a tunnel is on: its endpoint's, or its own. */
const struct fleet_reference *fleet_tunnel_gateways(
	const struct fleet *fleet, const struct fleet_tunnel *tunnel, size_t *ret_count);
bool fleet_tunnel_is_on(const struct fleet *fleet, const struct fleet_tunnel *tunnel, size_t gateway);
/* A copy that owns what it has; what *to held before is not freed. */
void fleet_settings_copy(struct fleet_settings *to, const struct fleet_settings *from);
/* What the tunnel is there: its override, or its settings. */
const struct fleet_settings *fleet_tunnel_settings(const struct fleet_tunnel *tunnel, size_t gateway);

/*
 * What the file of a client says: the tunnel's, and what the peer's groups say otherwise, each key as a whole; of several groups the
 * last one that says it. Borrows from the fleet: not to be freed.
 */
struct fleet_client fleet_client_of(
	const struct fleet *fleet, const struct fleet_tunnel *tunnel, const struct fleet_peer *peer);

/* The interface that plays a role on a gateway; NULL if none does. */
const char *fleet_gateway_interface(const struct fleet_gateway *gateway, const char *role);

#endif
