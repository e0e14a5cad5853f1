/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/core/explain/judge_way.h"
#include "node-agent/core/explain/words.h"

enum { RP_FILTER_STRICT = 1 }; /* ip-sysctl.rst: 0 off, 1 strict, 2 loose */

static bool is_forwarded(const struct judgement *judgement)
{
	return judgement->facts->question.in[0];
}

/* ---- forwarding ---- */

static void judge_forwarding_of(
	struct judgement *judgement, const char *device, const struct explain_sysctls *sysctls)
{
	bool ip6 = judgement->facts->question.to.family == AF_INET6;
	struct explain_finding *finding;

	if (sysctls->forwarding)
		return;
	finding = explain_find(judgement->findings, EXPLAIN_FORWARDING, EXPLAIN_NO,
		"%s is not forwarded from %s: forwarding is off", ip6 ? "IPv6" : "IPv4", device);
	if (ip6)
		explain_todo(finding, "sysctl -w net.ipv6.conf.all.forwarding=1, or forward: in fleet.yaml");
	else
		explain_todo(finding,
			"sysctl -w net.ipv4.ip_forward=1 (or of the interface: net.ipv4.conf.%s.forwarding), "
			"or "
			"forward: in fleet.yaml",
			device);
}

/* The kernel asks where an answer to the source would go: as if it came in by the interface that this leaves by. */
static void judge_arriving_source(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct explain_way *back = &facts->back_in;
	char from[ADDR_TEXT_MAX], where[JUDGE_BACK_TEXT_MAX];
	struct explain_finding *finding;

	if (!addr_is_set(&back->to) || back->to.family != AF_INET ||
		facts->in.rp_filter != RP_FILTER_STRICT ||
		judge_back(facts, back, facts->question.in) != JUDGE_BACK_DROPS)
		return;
	finding = explain_find(judgement->findings, EXPLAIN_FORWARDING, EXPLAIN_NO,
		"rp_filter is strict (1) on %s, and the way back to %s leads %s: it is dropped",
		facts->question.in, addr_format(&back->to, from, sizeof(from)),
		judge_back_format(facts, back, where));
	explain_todo(finding, "sysctl -w net.ipv4.conf.%s.rp_filter=2", facts->question.in);
}

void judge_forwarding(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	size_t before = judgement->findings->count;

	if (!is_forwarded(judgement))
		return;
	judge_forwarding_of(judgement, facts->question.in, &facts->in);
	judge_forwarding_of(judgement, facts->tunnel.name, &facts->on_tunnel);
	judge_arriving_source(judgement);
	if (judgement->findings->count == before)
		explain_find(judgement->findings, EXPLAIN_FORWARDING, EXPLAIN_OK, "on, from %s and from %s",
			facts->question.in, facts->tunnel.name);
}

/* ---- the way ---- */

/* Why the route into the tunnel, if there is one, is not the one: complaint of every wg-quick user whose LAN overlaps. */
static void say_why_not(struct judgement *judgement, struct explain_finding *finding,
	const struct explain_route *taken, const struct explain_choice *choice)
{
	const struct explain_facts *facts = judgement->facts;
	const struct explain_route *into = explain_route_into(&facts->inner, facts->tunnel.name);
	char words[EXPLAIN_WORDS_MAX], rule[EXPLAIN_WORDS_MAX], to[ADDR_TEXT_MAX];

	if (!into)
		explain_todo(finding, "no route leads it into %s: ip route add %s dev %s", facts->tunnel.name,
			addr_format(&facts->question.to, to, sizeof(to)), facts->tunnel.name);
	else if (into->table == taken->table && into->to.length < taken->to.length)
		explain_todo(finding, "%s is less specific: delete the one, or add a longer prefix into %s",
			explain_route_format(into, words), facts->tunnel.name);
	else if (into->table == taken->table)
		explain_todo(finding, "%s has the larger metric: it is never asked",
			explain_route_format(into, words));
	else if (choice->rule)
		explain_todo(finding, "%s is not asked, since the rule %s comes first",
			explain_route_format(into, words), explain_rule_format(choice->rule, rule));
	else
		explain_todo(finding, "no rule leads to %s", explain_route_format(into, words));
}

static void judge_route(
	struct judgement *judgement, const struct explain_route *taken, const struct explain_choice *choice)
{
	const struct explain_facts *facts = judgement->facts;
	char words[EXPLAIN_WORDS_MAX], to[ADDR_TEXT_MAX];
	struct explain_finding *finding;

