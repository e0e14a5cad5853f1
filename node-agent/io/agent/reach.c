/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/nft/groups.h"

/* The rules of groups, in the kernel. Nothing is asked of it as long as nobody else has changed the table: it may hold 100,000 elements. */

void reach_replaced(struct agent *agent)
{
	if (!agent->reach_holds)
		return;
	reach_free(agent->reached);
	agent->reached = agent->held.reach;
	agent->held.reach = NULL;
	agent->reach_holds = false;
}

void reach_forget(struct agent *agent)
{
	reach_free(agent->reached);
	agent->reached = NULL;
	agent->reach_holds = false;
}

static int apply(struct agent *agent, const struct reach *to, struct err *err)
{
	int r = nft_reach_apply(reconcile_nft(agent->reconcile), agent->reached, to, err);

	reach_forget(agent);
	return r;
}

/* What differs was refused, perhaps since the table is not what it was: then the whole of it, before anybody is kept out. */
static int apply_or_anew(struct agent *agent, const struct reach *to, struct err *err)
{
	bool whole = !agent->reached;
	int r = apply(agent, to, err);

	if (r >= 0 || whole)
		return r;
	log_warning("agent", "groups-made-anew", log_err(err));
	return apply(agent, to, err);
}

/* An address that a peer is about to lose is in its groups until it has. */
int reach_before_peers(struct agent *agent, struct err *err)
{
	struct reach *between;
	int r;

	if (agent->reach_holds || !agent->held.reach)
		return 0;
	between = agent->reached ? reach_between(agent->reached, agent->held.reach) : NULL;
	r = apply_or_anew(agent, between ? between : agent->held.reach, err);
	agent->reach_missing = r < 0;
	if (r < 0) {
		reach_free(between);
		return r;
	}
	agent->reached = between;
	agent->reach_holds = !between;
	return 0;
}

int reach_after_peers(struct agent *agent, struct err *err)
{
	int r;

	if (agent->reach_holds || !agent->held.reach)
		return 0;
	r = apply(agent, agent->held.reach, err);
	agent->reach_holds = r == 0;
	return r;
}

int reach_try(struct agent *agent, const struct reach *to, struct err *err)
{
	const struct reach *from = agent->reach_holds ? agent->held.reach : agent->reached;
	struct reach *between = from ? reach_between(from, to) : NULL;
	int r = nft_reach_try(reconcile_nft(agent->reconcile), from, between ? between : to, err);

	reach_free(between);
	return r;
}
