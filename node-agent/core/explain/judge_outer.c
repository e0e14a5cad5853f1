/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>
#include <string.h>

#include "node-agent/core/explain/judge_way.h"
#include "node-agent/core/explain/words.h"

enum {
	RP_FILTER_STRICT = 1,
	OVERHEAD4_BYTES = 60, /* IPv4 20, UDP 8, WireGuard 32 */
	OVERHEAD6_BYTES = 80, /* IPv6 40, UDP 8, WireGuard 32 */
	IPV6_MTU_MIN = 1280,  /* RFC 8200, section 5 */
};

static void judge_loop(struct judgement *judgement, const char *words)
{
	const struct explain_facts *facts = judgement->facts;
	char to[ADDR_TEXT_MAX];
	struct explain_finding *finding = explain_find(judgement->findings, EXPLAIN_OUTER_ROUTE, EXPLAIN_NO,
		"what %s sends to its peer at %s would come back into it (%s)", facts->tunnel.name,
		addr_format(&facts->peer.endpoint.addr, to, sizeof(to)), words);

	explain_todo(finding,
		"give the endpoint a route of its own over the uplink: ip route add %s via ROUTER dev "
		"UPLINK; or a "
		"mark and rules that pass it by",
		to);
}

void judge_outer_way(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct explain_way *way = &facts->outer;
	struct explain_choice choice = explain_choose(facts, way, way->mark);
	char words[EXPLAIN_WORDS_MAX], from[ADDR_TEXT_MAX];
	struct explain_route taken = way->answer;
	struct explain_finding *finding;

	judge_rule(judgement, EXPLAIN_OUTER_RULE, way, &choice);
	if (judge_no_way(judgement, EXPLAIN_OUTER_ROUTE, way, &choice))
		return;
	if (judge_is_sure(way, &choice))
		taken = *choice.route;
	explain_route_format(&taken, words);
	if (strcmp(taken.device, facts->tunnel.name) == 0) {
		judge_loop(judgement, words);
	} else if (!way->device_up) {
		finding = explain_find(judgement->findings, EXPLAIN_OUTER_ROUTE, EXPLAIN_NO,
			"%s, but %s is down or has no carrier", words, taken.device);
		explain_todo(finding, "plug it in, or 'ip link set %s up'", taken.device);
	} else {
		judgement->leaves = true;
		explain_find(judgement->findings, EXPLAIN_OUTER_ROUTE, EXPLAIN_OK, "%s, from %s, mark 0x%x",
			words, addr_format(&way->answer.src, from, sizeof(from)), way->mark);
	}
}

void judge_mtu(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct explain_way *way = &facts->outer;
	uint32_t path = way->answer.mtu ? way->answer.mtu : way->device_mtu;
	uint32_t overhead = way->to.family == AF_INET ? OVERHEAD4_BYTES : OVERHEAD6_BYTES;
	struct explain_finding *finding;

	if (facts->question.to.family == AF_INET6 && facts->tunnel.mtu < IPV6_MTU_MIN) {
		finding = explain_find(judgement->findings, EXPLAIN_MTU, EXPLAIN_NO,
			"%s has an MTU of %u: IPv6 needs %d", facts->tunnel.name, facts->tunnel.mtu,
			IPV6_MTU_MIN);
		explain_todo(finding, "ip link set %s mtu %d", facts->tunnel.name, IPV6_MTU_MIN);
	} else if (judgement->leaves && path && facts->tunnel.mtu + overhead > path) {
		finding = explain_find(judgement->findings, EXPLAIN_MTU, EXPLAIN_NO,
			"the MTU of %s is %u, with WireGuard's %u bytes around it %u, and the way to the "
			"peer takes "
			"%u: large packets leave in fragments, which are often dropped, or not at all",
			facts->tunnel.name, facts->tunnel.mtu, overhead, facts->tunnel.mtu + overhead, path);
		explain_todo(finding, "ip link set %s mtu %u, or MTU = in its file", facts->tunnel.name,
			path > overhead ? path - overhead : 0);
	} else if (judgement->leaves) {
		explain_find(judgement->findings, EXPLAIN_MTU, EXPLAIN_OK, "%u + %u of %u", facts->tunnel.mtu,
			overhead, path);
	}
}

/* What reverse path filtering looks up: with the packet's mark only where src_valid_mark says so. */
static const struct explain_way *way_back(const struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct trace_mark *mark = &judgement->answer_mark;
	bool marked = facts->on_outer.src_valid_mark && facts->tunnel.fwmark && !mark->unknown &&
		      mark->value == facts->tunnel.fwmark;

	return marked ? &facts->back_marked : &facts->back;
}

void judge_outer_rp_filter(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct explain_way *back = way_back(judgement);
	const char *device = facts->outer.answer.device;
	struct explain_finding *finding;
	char where[JUDGE_BACK_TEXT_MAX];

	if (!judgement->leaves || facts->outer.to.family != AF_INET)
		return;
	if (facts->on_outer.rp_filter != RP_FILTER_STRICT ||
		judge_back(facts, back, device) == JUDGE_BACK_PASSES) {
		explain_find(judgement->findings, EXPLAIN_OUTER_RP_FILTER, EXPLAIN_OK, "%d on %s",
			facts->on_outer.rp_filter, device);
		return;
	}
	finding = explain_find(judgement->findings, EXPLAIN_OUTER_RP_FILTER, EXPLAIN_NO,
		"it is strict (1) on %s, and the look-up that it makes leads %s: the peer's answers are "
		"dropped",
		device, judge_back_format(facts, back, where));
	explain_todo(finding,
		"sysctl -w net.ipv4.conf.%s.rp_filter=2; with a marked default route also "
		"net.ipv4.conf.all.src_valid_mark=1",
		device);
}
