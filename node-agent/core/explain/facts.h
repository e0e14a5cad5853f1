/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_EXPLAIN_FACTS_H
#define HOLDFAST_EXPLAIN_FACTS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/key.h"
#include "node-agent/core/trace/loaded.h"

/* What is asked, and what was seen of the kernel and heard from the agent for it. */

enum { EXPLAIN_NAME_MAX = 63, EXPLAIN_WHO_MAX = 80 };

struct explain_question {
	char peer[EXPLAIN_WHO_MAX]; /* as given: a name or a key */
	struct addr to;
	char in[IFNAMSIZ]; /* by which interface a packet of another host comes; "": it is this machine's own */
	struct addr from; /* its source; none: not given */
	uint8_t protocol; /* IPPROTO_ICMP or _ICMPV6, _TCP, _UDP */
	uint16_t port;    /* of TCP and UDP */
};

/* The agent's word; all empty without one. */
struct explain_fleet {
	bool answered;
	bool known;                          /* it has the peer */
	char name[EXPLAIN_NAME_MAX + 1];     /* of the peer */
	char endpoint[EXPLAIN_NAME_MAX + 1]; /* virtual, that its tunnel is in; "": none */
	char role[16];                       /* of this gateway there: "serving", "standby" ... */
	bool serves;
};

struct explain_route {
	struct prefix to;
	struct addr via, src;
	char device[IFNAMSIZ];
	unsigned ifindex;
	uint32_t table, metric, mtu; /* mtu 0: none of its own */
	uint8_t type;                /* RTN_* */
};

struct explain_rule {
	int family;
	uint32_t priority;
	bool invert, has_fwmark, has_suppress;
	uint32_t fwmark, fwmask, table, suppress_prefixlength;
	struct prefix from, to; /* without a family: all */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	uint8_t action; /* FR_ACT_* */
	bool has_more;  /* selects by something that has no field here */
};

/* A look-up: what was asked, what the kernel answered, and which routes could have been meant. */
struct explain_way {
	struct addr to, from; /* from: none, if it is not chosen yet */
	uint32_t mark;
	char iif[IFNAMSIZ]; /* of a forwarded packet, for which the kernel is not asked; "" */
	char oif[IFNAMSIZ]; /* it can leave by no other interface: the zone of where it goes; "" */
	unsigned oif_index; /* 0: any */
	bool asked;
	int error; /* of the answer, -errno */
	struct explain_route answer;
	uint32_t device_mtu; /* of the answer's device */
	bool device_up;
	struct explain_route *routes; /* of all tables, those that contain `to`; owned */
	size_t route_count, route_capacity;
};

struct explain_tunnel {
	char name[IFNAMSIZ];
	unsigned ifindex;
	struct key public_key;
	bool up, has_private_key;
	uint32_t mtu, fwmark;
	uint16_t listen_port;
};

struct explain_peer {
	struct key public_key;
	struct endpoint endpoint;
	char zone[EXPLAIN_NAME_MAX + 1]; /* the interface that its scope is; "": none */
	uint16_t keepalive_s;
	int64_t handshake_s; /* wall clock; 0: never */
	uint64_t rx_bytes, tx_bytes;
};

/* The longest allowed IP that the address is in, of all peers of the tunnel. */
struct explain_holder {
	bool found;
	struct key peer;
	struct prefix prefix;
};

/* Of an interface; what there is not is 0. */
struct explain_sysctls {
	int rp_filter;      /* the larger of its own and of `all` */
	int src_valid_mark; /* likewise: any of both */
	int forwarding;     /* IPv4; IPv6: of `all` */
	int disable_ipv6;
	unsigned ifindex;
};

enum { EXPLAIN_SHARED_MAX = 400 };

struct explain_facts {
	struct explain_question question;
	int64_t now_s; /* wall clock */
	struct explain_fleet fleet;
	bool found; /* the peer, on a tunnel: the rest counts */
	struct explain_tunnel tunnel;
	struct explain_peer peer;
	struct explain_holder holder;
	/* Who lay claim to the holder's prefix, in the order of preference, and how each stands, as the agent judges; "": nobody
	 * else does, or no agent said so. */
	char shared[EXPLAIN_SHARED_MAX + 1];
	struct explain_rule *rules; /* of both families, in the order in which they are asked; owned */
	size_t rule_count, rule_capacity;
	struct explain_way inner; /* to the address */
	struct explain_way outer; /* to the endpoint; counts if there is one */
	/* What reverse path filtering looks up for what comes in: of a packet to this machine as if it were an answer of its
	 * own; of a forwarded one as if it came in by where that goes out (net/ipv4/fib_frontend.c). */
	struct explain_way back;        /* to the endpoint, without a mark */
	struct explain_way back_marked; /* likewise, with the tunnel's: src_valid_mark */
	struct explain_way back_inner;  /* to the address */
	struct explain_way back_in;     /* to question.from; counts if it is given */
	struct explain_sysctls in, on_tunnel, on_outer;
	struct loaded_ruleset ruleset;
	char ruleset_failure[256]; /* why it is not there; "" */
	bool legacy;               /* iptables-legacy has tables, too, and those cannot be seen */
};

void explain_facts_clear(struct explain_facts *facts); /* frees; NULL-safe */

struct explain_rule *explain_add_rule(struct explain_facts *facts);
struct explain_route *explain_add_route(struct explain_way *way);

#endif
