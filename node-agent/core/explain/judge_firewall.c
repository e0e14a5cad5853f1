/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/explain/judge.h"
#include "node-agent/core/trace/trace.h"

enum { SESSION_S = 180 };

/* Our own table, of core/firewall: what its fence drops is not to be allowed by hand. */
static bool is_fence(const struct trace_place *place)
{
	return place->table->family == NFPROTO_INET && strcmp(place->table->name, "holdfast") == 0 &&
	       strncmp(place->chain->name, "fence_", 6) == 0;
}

static void say_blocked(struct judgement *judgement, enum explain_step step, enum trace_hook hook,
	const struct trace_result *result)
{
	char place[TRACE_PLACE_TEXT_MAX];
	struct explain_finding *finding = explain_find(judgement->findings, step, EXPLAIN_NO,
		"%s %s it at %s", trace_place_format(&result->place, place),
		result->verdict == TRACE_REJECT ? "rejects" : "drops", trace_hook_name(hook));

	if (is_fence(&result->place))
		explain_todo(finding, "this gateway does not hold the lease: 'holdfast status' says who "
				      "does, and why not this one");
	else
		explain_todo(finding, "allow it there: nft -a list chain %s %s %s",
			loaded_family_name(result->place.table->family), result->place.table->name,
			result->place.chain->name);
}

static void say_unsure(struct judgement *judgement, enum explain_step step, enum trace_hook hook,
	const struct trace_result *result)
{
	char place[TRACE_PLACE_TEXT_MAX] = "the ruleset";

	if (result->place.table)
		trace_place_format(&result->place, place);
	explain_find(judgement->findings, step, EXPLAIN_DOUBTFUL, "cannot tell: %s %s (%s)", place,
		result->why, trace_hook_name(hook));
}

/* The hooks of a step, one after the other. True: it comes through, as far as that is known. */
struct passage {
	enum explain_step step;
	bool blocked, unsure, rerouted;
	struct trace_place nat;
};

static void pass(struct judgement *judgement, struct passage *passage, enum trace_hook hook,
	struct trace_packet *packet)
{
	struct trace_result result;

	if (passage->blocked)
		return;
	trace_hook(&judgement->facts->ruleset, hook, packet, &result);
	if (result.nat.table)
		passage->nat = result.nat;
	passage->rerouted |= result.rerouted;
	switch (result.verdict) {
	case TRACE_ACCEPT:
		return;
	case TRACE_DROP:
	case TRACE_REJECT:
		passage->blocked = true;
		say_blocked(judgement, passage->step, hook, &result);
		return;
	case TRACE_UNSURE:
		if (!passage->unsure)
			say_unsure(judgement, passage->step, hook, &result);
		passage->unsure = true;
		return;
	}
}

static void say_passed(
	struct judgement *judgement, const struct passage *passage, const struct trace_packet *packet)
{
	char what[TRACE_PACKET_TEXT_MAX], place[TRACE_PLACE_TEXT_MAX];

	if (passage->blocked || passage->unsure)
		return;
	trace_packet_format(packet, what);
	if (judgement->facts->ruleset_failure[0])
		explain_find(judgement->findings, passage->step, EXPLAIN_DOUBTFUL, "cannot tell: %s",
			judgement->facts->ruleset_failure);
	else if (judgement->facts->legacy)
		explain_find(judgement->findings, passage->step, EXPLAIN_DOUBTFUL,
			"nftables lets %s through; tables of iptables-legacy are loaded, too, and cannot be "
			"seen here: "
			"iptables-legacy-save",
			what);
	else if (passage->rerouted)
		explain_find(judgement->findings, passage->step, EXPLAIN_DOUBTFUL,
			"a chain of type route changes the mark of %s, and it is routed again", what);
	else if (passage->nat.table)
		explain_find(judgement->findings, passage->step, EXPLAIN_OK,
			"lets %s through, with another source (%s)", what,
			trace_place_format(&passage->nat, place));
	else
		explain_find(judgement->findings, passage->step, EXPLAIN_OK, "lets %s through", what);
}

/* ---- the inner packet ---- */

static void set_device(char device[IFNAMSIZ], unsigned *ifindex, const char *name, unsigned index)
{
	text_copy(device, IFNAMSIZ, name);
	*ifindex = index;
}

static struct trace_packet inner_packet(const struct explain_facts *facts)
{
	const struct explain_question *question = &facts->question;
	struct trace_packet packet = {.to = question->to,
		.protocol = question->protocol,
		.dport = question->port,
		.ct = TRACE_CT_NEW,
		.from_type = question->in[0] ? RTN_UNICAST : RTN_LOCAL,
		.to_type = RTN_UNICAST};

	packet.from = question->in[0] ? question->from : facts->inner.answer.src;
	if (question->in[0])
		set_device(packet.iif, &packet.iif_index, question->in, facts->in.ifindex);
	return packet;
}

