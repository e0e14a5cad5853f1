/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_UNDERLAY_H
#define HOLDFAST_AGENT_UNDERLAY_H

#include "node-agent/core/repair/way.h"
#include "node-agent/io/rtnl/rtnl.h"

struct agent;
struct event;
struct place;

/* The ways from here to the peers, in one network namespace: that of the tunnels' sockets. */
struct underlay {
	struct agent *agent;
	struct place *place; /* NULL: the agent's own namespace */
	struct rtnl *rtnl;   /* borrowed */
	struct ways ways;    /* as seen last */
	bool told_of_limit;  /* that there are more peers than ways */
	struct event *timer;
};

void underlay_open(struct underlay *underlay, struct agent *agent, struct place *place, struct rtnl *rtnl);
void underlay_close(struct underlay *underlay); /* zeroed is fine */
/* Has the way to peers changed? Asked once the events of a burst are in. */
void underlay_check_soon(struct underlay *underlay);

#endif
