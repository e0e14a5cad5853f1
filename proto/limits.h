/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_LIMITS_H
#define HOLDFAST_PROTO_LIMITS_H

/* The written limits of everything that travels. A decoder refuses what is beyond, naming the limit. */
enum {
	PROTO_VERSION = 1,                  /* both sides refuse another major version with a clear message */
	PROTO_NAME_MAX = 63,                /* characters of a gateway, endpoint, tunnel, peer name */
	PROTO_INTERFACE_MAX = 15,           /* IFNAMSIZ - 1 */
	PROTO_PATH_MAX = 511,               /* a path on a gateway */
	PROTO_REASON_MAX = 255,             /* a sentence for a person */
	PROTO_GATEWAYS_MAX = 64,            /* gateways of a fleet */
	PROTO_POOL_MAX = 16,                /* gateways of one pool */
	PROTO_ENDPOINTS_MAX = 16,           /* virtual endpoints that one gateway can own */
	PROTO_TUNNELS_MAX = 64,             /* tunnels on a gateway */
	PROTO_GROUPS_MAX = 64,              /* groups of peers of a fleet */
	PROTO_REACH_MAX = 256,              /* prefixes that one group may reach */
	PROTO_ADDRESSES_MAX = 16,           /* addresses of one thing */
	PROTO_CHECKS_MAX = 16,              /* checks of an endpoint */
	PROTO_NOTIFIES_MAX = 4,             /* programs of an endpoint that are told of its state */
	PROTO_HOOKS_MAX = 16,               /* command lines of a tunnel, of each kind */
	PROTO_HOOK_MAX = 2047,              /* bytes of one */
	PROTO_DNS_MAX = 16,                 /* name servers and search domains of a tunnel */
	PROTO_ROUTES_MAX = 256,             /* routes of an endpoint */
	PROTO_PEERS_MAX = 200000,           /* peers of a gateway */
	PROTO_ALLOWED_IPS_MAX = 131072,     /* allowed IPs of one peer */
	PROTO_PRIORITY_MAX = 65535,         /* of a prefix that several peers have */
	PROTO_SHARERS_MAX = 16,             /* peers that have one prefix on a gateway */
	PROTO_SESSIONS_MAX = 200000,        /* live sessions of a gateway */
	PROTO_REASONS_MAX = 16,             /* reasons in one report */
	PROTO_PARTNERS_MAX = 64,            /* whom one gateway exchanges liveness with */
	PROTO_INSTRUCTIONS_MAX = 1024,      /* instructions in one answer */
	PROTO_DATAGRAM_MAX = 1400,          /* bytes of UDP payload: below any sane MTU */
	PROTO_JSON_MAX = 128 * 1024 * 1024, /* bytes of the largest message (a full peer set) */
};

#endif
