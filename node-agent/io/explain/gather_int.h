/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_EXPLAIN_GATHER_INT_H
#define HOLDFAST_IO_EXPLAIN_GATHER_INT_H

#include "node-agent/io/explain/gather.h"
#include "node-agent/io/rtnl/rtnl.h"

/* Inside hf_agent_explain. */

/* Who is meant. */
struct wanted {
	bool has_key; /* false: a name that nobody knows */
	struct key public_key;
	char tunnel[IFNAMSIZ]; /* as the agent says; "" */
};

/* fleet.c: what the agent says of the peer; no agent is no error. */
void explain_ask_agent(
	const char *socket, const char *peer, struct explain_fleet *fleet, struct wanted *wanted);

/* shared.c: who else lays claim to the holder's prefix, as the agent says; no agent is no error. */
void explain_ask_shared(const char *socket, struct explain_facts *facts);

/* peer.c: the tunnel that holds the peer, and whose the address is there. */
int explain_find_peer(const struct wanted *wanted, struct explain_facts *facts, struct err *err);

/* ways.c: links, rules, routes, look-ups, kernel parameters. */
int explain_look_at_ways(struct rtnl *rtnl, struct explain_facts *facts, struct err *err);

#endif