	addr_format(&facts->question.to, to, sizeof(to));
	explain_route_format(taken, words);
	if (taken->type == RTN_LOCAL) {
		finding = explain_find(judgement->findings, EXPLAIN_ROUTE, EXPLAIN_NO,
			"%s is this machine's own address: nothing goes into %s", to, facts->tunnel.name);
		explain_todo(finding, "ask for an address on the other side");
	} else if (strcmp(taken->device, facts->tunnel.name) != 0) {
		finding = explain_find(judgement->findings, EXPLAIN_ROUTE, EXPLAIN_NO,
			"%s goes by %s, not into %s", to, words, facts->tunnel.name);
		say_why_not(judgement, finding, taken, choice);
	} else {
		judgement->enters = true;
		explain_find(judgement->findings, EXPLAIN_ROUTE, EXPLAIN_OK, "%s", words);
	}
}

void judge_inner_way(struct judgement *judgement)
{
	const struct explain_way *way = &judgement->facts->inner;
	const struct trace_mark *mark = &judgement->packet.mark;
	struct explain_choice choice = explain_choose(judgement->facts, way, mark->value);
	struct explain_route taken = way->answer;

	if (mark->unknown) {
		explain_find(judgement->findings, EXPLAIN_RULE, EXPLAIN_DOUBTFUL,
			"cannot tell which rule decides: the firewall sets a mark that is not known");
		return;
	}
	judge_rule(judgement, EXPLAIN_RULE, way, &choice);
	if (judge_no_way(judgement, EXPLAIN_ROUTE, way, &choice))
		return;
	/* The kernel's answer names the address as its prefix. */
	if (!way->asked || judge_is_sure(way, &choice))
		taken = *choice.route;
	judge_route(judgement, &taken, &choice);
}

/* ---- source ---- */

static void judge_own_source(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct addr *source = &facts->inner.answer.src;
	struct explain_finding *finding;
	char from[ADDR_TEXT_MAX];

	if (addr_is_set(source)) {
		explain_find(judgement->findings, EXPLAIN_SOURCE, EXPLAIN_OK, "%s",
			addr_format(source, from, sizeof(from)));
		return;
	}
	finding = explain_find(judgement->findings, EXPLAIN_SOURCE, EXPLAIN_NO,
		"this machine has no address to send it from");
	explain_todo(finding, "give %s an address of that family", facts->tunnel.name);
}

void judge_source(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	struct explain_finding *finding;
	char from[ADDR_TEXT_MAX];

	if (facts->question.to.family == AF_INET6 && facts->on_tunnel.disable_ipv6) {
		finding = explain_find(judgement->findings, EXPLAIN_SOURCE, EXPLAIN_NO,
			"IPv6 is switched off on %s", facts->tunnel.name);
		explain_todo(finding, "sysctl -w net.ipv6.conf.%s.disable_ipv6=0, and its addresses again",
			facts->tunnel.name);
	} else if (judgement->enters && !is_forwarded(judgement)) {
		judge_own_source(judgement);
	} else if (is_forwarded(judgement) && addr_is_set(&facts->question.from)) {
		explain_find(judgement->findings, EXPLAIN_SOURCE, EXPLAIN_OK, "%s, as it comes in by %s",
			addr_format(&facts->question.from, from, sizeof(from)), facts->question.in);
	}
}

/* ---- back out of the tunnel ---- */

static void say_filtered(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	char to[ADDR_TEXT_MAX], where[JUDGE_BACK_TEXT_MAX];
	struct explain_finding *finding = explain_find(judgement->findings, EXPLAIN_RP_FILTER, EXPLAIN_NO,
		"it is strict (1) on %s, and the look-up of %s that it makes leads %s: answers out of the "
		"tunnel are "
		"dropped",
		facts->tunnel.name, addr_format(&facts->question.to, to, sizeof(to)),
		judge_back_format(facts, &facts->back_inner, where));

	explain_todo(finding,
		"sysctl -w net.ipv4.conf.%s.rp_filter=2 (the larger of it and net.ipv4.conf.all.rp_filter "
		"counts)",
		facts->tunnel.name);
}

void judge_rp_filter(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	enum judge_back result = JUDGE_BACK_PASSES;

	if (facts->question.to.family != AF_INET)
		return;
	if (facts->on_tunnel.rp_filter == RP_FILTER_STRICT)
		result = judge_back(facts, &facts->back_inner, facts->tunnel.name);
	switch (result) {
	case JUDGE_BACK_PASSES:
		explain_find(judgement->findings, EXPLAIN_RP_FILTER, EXPLAIN_OK, "%d on %s",
			facts->on_tunnel.rp_filter, facts->tunnel.name);
		return;
	case JUDGE_BACK_DROPS:
		say_filtered(judgement);
		return;
	case JUDGE_BACK_UNSURE:
		explain_find(judgement->findings, EXPLAIN_RP_FILTER, EXPLAIN_DOUBTFUL,
			"it is strict (1) on %s, and cannot tell what it looks up: a rule selects by more "
			"than is "
			"looked at here",
			facts->tunnel.name);
		return;
	}
}
