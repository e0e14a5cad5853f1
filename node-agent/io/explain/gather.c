/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/explain/gather.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/io/explain/gather_int.h"
#include "node-agent/io/nft/load.h"
#include "node-agent/io/rtnl/link.h"

/* The older iptables have tables of their own, which nftables does not show. */
static bool has_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	bool lines = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return lines;
}

static void look_at_firewall(struct explain_facts *facts)
{
	bool ip6 = facts->question.to.family == AF_INET6 || facts->peer.endpoint.addr.family == AF_INET6;
	struct nft *nft = NULL;
	struct err err;
	int r = nft_open(&nft, &err);

	if (r >= 0)
		r = nft_load(nft, &facts->ruleset, &err);
	nft_close(nft);
	if (r < 0)
		text_copy(facts->ruleset_failure, sizeof(facts->ruleset_failure), err.text);
	facts->legacy =
		has_lines("/proc/net/ip_tables_names") || (ip6 && has_lines("/proc/net/ip6_tables_names"));
}

/* The interface that forwarded packets come in by. */
static int look_at_in(struct rtnl *rtnl, struct explain_facts *facts, struct err *err)
{
	struct rtnl_link link;
	int r;

	if (!facts->question.in[0])
		return 0;
	r = rtnl_link_get(rtnl, facts->question.in, &link, err);
	if (r >= 0)
		facts->in.ifindex = link.ifindex;
	return r;
}

static int look(struct rtnl *rtnl, const char *agent_socket, struct explain_facts *facts, struct err *err)
{
	struct wanted wanted = {0};
	int r = look_at_in(rtnl, facts, err);

	if (r < 0)
		return r;
	explain_ask_agent(agent_socket, facts->question.peer, &facts->fleet, &wanted);
	r = explain_find_peer(&wanted, facts, err);
	if (r < 0 || !facts->found)
		return r;
	if (facts->fleet.answered)
		explain_ask_shared(agent_socket, facts);
	look_at_firewall(facts);
	return explain_look_at_ways(rtnl, facts, err);
}

int explain_gather(const struct explain_question *question, const char *agent_socket,
	struct explain_facts *ret_facts, struct err *err)
{
	struct explain_facts facts = {.question = *question, .now_s = clock_wall_ms() / 1000};
	struct rtnl *rtnl = NULL;
	int r = rtnl_open(RTNL_TIMEOUT_MS, &rtnl, err);

	if (r >= 0)
		r = look(rtnl, agent_socket, &facts, err);
	rtnl_close(rtnl);
	if (r < 0)
		explain_facts_clear(&facts);
	else
		*ret_facts = facts;
	return r;
}
