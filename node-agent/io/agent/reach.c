/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

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

int reach_look(struct agent *agent, struct err *err)
{
	int r;

	if (agent->reach_holds || !agent->held.reach)
		return 0;
	r = nft_reach_apply(reconcile_nft(agent->reconcile), agent->reached, agent->held.reach, err);
	reach_forget(agent);
	agent->reach_holds = r == 0;
	return r;
}
