/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_TARGET_H
#define HOLDFAST_QUICK_TARGET_H

#include "node-agent/core/plan/plan.h"
#include "node-agent/core/quick/allowed.h"
#include "node-agent/core/quick/config.h"
#include "node-agent/core/quick/default_route.h"
#include "node-agent/core/quick/sidecar.h"

/* rtm_protocol of the routes and FRA_PROTOCOL of the rules of `holdfast up`. Not the agent's PLAN_PROTOCOL: what carries
 * that and is not in the fleet file, the agent removes. */
enum {
	QUICK_PROTOCOL = 158,
	QUICK_PROTOCOL_HOST =
		159, /* host routes to endpoints: on links that are not ours; the journal tells whose */
	QUICK_TABLE_LOCAL = 255, /* RT_TABLE_LOCAL */
	QUICK_METRIC_WAY = 1,    /* of a host route; not 0, which means any to the kernel when it deletes */
	QUICK_METRIC_NOWHERE = 2000000000, /* of what leads nowhere behind a host route */
};

/*
 * From a file to what the plan engine compares: first the device (link, WireGuard, addresses), then, as wg-quick does,
 * the routes of what the device really holds.
 */

/* What the file said when the tunnel came up: a value of ours that the file never spoke of stays as it is in the
 * device (a key that PostUp set, a random port, an automatic mark); one that it no longer speaks of goes. */
struct quick_memory_peer {
	struct key public_key;
	bool has_preshared_key;
	char *endpoint; /* "HOST:SERVICE" as in the file; owned; NULL: none */
};
struct quick_memory {
	bool has_private_key, has_listen_port, has_fwmark, has_multicast;
	struct quick_memory_peer *peers; /* owned; sorted by key */
	size_t peer_count, peer_capacity;
};
void quick_memory_init(struct quick_memory *ret_memory, const struct quick_config *config,
	const struct quick_sidecar *sidecar);
void quick_memory_clear(struct quick_memory *memory); /* NULL-safe */
const struct quick_memory_peer *quick_memory_find(const struct quick_memory *memory, const struct key *key);

struct quick_facts {
	const char *name;
	const struct quick_config *config;
	const struct quick_sidecar *sidecar;
	const struct quick_allowed *allowed;
	const struct quick_memory *memory; /* NULL: it comes up now, nothing that it has is taken away */
	const struct endpoint *endpoints;  /* by peer of the file; without a family: none */
	const struct plan_device *live;    /* as the device is; NULL: not there yet */
	const struct key *public_key;      /* of the file's private key; zero: none */
	uint32_t mtu;                      /* chosen */
	bool comes_with_multicast;         /* what the device says while nobody says otherwise */
	bool has_ip4, has_ip6;             /* of the host: without, addresses and routes of it are left out */
};

/* Link, device and addresses. Borrows allowed IPs of `allowed`. */
void quick_target_device(struct plan_target *target, const struct quick_facts *facts);

/* An allowed IP that gets a route. */
struct quick_routed {
	struct prefix to;
	uint32_t metric, table; /* of its peer; 0: as for every other */
};

/* A route that does not lead into the tunnel and is not ours. */
enum quick_other_kind {
	QUICK_OTHER_PLAIN,
	QUICK_OTHER_TUNNEL,    /* into another tunnel: QUICK_PROTOCOL */
	QUICK_OTHER_HOST_ROUTE /* around another tunnel: QUICK_PROTOCOL_HOST */
};
struct quick_other {
	struct plan_route route;
	enum quick_other_kind kind;
};

struct quick_route_facts {
	const char *name;
	enum quick_table table;
	uint32_t table_number; /* for QUICK_TABLE_NAMED */
	uint32_t mark;         /* for default routes; 0: not needed (see quick_needs_mark) */
	struct quick_priorities priorities4, priorities6;
	const struct quick_routed *routed; /* all of the device's, less those of peers without routes */
	size_t routed_count;
	const struct prefix *covering; /* main table's routes on the device that are not ours */
	size_t covering_count;
	const struct prefix *rivals; /* main table's routes on others; needed only where quick_has_covered() */
	size_t rival_count;
	bool has_ip4, has_ip6;
	bool halves; /* a default route is two routes of length 1 in the main table, without mark and rules */
	bool host_routes; /* endpoints that our routes cover get ways around them; needs the following: */
	const struct addr *endpoints; /* without a family: none */
	size_t endpoint_count;
	const struct quick_other *others; /* of all tables */
	size_t other_count;
	bool forward4, forward6; /* the kernel shall forward */
	bool apart; /* its packets leave through another network namespace, where no route of this one leads */
};

/* Does a default route go through the tunnel, by whatever means of ours? */
bool quick_has_default(const struct quick_route_facts *facts, uint8_t family);
/* Does all of a family? Also by two halves that the file itself has. */
bool quick_takes_all(const struct quick_route_facts *facts, uint8_t family);
/* Is there a route on the device that covers an allowed IP, so that this may need none of its own? */
bool quick_has_covered(const struct quick_route_facts *facts);
/* Does a default route ask for a mark and rules? */
bool quick_needs_mark(const struct quick_route_facts *facts, uint8_t family);
/* Routes, rules, and the kernel parameters that they and forwarding need. */
void quick_target_routes(struct plan_target *target, const struct quick_route_facts *facts);

/* What the main table will have on the device because of its addresses, for who can't look yet. The caller frees. */
struct prefix *quick_connected(
	const struct quick_config *config, const struct quick_sidecar *sidecar, size_t *ret_count);

#endif
