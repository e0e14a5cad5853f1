/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_DESIRED_H
#define HOLDFAST_PROTO_DESIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/key.h"
#include "common/base/texts.h"
#include "proto/limits.h"

/*
 * What one gateway shall be: everything the fleet file says that concerns it, with roles of interfaces
 * resolved to names and per-gateway overrides applied. Made by the controller, sent in generations, kept by
 * the agent on its disk (mode 0600: pair keys). Owned by whoever decoded or built it; free with
 * desired_free().
 */

/* An allowed IP that other peers lay claim to as well, by the same prefix or by one around it. The gateway decides who
 * has it: see node-agent/core/holder. */
struct desired_share {
	struct prefix prefix; /* one of its peer's allowed_ips */
	uint32_t priority;    /* among those with the same prefix, the higher is preferred */
	struct addr probe;    /* answers pings through the peer while it lives; family 0: none */
	uint32_t table; /* the routing table where other tunnels compete; 0: its own tunnel's peers do */
};

struct desired_peer {
	char name[PROTO_NAME_MAX + 1];
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
	char *preshared_key_file; /* path on the gateway; owned; NULL: none. The key itself never travels. */
	struct endpoint endpoint; /* configured, numeric; family 0: none, it dials us */
	char *endpoint_host;      /* or the host's name, for the gateway to resolve; owned; NULL: none */
	uint16_t endpoint_port;   /* with endpoint_host */
	uint16_t keepalive_s;     /* persistent keepalive; 0: off */
	bool unrouted;            /* its allowed IPs get no routes: somebody else makes them */
	uint32_t route_metric;    /* of its routes; 0: the kernel's default */
	uint32_t route_table;     /* of its routes, as TABLE_NUMBER means it; 0: what the tunnel says */
	int64_t expires_s; /* from then on (since 1970, by the gateway's wall clock) it is no peer; 0: never */
	char *groups;      /* "admin,staff": sorted; owned; NULL: in none, not restricted */
	size_t allowed_ip_count;
	struct prefix *allowed_ips; /* sorted, masked, without duplicates; owned */
	size_t share_count;
	struct desired_share *shares; /* sorted by prefix; owned */
};

/* The order peers are kept in: by tunnel, then public key. */
int desired_peer_compare(const struct desired_peer *a, const struct desired_peer *b);
bool desired_peer_equal(const struct desired_peer *a, const struct desired_peer *b);
void desired_peer_copy(struct desired_peer *to, const struct desired_peer *from);
void desired_peer_clear(struct desired_peer *peer); /* frees what it owns */
bool desired_peer_is_in(const struct desired_peer *peer, const char *group);
bool desired_peer_is_expired(const struct desired_peer *peer, int64_t now_s); /* from its very second on */

/* What forwarded packets from its peers may go to: all that any group of theirs may reach. */
struct desired_group {
	char name[PROTO_NAME_MAX + 1];
	size_t may_reach_count;
	struct prefix *may_reach; /* sorted, masked, without duplicates; owned */
};

struct desired_snat {
	struct prefix from;
	char interface[PROTO_INTERFACE_MAX + 1]; /* out of which */
};

enum desired_forward_policy { FORWARD_UNMANAGED = 0, FORWARD_ACCEPT = 1, FORWARD_DROP = 2 };

struct desired_forward {
	enum desired_forward_policy policy;
	bool clamp_mss; /* TCP's MSS to the path's MTU, through the tunnel both ways */
	size_t snat_count, masquerade_count;
	struct desired_snat snat[PROTO_ADDRESSES_MAX];       /* to that interface's inside address */
	struct desired_snat masquerade[PROTO_ADDRESSES_MAX]; /* to an address of that interface */
};

enum desired_table { TABLE_AUTO = 0, TABLE_OFF = 1, TABLE_NUMBER = 2 };

/* IFF_MULTICAST of the interface, which routing daemons look for. A kernel device comes without, a TUN device with. */
enum desired_multicast { MULTICAST_AS_IT_COMES = 0, MULTICAST_OFF = 1, MULTICAST_ON = 2 };

