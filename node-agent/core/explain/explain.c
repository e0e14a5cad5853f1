/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/explain/explain.h"

#include "node-agent/core/explain/judge.h"

static void judge_way_in(struct judgement *judgement)
{
	judge_forwarding(judgement);
	judge_arrival(judgement);
	judge_inner_way(judgement);
	judge_source(judgement);
	judge_firewall(judgement);
	judge_allowed(judgement);
}

static void judge_way_out(struct judgement *judgement)
{
	judge_endpoint(judgement);
	if (!addr_is_set(&judgement->facts->peer.endpoint.addr))
		return;
	judge_outer_way(judgement);
	judge_mtu(judgement);
	judge_outer_firewall(judgement);
	judge_answer_firewall(judgement);
	judge_outer_rp_filter(judgement);
}

static void judge_way_back(struct judgement *judgement)
{
	judge_handshake(judgement);
	judge_rp_filter(judgement);
	judge_reply_firewall(judgement);
}

void explain(const struct explain_facts *facts, struct explain_findings *findings)
{
	struct judgement judgement = {.facts = facts, .findings = findings};

	judge_peer(&judgement);
	if (!facts->found)
		return;
	judge_tunnel(&judgement);
	judge_owner(&judgement);
	judge_way_in(&judgement);
	judge_way_out(&judgement);
	judge_way_back(&judgement);
}