void judge_arrival(struct judgement *judgement)
{
	struct passage passage = {.step = EXPLAIN_FIREWALL};

	judgement->packet = inner_packet(judgement->facts);
	if (!judgement->facts->question.in[0])
		return;
	pass(judgement, &passage, TRACE_INGRESS, &judgement->packet);
	pass(judgement, &passage, TRACE_PREROUTING, &judgement->packet);
	judgement->blocked = passage.blocked;
}

void judge_firewall(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	struct passage passage = {.step = EXPLAIN_FIREWALL};
	struct trace_packet *packet = &judgement->packet;

	if (judgement->blocked || !judgement->enters)
		return;
	set_device(packet->oif, &packet->oif_index, facts->tunnel.name, facts->tunnel.ifindex);
	pass(judgement, &passage, facts->question.in[0] ? TRACE_FORWARD : TRACE_OUTPUT, packet);
	pass(judgement, &passage, TRACE_POSTROUTING, packet);
	pass(judgement, &passage, TRACE_EGRESS, packet);
	say_passed(judgement, &passage, packet);
}

/* ---- WireGuard's own packet ---- */

/* A peer that has spoken lately has a connection that its packets belong to. */
static bool is_live(const struct explain_facts *facts)
{
	return facts->peer.handshake_s && facts->now_s - facts->peer.handshake_s <= SESSION_S;
}

void judge_outer_firewall(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	struct passage passage = {.step = EXPLAIN_OUTER_FIREWALL};
	struct trace_packet *packet = &judgement->outer_packet;

	if (!judgement->leaves)
		return;
	*packet = (struct trace_packet){.from = facts->outer.answer.src,
		.to = facts->peer.endpoint.addr,
		.protocol = IPPROTO_UDP,
		.sport = facts->tunnel.listen_port,
		.dport = facts->peer.endpoint.port,
		.mark = {.value = facts->tunnel.fwmark},
		.ct = is_live(facts) ? TRACE_CT_ESTABLISHED : TRACE_CT_NEW,
		.from_type = RTN_LOCAL,
		.to_type = facts->outer.answer.type};
	set_device(packet->oif, &packet->oif_index, facts->outer.answer.device, facts->outer.answer.ifindex);
	pass(judgement, &passage, TRACE_OUTPUT, packet);
	pass(judgement, &passage, TRACE_POSTROUTING, packet);
	pass(judgement, &passage, TRACE_EGRESS, packet);
	say_passed(judgement, &passage, packet);
}

void judge_answer_firewall(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct trace_packet *out = &judgement->outer_packet;
	struct passage passage = {.step = EXPLAIN_ANSWER_FIREWALL};
	struct trace_packet packet = {.from = out->to,
		.to = out->from,
		.protocol = IPPROTO_UDP,
		.sport = out->dport,
		.dport = out->sport,
		.ct_mark = out->ct_mark,
		.ct = TRACE_CT_ESTABLISHED,
		.reply = true,
		.from_type = out->to_type,
		.to_type = RTN_LOCAL};

	if (!judgement->leaves || !addr_is_set(&out->from))
		return;
	set_device(packet.iif, &packet.iif_index, facts->outer.answer.device, facts->outer.answer.ifindex);
	pass(judgement, &passage, TRACE_INGRESS, &packet);
	pass(judgement, &passage, TRACE_PREROUTING, &packet);
	judgement->answer_mark = packet.mark;
	pass(judgement, &passage, TRACE_INPUT, &packet);
	say_passed(judgement, &passage, &packet);
}

/* ---- what the answer carries ---- */

void judge_reply_firewall(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct trace_packet *out = &judgement->packet;
	struct addr to = facts->question.in[0] ? facts->question.from : facts->inner.answer.src;
	struct passage passage = {.step = EXPLAIN_REPLY_FIREWALL};
	struct trace_packet packet = {.from = out->to,
		.to = to,
		.protocol = out->protocol,
		.sport = out->dport,
		.ct_mark = out->ct_mark,
		.ct = TRACE_CT_ESTABLISHED,
		.reply = true,
		.from_type = RTN_UNICAST,
		.to_type = facts->question.in[0] ? RTN_UNICAST : RTN_LOCAL};

	if (!judgement->enters || !addr_is_set(&to))
		return;
	set_device(packet.iif, &packet.iif_index, facts->tunnel.name, facts->tunnel.ifindex);
	pass(judgement, &passage, TRACE_INGRESS, &packet);
	pass(judgement, &passage, TRACE_PREROUTING, &packet);
	if (facts->question.in[0]) {
		set_device(packet.oif, &packet.oif_index, facts->question.in, facts->in.ifindex);
		pass(judgement, &passage, TRACE_FORWARD, &packet);
		pass(judgement, &passage, TRACE_POSTROUTING, &packet);
	} else {
		pass(judgement, &passage, TRACE_INPUT, &packet);
	}
	say_passed(judgement, &passage, &packet);
}