/* Command lines around a tunnel's making and removing; agent.yaml has to allow them. See node-agent/core/hook. */
enum desired_hook { HOOK_PRE_UP = 0, HOOK_POST_UP = 1, HOOK_PRE_DOWN = 2, HOOK_POST_DOWN = 3, HOOKS };

struct desired_tunnel {
	char name[PROTO_INTERFACE_MAX + 1];
	char private_key_file[PROTO_PATH_MAX + 1]; /* on the gateway */
	struct key public_key;                     /* what that file must derive to */
	size_t address_count;
	struct prefix addresses[PROTO_ADDRESSES_MAX];   /* with a peer, the length is the peer's */
	struct addr address_peers[PROTO_ADDRESSES_MAX]; /* the far end of the address; family 0: none */
	/* Has fe80::/64 with the first 8 bytes of the public key behind it, too: who knows the key knows the address. */
	bool link_local;
	enum desired_multicast multicast;
	uint16_t listen_port;
	uint32_t fwmark; /* never 0: the fence and the source rule match on it */
	uint32_t mtu;    /* 0: automatic */
	enum desired_table table;
	uint32_t table_number; /* for TABLE_NUMBER */
	struct desired_forward forward;
	struct texts hooks[HOOKS]; /* owned; at most PROTO_HOOKS_MAX of each */
	struct texts dns; /* owned; name servers' addresses and domains to search, of the whole host */
};

void desired_tunnel_clear(struct desired_tunnel *tunnel); /* frees what it owns */
bool desired_tunnel_has_hooks(const struct desired_tunnel *tunnel);

struct desired_route {
	struct prefix to;
	struct addr via; /* family 0: on link */
	char interface[PROTO_INTERFACE_MAX + 1];
	uint32_t table, metric; /* 0: main, the kernel's default */
	struct addr src;        /* family 0: the kernel chooses */
};

struct desired_inside {
	char interface[PROTO_INTERFACE_MAX + 1];
	struct prefix address;
};

/* What a gateway asks of its world, to learn whether it would serve the endpoint well. */
enum desired_check_kind {
	CHECK_PING = 0,    /* an echo request of the target's family is answered */
	CHECK_TCP = 1,     /* a connection is accepted */
	CHECK_HTTP = 2,    /* GET of the path is answered with a status from 200 to 399 */
	CHECK_PROGRAM = 3, /* the program at the path ends with status 0; agent.yaml has to allow it */
};

struct desired_check {
	enum desired_check_kind kind;
	struct endpoint target;        /* of ping: port 0; of a program: family 0 */
	char path[PROTO_PATH_MAX + 1]; /* of http: "/health"; of a program: where it is on the gateway */
	char interface[PROTO_INTERFACE_MAX +
		       1]; /* out of which, with an own address there; "": as routes say */
	uint32_t every_ms, timeout_ms;
	uint32_t fall, rise; /* failures in a row until it is down, successes in a row until it is up again */
};

/* What a gateway is to an endpoint, as programs are told of it. */
enum desired_state {
	STATE_OWNER = 0,   /* it serves */
	STATE_STANDBY = 1, /* it could */
	STATE_UNFIT = 2,   /* it could not */
	STATES
};

/* A program that is run when the gateway becomes one of these; agent.yaml has to allow it. */
struct desired_notify {
	char program[PROTO_PATH_MAX + 1];
	unsigned when; /* bits, 1 << enum desired_state */
};

enum desired_isolation { ISOLATION_HOLD = 0, ISOLATION_FENCE = 1 };

struct desired_endpoint {
	char name[PROTO_NAME_MAX + 1];
	enum desired_isolation isolation;
	uint32_t lease_ms;
	char dial_interface[PROTO_INTERFACE_MAX + 1];
	size_t dial_count;
	struct addr dial[PROTO_ADDRESSES_MAX];
	size_t inside_count;
	struct desired_inside inside[PROTO_ADDRESSES_MAX];
	size_t route_count;
	struct desired_route routes[PROTO_ROUTES_MAX];
	size_t witness_count;
	struct addr witness[PROTO_ADDRESSES_MAX]; /* none: the underlay's router */
	size_t check_count;
	struct desired_check checks[PROTO_CHECKS_MAX];
	size_t notify_count;
	struct desired_notify notify[PROTO_NOTIFIES_MAX];
	size_t tunnel_count;
	char tunnels[PROTO_TUNNELS_MAX][PROTO_INTERFACE_MAX + 1];
	size_t pool_count; /* all members in order of preference, this gateway included */
	char pool[PROTO_POOL_MAX][PROTO_NAME_MAX + 1];
};

/* Somebody this gateway exchanges liveness datagrams with: each other member of its pools, and the
 * controller. */
struct desired_partner {
	char name[PROTO_NAME_MAX + 1];
	bool is_controller; /* without addresses: it is reached at the agent's own `controllers:` */
	size_t address_count;
	struct addr addresses[PROTO_ADDRESSES_MAX]; /* on the underlay, first of each family is used */
	struct key pair_key;                        /* secret */
};

struct desired {
	uint64_t generation;
	uint64_t store; /* id of the controller's store */
	struct key
		grant_key; /* that store's public key (Ed25519), which grants are signed with; zero: no endpoint
				 here has `isolation: fence` */
	char fleet[PROTO_NAME_MAX + 1];
	char gateway[PROTO_NAME_MAX + 1];
	size_t address_count;
	struct addr addresses[PROTO_ADDRESSES_MAX]; /* this gateway's own, on the underlay */
	uint32_t liveness_ms;                       /* interval of beats */
	size_t tunnel_count;
	struct desired_tunnel *tunnels; /* owned */
	size_t endpoint_count;
	struct desired_endpoint *endpoints; /* owned */
	size_t group_count;
	struct desired_group *groups; /* owned; sorted by name: those that a peer here is in */
	size_t partner_count;
	struct desired_partner *partners; /* owned, wiped */
	size_t peer_count;
	struct desired_peer *peers; /* owned; sorted by (tunnel, public key) */
};

/* "owner", "standby", "unfit" */
extern const char *const desired_state_names[STATES];
/* "pre_up", "post_up", "pre_down", "post_down" */
extern const char *const desired_hook_names[HOOKS];
/* Is it one line: not empty, at most PROTO_HOOK_MAX bytes, no control characters but tabs? */
bool desired_hook_is_line(const char *text);

struct desired *desired_new(void);
void desired_free(struct desired *desired); /* wipes pair keys; NULL-safe */
struct desired *desired_copy(const struct desired *desired);
struct desired *desired_copy_head(const struct desired *desired); /* without the peers */

/* JSON both ways. The text is secret (pair keys): the caller wipes and frees it. Encoding is canonical: equal
 * values give equal bytes, so a SHA-256 over it is a generation's content hash. */
char *desired_encode(const struct desired *desired);
int desired_decode(const char *json, size_t size, struct desired **ret_desired, struct err *err);

/*
 * The way from one generation to the next: the whole head (it is small) and only the peers that differ.
 * desired_diff: make it; from NULL gives the whole state. desired_patch: apply to `from` (NULL for whole
 * ones), giving a new value; -ESTALE when from is not of generation `base`, -EINVAL when the change does not
 * fit it (another gateway, a removed peer that is not there). Both merge two sorted lists: linear.
 */
struct desired_peer_key {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
};

struct desired_delta {
	uint64_t base;                      /* generation it starts from; 0: from nothing */
	struct desired *head_and_set_peers; /* the new head; its peers are those added or changed; owned */
	size_t removed_count;
	struct desired_peer_key *removed; /* sorted as peers are; owned */
};

struct desired_delta *desired_diff(const struct desired *from, const struct desired *to);
int desired_patch(const struct desired *from, const struct desired_delta *delta, struct desired **ret_to,
	struct err *err);
void desired_delta_free(struct desired_delta *delta);
char *desired_delta_encode(const struct desired_delta *delta); /* secret; caller wipes and frees */
int desired_delta_decode(const char *json, size_t size, struct desired_delta **ret_delta, struct err *err);

#endif
